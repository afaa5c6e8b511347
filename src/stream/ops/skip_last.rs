//! All but the last items.

use super::budget::Budget;
use futures::Stream;
use pin_project_lite::pin_project;
use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// Stream of [`Operators::skip_last`](crate::stream::Operators::skip_last).
    ///
    /// - **Emits when** the source gives an item: the one that came `count` items before it.
    /// - **Back-pressures when** its consumer does; at most `count` items are read ahead.
    /// - **Completes when** the source ends; the items held are dropped.
    /// - **Cancels when** dropped, the source with it.
    ///
    /// Memory: `count` items. Source: ReactiveX *SkipLast*, RxPY `skip_last`.
    ///
    /// ```
    /// use futures::{StreamExt, stream};
    /// use mape::stream::Operators;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let got: Vec<_> = stream::iter([1, 2, 3]).skip_last(1).collect().await;
    /// assert_eq!(got, [1, 2]);
    /// # }
    /// ```
    #[derive(Clone, Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct SkipLast<S>
    where
        S: Stream,
    {
        #[pin]
        source: S,
        held: VecDeque<S::Item>,
        count: usize,
    }
}

impl<S: Stream> SkipLast<S> {
    pub(crate) const fn new(source: S, count: usize) -> Self {
        Self { source, held: VecDeque::new(), count }
    }
}

impl<S: Stream> Stream for SkipLast<S> {
    type Item = S::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        let mut budget = Budget::new();
        loop {
            let Some(item) = ready!(this.source.as_mut().poll_next(cx)) else { return Poll::Ready(None) };
            this.held.push_back(item);
            if this.held.len() > *this.count {
                return Poll::Ready(this.held.pop_front());
            }
            if !budget.spend_or_wake(cx) {
                return Poll::Pending;
            }
        }
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let (low, high) = self.source.size_hint();
        let missing = self.count.saturating_sub(self.held.len());
        (low.saturating_sub(missing), high.map(|high| high.saturating_sub(missing)))
    }
}
