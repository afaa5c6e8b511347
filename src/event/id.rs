//! Places in a log.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// The place of an event in its log: milliseconds since 1970, and a number among those of the same millisecond.
///
/// Ids rise from one event to the next. As text `1795292903818-0`, as Redis writes them; a missing second part is 0.
///
/// ```
/// use mape::event::EventId;
/// let id: EventId = "1795292903818-3".parse()?;
/// assert_eq!((id.millis, id.seq, id.to_string().as_str()), (1795292903818, 3, "1795292903818-3"));
/// assert!("yesterday".parse::<EventId>().is_err());
/// # Ok::<(), mape::event::NoEventId>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct EventId {
    /// Milliseconds since 1970-01-01T00:00:00Z, by the clock of whoever keeps the log.
    pub millis: u64,
    /// Counts those of one millisecond from 0.
    pub seq: u64,
}

/// A text that is no place in a log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no event id; write MILLISECONDS-NUMBER, such as 1795292903818-0")]
pub struct NoEventId(String);

impl EventId {
    /// Before every event.
    pub const MIN: Self = Self { millis: 0, seq: 0 };
    /// Behind every event.
    pub const MAX: Self = Self { millis: u64::MAX, seq: u64::MAX };

    /// The place of these numbers.
    #[must_use]
    pub const fn new(millis: u64, seq: u64) -> Self {
        Self { millis, seq }
    }

    /// The place right behind this one.
    #[must_use]
    pub const fn next(self) -> Self {
        match self.seq.checked_add(1) {
            Some(seq) => Self { millis: self.millis, seq },
            None => Self { millis: self.millis.saturating_add(1), seq: 0 },
        }
    }

    /// The place right before this one.
    #[must_use]
    pub const fn previous(self) -> Self {
        match self.seq.checked_sub(1) {
            Some(seq) => Self { millis: self.millis, seq },
            None => match self.millis.checked_sub(1) {
                Some(millis) => Self { millis, seq: u64::MAX },
                None => Self::MIN,
            },
        }
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.millis, self.seq)
    }
}

impl FromStr for EventId {
    type Err = NoEventId;

    fn from_str(text: &str) -> Result<Self, NoEventId> {
        let (millis, seq) = text.split_once('-').unwrap_or((text, "0"));
        match (millis.parse(), seq.parse()) {
            (Ok(millis), Ok(seq)) => Ok(Self { millis, seq }),
            _ => Err(NoEventId(text.to_owned())),
        }
    }
}

impl Serialize for EventId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EventId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
