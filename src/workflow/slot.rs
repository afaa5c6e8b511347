//! How far one step is.

use super::Time;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// How far a step of a run is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema), schema(as = StepPhase))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Phase {
    /// It has not begun.
    #[default]
    Idle,
    /// An attempt at its task runs.
    Active,
    /// An attempt failed, and the next waits for its time.
    BackingOff,
    /// Its items are in work.
    Iterating,
    /// It has given its output.
    Done,
    /// Its guard was not fulfilled: its output is its input.
    Skipped,
    /// It failed for good.
    Failed,
    /// Its attempt was cancelled.
    Cancelled,
}

impl Phase {
    /// Whether it has begun and has neither an output nor failed.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Active | Self::BackingOff | Self::Iterating)
    }

    /// Whether a restart begins with it.
    pub(super) const fn is_to_be_restarted(self) -> bool {
        matches!(self, Self::Failed | Self::Cancelled)
    }
}

/// The state of one node in one part of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Slot {
    pub(super) phase: Phase,
    /// What has come over forward edges and has not started it yet.
    pub(super) arrivals: u32,
    /// The number of the last start; it never goes down, so that an old attempt cannot speak for a new one.
    pub(super) attempt: u32,
    /// Failed attempts since it was fired.
    pub(super) tries: u32,
    /// How often back edges have started it.
    pub(super) turns: u32,
    pub(super) started: Time,
    pub(super) ended: Time,
    /// The end of the wait before the next attempt.
    pub(super) due: Time,
    /// Before its merge; while it is in work, failed or cancelled.
    pub(super) input: Option<Arc<Value>>,
    pub(super) output: Option<Arc<Value>>,
    /// What has come over back edges and has not started it yet.
    pub(super) tokens: Vec<Arc<Value>>,
    /// Why the last attempt failed.
    pub(super) reason: Option<Box<str>>,
}

impl Slot {
    /// As before it was ever fired, but for the number of its last start.
    pub(super) fn reset(&mut self) {
        *self = Self { attempt: self.attempt, ..Self::default() };
    }

    /// Whether its output has gone to those that follow.
    pub(super) fn has_passed(&self) -> bool {
        matches!(self.phase, Phase::Done | Phase::Skipped)
    }
}
