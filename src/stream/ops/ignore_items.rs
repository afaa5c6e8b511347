//! Only the end.

use super::budget::Budget;
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// Stream of [`Operators::ignore_items`](crate::stream::Operators::ignore_items).
    ///
    /// - **Emits when** never: the source's items are dropped.
    /// - **Back-pressures when** never: the source is read as fast as it gives.
    /// - **Completes when** the source ends.
    /// - **Cancels when** dropped, the source with it.
    ///
    /// Memory: none. Source: ReactiveX *IgnoreElements*, RxPY `ignore_elements`.
    ///
    /// ```
    /// use futures::{StreamExt, stream};
    /// use mape::stream::Operators;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// assert!(stream::iter([1, 2]).ignore_items().collect::<Vec<_>>().await.is_empty());
    /// # }
    /// ```
    #[derive(Clone, Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct IgnoreItems<S> {
        #[pin]
        source: S,
    }
}

impl<S> IgnoreItems<S> {
    pub(crate) const fn new(source: S) -> Self {
        Self { source }
    }
}

impl<S: Stream> Stream for IgnoreItems<S> {
    type Item = S::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        let mut budget = Budget::new();
        while ready!(this.source.as_mut().poll_next(cx)).is_some() {
            if !budget.spend_or_wake(cx) {
                return Poll::Pending;
            }
        }
        Poll::Ready(None)
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(0))
    }
}
