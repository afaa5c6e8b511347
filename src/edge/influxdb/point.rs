//! Points.

use super::line;
use super::precision::nanoseconds;
use super::{FieldValue, Precision};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::SystemTime;

/// One point of a series: its measurement, tags, fields and time.
///
/// ```
/// use mape::edge::influxdb::{Point, Precision};
///
/// let point = Point::new("water").tag("sector", "old town").field("flow", 42.5).at_nanoseconds(1_700_000_000_000_000_000);
/// assert_eq!(point.line(Precision::Seconds).unwrap().unwrap(), r"water,sector=old\ town flow=42.5 1700000000");
/// ```
///
/// In serde it is `{"measurement", "tags": {}, "fields": {}, "time": nanoseconds}`; tags and time may be absent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    pub(super) measurement: String,
    #[serde(default)]
    pub(super) tags: BTreeMap<String, String>,
    pub(super) fields: BTreeMap<String, FieldValue>,
    #[serde(default)]
    pub(super) time: Option<i64>,
}

impl Point {
    /// A point without tags and fields.
    #[must_use]
    pub fn new(measurement: impl Into<String>) -> Self {
        Self { measurement: measurement.into(), tags: BTreeMap::new(), fields: BTreeMap::new(), time: None }
    }

    /// With this tag, in place of another of the same name. An empty one is left out when it is written.
    #[must_use]
    pub fn tag(mut self, name: impl Into<String>, value: impl Into<FieldValue>) -> Self {
        self.tags.insert(name.into(), value.into().into_text());
        self
    }

    /// With this field, in place of another of the same name. Nothing (`None`) is left out when it is written.
    #[must_use]
    pub fn field(mut self, name: impl Into<String>, value: impl Into<FieldValue>) -> Self {
        self.fields.insert(name.into(), value.into());
        self
    }

    /// At this time; without one it is the time at which the point is put into a sink.
    #[must_use]
    pub fn at(self, time: SystemTime) -> Self {
        self.at_nanoseconds(nanoseconds(time))
    }

    /// At so many nanoseconds since 1970.
    #[must_use]
    pub fn at_nanoseconds(mut self, time: i64) -> Self {
        self.time = Some(time);
        self
    }

    /// The line that is sent for it, without an end of line; `None` if it has no field.
    ///
    /// # Errors
    /// What of it can't be written so that every server reads what it is:
    ///
    /// - a measurement, or the name of a field, that begins with a tab or a NUL, and a measurement that begins with `#`;
    /// - an empty name, and `time` as the name of a tag or field;
    /// - an end of line anywhere but in the text of a field;
    /// - a backslash that is the last of a measurement, tag or name, or stands before `,`, `=`, `"` or a blank in it;
    /// - a number that is infinite or none;
    /// - a time that is no count of nanoseconds of 64 bits.
    pub fn line(&self, precision: Precision) -> Result<Option<String>, String> {
        let mut line = Vec::new();
        let encoded = self.encode(precision, &mut line)?;
        Ok(encoded.and_then(|_| String::from_utf8(line).ok()))
    }

    /// Writes the line in place of what was there; whether it is ambiguous.
    pub(super) fn encode(&self, precision: Precision, line: &mut Vec<u8>) -> Result<Option<bool>, String> {
        line::encode(self, precision, line)
    }
}
