//! What can go wrong with queues.

use super::JobId;
use crate::{event, knowledge};
use std::sync::Arc;

/// Why something was not done with a queue; [`is_retryable`](Self::is_retryable) says whether trying again can help.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A queue can't be called so.
    #[error("a queue can't be called `{name}`: its name {reason}")]
    Name {
        /// The name.
        name: String,
        /// What it has to be.
        reason: String,
    },
    /// A queue can't work so.
    #[error("the settings of queue `{queue}`: {reason}")]
    Settings {
        /// The queue.
        queue: String,
        /// What is wrong, and what to write.
        reason: String,
    },
    /// Nobody ever opened a queue of that name.
    #[error("there is no queue `{name}`{hint}")]
    NoQueue {
        /// The name.
        name: String,
        /// What may have been meant.
        hint: String,
    },
    /// A job was refused; nothing was added.
    #[error("a job for queue `{queue}` is refused: {reason}")]
    Refused {
        /// The queue.
        queue: String,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// A job is too large; nothing was added.
    #[error(
        "a job for queue `{queue}` is refused: it has {bytes} bytes, and may have {most} (max_bytes); put what is large elsewhere \
         and say where"
    )]
    TooLarge {
        /// The queue.
        queue: String,
        /// How many bytes it has.
        bytes: usize,
        /// How many it may have.
        most: usize,
    },
    /// There is no such job where it was looked for.
    #[error("queue `{queue}` has no job `{job}` {place}")]
    NoJob {
        /// The queue.
        queue: String,
        /// The job.
        job: JobId,
        /// Where it was looked for.
        place: &'static str,
    },
    /// A schedule can't be kept.
    #[error("schedule `{schedule}` of queue `{queue}`: {reason}")]
    Schedule {
        /// The queue.
        queue: String,
        /// Its name.
        schedule: String,
        /// What is wrong.
        reason: String,
    },
    /// The result of a job is no value of the asked type, or it has none.
    #[error("the outcome of job `{job}`: {reason}")]
    Outcome {
        /// The job.
        job: JobId,
        /// What there is instead.
        reason: String,
    },
    /// An element can't work on a queue.
    #[error("letting `{path}` work on queue `{queue}`: {reason}")]
    Element {
        /// The queue.
        queue: String,
        /// The element.
        path: String,
        /// Why.
        reason: String,
    },
    /// The backend refuses, or cannot be reached.
    #[error("queue `{queue}`: {error}")]
    Knowledge {
        /// The queue.
        queue: String,
        /// Its reason.
        error: Arc<knowledge::Error>,
    },
    /// The backend refuses, or cannot be reached.
    #[error("queue `{queue}`: {error}")]
    Event {
        /// The queue.
        queue: String,
        /// Its reason.
        error: Box<event::Error>,
    },
}

impl Error {
    /// Whether doing the same again can succeed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Knowledge { error, .. } => error.is_retryable(),
            Self::Event { error, .. } => error.is_retryable(),
            _ => false,
        }
    }
}
