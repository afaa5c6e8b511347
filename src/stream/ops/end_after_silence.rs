//! `end_after_silence`: ends when a source is silent too long.

use super::alarm::{Alarm, after};
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Instant;

pin_project! {
    /// Stream of [`Operators::end_after_silence`](crate::stream::Operators::end_after_silence).
    ///
    /// Silence is measured from the first poll and from each item on; an item that comes exactly at its end is too late.
    ///
    /// - **Emits when** the source emits.
    /// - **Back-pressures when** downstream does.
    /// - **Completes when** the source completes or has been silent for `silence`.
    /// - **Cancels when** downstream cancels.
    ///
    /// Memory: one timer, touched when it fires, not on each item. Source: RxPY `timeout` with an empty stream as its
    /// second argument.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// use mape::stream::{Operators, testing::{assert_marbles, marbles}};
    /// use std::time::Duration;
    ///
    /// let visit = marbles("a-b------c|").end_after_silence(Duration::from_millis(3));
    /// assert_marbles(visit, "a-b--|").await;
    /// # }
    /// ```
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct EndAfterSilence<S> {
        #[pin]
        source: S,
        #[pin]
        alarm: Alarm,
        silence: Duration,
        started: bool,
        ended: bool,
    }
}

impl<S> EndAfterSilence<S> {
    pub(crate) fn new(source: S, silence: Duration) -> Self {
        Self { source, alarm: Alarm::default(), silence, started: false, ended: false }
    }
}

impl<S: Stream> Stream for EndAfterSilence<S> {
    type Item = S::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        if *this.ended {
            return Poll::Ready(None);
        }
        if !*this.started {
            *this.started = true;
            this.alarm.as_mut().set(after(Instant::now(), *this.silence));
        }
        let polled = match this.alarm.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(None),
            Poll::Pending => this.source.poll_next(cx),
        };
        match &polled {
            Poll::Ready(Some(_)) => this.alarm.set(after(Instant::now(), *this.silence)),
            Poll::Ready(None) => *this.ended = true,
            Poll::Pending => {}
        }
        polled
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        if self.ended { (0, Some(0)) } else { (0, self.source.size_hint().1) }
    }
}
