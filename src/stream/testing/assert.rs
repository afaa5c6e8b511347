//! Comparing a stream with a marble text.

use super::label::Label;
use super::marbles::times;
use super::recording::record_for;
use super::script::Script;
use futures::Stream;
use std::fmt::Write as _;
use std::future::Future;
use std::panic::Location;
use std::time::Duration;

/// How many frames a stream is watched beyond what is expected of it.
const FRAMES_BEYOND: u64 = 1_000;

/// Checks that a stream does what a marble text draws, one frame being 1 ms.
///
/// The stream is watched for 1,000 frames beyond the last one drawn. Texts are compared after reading, so `a-b` and
/// `a - b --` are alike.
///
/// # Panics
/// If the text cannot be read (at once), or the stream does something else: then the panic's message shows the place of
/// the call, both marble lines under one another, and where they part.
///
/// # Cancel safety
/// Dropping the future drops the stream.
///
/// ```should_panic
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// use mape::stream::testing::{assert_marbles, marbles};
/// assert_marbles(marbles("a-b|"), "a--b|").await;
/// # }
/// ```
#[track_caller]
pub fn assert_marbles<S>(stream: S, expected: &str) -> impl Future<Output = ()> + use<S>
where
    S: Stream<Item: Label>,
{
    assert_marbles_in(Duration::from_millis(1), stream, expected)
}

/// Checks that a stream does what a marble text draws, in frames of the length given.
///
/// # Panics
/// As [`assert_marbles`].
///
/// # Cancel safety
/// Dropping the future drops the stream.
#[track_caller]
#[expect(clippy::panic, reason = "this is an assertion")]
pub fn assert_marbles_in<S>(frame: Duration, stream: S, expected: &str) -> impl Future<Output = ()> + use<S>
where
    S: Stream<Item: Label>,
{
    let caller = Location::caller();
    let expected = Script::parse(expected).unwrap_or_else(|error| panic!("{error}"));
    async move {
        let limit = times(frame, expected.last_frame() + FRAMES_BEYOND);
        let actual = record_for(stream, limit).await.script(frame);
        assert!(actual == expected, "{}", difference(caller, frame, &expected, &actual));
    }
}

fn difference(caller: &Location<'_>, frame: Duration, expected: &Script, actual: &Script) -> String {
    let (expected, actual) = (expected.to_string(), actual.to_string());
    let same = expected.chars().zip(actual.chars()).take_while(|(e, a)| e == a).count();
    let mut text = format!("the stream does not do what was drawn, at {caller} (a frame is {frame:?})");
    // Writing to a String cannot fail.
    let _ = write!(text, "\nexpected: {expected}\n  actual: {actual}\n          {:same$}^", "");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::testing::{fallible, marbles, record};
    use futures::FutureExt;
    use std::panic::AssertUnwindSafe;

    #[tokio::test(start_paused = true)]
    async fn a_failure_shows_both_lines_and_the_callers_place() {
        let line = line!() + 1;
        let check = assert_marbles(fallible("a-#-b|"), "a-#b");
        let panic = AssertUnwindSafe(check).catch_unwind().await.unwrap_err();
        let message = panic.downcast_ref::<String>().unwrap();
        assert!(message.contains(&format!("assert.rs:{line}:")), "{message}");
        assert!(message.ends_with("expected: a-#b\n  actual: a-#-b|\n             ^"), "{message}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_cold_stream_starts_when_polled_and_a_hot_one_when_made() {
        let (cold, hot) = (marbles("a-b-c|"), marbles("a-b-c|").hot());
        tokio::time::advance(Duration::from_millis(3)).await;
        assert_marbles(cold, "a-b-c|").await;
        let late = record(hot).await;
        assert_eq!(late.marbles(Duration::from_millis(1)), "(abc|)");
    }

    #[tokio::test(start_paused = true)]
    async fn frames_have_the_length_asked_for() {
        let minute = Duration::from_mins(1);
        assert_marbles_in(minute, marbles("--a{600}b").frame(minute), "--a{600}b").await;
    }
}
