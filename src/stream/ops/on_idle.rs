//! `on_idle`: a stand-in while a source is silent.

use super::alarm::{Alarm, after};
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Instant;

pin_project! {
    /// Stream of [`Operators::on_idle`](crate::stream::Operators::on_idle).
    ///
    /// Silence is measured from the first poll and from each item or stand-in on, so a long silence is filled with a
    /// stand-in each `silence`: a heartbeat, or the mark of a gap.
    ///
    /// - **Emits when** the source emits, and when nothing was emitted for `silence`.
    /// - **Back-pressures when** downstream does.
    /// - **Completes when** the source completes.
    /// - **Cancels when** downstream cancels.
    ///
    /// Memory: one timer, touched when it fires, not on each item. Source: none in ReactiveX; Pekko `keepAlive`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// use mape::stream::{Operators, testing::{assert_marbles, marbles}};
    /// use std::time::Duration;
    ///
    /// let alive = marbles("a-b--------c|").on_idle(Duration::from_millis(3), || '?');
    /// assert_marbles(alive, "a-b--?--?--(?c)|").await;
    /// # }
    /// ```
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct OnIdle<S, F> {
        #[pin]
        source: S,
        #[pin]
        alarm: Alarm,
        silence: Duration,
        stand_in: F,
        started: bool,
        ended: bool,
    }
}

impl<S, F> OnIdle<S, F> {
    pub(crate) fn new(source: S, silence: Duration, stand_in: F) -> Self {
        Self { source, alarm: Alarm::default(), silence, stand_in, started: false, ended: false }
    }
}

impl<S: Stream, F: FnMut() -> S::Item> Stream for OnIdle<S, F> {
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
            Poll::Ready(()) => Poll::Ready(Some((this.stand_in)())),
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
        if self.ended { (0, Some(0)) } else { (self.source.size_hint().0, None) }
    }
}
