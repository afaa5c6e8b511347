//! All metrics that there can be.

use super::snapshot::Known;
use super::{FamilyKind, elements, goals, process, snapshot};
use crate::stream::meter::Kind;
use std::borrow::Cow;

/// A metric that there can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name, as a [`Family`](super::Family) has it.
    pub name: Cow<'static, str>,
    /// What becomes of its values.
    pub kind: FamilyKind,
    /// Its labels; those of [meters](crate::stream::meter) may be followed by `element`.
    pub labels: Vec<&'static str>,
    /// What it means.
    pub help: &'static str,
}

/// All metrics of this crate, by name. What a program counts by meters of its own comes to them.
#[must_use]
pub fn catalogue() -> Vec<Metric> {
    let mut all: Vec<_> =
        snapshot::KNOWN.iter().chain(process::KNOWN).map(|known| of_known(known, &[])).collect();
    all.extend(elements::known().map(|(known, labels)| of_known(known, labels)));
    all.push(of_known(&goals::STATE, &goals::LABELS));
    all.extend(kinds().into_iter().flat_map(of_kind));
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

fn of_known(known: &Known, labels: &[&'static str]) -> Metric {
    let Known(kind, name, _, help) = *known;
    Metric { name: Cow::Borrowed(name), kind, labels: labels.to_vec(), help }
}

fn of_kind(kind: &Kind) -> Vec<Metric> {
    let label = Some(kind.label).filter(|label| !label.is_empty());
    let metric = |which, name: &str, help| Metric {
        name: format!("mape_{}_{name}", kind.name).into(),
        kind: which,
        labels: label.into_iter().collect(),
        help,
    };
    let counters = kind.counters.iter().map(|(name, help)| metric(FamilyKind::Counter, name, *help));
    let gauges = kind.gauges.iter().map(|(name, help)| metric(FamilyKind::Gauge, name, *help));
    let latency = kind
        .latency
        .iter()
        .map(|(name, help)| metric(FamilyKind::Histogram, &format!("{name}_seconds"), *help));
    counters.chain(gauges).chain(latency).collect()
}

/// The kinds of meters of this crate.
fn kinds() -> Vec<&'static Kind> {
    let own = [
        &crate::app::GOAL,
        &crate::channel::metered::SINK,
        &crate::channel::metered::SOURCE,
        #[cfg(feature = "database")]
        &crate::database::metered::BULK,
        #[cfg(feature = "edge")]
        &crate::edge::metered::SOURCE,
        #[cfg(feature = "edge")]
        &crate::edge::stats::SINK,
        &crate::element::CALLS,
        &crate::event::metered::GROUP,
        &crate::event::metered::SINK,
        #[cfg(feature = "inference")]
        &crate::infer::metered::MODEL,
        &crate::live::metered::LIVE,
        &crate::live::nodes::metered::NODE,
        &crate::live::pipeline::metered::PIPELINE,
        #[cfg(feature = "flow")]
        &crate::queue::metered::QUEUE,
        &crate::stream::ops::OPERATOR,
        #[cfg(feature = "otel")]
        &super::otlp::EXPORTER,
    ];
    let all = own.into_iter();
    #[cfg(feature = "http")]
    let all = all.chain(crate::http::KINDS);
    #[cfg(feature = "flow")]
    let all = all.chain(crate::workflow::KINDS);
    all.collect()
}
