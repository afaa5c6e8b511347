//! `delay_start`: begins a while later.

use super::alarm::{Alarm, after};
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;

pin_project! {
    /// Stream of [`Operators::delay_start`](crate::stream::Operators::delay_start).
    ///
    /// The source is not polled before `by` has passed since this stream was first polled; a hot source may lose items
    /// until then, a cold one only starts later.
    ///
    /// - **Emits when** the source emits.
    /// - **Back-pressures when** `by` has not passed, then when downstream does.
    /// - **Completes when** the source completes.
    /// - **Cancels when** downstream cancels.
    ///
    /// Memory: one timer. Source:
    /// [ReactiveX Delay (delaySubscription)](https://reactivex.io/documentation/operators/delay.html); RxPY
    /// `delay_subscription`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// use mape::stream::{Operators, testing::{assert_marbles, marbles}};
    /// use std::time::Duration;
    ///
    /// assert_marbles(marbles("a-bc|").delay_start(Duration::from_millis(3)), "---a-bc|").await;
    /// # }
    /// ```
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct DelayStart<S> {
        #[pin]
        source: S,
        #[pin]
        alarm: Alarm,
        by: Duration,
        started: bool,
    }
}

impl<S> DelayStart<S> {
    pub(crate) fn new(source: S, by: Duration) -> Self {
        Self { source, alarm: Alarm::default(), by, started: false }
    }
}

impl<S: Stream> Stream for DelayStart<S> {
    type Item = S::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        if !*this.started {
            if this.alarm.due().is_none() {
                this.alarm.as_mut().set(after(Instant::now(), *this.by));
            }
            ready!(this.alarm.poll(cx));
            *this.started = true;
        }
        this.source.poll_next(cx)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.source.size_hint()
    }
}
