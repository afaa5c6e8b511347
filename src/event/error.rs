//! What can go wrong with events.

use super::{EventId, GroupName, LogName, Malformed};
use std::any::type_name;
use std::sync::Arc;

/// Why something was not done to a log; [`is_retryable`](Self::is_retryable) says whether trying again can help.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A value cannot be an event: serde refuses it, or it is no object in JSON. A retry does not help.
    #[error("making an event of a {type_name}; it has to be an object with fields")]
    Encode {
        /// The Rust type of the value.
        type_name: &'static str,
        /// Why.
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// An event is no value of the asked type. A source goes on with the next; in a group the event goes to the dead
    /// letters.
    #[error("reading event {id} of `{log}` as {type_name}: {reason}")]
    Decode {
        /// The log.
        log: LogName,
        /// Its place.
        id: EventId,
        /// The Rust type that was asked for.
        type_name: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// An entry of a foreign program is no event. A source goes on with the next; in a group it goes to the dead
    /// letters.
    #[error("reading entry {id} of `{log}`: {malformed}")]
    Malformed {
        /// The log.
        log: LogName,
        /// Its place.
        id: EventId,
        /// What is wrong, and what stands there.
        malformed: Malformed,
    },
    /// An event was delivered too often without being acknowledged and went to the dead letters.
    #[error("event {id} of `{log}` failed {attempts} times in group `{group}` and is in `{}` now", .log.dead())]
    Dead {
        /// The log.
        log: LogName,
        /// The group in which it failed.
        group: GroupName,
        /// Its place.
        id: EventId,
        /// How many times it was delivered.
        attempts: u64,
    },
    /// There is no such group: it was not made, was removed, or the log is gone. Make it and try again.
    #[error("reading `{log}`: it has no group `{group}`; create the group first")]
    NoGroup {
        /// The log.
        log: LogName,
        /// The group.
        group: GroupName,
    },
    /// The key of the log holds something else. A retry does not help.
    #[error("using `{log}` as a log: its key holds something else; choose another name")]
    NoLog {
        /// The log.
        log: LogName,
    },
    /// The backend cannot be reached at the moment. A retry may help; a write may or may not have happened.
    #[error("reaching the log `{log}`")]
    Unavailable {
        /// The log.
        log: LogName,
        /// What the connection said.
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// The backend refuses (rights, size, memory, read-only). A retry does not help until that is mended.
    #[error("the backend refuses a command on the log `{log}`")]
    Refused {
        /// The log.
        log: LogName,
        /// Its reason.
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
}

impl Error {
    /// Whether doing the same again can succeed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }

    pub(super) fn encode<T: ?Sized>(source: serde_json::Error) -> Self {
        Self::Encode { type_name: type_name::<T>(), source: Arc::new(source) }
    }
}
