//! How exact times are.

use std::time::{Duration, SystemTime};

/// The unit in which the times of points are written. Servers keep nanoseconds; a coarser one saves bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
    /// Microseconds.
    Microseconds,
    /// Nanoseconds.
    #[default]
    Nanoseconds,
}

/// What servers can keep, in nanoseconds since 1970.
const TIMES: std::ops::RangeInclusive<i64> = i64::MIN + 2..=i64::MAX - 1;

impl Precision {
    /// As API v2 names it.
    pub(super) fn v2(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::Milliseconds => "ms",
            Self::Microseconds => "us",
            Self::Nanoseconds => "ns",
        }
    }

    /// As API v1 names it.
    pub(super) fn v1(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::Milliseconds => "ms",
            Self::Microseconds => "u",
            Self::Nanoseconds => "n",
        }
    }

    /// Nanoseconds in one unit.
    pub(super) fn nanoseconds(self) -> i64 {
        match self {
            Self::Seconds => 1_000_000_000,
            Self::Milliseconds => 1_000_000,
            Self::Microseconds => 1_000,
            Self::Nanoseconds => 1,
        }
    }

    /// A time in this unit, rounded down; nothing if servers can't keep it.
    pub(super) fn written(self, nanoseconds: i64) -> Option<i64> {
        TIMES.contains(&nanoseconds).then(|| nanoseconds.div_euclid(self.nanoseconds()))
    }
}

/// Nanoseconds since 1970, before it negative; the nearest that there are.
pub(super) fn nanoseconds(time: SystemTime) -> i64 {
    let count = |duration: Duration| i64::try_from(duration.as_nanos());
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => count(after).unwrap_or(i64::MAX),
        Err(before) => count(before.duration()).map_or(i64::MIN, |n| -n),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rounded_down_also_before_1970() {
        assert_eq!(Precision::Milliseconds.written(1_999_999), Some(1));
        assert_eq!(Precision::Milliseconds.written(-1), Some(-1));
        assert_eq!(Precision::Seconds.written(i64::MAX), None);
        let before = SystemTime::UNIX_EPOCH - Duration::from_nanos(5);
        assert_eq!(nanoseconds(before), -5);
    }
}
