//! By how much a goal is met, as far as it is known.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Whether a goal is met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "http", schema(as = GoalState))]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is met, however what is unknown may be.
    Met,
    /// It is violated, however what is unknown may be.
    Violated,
    /// What is known does not decide it: data is old or missing, or too uncertain.
    #[default]
    Unknown,
}

impl State {
    /// All states.
    pub const ALL: [Self; 3] = [Self::Met, Self::Violated, Self::Unknown];

    /// Its name: `met`, `violated`, `unknown`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Violated => "violated",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The interval in which the margin of a goal lies for certain; a single value where everything is known.
///
/// ```
/// use mape::goal::{Margin, State};
///
/// let margin = Margin { low: -0.5, high: 1.5 };
/// assert_eq!((margin.state(), margin.centre(), margin.uncertainty()), (State::Unknown, Some(0.5), Some(1.0)));
/// assert_eq!(Margin::UNKNOWN.centre(), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Margin {
    /// It is at least this; minus infinity when nothing is known from below.
    pub low: f64,
    /// It is at most this; infinity when nothing is known from above.
    pub high: f64,
}

impl Margin {
    /// Nothing is known.
    pub const UNKNOWN: Self = Self { low: f64::NEG_INFINITY, high: f64::INFINITY };

    /// Whether a goal with this margin is met. A margin of exactly 0 is met.
    #[must_use]
    pub fn state(self) -> State {
        if self.low >= 0.0 {
            State::Met
        } else if self.high < 0.0 {
            State::Violated
        } else {
            State::Unknown
        }
    }

    /// One number for it: the middle, or the end that is known; `None` if neither is.
    #[must_use]
    pub fn centre(self) -> Option<f64> {
        match (self.low.is_finite(), self.high.is_finite()) {
            (true, true) => Some(self.low + (self.high - self.low) / 2.0),
            (true, false) => Some(self.low),
            (false, true) => Some(self.high),
            (false, false) => None,
        }
    }

    /// How far it may be from its centre; `None` if there is no bound.
    #[must_use]
    pub fn uncertainty(self) -> Option<f64> {
        let half = (self.high - self.low) / 2.0;
        half.is_finite().then_some(half)
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self { low: self.low.min(other.low), high: self.high.min(other.high) }
    }

    pub(super) fn or(self, other: Self) -> Self {
        Self { low: self.low.max(other.low), high: self.high.max(other.high) }
    }

    pub(super) fn not(self) -> Self {
        Self { low: -self.high, high: -self.low }
    }
}
