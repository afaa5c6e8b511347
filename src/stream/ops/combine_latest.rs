//! The latest items of two streams, as pairs.

use super::latest::Latest;
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll};

pin_project! {
    /// Stream of [`Operators::combine_latest`](crate::stream::Operators::combine_latest).
    ///
    /// - **Emits when** either stream gives an item and both have given one.
    /// - **Back-pressures when** its consumer does; when both are always ready, they are read in turns.
    /// - **Completes when** both have ended, or one has without an item (no pair can follow).
    /// - **Cancels when** dropped, both streams with it.
    ///
    /// Memory: one item of each. Until both have given one, earlier items of the faster are replaced by
    /// later ones. Source: ReactiveX *CombineLatest*, RxPY `combine_latest`.
    ///
    /// ```
    /// use futures::{StreamExt, stream};
    /// use mape::stream::Operators;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let got: Vec<_> = stream::iter([1, 2]).combine_latest(stream::iter(["a", "b"])).collect().await;
    /// assert_eq!(got, [(1, "a"), (2, "a"), (2, "b")]);
    /// # }
    /// ```
    #[derive(Clone, Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct CombineLatest<A, B>
    where
        A: Stream,
        B: Stream,
    {
        #[pin]
        latest: Latest<A, B, A::Item, B::Item>,
    }
}

impl<A: Stream, B: Stream> CombineLatest<A, B> {
    pub(crate) const fn new(a: A, b: B) -> Self {
        Self { latest: Latest::new(a, b) }
    }
}

impl<A, B> Stream for CombineLatest<A, B>
where
    A: Stream,
    B: Stream,
    A::Item: Clone,
    B::Item: Clone,
{
    type Item = (A::Item, B::Item);

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.project().latest.poll_pair(cx, |a, b| (a.clone(), b.clone()))
    }
}
