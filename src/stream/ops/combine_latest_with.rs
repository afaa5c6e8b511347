//! A function of the latest items of two streams.

use super::latest::Latest;
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll};

pin_project! {
    /// Stream of [`Operators::combine_latest_with`](crate::stream::Operators::combine_latest_with).
    ///
    /// As [`CombineLatest`](super::CombineLatest), but the function sees both items by reference, so that
    /// nothing has to be cloned.
    ///
    /// - **Emits when** either stream gives an item and both have given one.
    /// - **Back-pressures when** its consumer does; when both are always ready, they are read in turns.
    /// - **Completes when** both have ended, or one has without an item.
    /// - **Cancels when** dropped, both streams with it.
    ///
    /// Memory: one item of each. Source: ReactiveX *CombineLatest* (with its function), RxPY
    /// `combine_latest` + `map`.
    ///
    /// ```
    /// use futures::{StreamExt, stream};
    /// use mape::stream::Operators;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let actual = stream::iter([90, 95]);
    /// let target = stream::iter([100]);
    /// let gap = actual.combine_latest_with(target, |actual, target| target - actual);
    /// assert_eq!(gap.collect::<Vec<_>>().await, [10, 5]);
    /// # }
    /// ```
    #[derive(Clone)]
    #[must_use = "streams do nothing unless polled"]
    pub struct CombineLatestWith<A, B, F>
    where
        A: Stream,
        B: Stream,
    {
        #[pin]
        latest: Latest<A, B, A::Item, B::Item>,
        join: F,
    }
}

impl<A: Stream, B: Stream, F> CombineLatestWith<A, B, F> {
    pub(crate) const fn new(a: A, b: B, join: F) -> Self {
        Self { latest: Latest::new(a, b), join }
    }
}

impl<A, B, F, T> Stream for CombineLatestWith<A, B, F>
where
    A: Stream,
    B: Stream,
    F: FnMut(&A::Item, &B::Item) -> T,
{
    type Item = T;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let this = self.project();
        this.latest.poll_pair(cx, this.join)
    }
}
