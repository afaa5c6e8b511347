//! What became of jobs.

use super::{Error, JobId};
use crate::event::{Entry, Event, EventId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::time::Duration;

/// What was told of a job: how far it is, or how an attempt ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema), schema(as = JobOutcome))]
pub struct Outcome {
    /// Where it is in the log of outcomes.
    #[cfg_attr(feature = "http", schema(value_type = String))]
    pub place: EventId,
    /// Which job.
    #[cfg_attr(feature = "http", schema(value_type = String))]
    pub job: JobId,
    /// The how manieth attempt it was, from 1.
    pub attempt: u32,
    /// How long the attempt took, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub took: Option<f64>,
    /// What was told.
    #[serde(flatten)]
    pub ending: Ending,
}

/// What was told of a job.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema), schema(as = JobEnding))]
#[serde(rename_all = "snake_case", tag = "kind")]
#[non_exhaustive]
pub enum Ending {
    /// It is done.
    Done {
        /// What came out.
        result: Json,
    },
    /// The attempt failed, and another is made.
    Failed {
        /// Why.
        error: String,
        /// When it is tried again, in milliseconds since 1970.
        retry_at: u64,
    },
    /// It failed too often, or for good, and is in the dead letters.
    Dead {
        /// Why.
        error: String,
    },
    /// How far it is; more will be told.
    Progress {
        /// What it says.
        progress: Json,
    },
}

impl Outcome {
    /// Whether nothing more will be told of the job, unless it is replayed.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self.ending, Ending::Done { .. } | Ending::Dead { .. })
    }

    /// What came out, as a `T`.
    ///
    /// # Errors
    /// [`Error::Outcome`] if it is not done, or that is no `T`.
    pub fn result<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let wrong = |reason: String| Error::Outcome { job: self.job.clone(), reason };
        match &self.ending {
            Ending::Done { result } => {
                T::deserialize(result).map_err(|error| wrong(format!("its result is another: {error}")))
            }
            Ending::Failed { error, .. } => Err(wrong(format!("it failed and is tried again: {error}"))),
            Ending::Dead { error } => Err(wrong(format!("it failed for good: {error}"))),
            Ending::Progress { .. } => Err(wrong("it is under way".to_owned())),
        }
    }

    /// Which job it is about.
    pub(super) fn job_of(event: &Event) -> Option<JobId> {
        serde_json::from_str(event.json("job")?).ok()
    }

    /// What an event of the log of outcomes says; nothing if it is another one.
    pub(super) fn read(entry: &Entry) -> Option<Self> {
        let event = entry.event.as_ref().ok()?;
        let Kept { job, attempt, took, result, error, retry_at, progress } = event.read().ok()?;
        let ending = match event.kind()?.as_str() {
            DONE => Ending::Done { result: result.unwrap_or_default() },
            FAILED => Ending::Failed { error: error?, retry_at: retry_at? },
            DEAD => Ending::Dead { error: error? },
            PROGRESS => Ending::Progress { progress: progress.unwrap_or_default() },
            _ => return None,
        };
        Some(Self { place: entry.id, job, attempt, took, ending })
    }
}

const DONE: &str = "done";
const FAILED: &str = "failed";
const DEAD: &str = "dead";
const PROGRESS: &str = "progress";

#[derive(Deserialize)]
struct Kept {
    job: JobId,
    attempt: u32,
    took: Option<f64>,
    result: Option<Json>,
    error: Option<String>,
    retry_at: Option<u64>,
    progress: Option<Json>,
}

fn told(kind: &str, job: &JobId, attempt: u32, took: Option<Duration>) -> Event {
    let event = Event::new(kind).with("job", job.as_str()).with("attempt", attempt);
    match took {
        // Microseconds are enough.
        Some(took) => event.with("took", (took.as_secs_f64() * 1e6).round() / 1e3),
        None => event,
    }
}

pub(super) fn done(job: &JobId, attempt: u32, took: Duration, result: String) -> Result<Event, String> {
    Ok(told(DONE, job, attempt, Some(took)).with_json("result", result)?.stamped())
}

pub(super) fn failed(job: &JobId, attempt: u32, took: Duration, error: &str, retry_at: u64) -> Event {
    told(FAILED, job, attempt, Some(took)).with("error", error).with("retry_at", retry_at).stamped()
}

pub(super) fn dead(job: &JobId, attempt: u32, error: &str) -> Event {
    told(DEAD, job, attempt, None).with("error", error).stamped()
}

pub(super) fn progress(job: &JobId, attempt: u32, progress: String) -> Result<Event, String> {
    Ok(told(PROGRESS, job, attempt, None).with_json("progress", progress)?.stamped())
}
