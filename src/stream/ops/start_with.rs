//! Items before the first.

use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll};

pin_project! {
    /// Stream of [`Operators::start_with`](crate::stream::Operators::start_with).
    ///
    /// - **Emits when** polled, until the given items are used up; then when the source does.
    /// - **Back-pressures when** its consumer does; the source is not polled before its turn.
    /// - **Completes when** the source ends.
    /// - **Cancels when** dropped, the source with it.
    ///
    /// Memory: the given iterator. Source: ReactiveX *StartWith*, RxPY `start_with`.
    ///
    /// ```
    /// use futures::{StreamExt, stream};
    /// use mape::stream::Operators;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let got: Vec<_> = stream::iter([2, 3]).start_with([0, 1]).collect().await;
    /// assert_eq!(got, [0, 1, 2, 3]);
    /// # }
    /// ```
    #[derive(Clone, Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct StartWith<S, I> {
        first: Option<I>,
        #[pin]
        source: S,
    }
}

impl<S, I> StartWith<S, I> {
    pub(crate) const fn new(source: S, first: I) -> Self {
        Self { first: Some(first), source }
    }
}

impl<S, I> Stream for StartWith<S, I>
where
    S: Stream,
    I: Iterator<Item = S::Item>,
{
    type Item = S::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        if let Some(first) = this.first {
            if let Some(item) = first.next() {
                return Poll::Ready(Some(item));
            }
            *this.first = None;
        }
        this.source.poll_next(cx)
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let (first_low, first_high) = self.first.as_ref().map_or((0, Some(0)), Iterator::size_hint);
        let (low, high) = self.source.size_hint();
        let high = first_high.zip(high).and_then(|(a, b)| a.checked_add(b));
        (first_low.saturating_add(low), high)
    }
}
