//! `timeout_each`: an error item when a source is silent too long.

use super::alarm::{Alarm, after};
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Instant;

/// A stream was silent for too long; it may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("no item for {silence:?}")]
#[non_exhaustive]
pub struct Elapsed {
    /// How long it was silent.
    pub silence: Duration,
}

pin_project! {
    /// Stream of [`Operators::timeout_each`](crate::stream::Operators::timeout_each).
    ///
    /// Silence is measured from the first poll and from each item on; an item that comes exactly at its end comes after
    /// the error. The source goes on: its next item follows as `Ok`.
    ///
    /// - **Emits when** the source emits (`Ok`), and once in each silence longer than `silence` (`Err`).
    /// - **Back-pressures when** downstream does.
    /// - **Completes when** the source completes.
    /// - **Cancels when** downstream cancels.
    ///
    /// Memory: one timer, touched when it fires, not on each item. Source:
    /// [ReactiveX Timeout](https://reactivex.io/documentation/operators/timeout.html); RxPY `timeout`. There the error
    /// ends the stream; for that, use [`end_after_silence`](crate::stream::Operators::end_after_silence). Tokio-stream's
    /// `timeout` does the same and sets its timer anew for each item; `timeout_repeating` repeats the error.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// use mape::stream::{Operators, testing::{assert_marbles, marbles}};
    /// use std::time::Duration;
    ///
    /// let watched = marbles("a-b------c|").timeout_each(Duration::from_millis(3));
    /// assert_marbles(watched, "a-b--#---c|").await;
    /// # }
    /// ```
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct TimeoutEach<S> {
        #[pin]
        source: S,
        #[pin]
        alarm: Alarm,
        silence: Duration,
        started: bool,
        ended: bool,
    }
}

impl<S> TimeoutEach<S> {
    pub(crate) fn new(source: S, silence: Duration) -> Self {
        Self { source, alarm: Alarm::default(), silence, started: false, ended: false }
    }
}

impl<S: Stream> Stream for TimeoutEach<S> {
    type Item = Result<S::Item, Elapsed>;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        if *this.ended {
            return Poll::Ready(None);
        }
        if !*this.started {
            *this.started = true;
            this.alarm.as_mut().set(after(Instant::now(), *this.silence));
        }
        if this.alarm.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Some(Err(Elapsed { silence: *this.silence })));
        }
        match this.source.poll_next(cx) {
            Poll::Ready(Some(item)) => {
                this.alarm.set(after(Instant::now(), *this.silence));
                Poll::Ready(Some(Ok(item)))
            }
            Poll::Ready(None) => {
                *this.ended = true;
                Poll::Ready(None)
            }
            Poll::Pending => Poll::Pending,
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.source.size_hint().0, None)
    }
}
