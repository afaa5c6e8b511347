//! What is to be done.

use super::Error;
use super::keys::LONGEST_KEY;
use super::settings::{LONGEST, Settings};
use crate::event::Event;
use crate::stream::clock;
use crate::stream::trace::TraceContext;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The id of a job: 27 hexadecimal digits, of which the first 11 are the milliseconds since 1970 when it was added; or, if a
/// schedule added it, the name of that and the time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(Arc<str>);

impl JobId {
    pub(super) fn random() -> Self {
        Self(format!("{:011x}{:016x}", millis(clock::now()), fastrand::u64(..)).into())
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// When it was added, if that can be told.
    pub(super) fn added(&self) -> Option<u64> {
        (self.0.len() == 27).then(|| u64::from_str_radix(self.0.get(..11)?, 16).ok()).flatten()
    }
}

impl From<&str> for JobId {
    fn from(id: &str) -> Self {
        Self(id.into())
    }
}

impl From<String> for JobId {
    fn from(id: String) -> Self {
        Self(id.into())
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Milliseconds since 1970.
pub(super) fn millis(at: SystemTime) -> u64 {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A job that was added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema), schema(as = AddedJob))]
#[must_use = "it says whether there was such a job already"]
pub struct Added {
    /// Its id; that of the other job, if there was one with the same key.
    #[cfg_attr(feature = "http", schema(value_type = String))]
    pub id: JobId,
    /// Whether it is new.
    pub is_new: bool,
}

/// A job to be added: what is to be done, and how it is queued.
///
/// ```
/// use mape::queue::NewJob;
/// use std::time::Duration;
/// let job = NewJob::new("remind me").delay(Duration::from_secs(3600)).priority(3).key("comment 17");
/// # let _ = job;
/// ```
#[derive(Clone, Debug)]
pub struct NewJob<T> {
    pub(super) data: T,
    pub(super) delay: Duration,
    pub(super) level: u8,
    pub(super) key: Option<String>,
}

impl<T> NewJob<T> {
    /// To be done as soon as it is its turn.
    pub fn new(data: T) -> Self {
        Self { data, delay: Duration::ZERO, level: 0, key: None }
    }

    /// Not before this time has passed.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Its level of priority: 0, the lowest, unless it is said, up to one less than the queue has
    /// [levels](Settings::priorities). Each level gets twice as many turns as the one below while both have jobs waiting, so
    /// none ever starves.
    #[must_use]
    pub fn priority(mut self, level: u8) -> Self {
        self.level = level;
        self
    }

    /// It is added only if no job with this key was in the last [`unique_for`](Settings::unique_for), whatever became of
    /// that.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }
}

impl<T: Serialize> NewJob<T> {
    /// As an event, with its id.
    pub(super) fn event(&self, queue: &str, settings: &Settings) -> Result<(JobId, Event), Error> {
        let refused = |reason: String| Error::Refused { queue: queue.to_owned(), reason };
        if self.level >= settings.priorities {
            let most = settings.priorities.saturating_sub(1);
            return Err(refused(format!(
                "it has priority {}, and the queue has {} (0 to {most})",
                self.level, settings.priorities
            )));
        }
        if self.key.as_ref().is_some_and(|key| key.is_empty() || key.len() > LONGEST_KEY) {
            return Err(refused(format!("its key has to have 1 to {LONGEST_KEY} bytes")));
        }
        if self.delay > LONGEST {
            return Err(refused("its delay is longer than 100 years".to_owned()));
        }
        let data =
            serde_json::to_string(&self.data).map_err(|error| refused(format!("it is no JSON: {error}")))?;
        if data.len() > settings.max_bytes {
            let (bytes, most) = (data.len(), settings.max_bytes);
            return Err(Error::TooLarge { queue: queue.to_owned(), bytes, most });
        }
        let id = JobId::random();
        let event = envelope(&id, data, self.key.as_deref(), TraceContext::current().as_ref());
        Ok((id, event.map_err(|_| refused("it is no JSON".to_owned()))?))
    }
}

/// The event of a job that is tried for the first time.
pub(super) fn envelope(
    id: &JobId,
    data: String,
    key: Option<&str>,
    context: Option<&TraceContext>,
) -> Result<Event, String> {
    let event = Event::new(KIND).with("job", id.as_str()).with_json("data", data)?;
    let event = key.into_iter().fold(event, |event, key| event.with("key", key));
    Ok(context.into_iter().fold(event, Event::traced_by).stamped())
}

/// The kind of the events that are jobs.
pub(super) const KIND: &str = "job";

/// A job as it is in the log, besides what is to be done.
#[derive(Debug, Deserialize)]
pub(super) struct Head {
    pub(super) job: JobId,
    /// The how manieth attempt it is, as far as the queue has counted.
    #[serde(default = "first")]
    pub(super) attempt: u32,
    pub(super) key: Option<String>,
    /// Why the last attempt failed.
    pub(super) error: Option<String>,
}

fn first() -> u32 {
    1
}
