//! The unit of time of the readings.

use std::fmt;
use std::time::SystemTime;

use jiff::civil::DateTime;
use jiff::fmt::temporal::Pieces;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

/// One hour, told by the clocks of the place where the water flows.
///
/// The offset is kept as it was read: people shower by their own clocks, so the hour of the day follows
/// daylight saving time, while the distance of two hours does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hour {
    start: Timestamp,
    offset: Offset,
}

impl Hour {
    /// Reads RFC 3339 with an offset; minutes and seconds are cut off.
    pub fn parse(text: &str) -> Result<Self, String> {
        let pieces = Pieces::parse(text).map_err(|error| error.to_string())?;
        let time = pieces.time().ok_or("a date without a time")?;
        let offset = pieces.to_numeric_offset().ok_or("a time without an offset from UTC")?;
        let civil = pieces.date().at(time.hour(), 0, 0, 0);
        let start = offset.to_timestamp(civil).map_err(|error| error.to_string())?;
        Ok(Self { start, offset })
    }

    /// When it begins.
    pub fn start(self) -> SystemTime {
        self.start.into()
    }

    /// Hour of the day on the local clock, 0 to 23.
    pub fn of_day(self) -> usize {
        usize::try_from(self.local().hour()).unwrap_or_default()
    }

    /// Hours passed since `earlier` began; negative if it is later.
    pub fn hours_since(self, earlier: Self) -> i64 {
        (self.start.as_second() - earlier.start.as_second()) / 3600
    }

    /// The hour `hours` later, with the same offset.
    pub fn plus(self, hours: i64) -> Self {
        let start = self.start.checked_add(hours.hours()).unwrap_or(Timestamp::MAX);
        Self { start, offset: self.offset }
    }

    /// Date and time as a local clock shows them.
    pub fn local(self) -> DateTime {
        self.offset.to_datetime(self.start)
    }

    /// The local day and month, as `24 Mar`.
    pub fn day(self) -> String {
        self.local().strftime("%e %b").to_string()
    }

    /// The local time of the day, as `08:00`.
    pub fn clock(self) -> String {
        self.local().strftime("%H:%M").to_string()
    }
}

/// RFC 3339 with offset, `2022-03-24T08:00:00+01:00`.
impl fmt::Display for Hour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.start.display_with_offset(self.offset).fmt(f)
    }
}

impl TryFrom<String> for Hour {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

impl From<Hour> for String {
    fn from(hour: Hour) -> Self {
        hour.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_is_written_as_it_was_read() {
        for text in ["2022-03-24T08:00:00+01:00", "2022-05-16T22:00:00+02:00"] {
            assert_eq!(Hour::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn the_hour_of_the_day_follows_daylight_saving_but_the_distance_does_not() {
        let before = Hour::parse("2022-03-27T01:00:00+01:00").unwrap();
        let after = Hour::parse("2022-03-27T03:00:00+02:00").unwrap();
        assert_eq!((before.of_day(), after.of_day()), (1, 3));
        assert_eq!(after.hours_since(before), 1);
    }

    #[test]
    fn a_time_that_cannot_be_placed_is_refused() {
        for text in ["", "yesterday", "2022-03-24", "2022-03-24T08:00:00", "2022-13-24T08:00:00Z"] {
            assert!(Hour::parse(text).is_err(), "{text}");
        }
    }
}
