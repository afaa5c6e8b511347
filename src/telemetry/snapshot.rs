//! Everything that is counted, at one moment.

#[cfg(feature = "flow")]
use super::queues;
use super::{Family, FamilyKind, Format, Sample, Value, elements, goals, groups, meters, process};
use crate::app::App;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Everything that a process counts, at one moment: see [the module](super).
///
/// Counters of things that are gone are gone with them: who reads them over time takes a counter that fell for one that
/// began anew, as Prometheus does.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    families: Vec<Family>,
}

impl Snapshot {
    /// What the elements, links and loops of the app, the meters of the process, and the process itself have counted.
    #[must_use]
    pub fn of(app: &App) -> Self {
        let mut into = Collected::default();
        into.info();
        process::collect(&mut into);
        elements::collect(app, &mut into);
        goals::collect(app, &mut into);
        meters::collect(&mut into);
        Self { families: into.0.into_values().filter(|family| !family.samples.is_empty()).collect() }
    }

    /// The same, after the backend was asked how far the consumer groups of this process are behind, and how much there is
    /// in its queues; it has half a second for that.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives nothing up but the answer.
    pub async fn read(app: &App) -> Self {
        #[cfg(feature = "flow")]
        tokio::join!(groups::ask(app), queues::ask(app));
        #[cfg(not(feature = "flow"))]
        groups::ask(app).await;
        Self::of(app)
    }

    /// The metrics by name.
    #[must_use]
    pub fn families(&self) -> &[Family] {
        &self.families
    }

    /// The family of that name.
    #[must_use]
    pub fn family(&self, name: &str) -> Option<&Family> {
        self.families.iter().find(|family| family.name == name)
    }

    /// All of it as text.
    #[must_use]
    pub fn text(&self, format: Format) -> String {
        super::text::write(&self.families, format)
    }
}

pub(super) const KNOWN: &[Known] = &[INFO];
const INFO: Known = Known(FamilyKind::Gauge, "mape_build_info", "", "Always 1; the version of the program.");

/// A family that is known in advance: kind, name, unit, and what it means.
pub(super) struct Known(
    pub(super) FamilyKind,
    pub(super) &'static str,
    pub(super) &'static str,
    pub(super) &'static str,
);

/// What has been collected so far.
#[derive(Default)]
pub(super) struct Collected(BTreeMap<Cow<'static, str>, Family>);

impl Collected {
    fn info(&mut self) {
        let labels = vec![("version", env!("CARGO_PKG_VERSION").to_owned())];
        self.known(&INFO).samples.push(Sample { labels, value: Value::Number(1.0) });
    }

    pub(super) fn known(&mut self, known: &Known) -> &mut Family {
        let Known(kind, name, unit, help) = *known;
        self.family(kind, Cow::Borrowed(name), unit, help)
    }

    pub(super) fn family(
        &mut self,
        kind: FamilyKind,
        name: Cow<'static, str>,
        unit: &'static str,
        help: &'static str,
    ) -> &mut Family {
        let new =
            |name: &Cow<'static, str>| Family { name: name.clone(), help, kind, unit, samples: Vec::new() };
        self.0.entry(name).or_insert_with_key(new)
    }
}
