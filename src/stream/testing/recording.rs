//! What a stream did, and when.

use super::label::{Label, mark};
use super::script::Script;
use futures::{Stream, StreamExt};
use std::pin::pin;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// A stream that gives more items than this is not recorded further: it would never let time pass.
const MOST_ITEMS: usize = 100_000;

/// What a stream did, and when: times count from when it was first polled.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recording<T> {
    /// Each item with its time.
    pub items: Vec<(Duration, T)>,
    /// When the stream ended; `None` if it had not when recording stopped.
    pub ended: Option<Duration>,
}

/// Writes down what a stream does until it ends.
///
/// # Cancel safety
/// Dropping the future drops the stream and what was written down.
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// use mape::stream::testing::{marbles, record};
/// use std::time::Duration;
///
/// let recording = record(marbles("-a-(bc)|")).await;
/// assert_eq!(recording.items[1], (Duration::from_millis(3), 'b'));
/// assert_eq!(recording.marbles(Duration::from_millis(1)), "-a-(bc)|");
/// # }
/// ```
pub async fn record<S: Stream>(stream: S) -> Recording<S::Item> {
    record_until(stream, None).await
}

/// Writes down what a stream does until it ends or `limit` has passed.
///
/// # Cancel safety
/// Dropping the future drops the stream and what was written down.
pub async fn record_for<S: Stream>(stream: S, limit: Duration) -> Recording<S::Item> {
    record_until(stream, Some(Instant::now() + limit)).await
}

async fn record_until<S: Stream>(stream: S, limit: Option<Instant>) -> Recording<S::Item> {
    let mut stream = pin!(stream);
    let start = Instant::now();
    let mut recording = Recording { items: Vec::new(), ended: None };
    while recording.items.len() < MOST_ITEMS {
        let next = match limit {
            Some(limit) => timeout_at(limit, stream.next()).await,
            None => Ok(stream.next().await),
        };
        match next {
            Ok(Some(item)) => recording.items.push((start.elapsed(), item)),
            Ok(None) => {
                recording.ended = Some(start.elapsed());
                break;
            }
            Err(_) => break,
        }
    }
    recording
}

impl<T> Recording<T> {
    /// The items without their times.
    #[must_use]
    pub fn values(self) -> Vec<T> {
        self.items.into_iter().map(|(_, item)| item).collect()
    }

    /// The recording as a marble text; times are rounded to the nearest frame.
    #[must_use]
    pub fn marbles(&self, frame: Duration) -> String
    where
        T: Label,
    {
        self.script(frame).to_string()
    }

    pub(super) fn script(&self, frame: Duration) -> Script
    where
        T: Label,
    {
        let nanos = frame.as_nanos().max(1);
        let frames =
            |time: Duration| u64::try_from((time.as_nanos() + nanos / 2) / nanos).unwrap_or(u64::MAX);
        let mut script = Script { end: self.ended.map(frames), ..Script::default() };
        for (time, item) in &self.items {
            script.mark(frames(*time), mark(item));
        }
        script
    }
}
