//! A stream drawn as a marble text.

use super::script::{Mark, Script};
use super::{Error, Failed};
use futures::Stream;
use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// A stream of characters drawn as a marble text (see the [module](super)).
///
/// # Panics
/// If the text cannot be read, or holds `#` ([`fallible`] gives errors) or an item of several characters
/// ([`Marbles::parse`] gives any item).
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// use futures::StreamExt;
/// use mape::stream::testing::marbles;
///
/// let start = tokio::time::Instant::now();
/// let mut stream = marbles("--a-b|");
/// assert_eq!(stream.next().await, Some('a'));
/// assert_eq!(start.elapsed().as_millis(), 2);
/// assert_eq!(stream.next().await, Some('b'));
/// assert_eq!(stream.next().await, None);
/// # }
/// ```
#[track_caller]
#[must_use = "streams do nothing unless polled"]
pub fn marbles(text: &str) -> Marbles<char> {
    or_panic(Marbles::parse(text, |label| {
        label.ok().and_then(single).ok_or("`fallible` gives errors, `Marbles::parse` gives items of any type")
    }))
}

/// A stream of characters and errors drawn as a marble text: `#` is `Err(Failed)`, everything else is `Ok`.
///
/// # Panics
/// If the text cannot be read, or holds an item of several characters.
#[track_caller]
#[must_use = "streams do nothing unless polled"]
pub fn fallible(text: &str) -> Marbles<Result<char, Failed>> {
    or_panic(Marbles::parse(text, |label| match label {
        Ok(label) => single(label).map(Ok).ok_or("`Marbles::parse` gives items of any type"),
        Err(failed) => Ok(Err(failed)),
    }))
}

fn single(label: &str) -> Option<char> {
    let mut chars = label.chars();
    chars.next().filter(|_| chars.next().is_none())
}

#[track_caller]
#[expect(clippy::panic, reason = "a test with an unreadable text cannot go on")]
fn or_panic<T>(made: Result<T, Error>) -> T {
    made.unwrap_or_else(|error| panic!("{error}"))
}

/// A stream drawn as a marble text.
///
/// It is cold: its time starts when it is first polled, or, after [`hot`](Self::hot), at once. Items that are not
/// asked for in time wait, none is lost. Without `|` it never ends.
#[must_use = "streams do nothing unless polled"]
pub struct Marbles<T> {
    script: VecDeque<(u64, Option<T>)>,
    frame: Duration,
    start: Option<Instant>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl<T> Marbles<T> {
    /// Reads a marble text; `item` makes an item from each label, or from the error that `#` stands for.
    ///
    /// # Errors
    /// What is wrong with the text; [`Error::NotAnItem`] with the hint that `item` gives.
    ///
    /// ```
    /// use mape::stream::testing::Marbles;
    /// let numbers = Marbles::parse("--[10]--[12]|", |label| {
    ///     label.ok().and_then(|label| label.parse::<u32>().ok()).ok_or("write a number")
    /// });
    /// assert!(numbers.is_ok());
    /// ```
    pub fn parse(
        text: &str,
        mut item: impl FnMut(Result<&str, Failed>) -> Result<T, &'static str>,
    ) -> Result<Self, Error> {
        let script = Script::parse(text)?;
        let mut events = VecDeque::new();
        for (frame, mark) in script.marks.iter().flat_map(|(f, marks)| marks.iter().map(move |m| (*f, m))) {
            let (label, made) = match mark {
                Mark::Item(label) => (label.as_str(), item(Ok(label))),
                Mark::Error => ("#", item(Err(Failed))),
            };
            let not_an_item = |hint| Error::NotAnItem { text: text.into(), label: label.into(), hint };
            events.push_back((frame, Some(made.map_err(not_an_item)?)));
        }
        events.extend(script.end.map(|frame| (frame, None)));
        Ok(Self { script: events, frame: Duration::from_millis(1), start: None, sleep: None })
    }

    /// How long a frame is; 1 ms unless said otherwise. Tokio's timers round up to milliseconds.
    pub fn frame(mut self, frame: Duration) -> Self {
        self.frame = frame;
        self
    }

    /// Starts its time now instead of when it is first polled.
    pub fn hot(mut self) -> Self {
        self.start = Some(Instant::now());
        self
    }
}

impl<T> Unpin for Marbles<T> {}

impl<T> Stream for Marbles<T> {
    type Item = T;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let this = self.get_mut();
        let start = *this.start.get_or_insert_with(Instant::now);
        let Some((frame, _)) = this.script.front() else { return Poll::Pending };
        let due = start + times(this.frame, *frame);
        if Instant::now() < due {
            let sleep = this.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
            if sleep.deadline() != due {
                sleep.as_mut().reset(due);
            }
            ready!(sleep.as_mut().poll(cx));
        }
        let event = this.script.pop_front();
        Poll::Ready(event.and_then(|(_, item)| item))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let items = self.script.iter().filter(|(_, item)| item.is_some()).count();
        (0, Some(items))
    }
}

/// `frame` as often as `n` says.
pub(super) fn times(frame: Duration, n: u64) -> Duration {
    frame.saturating_mul(u32::try_from(n).unwrap_or(u32::MAX))
}

impl<T> fmt::Debug for Marbles<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Marbles")
            .field("events_left", &self.script.len())
            .field("frame", &self.frame)
            .field("start", &self.start)
            .finish_non_exhaustive()
    }
}
