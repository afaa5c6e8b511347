//! Items that were not there before.

use super::budget::Budget;
use super::seen::Seen;
use futures::Stream;
use pin_project_lite::pin_project;
use std::hash::Hash;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// Stream of [`Operators::distinct`](crate::stream::Operators::distinct).
    ///
    /// - **Emits when** the source gives an item that is not among the last `capacity` different ones.
    /// - **Back-pressures when** its consumer does; nothing is read ahead.
    /// - **Completes when** the source ends.
    /// - **Cancels when** dropped, the source with it.
    ///
    /// Memory: `capacity` items, twice. The one that came first is forgotten first, and passes again when
    /// it comes again; with 0 everything passes. Source: ReactiveX *Distinct*, RxPY `distinct`, which never
    /// forget.
    ///
    /// ```
    /// use futures::{StreamExt, stream};
    /// use mape::stream::Operators;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let got: Vec<_> = stream::iter([1, 2, 1, 3, 1]).distinct(2).collect().await;
    /// assert_eq!(got, [1, 2, 3, 1]); // 3 took the place of the first 1
    /// # }
    /// ```
    #[derive(Clone, Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct Distinct<S>
    where
        S: Stream,
    {
        #[pin]
        source: S,
        seen: Seen<S::Item>,
    }
}

impl<S: Stream> Distinct<S> {
    pub(crate) fn new(source: S, capacity: usize) -> Self {
        Self { source, seen: Seen::new(capacity) }
    }
}

impl<S> Stream for Distinct<S>
where
    S: Stream,
    S::Item: Clone + Eq + Hash,
{
    type Item = S::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        let mut budget = Budget::new();
        loop {
            let Some(item) = ready!(this.source.as_mut().poll_next(cx)) else { return Poll::Ready(None) };
            if this.seen.is_new(&item) {
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
