//! Where an element is in its life.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Where an element is in its life.
///
/// ```text
///            start            pause
///   Ready ─────────▶ Running ◀─────▶ Paused
///                    │ ▲  │ resume
///               stop │ │  │ input ended        operators or function failed for good
///                    ▼ │  ▼                    │
///                 Stopped Completed ◀── start ─┴▶ Failed          any ── dispose ──▶ Disposed
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum State {
    /// Made, not started yet. What its links bring is skipped and counted.
    Ready = 0,
    /// Takes items.
    Running = 1,
    /// Takes no items; they wait in the links, and so do the senders once these are full.
    Paused = 2,
    /// Waits out its back-off after a failure; items wait in the links.
    Restarting = 3,
    /// Cut off: what its links bring is skipped and counted; its out-port still serves others.
    Stopped = 4,
    /// Works off what is queued, takes nothing new, then is stopped.
    Draining = 5,
    /// Its input or an operator has ended, and so has its output. `start` begins anew.
    Completed = 6,
    /// It failed and its supervision says stop, or its attempts are used up. `start` begins anew.
    Failed = 7,
    /// Gone for good.
    Disposed = 8,
}

impl State {
    pub(crate) fn from_u8(n: u8) -> Self {
        match n {
            0 => Self::Ready,
            1 => Self::Running,
            2 => Self::Paused,
            3 => Self::Restarting,
            4 => Self::Stopped,
            5 => Self::Draining,
            6 => Self::Completed,
            7 => Self::Failed,
            _ => Self::Disposed,
        }
    }

    /// Items pushed now will be worked on: now, or when the element is resumed or has restarted.
    #[must_use]
    pub fn accepts_items(self) -> bool {
        matches!(self, Self::Running | Self::Paused | Self::Restarting)
    }

    /// The element has a task that still works.
    #[must_use]
    pub fn is_active(self) -> bool {
        matches!(self, Self::Running | Self::Paused | Self::Restarting | Self::Draining)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ready => "not started",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Restarting => "waiting to restart",
            Self::Stopped => "stopped",
            Self::Draining => "draining",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Disposed => "disposed of",
        })
    }
}
