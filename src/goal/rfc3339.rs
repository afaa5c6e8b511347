//! Points in time as text.

use serde::{Deserialize, Deserializer, Serializer, de, ser};
use std::time::SystemTime;

/// To the second, for people; empty if it can't be written.
pub(crate) fn text(time: SystemTime) -> String {
    let second = jiff::Timestamp::try_from(time).and_then(|time| time.round(jiff::Unit::Second));
    second.map(|time| time.to_string()).unwrap_or_default()
}

pub(crate) fn serialize<S: Serializer>(time: &SystemTime, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&jiff::Timestamp::try_from(*time).map_err(ser::Error::custom)?)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<SystemTime, D::Error> {
    let text = String::deserialize(from)?;
    Ok(text.parse::<jiff::Timestamp>().map_err(de::Error::custom)?.into())
}
