//! Of a stream of streams, one at a time; what comes meanwhile is dropped.

use super::exhaust::Exhaust;
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll};

pin_project! {
    /// Stream of [`Operators::exhaust_all`](crate::stream::Operators::exhaust_all).
    ///
    /// - **Emits when** the inner stream gives an item.
    /// - **Back-pressures when** its consumer does: then neither stream is read. While the inner stream
    ///   waits, the outer one is read and its streams are dropped unpolled.
    /// - **Completes when** the outer stream and the inner stream have ended.
    /// - **Cancels when** dropped, with the outer and the inner stream; an inner stream is dropped when it
    ///   ends.
    ///
    /// Memory: one inner stream. Source: ReactiveX *Switch* (`exhaust`), RxPY `exclusive`.
    ///
    /// ```
    /// use futures::{StreamExt, stream};
    /// use mape::stream::Operators;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// // Streams that never wait come through whole, as nothing comes while they run.
    /// let runs = stream::iter([stream::iter(["a1", "a2"]), stream::iter(["b1", "b2"])]);
    /// assert_eq!(runs.exhaust_all().collect::<Vec<_>>().await, ["a1", "a2", "b1", "b2"]);
    /// # }
    /// ```
    #[derive(Clone, Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct ExhaustAll<S>
    where
        S: Stream,
    {
        #[pin]
        exhaust: Exhaust<S, S::Item, fn(S::Item) -> S::Item>,
    }
}

impl<S: Stream> ExhaustAll<S> {
    pub(crate) const fn new(outer: S) -> Self {
        Self { exhaust: Exhaust::new(outer, std::convert::identity) }
    }
}

impl<S> Stream for ExhaustAll<S>
where
    S: Stream,
    S::Item: Stream,
{
    type Item = <S::Item as Stream>::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.project().exhaust.poll_next(cx)
    }
}
