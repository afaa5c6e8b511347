//! Lengths of time as people write them: `500ms`, `30s`, `5m 30s`, or a number of seconds.

use jiff::SignedDuration;
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserializer, Serializer};
use std::fmt;
use std::time::Duration;

pub(super) fn serialize<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    match SignedDuration::try_from(*time) {
        Ok(time) => serializer.collect_str(&format_args!("{time:#}")),
        Err(_) => serializer.serialize_f64(time.as_secs_f64()),
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    deserializer.deserialize_any(TimeVisitor)
}

struct TimeVisitor;

impl Visitor<'_> for TimeVisitor {
    type Value = Duration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a length of time such as 500ms, 30s or 5m 30s, or a number of seconds")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Duration, E> {
        text.parse::<SignedDuration>()
            .ok()
            .and_then(|time| Duration::try_from(time).ok())
            .ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }

    fn visit_u64<E>(self, seconds: u64) -> Result<Duration, E> {
        Ok(Duration::from_secs(seconds))
    }

    fn visit_i64<E: Error>(self, seconds: i64) -> Result<Duration, E> {
        Err(E::invalid_value(Unexpected::Signed(seconds), &self))
    }

    fn visit_f64<E: Error>(self, seconds: f64) -> Result<Duration, E> {
        Duration::try_from_secs_f64(seconds).map_err(|_| E::invalid_value(Unexpected::Float(seconds), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::{Deserialize, Serialize};
    use serde_json::{Value, json};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(transparent)]
    struct Wait(#[serde(with = "super")] Duration);

    #[test]
    fn lengths_of_time_are_read_as_people_write_them_and_come_back_the_same() {
        for (given, milliseconds) in [
            (json!("500ms"), 500),
            (json!("30s"), 30_000),
            (json!("5m30s"), 330_000),
            (json!("5m 30s"), 330_000),
            (json!("1h"), 3_600_000),
            (json!(2), 2000),
            (json!(0.25), 250),
        ] {
            let wait: Wait = serde_json::from_value(given.clone()).unwrap();
            assert_eq!(wait.0, Duration::from_millis(milliseconds), "{given}");
            let written: Value = serde_json::to_value(&wait).unwrap();
            assert_eq!(serde_json::from_value::<Wait>(written).unwrap(), wait);
        }
    }

    #[test]
    fn what_is_not_a_length_of_time_is_refused() {
        for given in
            [json!("soon"), json!("30"), json!("-1s"), json!(-1), json!(-0.5), json!(true), json!("")]
        {
            assert!(serde_json::from_value::<Wait>(given.clone()).is_err(), "{given}");
        }
    }
}
