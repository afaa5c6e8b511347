//! What a declaration has to keep to.

use super::{InvalidPipelines, Pipeline, Pipelines, Stage};
use crate::condition::Path;
use std::time::Duration;

/// Pipelines for jobs, and for results, at most.
const MOST_PIPELINES: usize = 100;
/// Stages of a pipeline, at most.
const MOST_STAGES: usize = 20;
/// What can be collected, counted or waited for, at most.
const MOST: usize = 10_000;
/// What can be cached, at most.
const MOST_KNOWN: usize = 100_000;
const LONGEST: Duration = Duration::from_hours(24);

/// What makes groups.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum By {
    Source,
    Name,
    Job,
    Path(Path),
}

impl By {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        Ok(match text {
            "source" => Self::Source,
            "name" => Self::Name,
            "job" => Self::Job,
            path => {
                let path = Path::parse(path)?;
                if path.is_wild() {
                    return Err(format!("`{text}` leads to many places: a group has one, without * and **"));
                }
                Self::Path(path)
            }
        })
    }
}

#[derive(Clone, Copy, PartialEq)]
enum For {
    Jobs,
    Results,
}

impl Pipelines {
    /// Whether it can be put in force; else the first thing that is wrong with it.
    ///
    /// # Errors
    /// [`InvalidPipelines`], with its path and without a place in a text.
    pub fn check(&self) -> Result<(), InvalidPipelines> {
        for (which, list, what) in [(For::Jobs, &self.jobs, "jobs"), (For::Results, &self.results, "results")]
        {
            if list.len() > MOST_PIPELINES {
                let message = format!("there may be {MOST_PIPELINES} pipelines, not {}", list.len());
                return Err(InvalidPipelines::new(what, message));
            }
            let last = list.len().saturating_sub(1);
            for (i, pipeline) in list.iter().enumerate() {
                let path = format!("{what}[{i}]");
                pipeline.check(which, &path)?;
                if pipeline.names.is_empty() && i < last {
                    let path = format!("{what}[{}]", i + 1);
                    let message = format!("is never reached: {what}[{i}] is for any name; put that last");
                    return Err(InvalidPipelines::new(path, message));
                }
            }
        }
        Ok(())
    }
}

impl Pipeline {
    fn check(&self, which: For, path: &str) -> Result<(), InvalidPipelines> {
        for (i, name) in self.names.iter().enumerate() {
            let length = name.as_str().len();
            if !(1..=200).contains(&length) {
                let message = format!("a pattern of names has 1 to 200 bytes, not {length}");
                return Err(InvalidPipelines::new(format!("{path}.names[{i}]"), message));
            }
        }
        if self.stages.len() > MOST_STAGES {
            let message = format!("there may be {MOST_STAGES} stages, not {}", self.stages.len());
            return Err(InvalidPipelines::new(format!("{path}.stages"), message));
        }
        for (i, stage) in self.stages.iter().enumerate() {
            let path = format!("{path}.stages[{i}]");
            stage.check(which, &path)?;
            let (before, after) = self.stages.split_at(i);
            stage
                .check_place(which, before, after.len() == 1)
                .map_err(|it| InvalidPipelines::new(path, it))?;
        }
        Ok(())
    }
}

impl Stage {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::GroupBy(_) => "group_by",
            Self::Batch { .. } => "batch",
            Self::Parallel(_) => "parallel",
            Self::InOrder => "in_order",
            Self::Debounce(_) => "debounce",
            Self::RateLimit { .. } => "rate_limit",
            Self::Dedup => "dedup",
            Self::Cache { .. } => "cache",
            Self::Filter(_) => "filter",
        }
    }

    fn check(&self, which: For, path: &str) -> Result<(), InvalidPipelines> {
        let path = |key: &str| format!("{path}.{}{key}", self.name());
        let number = |key: &str, number: usize, most: usize| {
            let message = || format!("must be 1 to {most}, not {number}");
            if (1..=most).contains(&number) {
                Ok(())
            } else {
                Err(InvalidPipelines::new(path(key), message()))
            }
        };
        let time = |key: &str, time: Duration| {
            let message = || format!("must be more than nothing and at most a day, not {time:?}");
            if time > Duration::ZERO && time <= LONGEST {
                Ok(())
            } else {
                Err(InvalidPipelines::new(path(key), message()))
            }
        };
        match self {
            Self::GroupBy(by) => match By::parse(by) {
                Err(message) => Err(InvalidPipelines::new(path(""), message)),
                Ok(By::Job) if which == For::Jobs => {
                    let message = "each job would be a group of its own: group by source, name or a path";
                    Err(InvalidPipelines::new(path(""), message))
                }
                Ok(_) => Ok(()),
            },
            Self::Batch { most, within } => {
                number(".most", *most, MOST)?;
                time(".within", *within)
            }
            Self::Parallel(most) => number("", *most, MOST),
            Self::Debounce(quiet) => time("", *quiet),
            Self::RateLimit { most, per } => {
                number(".most", *most, MOST)?;
                time(".per", *per)
            }
            Self::Cache { lasting, most } => {
                time(".for", *lasting)?;
                number(".most", *most, MOST_KNOWN)
            }
            Self::InOrder | Self::Dedup | Self::Filter(_) => Ok(()),
        }
    }

    /// Whether it may stand behind these.
    fn check_place(&self, which: For, before: &[Self], is_last: bool) -> Result<(), String> {
        let name = self.name();
        let holds =
            |stage: &&Self| matches!(stage, Self::Batch { .. } | Self::Debounce(_) | Self::RateLimit { .. });
        match (which, self) {
            (For::Results, Self::Parallel(_) | Self::InOrder | Self::Cache { .. }) => {
                Err(format!("`{name}` is for jobs, not for results: put it in a pipeline below `jobs`"))
            }
            (For::Jobs, Self::Parallel(_) | Self::InOrder) if !is_last => Err(format!(
                "`{name}` must be the last stage, for a job has its place from there until it ends"
            )),
            (For::Jobs, Self::Dedup | Self::Cache { .. } | Self::Filter(_)) => {
                if let Some(holding) = before.iter().find(holds) {
                    let holding = holding.name();
                    return Err(format!(
                        "`{name}` must stand before `{holding}`: it decides when a job is asked for"
                    ));
                }
                let is_twice = !matches!(self, Self::Filter(_)) && before.iter().any(|it| it.name() == name);
                if is_twice {
                    Err(format!("there is another `{name}` before: leave one out"))
                } else {
                    Ok(())
                }
            }
            _ => Ok(()),
        }
    }
}
