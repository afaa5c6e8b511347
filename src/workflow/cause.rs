//! What makes a run go a step.

use super::{Found, Place};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// What happens to a run from outside; [`step`](super::step()) says what follows.
///
/// The causes of a run in their order, each with its time, are its whole history: the state is what the steps make of
/// them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Cause {
    /// It begins.
    Begin {
        /// The input of the flow: an object or array; `{}` if there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        input: Option<Arc<Value>>,
    },
    /// An attempt at a task has ended.
    Ended {
        /// The step.
        #[serde(flatten)]
        place: Place,
        /// The attempt; any but the one that runs changes nothing.
        attempt: u32,
        /// How.
        #[serde(flatten)]
        outcome: Outcome,
    },
    /// An attempt took longer than it may.
    TimedOut {
        /// The step.
        #[serde(flatten)]
        place: Place,
        /// The attempt.
        attempt: u32,
    },
    /// The wait before the next attempt is over.
    Due {
        /// The step.
        #[serde(flatten)]
        place: Place,
        /// The attempt that failed.
        attempt: u32,
    },
    /// Whoever ran an attempt is gone: it is made again.
    Lost {
        /// The step.
        #[serde(flatten)]
        place: Place,
        /// The attempt.
        attempt: u32,
    },
    /// An attempt has been cancelled, as was asked for.
    Cancelled {
        /// The step.
        #[serde(flatten)]
        place: Place,
        /// The attempt.
        attempt: u32,
    },
    /// It is to end: tasks are cancelled. A second time does not wait for them.
    Terminate,
    /// Nothing starts any more; what runs goes on.
    Pause,
    /// Things start again after a pause.
    Resume,
    /// It is to go on after a failure or a termination, or to do a part of it again.
    Restart {
        /// The step to do again, with all that follows from it; nothing: what failed or was cancelled.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<u32>,
    },
    /// Programs of other kinds have begun it, or changed it.
    Found(Box<Found>),
}

impl Cause {
    /// What it is called where it is written.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Begin { .. } => "begin",
            Self::Ended { .. } => "ended",
            Self::TimedOut { .. } => "timed_out",
            Self::Due { .. } => "due",
            Self::Lost { .. } => "lost",
            Self::Cancelled { .. } => "cancelled",
            Self::Terminate => "terminate",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Restart { .. } => "restart",
            Self::Found(_) => "found",
        }
    }

    /// The step it is about, if it is about one.
    pub(super) fn place(&self) -> Option<Place> {
        match self {
            Self::Ended { place, .. }
            | Self::TimedOut { place, .. }
            | Self::Due { place, .. }
            | Self::Lost { place, .. }
            | Self::Cancelled { place, .. } => Some(*place),
            Self::Restart { from } => from.map(Place::node),
            Self::Begin { .. } | Self::Terminate | Self::Pause | Self::Resume | Self::Found(_) => None,
        }
    }
}

/// How an attempt at a task ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// With an output: an object or array, or `null` for none. Anything else is a failure.
    Output(Arc<Value>),
    /// It failed.
    Failed(Failed),
}

/// Why an attempt failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// In words.
    pub reason: String,
    /// Whether another attempt may help.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub again: bool,
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_yes(again: &bool) -> bool {
    *again
}

impl Outcome {
    /// A failure that another attempt may mend.
    pub fn failed(reason: impl Into<String>) -> Self {
        Self::Failed(Failed { reason: reason.into(), again: true })
    }

    /// A failure that no attempt can mend.
    pub fn failed_for_good(reason: impl Into<String>) -> Self {
        Self::Failed(Failed { reason: reason.into(), again: false })
    }
}

impl From<Value> for Outcome {
    fn from(output: Value) -> Self {
        Self::Output(Arc::new(output))
    }
}
