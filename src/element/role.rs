//! The four roles of an element, and when an element starts.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The role of an element in its loop (Kephart and Chess, "The Vision of Autonomic Computing", 2003).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Collects and cleans what sensors of the managed system report.
    Monitor,
    /// Finds symptoms: what is not as it should be.
    Analyze,
    /// Decides what to do: makes change plans.
    Plan,
    /// Carries plans out through the effectors of the managed system.
    Execute,
}

impl Role {
    /// When an element of this role starts unless told otherwise: PyMAPE's rules.
    #[must_use]
    pub fn start_policy(self) -> StartPolicy {
        match self {
            Self::Monitor => StartPolicy::Manual,
            Self::Analyze | Self::Plan => StartPolicy::OnSubscribe,
            Self::Execute => StartPolicy::AtOnce,
        }
    }

    /// The prefix of generated uids: `m`, `a`, `p` or `e`.
    #[must_use]
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Monitor => "m",
            Self::Analyze => "a",
            Self::Plan => "p",
            Self::Execute => "e",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Monitor => "monitor",
            Self::Analyze => "analyze",
            Self::Plan => "plan",
            Self::Execute => "execute",
        })
    }
}

/// When an element starts.
///
/// Source: PyMAPE's `StartOnInit`, `StartOnSubscribe`, and manual start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum StartPolicy {
    /// When `start` is called. The default of Monitors.
    Manual,
    /// When somebody first subscribes or links to its out-port. The default of Analyze and Plan.
    OnSubscribe,
    /// As soon as it is made. The default of Execute.
    AtOnce,
}
