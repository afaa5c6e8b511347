//! `take_for`: what comes within a time.

use super::alarm::{Alarm, after};
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Instant;

pin_project! {
    /// Stream of [`Operators::take_for`](crate::stream::Operators::take_for).
    ///
    /// Time counts from when the stream is first polled; an item that comes exactly at its end is too late. What it
    /// leaves out, [`skip_for`](crate::stream::Operators::skip_for) lets through.
    ///
    /// - **Emits when** the source emits and `time` has not passed.
    /// - **Back-pressures when** downstream does.
    /// - **Completes when** the source completes or `time` has passed.
    /// - **Cancels when** downstream cancels.
    ///
    /// Memory: one timer. Source: [ReactiveX Take](https://reactivex.io/documentation/operators/take.html) with a
    /// duration; RxPY `take_with_time`. Futures' `take_until` ends with any future.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// use mape::stream::{Operators, testing::{assert_marbles, marbles}};
    /// use std::time::Duration;
    ///
    /// assert_marbles(marbles("a-bc-d|").take_for(Duration::from_millis(3)), "a-b|").await;
    /// # }
    /// ```
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct TakeFor<S> {
        #[pin]
        source: S,
        #[pin]
        alarm: Alarm,
        time: Duration,
        started: bool,
        ended: bool,
    }
}

impl<S> TakeFor<S> {
    pub(crate) fn new(source: S, time: Duration) -> Self {
        Self { source, alarm: Alarm::default(), time, started: false, ended: false }
    }
}

impl<S: Stream> Stream for TakeFor<S> {
    type Item = S::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        if *this.ended {
            return Poll::Ready(None);
        }
        if !*this.started {
            *this.started = true;
            this.alarm.as_mut().set(after(Instant::now(), *this.time));
        }
        let polled = match this.alarm.poll(cx) {
            Poll::Ready(()) => Poll::Ready(None),
            Poll::Pending => this.source.poll_next(cx),
        };
        *this.ended = matches!(polled, Poll::Ready(None));
        polled
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        if self.ended { (0, Some(0)) } else { (0, self.source.size_hint().1) }
    }
}
