//! Where a client is in what was published.

use crate::event::EventId;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A place in the order of all that is published: how far a client has come, to be given when it comes back.
///
/// As text `EPOCH:OFFSET`. An epoch ends when the history does, as with the process that keeps it.
///
/// ```
/// use mape::live::Position;
/// let position: Position = "5f3a:0-17".parse()?;
/// assert_eq!((&*position.epoch, position.offset.seq), ("5f3a", 17));
/// # Ok::<(), mape::live::NoPosition>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    /// Which history it is a place in.
    pub epoch: Arc<str>,
    /// The last part that was seen.
    pub offset: EventId,
}

/// A text that is no position.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no position: give EPOCH:OFFSET, the epoch of the position that came first, and the offset of the last \
     part, such as 5f3a0c71:0-17"
)]
pub struct NoPosition(String);

impl FromStr for Position {
    type Err = NoPosition;
    fn from_str(text: &str) -> Result<Self, NoPosition> {
        let wrong = || NoPosition(text.chars().take(100).collect());
        let (epoch, offset) = text.rsplit_once(':').ok_or_else(wrong)?;
        let offset = offset.parse().map_err(|_| wrong())?;
        if epoch.is_empty() { Err(wrong()) } else { Ok(Self { epoch: epoch.into(), offset }) }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.epoch, self.offset)
    }
}

impl Serialize for Position {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Position {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
