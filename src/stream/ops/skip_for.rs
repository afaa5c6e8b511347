//! `skip_for`: what comes after a time.

use super::alarm::{BURST, after};
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;

pin_project! {
    /// Stream of [`Operators::skip_for`](crate::stream::Operators::skip_for).
    ///
    /// Time counts from when the stream is first polled; an item that comes exactly at its end passes. Until then the
    /// source is polled and its items are dropped (a sensor warming up); to leave it alone, use
    /// [`delay_start`](crate::stream::Operators::delay_start).
    ///
    /// - **Emits when** the source emits and `time` has passed.
    /// - **Back-pressures when** downstream does.
    /// - **Completes when** the source completes.
    /// - **Cancels when** downstream cancels.
    ///
    /// Memory: one instant, no timer. Source: [ReactiveX Skip](https://reactivex.io/documentation/operators/skip.html)
    /// with a duration; RxPY `skip_with_time`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// use mape::stream::{Operators, testing::{assert_marbles, marbles}};
    /// use std::time::Duration;
    ///
    /// assert_marbles(marbles("a-bc-d|").skip_for(Duration::from_millis(3)), "---c-d|").await;
    /// # }
    /// ```
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct SkipFor<S> {
        #[pin]
        source: S,
        time: Duration,
        open_at: Option<Instant>,
        open: bool,
    }
}

impl<S> SkipFor<S> {
    pub(crate) fn new(source: S, time: Duration) -> Self {
        Self { source, time, open_at: None, open: false }
    }
}

impl<S: Stream> Stream for SkipFor<S> {
    type Item = S::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        if *this.open {
            return this.source.poll_next(cx);
        }
        let now = Instant::now();
        *this.open = now >= *this.open_at.get_or_insert_with(|| after(now, *this.time));
        for _ in 0..BURST {
            let item = ready!(this.source.as_mut().poll_next(cx));
            if *this.open || item.is_none() {
                return Poll::Ready(item);
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let (least, most) = self.source.size_hint();
        (if self.open { least } else { 0 }, most)
    }
}
