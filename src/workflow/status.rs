//! How far a run is.

use super::Time;
use serde::{Deserialize, Serialize};
use std::fmt;

/// How far a run is; the words of littleflow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema), schema(as = RunState))]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    /// It goes on.
    #[default]
    Running,
    /// Its end has given the output, and nothing runs.
    Finished,
    /// A step has failed. What runs goes on, nothing starts; it can be restarted.
    Failed,
    /// It was told to end; its tasks are being cancelled.
    Terminating,
    /// It was told to end, and nothing runs. It can be restarted.
    Terminated,
}

impl Status {
    /// As littleflow writes it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Finished => "FINISHED",
            Self::Failed => "FAILED",
            Self::Terminating => "TERMINATING",
            Self::Terminated => "TERMINATED",
        }
    }

    /// Whether nothing changes any more unless it is restarted, but for tasks of a failed run that still go on.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Finished | Self::Failed | Self::Terminated)
    }

    /// The status of this word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        let all = [Self::Running, Self::Finished, Self::Failed, Self::Terminating, Self::Terminated];
        all.into_iter().find(|status| status.word() == word)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// A step that failed for good, or why the whole run cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema), schema(as = RunFailure))]
pub struct Failure {
    /// The index of the node.
    pub index: u32,
    /// What it is: its task, or what else.
    pub step: String,
    /// Why.
    pub reason: String,
    /// When.
    #[cfg_attr(feature = "http", schema(value_type = u64))]
    pub at: Time,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} failed: {}", self.step, self.reason)
    }
}
