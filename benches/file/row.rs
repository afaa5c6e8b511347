//! What is written, and what of it makes a row.

use mape_benches::Reading;
use serde::Serialize;
use std::time::SystemTime;

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum What {
    /// Events to one log.
    Event,
    /// Single values, each writer its own.
    Fact,
}

pub(crate) const LOG: &str = "bench:readings";
pub(crate) const KIND: &str = "reading";

/// A row of the table `parts`.
pub(crate) struct Row {
    pub(crate) space: i64,
    pub(crate) key: String,
    pub(crate) part: String,
    pub(crate) value: String,
}

/// Makes the rows of writes.
#[derive(Default)]
pub(crate) struct Rows {
    last: (u128, u64),
}

/// A reading as an event, with the fields in the order in which ours has them.
#[derive(Serialize)]
struct Event<'a> {
    sensor: &'a str,
    celsius: f64,
    tick: u64,
    kind: &'a str,
}

/// What a writer makes of a reading: JSON.
pub(crate) fn json(what: What, reading: &Reading) -> String {
    let Reading { sensor, celsius, tick } = reading;
    let event = Event { sensor, celsius: *celsius, tick: *tick, kind: KIND };
    match what {
        What::Event => serde_json::to_string(&event).unwrap(),
        What::Fact => serde_json::to_string(reading).unwrap(),
    }
}

impl Rows {
    /// The row of a write, which for an event is at the next place.
    pub(crate) fn row(&mut self, what: What, writer: u64, json: String) -> Row {
        match what {
            What::Fact => Row { space: 0, key: fact(writer), part: String::new(), value: json },
            What::Event => {
                let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis();
                let (millis, seq) = self.last;
                self.last = if now > millis { (now, 0) } else { (millis, seq + 1) };
                let (millis, seq) = self.last;
                Row { space: 6, key: LOG.to_owned(), part: format!("{millis}-{seq}"), value: json }
            }
        }
    }
}

/// The key of a writer's own value.
pub(crate) fn fact(writer: u64) -> String {
    format!("k.app.reading-{writer}")
}
