//! Items after the last.

use super::until_end::UntilEnd;
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// Stream of [`Operators::end_with`](crate::stream::Operators::end_with).
    ///
    /// - **Emits when** the source does; after its end when polled, until the given items are used up.
    /// - **Back-pressures when** its consumer does; nothing is read ahead.
    /// - **Completes when** the given items are used up.
    /// - **Cancels when** dropped; the source is dropped already when it ends.
    ///
    /// Memory: the given iterator. Source: ReactiveX *Concat* (`endWith`), RxPY `concat`.
    ///
    /// ```
    /// use futures::{StreamExt, stream};
    /// use mape::stream::Operators;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let got: Vec<_> = stream::iter([1, 2]).end_with([0]).collect().await;
    /// assert_eq!(got, [1, 2, 0]);
    /// # }
    /// ```
    #[derive(Clone, Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct EndWith<S, I> {
        #[pin]
        source: UntilEnd<S>,
        last: I,
    }
}

impl<S, I> EndWith<S, I> {
    pub(crate) const fn new(source: S, last: I) -> Self {
        Self { source: UntilEnd::new(source), last }
    }
}

impl<S, I> Stream for EndWith<S, I>
where
    S: Stream,
    I: Iterator<Item = S::Item>,
{
    type Item = S::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        Poll::Ready(ready!(this.source.poll_next(cx)).or_else(|| this.last.next()))
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let (low, high) = self.source.size_hint();
        let (last_low, last_high) = self.last.size_hint();
        let high = high.zip(last_high).and_then(|(a, b)| a.checked_add(b));
        (low.saturating_add(last_low), high)
    }
}
