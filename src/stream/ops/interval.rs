//! `interval`: counting at regular times.

use super::alarm::{Alarm, next_tick};
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;

/// Counts the periods that pass: 0 after the first, 1 after the second, and so on for ever.
///
/// ```text
/// interval(3)   ---0--1--2--3
/// ```
///
/// A period shorter than 1 ms counts as 1 ms.
pub fn interval(period: Duration) -> Interval {
    Interval { alarm: Alarm::default(), period: period.max(Duration::from_millis(1)), start: None }
}

pin_project! {
    /// Stream of [`interval`](crate::stream::interval).
    ///
    /// Periods count from when the stream is first polled and do not drift. Periods that nobody waited for are left out,
    /// their numbers too: a gap in the numbers is what was missed.
    ///
    /// - **Emits when** a period ends.
    /// - **Back-pressures when** never.
    /// - **Completes when** never.
    /// - **Cancels when** downstream cancels.
    ///
    /// Memory: one timer. Source: [ReactiveX Interval](https://reactivex.io/documentation/operators/interval.html); RxPY
    /// `interval`. Tokio-stream's `IntervalStream` gives instants, the first at once.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// use futures::StreamExt;
    /// use mape::stream::{interval, testing::assert_marbles};
    /// use std::time::Duration;
    ///
    /// assert_marbles(interval(Duration::from_millis(3)).take(3), "---0--1--(2|)").await;
    /// # }
    /// ```
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct Interval {
        #[pin]
        alarm: Alarm,
        period: Duration,
        start: Option<Instant>,
    }
}

impl Stream for Interval {
    type Item = u64;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<u64>> {
        let mut this = self.project();
        let start = *this.start.get_or_insert_with(Instant::now);
        if this.alarm.due().is_none() {
            this.alarm.as_mut().set(next_tick(start, *this.period, start));
        }
        ready!(this.alarm.as_mut().poll(cx));
        let now = Instant::now();
        this.alarm.set(next_tick(start, *this.period, now));
        let periods = now.saturating_duration_since(start).as_nanos() / this.period.as_nanos().max(1);
        Poll::Ready(Some(u64::try_from(periods).unwrap_or(u64::MAX).saturating_sub(1)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::MAX, None)
    }
}
