//! One item by its position.

use super::budget::Budget;
use super::until_end::UntilEnd;
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// Future of [`Operators::nth_item`](crate::stream::Operators::nth_item).
    ///
    /// - **Emits when** the item at that position (from 0) comes: `Some`, or `None` when the source ends
    ///   before.
    /// - **Back-pressures when** never: the source is read as fast as it gives.
    /// - **Completes when** the answer is given.
    /// - **Cancels when** dropped; the source is dropped already with the answer.
    ///
    /// Memory: none. Source: ReactiveX *ElementAt*, RxPY `element_at`; there the answer is a stream of
    /// one item.
    ///
    /// ```
    /// use futures::stream;
    /// use mape::stream::Operators;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// assert_eq!(stream::iter(["a", "b"]).nth_item(1).await, Some("b"));
    /// assert_eq!(stream::iter(["a", "b"]).nth_item(2).await, None);
    /// # }
    /// ```
    #[derive(Clone, Debug)]
    #[must_use = "futures do nothing unless awaited"]
    pub struct NthItem<S> {
        #[pin]
        source: UntilEnd<S>,
        before: usize,
    }
}

impl<S> NthItem<S> {
    pub(crate) const fn new(source: S, position: usize) -> Self {
        Self { source: UntilEnd::new(source), before: position }
    }
}

impl<S: Stream> Future for NthItem<S> {
    type Output = Option<S::Item>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        let mut budget = Budget::new();
        loop {
            let item = ready!(this.source.as_mut().poll_next(cx));
            if item.is_none() || *this.before == 0 {
                this.source.end();
                return Poll::Ready(item);
            }
            *this.before -= 1;
            if !budget.spend_or_wake(cx) {
                return Poll::Pending;
            }
        }
    }
}
