//! What a pipeline is declared to do.

use super::span;
use crate::channel::Pattern;
use crate::condition::Condition;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What happens to jobs before they are done, and to parts before they are handed out.
///
/// Made by methods, or read from text, which is the same: it is written as the text that is read. It is put in force by
/// [`Live::set_pipelines`](crate::live::Live::set_pipelines).
///
/// ```
/// use mape::live::{Pipeline, Pipelines};
/// use std::time::Duration;
/// let second = Duration::from_secs(1);
/// let pipelines = Pipelines::new()
///     .for_jobs(Pipeline::named(["customers"]).group_by("source").batch(100, second).parallel(8))
///     .for_results(Pipeline::new().dedup());
/// let json = r#"{
///   "jobs": [{"names": ["customers"], "stages": [
///     {"group_by": "source"}, {"batch": {"most": 100, "within": "1s"}}, {"parallel": 8}]}],
///   "results": [{"stages": ["dedup"]}]
/// }"#;
/// assert_eq!(Pipelines::from_json(json)?, pipelines);
/// # Ok::<(), mape::live::InvalidPipelines>(())
/// ```
///
/// # The contract
/// - **Which.** A job, or a part, goes through the first pipeline that is for its name; without one, straight on.
/// - **Errors and ends.** An error is never left out and never overtakes what came before it. The end of a job comes
///   behind its last part, whatever a pipeline does with its parts.
/// - **What is left out** is counted; a job that is left out ends with a part that says why.
/// - **Bounds.** Jobs are bounded by [`Settings::jobs`](crate::live::Settings::jobs). While a pipeline of results holds
///   [`Settings::held`](crate::live::Settings::held) parts, those who make more wait.
/// - **Swaps.** A declaration takes effect at once, as a whole or not at all. What was only collected goes on at once, on
///   its old way; nothing is lost or comes twice, and parts of a job keep their order. Jobs that run go on, and those
///   that wait for a turn are done by the rules they waited for. A limit, a place, a cache that is declared before and
///   after for the same names and groups knows what was before.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Pipelines {
    /// For jobs.
    pub jobs: Vec<Pipeline>,
    /// For parts of results.
    pub results: Vec<Pipeline>,
}

/// What happens one after the other to jobs, or parts, of some names.
///
/// Made by methods, each of which adds a [`Stage`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Pipeline {
    /// For which names; of any, if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<Pattern>,
    /// What happens.
    pub stages: Vec<Stage>,
}

/// Something that happens to jobs, or to parts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Stage {
    /// What follows is done for each group by itself: by `source` (who asked for the job; of a part, its name), `name`,
    /// `job` (of a part: its job), or what is at a path in the input or data, such as `customer.id` (`\source` for a field of
    /// that name). A later one takes its place.
    GroupBy(String),
    /// Several become one: as soon as there are `most`, or `within` this time from the first. Jobs of one name, for an
    /// element that takes [lists](crate::live::Live::job_lists); parts of one job, or of one name, as one part with a list
    /// of their data.
    Batch {
        /// At most so many, 1 to 10,000.
        most: usize,
        /// At most so long.
        #[serde(with = "span")]
        within: Duration,
    },
    /// Jobs: at most so many of a group run at a time (a batch counts as one); others wait in their order. The last stage.
    Parallel(usize),
    /// Jobs: the next of a group starts when the one before has ended. The last stage.
    InOrder,
    /// Only the last goes on, when none of the same name, or job, has come for so long.
    Debounce(#[serde(with = "span")] Duration),
    /// At most `most` go on in any time `per`; others wait in their order. Jobs that nobody wants any more do not count. Of
    /// groups of which nothing waits, the 10,000 that were there last are remembered.
    RateLimit {
        /// At most so many, 1 to 10,000.
        most: usize,
        /// In so long.
        #[serde(with = "span")]
        per: Duration,
    },
    /// Jobs: one with the name and input of one that is under way becomes one with it; who asks gets the parts so far, and
    /// then the rest, while no more than 64 MiB of parts of jobs under way are kept. Parts: data equal to those before in the
    /// same job, or under the same name, are left out.
    Dedup,
    /// Jobs: one with the name and input of one that has ended well is answered from its parts. At most 64 MiB of inputs and
    /// parts are kept, the oldest forgotten first.
    Cache {
        /// For so long.
        #[serde(rename = "for", with = "span")]
        lasting: Duration,
        /// At most so many jobs are known, 1 to 100,000. Default: 1,000.
        #[serde(default = "known")]
        most: usize,
    },
    /// Only inputs, or data, for which a condition holds.
    Filter(#[serde(serialize_with = "as_text")] Condition),
}

fn known() -> usize {
    1000
}

fn as_text<S: serde::Serializer>(condition: &Condition, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(condition)
}

impl Pipelines {
    /// None: jobs go straight to what does them, and parts to whoever is interested.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more for jobs.
    #[must_use]
    pub fn for_jobs(mut self, pipeline: Pipeline) -> Self {
        self.jobs.push(pipeline);
        self
    }

    /// With one more for parts of results.
    #[must_use]
    pub fn for_results(mut self, pipeline: Pipeline) -> Self {
        self.results.push(pipeline);
        self
    }
}

impl Pipeline {
    /// For any name.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// For names that match one of these patterns.
    #[must_use]
    pub fn named<P: Into<Pattern>>(names: impl IntoIterator<Item = P>) -> Self {
        Self { names: names.into_iter().map(Into::into).collect(), stages: Vec::new() }
    }

    /// Adds a stage.
    #[must_use]
    pub fn then(mut self, stage: Stage) -> Self {
        self.stages.push(stage);
        self
    }

    /// [`Stage::GroupBy`]
    #[must_use]
    pub fn group_by(self, by: impl Into<String>) -> Self {
        self.then(Stage::GroupBy(by.into()))
    }

    /// [`Stage::Batch`]
    #[must_use]
    pub fn batch(self, most: usize, within: Duration) -> Self {
        self.then(Stage::Batch { most, within })
    }

    /// [`Stage::Parallel`]
    #[must_use]
    pub fn parallel(self, most: usize) -> Self {
        self.then(Stage::Parallel(most))
    }

    /// [`Stage::InOrder`]
    #[must_use]
    pub fn in_order(self) -> Self {
        self.then(Stage::InOrder)
    }

    /// [`Stage::Debounce`]
    #[must_use]
    pub fn debounce(self, quiet: Duration) -> Self {
        self.then(Stage::Debounce(quiet))
    }

    /// [`Stage::RateLimit`]
    #[must_use]
    #[doc(alias = "throttle")]
    pub fn rate_limit(self, most: usize, per: Duration) -> Self {
        self.then(Stage::RateLimit { most, per })
    }

    /// [`Stage::Dedup`]
    #[must_use]
    #[doc(alias = "distinct_until_changed")]
    pub fn dedup(self) -> Self {
        self.then(Stage::Dedup)
    }

    /// [`Stage::Cache`]
    #[must_use]
    pub fn cache(self, lasting: Duration, most: usize) -> Self {
        self.then(Stage::Cache { lasting, most })
    }

    /// [`Stage::Filter`]
    #[must_use]
    pub fn filter(self, condition: Condition) -> Self {
        self.then(Stage::Filter(condition))
    }
}
