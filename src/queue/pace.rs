//! How fast it goes.

use super::job::millis;
use super::outcome::{Ending, Outcome};
use super::{Error, Queue};
use crate::event::EventId;
use crate::stream::clock;
use serde::Serialize;
use std::time::Duration;

/// How fast a queue is worked off, of late, by all workers together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Pace {
    /// Jobs that are done, in a second.
    pub done: f64,
    /// Attempts that fail, in a second, the last ones of dead jobs among them.
    pub failed: f64,
}

/// How far is looked back.
const BACK: Duration = Duration::from_secs(5);
/// How many outcomes are looked at.
const MOST: usize = 512;

impl Queue {
    /// How fast it is worked off: over the last 5 s, or what 512 outcomes of these took. Nothing can be said of one that keeps
    /// none.
    ///
    /// # Errors
    /// What the backend says.
    ///
    /// # Cancel safety
    /// Yes: it only reads.
    pub async fn pace(&self) -> Result<Pace, Error> {
        let shared = self.shared();
        let since = EventId::new(millis(clock::now().checked_sub(BACK).unwrap_or_else(clock::now)), 0);
        let log = shared.log(shared.keys.outcomes());
        let last = log.range(since, EventId::MAX, MOST).await.map_err(|error| shared.event_error(error))?;
        let span = match (last.first(), last.last()) {
            (Some(first), Some(end)) if last.len() >= MOST => {
                Duration::from_millis(end.id.millis.saturating_sub(first.id.millis).max(1))
            }
            _ => BACK,
        };
        let mut pace = Pace::default();
        for one in last.iter().filter_map(Outcome::read) {
            match one.ending {
                Ending::Done { .. } => pace.done += 1.0,
                Ending::Failed { .. } | Ending::Dead { .. } => pace.failed += 1.0,
                Ending::Progress { .. } => {}
            }
        }
        pace.done /= span.as_secs_f64();
        pace.failed /= span.as_secs_f64();
        Ok(pace)
    }
}
