//! Items whose key differs from that of the one before.

use super::budget::Budget;
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// Stream of
    /// [`Operators::distinct_until_changed_by`](crate::stream::Operators::distinct_until_changed_by).
    ///
    /// - **Emits when** the source gives an item whose key is not equal to that of the last item emitted.
    /// - **Back-pressures when** its consumer does; nothing is read ahead.
    /// - **Completes when** the source ends.
    /// - **Cancels when** dropped, the source with it.
    ///
    /// Memory: one key. Source: ReactiveX *Distinct* (`distinctUntilKeyChanged`), RxPY
    /// `distinct_until_changed(key)`.
    ///
    /// ```
    /// use futures::{StreamExt, stream};
    /// use mape::stream::Operators;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let speeds = stream::iter([71, 78, 80, 79]);
    /// let tens: Vec<_> = speeds.distinct_until_changed_by(|speed| speed / 10).collect().await;
    /// assert_eq!(tens, [71, 80, 79]);
    /// # }
    /// ```
    #[derive(Clone, Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct DistinctUntilChangedBy<S, K, F> {
        #[pin]
        source: S,
        key: F,
        last: Option<K>,
    }
}

impl<S, K, F> DistinctUntilChangedBy<S, K, F> {
    pub(crate) const fn new(source: S, key: F) -> Self {
        Self { source, key, last: None }
    }
}

impl<S, K, F> Stream for DistinctUntilChangedBy<S, K, F>
where
    S: Stream,
    K: PartialEq,
    F: FnMut(&S::Item) -> K,
{
    type Item = S::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        let mut budget = Budget::new();
        loop {
            let Some(item) = ready!(this.source.as_mut().poll_next(cx)) else { return Poll::Ready(None) };
            let key = Some((this.key)(&item));
            if *this.last != key {
                *this.last = key;
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
