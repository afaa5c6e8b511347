//! `timestamp`: items with the time they came.

use crate::stream::clock;
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::SystemTime;

pin_project! {
    /// Stream of [`Operators::timestamp`](crate::stream::Operators::timestamp).
    ///
    /// The time is [`clock::now`], which follows tokio's clock.
    ///
    /// - **Emits when** the source emits.
    /// - **Back-pressures when** downstream does.
    /// - **Completes when** the source completes.
    /// - **Cancels when** downstream cancels.
    ///
    /// Memory: none. Source: [ReactiveX Timestamp](https://reactivex.io/documentation/operators/timestamp.html); RxPY
    /// `timestamp`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// use futures::StreamExt;
    /// use mape::stream::{Operators, testing::marbles};
    ///
    /// let stamped: Vec<_> = marbles("a--b|").timestamp().collect().await;
    /// assert_eq!(stamped[1].0.duration_since(stamped[0].0).unwrap().as_millis(), 3);
    /// assert_eq!(stamped[1].1, 'b');
    /// # }
    /// ```
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct Timestamp<S> {
        #[pin]
        source: S,
    }
}

impl<S> Timestamp<S> {
    pub(crate) fn new(source: S) -> Self {
        Self { source }
    }
}

impl<S: Stream> Stream for Timestamp<S> {
    type Item = (SystemTime, S::Item);

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let item = ready!(self.project().source.poll_next(cx));
        Poll::Ready(item.map(|item| (clock::now(), item)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.source.size_hint()
    }
}
