//! What a goal comes to at one moment.

use super::duration::{Length, Number};
use super::{State, rfc3339};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// What a goal comes to at one moment: state, margin, and why. Cheap to clone.
///
/// As JSON: `{"goal": "car.distance", "state": "violated", "margin": -8.0, "uncertainty": 0.0, "unit": "m", "at":
/// "2026-05-01T10:00:03Z", "since": "2026-05-01T10:00:00Z", "why": "distance 12 m is below 20 m", "formula": "distance >=
/// 20 m"}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
pub struct Verdict {
    /// The goal: the path of its element, such as `car.distance`.
    #[cfg_attr(feature = "http", schema(value_type = String))]
    pub goal: Arc<str>,
    /// Whether it is met.
    pub state: State,
    /// By how much it is met, or if negative, violated; the middle of what is possible, or the end of it that is known.
    /// Nothing when neither is.
    pub margin: Option<f64>,
    /// How far the margin may be from that; nothing when there is no bound to it.
    pub uncertainty: Option<f64>,
    /// The unit of the margin: that of the signal, `s` for times; empty for shares, conditions and mixtures.
    #[cfg_attr(feature = "http", schema(value_type = String))]
    pub unit: Arc<str>,
    /// The moment.
    #[serde(with = "rfc3339")]
    #[cfg_attr(feature = "http", schema(value_type = String, format = DateTime))]
    pub at: SystemTime,
    /// Since when it has this state.
    #[serde(with = "rfc3339")]
    #[cfg_attr(feature = "http", schema(value_type = String, format = DateTime))]
    pub since: SystemTime,
    /// In plain words what decides.
    #[cfg_attr(feature = "http", schema(value_type = String))]
    pub why: Arc<str>,
    /// The goal as a formula.
    #[cfg_attr(feature = "http", schema(value_type = String))]
    pub formula: Arc<str>,
}

impl Verdict {
    /// How long it has had this state.
    #[must_use]
    pub fn lasted(&self) -> Duration {
        self.at.duration_since(self.since).unwrap_or_default()
    }

    /// The margin with its unit, and how far it may be off: `-8 m`, `0.3 ± 0.5 m`, `5 min`; empty when nothing is known.
    #[must_use]
    pub fn margin_in_words(&self) -> String {
        match (self.margin, self.uncertainty) {
            (None, _) => String::new(),
            (Some(margin), Some(off)) if off > 0.0 => {
                format!("{} ± {}", Number(margin, ""), Number(off, &self.unit))
            }
            (Some(margin), _) if *self.unit == *"s" => {
                let sign = if margin < 0.0 { "-" } else { "" };
                format!("{sign}{}", Length(Duration::try_from_secs_f64(margin.abs()).unwrap_or_default()))
            }
            (Some(margin), _) => Number(margin, &self.unit).to_string(),
        }
    }
}

/// `car.distance: violated by 8 m: distance 12 m is below 20 m, for 3 s`
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.goal, self.state)?;
        if let (State::Met | State::Violated, Some(margin)) = (self.state, self.margin) {
            let word = if self.state == State::Met { "with" } else { "by" };
            let of = Self { margin: Some(margin.abs()), ..self.clone() };
            write!(f, " {word} {}", of.margin_in_words())?;
        }
        write!(f, ": {}", self.why)?;
        if self.lasted() > Duration::ZERO { write!(f, ", for {}", Length(self.lasted())) } else { Ok(()) }
    }
}
