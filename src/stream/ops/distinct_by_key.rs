//! Items whose key was not there before.

use super::budget::Budget;
use super::seen::Seen;
use futures::Stream;
use pin_project_lite::pin_project;
use std::hash::Hash;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// Stream of [`Operators::distinct_by_key`](crate::stream::Operators::distinct_by_key).
    ///
    /// - **Emits when** the source gives an item whose key is not among the last `capacity` different ones.
    /// - **Back-pressures when** its consumer does; nothing is read ahead.
    /// - **Completes when** the source ends.
    /// - **Cancels when** dropped, the source with it.
    ///
    /// Memory: `capacity` keys, twice. The key that came first is forgotten first; with 0 everything
    /// passes. Source: ReactiveX *Distinct*, RxPY `distinct(key_mapper)`, which never forget.
    ///
    /// ```
    /// use futures::{StreamExt, stream};
    /// use mape::stream::Operators;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let orders = stream::iter([("a", 1), ("b", 2), ("a", 3)]);
    /// let got: Vec<_> = orders.distinct_by_key(100, |order| order.0).collect().await;
    /// assert_eq!(got, [("a", 1), ("b", 2)]);
    /// # }
    /// ```
    #[derive(Clone)]
    #[must_use = "streams do nothing unless polled"]
    pub struct DistinctByKey<S, K, F> {
        #[pin]
        source: S,
        key: F,
        seen: Seen<K>,
    }
}

impl<S, K, F> DistinctByKey<S, K, F> {
    pub(crate) fn new(source: S, capacity: usize, key: F) -> Self {
        Self { source, key, seen: Seen::new(capacity) }
    }
}

impl<S, K, F> Stream for DistinctByKey<S, K, F>
where
    S: Stream,
    K: Clone + Eq + Hash,
    F: FnMut(&S::Item) -> K,
{
    type Item = S::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        let mut budget = Budget::new();
        loop {
            let Some(item) = ready!(this.source.as_mut().poll_next(cx)) else { return Poll::Ready(None) };
            if this.seen.is_new(&(this.key)(&item)) {
                return Poll::Ready(Some(item));
            }
            if !budget.spend_or_wake(cx) {
                return Poll::Pending;
            }
        }
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, self.source.size_hint().1)
    }
}
