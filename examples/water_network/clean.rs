//! Monitor: lets pass what the meter can have measured, once and in order, and counts what it did not say.

use crate::data::{Malformed, Reading, Row};
use crate::hour::Hour;
use crate::network::Status;
use serde::{Deserialize, Serialize};

/// What the sensors say of one hour.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sample {
    pub row: Row,
    /// What the network reported of itself before this hour.
    pub network: Status,
}

/// A reading that can be trusted, and how many hours before it have none.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Observation {
    pub hour: Hour,
    /// Litres per second.
    pub flow: f64,
    /// Hours without a usable row since the observation before.
    pub missing: i64,
    /// What the network reported of itself before this hour.
    pub network: Status,
}

/// A row that was kept out, and why.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Refused {
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error("line {line}: a flow of {flow} l/s cannot be measured")]
    Impossible { line: u64, flow: f64 },
    #[error("line {line}: the hour {hour} has a reading already")]
    Duplicate { line: u64, hour: Hour },
    #[error("line {line}: {hour} comes after {after}, which is later")]
    Late { line: u64, hour: Hour, after: Hour },
}

/// Checks each row against the one before.
#[derive(Debug, Default)]
pub struct Cleaner {
    last: Option<Hour>,
}

impl Cleaner {
    /// The observation that a sample stands for, or why it is kept out; what is kept out changes nothing.
    pub fn check(&mut self, sample: Sample) -> Result<Observation, Refused> {
        let Reading { line, hour, flow } = sample.row?;
        if !flow.is_finite() || flow < 0.0 {
            return Err(Refused::Impossible { line, flow });
        }
        let missing = match self.last {
            None => 0,
            Some(last) => match hour.hours_since(last) {
                ..0 => return Err(Refused::Late { line, hour, after: last }),
                0 => return Err(Refused::Duplicate { line, hour }),
                hours => hours - 1,
            },
        };
        self.last = Some(hour);
        Ok(Observation { hour, flow, missing, network: sample.network })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(line: u64, time: &str, flow: f64) -> Reading {
        Reading { line, hour: Hour::parse(time).unwrap(), flow }
    }

    fn check(cleaner: &mut Cleaner, row: Reading) -> Result<Observation, Refused> {
        cleaner.check(Sample { row: Ok(row), network: Status::default() })
    }

    #[test]
    fn hours_without_a_row_are_counted_across_the_change_to_daylight_saving() {
        let mut cleaner = Cleaner::default();
        check(&mut cleaner, row(2, "2022-03-26T23:00:00+01:00", 100.0)).unwrap();
        let next = check(&mut cleaner, row(3, "2022-03-27T05:00:00+02:00", 100.0)).unwrap();
        assert_eq!(next.missing, 4);
    }

    #[test]
    fn a_refused_row_leaves_no_trace_but_its_reason() {
        let mut cleaner = Cleaner::default();
        check(&mut cleaner, row(2, "2022-04-01T10:00:00+02:00", 100.0)).unwrap();
        let refused = [
            check(&mut cleaner, row(3, "2022-04-01T10:30:00+02:00", 101.0)).unwrap_err().to_string(),
            check(&mut cleaner, row(4, "2022-04-01T09:00:00+02:00", 101.0)).unwrap_err().to_string(),
            check(&mut cleaner, row(5, "2022-04-01T11:00:00+02:00", f64::NAN)).unwrap_err().to_string(),
            check(&mut cleaner, row(6, "2022-04-01T11:00:00+02:00", -1.0)).unwrap_err().to_string(),
        ];
        assert!(refused[0].contains("has a reading already"), "{}", refused[0]);
        assert!(refused[1].contains("which is later"), "{}", refused[1]);
        assert!(refused[2].contains("NaN l/s"), "{}", refused[2]);
        assert!(refused[3].starts_with("line 6:"), "{}", refused[3]);
        let next = check(&mut cleaner, row(7, "2022-04-01T12:00:00+02:00", 100.0)).unwrap();
        assert_eq!(next.missing, 1, "the hour whose rows were refused has no usable one");
    }
}
