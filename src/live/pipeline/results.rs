//! Parts on their way to whoever is interested.

use super::Stage;
use super::chain::{Group, Kin, Out, Site, Unit};
use super::validate::By;
use crate::live::{Body, Job, Part};
use parking_lot::Mutex;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;

/// Names and jobs whose last data are remembered, at most.
const MOST_KNOWN: usize = 10_000;

/// Leaves out what is the same as before.
#[derive(Default)]
pub(super) struct Distinct {
    last: HashMap<(Group, Kin), Arc<Value>>,
}

impl Distinct {
    fn is_new(&mut self, part: &Part, group: &Group) -> bool {
        let key = (group.clone(), part.kin());
        let Some(data) = part.data() else {
            self.last.remove(&key);
            return true;
        };
        match self.last.get_mut(&key) {
            Some(last) if last == data => false,
            Some(last) => {
                *last = data.clone();
                true
            }
            None => {
                if self.last.len() >= MOST_KNOWN {
                    // Jobs that have ended are the most of these.
                    self.last.clear();
                }
                self.last.insert(key, data.clone());
                true
            }
        }
    }
}

impl Unit for Part {
    /// Shared with the pipeline that takes the place of this one.
    type Own = Arc<Mutex<Distinct>>;
    type More = ();
    const WHAT: &'static str = "results";

    fn group(&self, by: &By) -> Group {
        Some(match by {
            By::Source | By::Name => self.name().clone(),
            By::Job => match self.job() {
                Some(job) => job.id().to_string().into(),
                None => self.name().clone(),
            },
            By::Path(path) => path.find(Part::data(self)?)?.to_string().into(),
        })
    }

    fn kin(&self) -> Kin {
        (self.job().map(Job::id), self.name().clone())
    }

    fn data(&self) -> Option<&Value> {
        Part::data(self).map(|data| &**data)
    }

    /// Who is interested may come any time.
    fn part_unwanted(self) -> (Option<Self>, Option<Self>) {
        (Some(self), None)
    }

    fn join(self, others: impl Iterator<Item = Self>) -> Self {
        let data = |part: &Self| Part::data(part).map(|data| (**data).clone());
        let list: Value = data(&self).into_iter().chain(others.filter_map(|part| data(&part))).collect();
        Self { body: Body::Data(Arc::new(list)), ..self }
    }

    fn count(&self) -> usize {
        1
    }

    fn own(stage: &Stage, before: Option<&Self::Own>, _: &Site<'_>) -> Option<Self::Own> {
        matches!(stage, Stage::Dedup).then(|| before.cloned().unwrap_or_default())
    }

    fn pass(own: &mut Self::Own, part: Self, group: &Group, out: &mut Out<Self>) -> Option<Self> {
        if own.lock().is_new(&part, group) {
            return Some(part);
        }
        out.left.push((part, "it says the same as the one before"));
        None
    }
}
