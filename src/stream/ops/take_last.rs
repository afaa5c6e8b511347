//! The last items.

use super::budget::Budget;
use super::until_end::UntilEnd;
use futures::Stream;
use pin_project_lite::pin_project;
use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// Stream of [`Operators::take_last`](crate::stream::Operators::take_last).
    ///
    /// - **Emits when** the source has ended: its last `count` items, in their order.
    /// - **Back-pressures when** its consumer does, after the end; before, the source is read as fast as it
    ///   gives.
    /// - **Completes when** those items are emitted.
    /// - **Cancels when** dropped; the source is dropped already when it ends.
    ///
    /// Memory: `count` items. Source: ReactiveX *TakeLast*, RxPY `take_last`.
    ///
    /// ```
    /// use futures::{StreamExt, stream};
    /// use mape::stream::Operators;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let got: Vec<_> = stream::iter([1, 2, 3]).take_last(2).collect().await;
    /// assert_eq!(got, [2, 3]);
    /// # }
    /// ```
    #[derive(Clone, Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct TakeLast<S>
    where
        S: Stream,
    {
        #[pin]
        source: UntilEnd<S>,
        last: VecDeque<S::Item>,
        count: usize,
    }
}

impl<S: Stream> TakeLast<S> {
    pub(crate) const fn new(source: S, count: usize) -> Self {
        Self { source: UntilEnd::new(source), last: VecDeque::new(), count }
    }
}

impl<S: Stream> Stream for TakeLast<S> {
    type Item = S::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        let mut budget = Budget::new();
        while let Some(item) = ready!(this.source.as_mut().poll_next(cx)) {
            if this.last.len() >= *this.count {
                this.last.pop_front();
            }
            if *this.count > 0 {
                this.last.push_back(item);
            }
            if !budget.spend_or_wake(cx) {
                return Poll::Pending;
            }
        }
        Poll::Ready(this.last.pop_front())
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let (low, high) = self.source.size_hint();
        let held = self.last.len();
        let most =
            high.and_then(|high| high.checked_add(held)).map_or(self.count, |high| high.min(self.count));
        (low.saturating_add(held).min(self.count), Some(most))
    }
}
