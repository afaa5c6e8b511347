//! `time_interval`: items with the time since the one before.

use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;

pin_project! {
    /// Stream of [`Operators::time_interval`](crate::stream::Operators::time_interval).
    ///
    /// The first interval counts from when the stream is first polled.
    ///
    /// - **Emits when** the source emits.
    /// - **Back-pressures when** downstream does.
    /// - **Completes when** the source completes.
    /// - **Cancels when** downstream cancels.
    ///
    /// Memory: one instant. Source:
    /// [ReactiveX TimeInterval](https://reactivex.io/documentation/operators/timeinterval.html); RxPY `time_interval`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// use futures::StreamExt;
    /// use mape::stream::{Operators, testing::marbles};
    ///
    /// let gaps = marbles("-a--b|").time_interval().map(|(gap, _)| gap.as_millis());
    /// assert_eq!(gaps.collect::<Vec<_>>().await, [1, 3]);
    /// # }
    /// ```
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct TimeInterval<S> {
        #[pin]
        source: S,
        last: Option<Instant>,
    }
}

impl<S> TimeInterval<S> {
    pub(crate) fn new(source: S) -> Self {
        Self { source, last: None }
    }
}

impl<S: Stream> Stream for TimeInterval<S> {
    type Item = (Duration, S::Item);

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.project();
        let last = this.last.get_or_insert_with(Instant::now);
        let item = ready!(this.source.poll_next(cx));
        Poll::Ready(item.map(|item| {
            let now = Instant::now();
            (now.saturating_duration_since(std::mem::replace(last, now)), item)
        }))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.source.size_hint()
    }
}
