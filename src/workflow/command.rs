//! What a step asks for.

use super::{Place, Status, Time};
use serde_json::Value;
use std::sync::Arc;

/// What is to be done because of a step.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Command {
    /// Start an attempt at a task.
    Start {
        /// The step.
        place: Place,
        /// The attempt, from 1; it goes up with every start of this step.
        attempt: u32,
        /// The input, merged if the flow says so.
        input: Arc<Value>,
    },
    /// Stop an attempt; its end is of no interest any more, unless the run is being terminated.
    Cancel {
        /// The step.
        place: Place,
        /// The attempt.
        attempt: u32,
    },
    /// Say [`Due`](super::Cause::Due) when the time has come.
    Wait {
        /// The step.
        place: Place,
        /// The attempt that failed.
        attempt: u32,
        /// When.
        until: Time,
    },
    /// The run is in another status.
    Became(Status),
}
