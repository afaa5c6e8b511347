//! Items that differ from the one before.

use super::budget::Budget;
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// Stream of [`Operators::distinct_until_changed`](crate::stream::Operators::distinct_until_changed).
    ///
    /// - **Emits when** the source gives an item that is not equal to the last one emitted; the first always.
    /// - **Back-pressures when** its consumer does; nothing is read ahead.
    /// - **Completes when** the source ends.
    /// - **Cancels when** dropped, the source with it.
    ///
    /// Memory: one item. Source: ReactiveX *Distinct* (`distinctUntilChanged`), RxPY
    /// `distinct_until_changed`.
    ///
    /// ```
    /// use futures::{StreamExt, stream};
    /// use mape::stream::Operators;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let got: Vec<_> = stream::iter([1, 1, 2, 2, 1]).distinct_until_changed().collect().await;
    /// assert_eq!(got, [1, 2, 1]);
    /// # }
    /// ```
    #[derive(Clone, Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct DistinctUntilChanged<S>
    where
        S: Stream,
    {
        #[pin]
        source: S,
        last: Option<S::Item>,
    }
}

impl<S: Stream> DistinctUntilChanged<S> {
    pub(crate) const fn new(source: S) -> Self {
        Self { source, last: None }
    }
}

impl<S> Stream for DistinctUntilChanged<S>
where
    S: Stream,
    S::Item: Clone + PartialEq,
{
    type Item = S::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        let mut budget = Budget::new();
        loop {
            let Some(item) = ready!(this.source.as_mut().poll_next(cx)) else { return Poll::Ready(None) };
            if this.last.as_ref() != Some(&item) {
                *this.last = Some(item.clone());
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
