//! Each item with the one before.

use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// Stream of [`Operators::pairwise`](crate::stream::Operators::pairwise).
    ///
    /// - **Emits when** the source gives its second item, and every one after it.
    /// - **Back-pressures when** its consumer does; nothing is read ahead.
    /// - **Completes when** the source ends.
    /// - **Cancels when** dropped, the source with it.
    ///
    /// Memory: one item. Source: RxPY `pairwise` (ReactiveX *Buffer* with count 2 and skip 1).
    ///
    /// ```
    /// use futures::{StreamExt, stream};
    /// use mape::stream::Operators;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let rise = stream::iter([1, 4, 9]).pairwise().map(|(before, now)| now - before);
    /// assert_eq!(rise.collect::<Vec<_>>().await, [3, 5]);
    /// # }
    /// ```
    #[derive(Clone, Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct Pairwise<S>
    where
        S: Stream,
    {
        #[pin]
        source: S,
        before: Option<S::Item>,
    }
}

impl<S: Stream> Pairwise<S> {
    pub(crate) const fn new(source: S) -> Self {
        Self { source, before: None }
    }
}

impl<S> Stream for Pairwise<S>
where
    S: Stream,
    S::Item: Clone,
{
    type Item = (S::Item, S::Item);

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        loop {
            let Some(item) = ready!(this.source.as_mut().poll_next(cx)) else { return Poll::Ready(None) };
            if let Some(before) = this.before.replace(item.clone()) {
                return Poll::Ready(Some((before, item)));
            }
        }
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let (low, high) = self.source.size_hint();
        let missing = usize::from(self.before.is_none());
        (low.saturating_sub(missing), high.map(|high| high.saturating_sub(missing)))
    }
}
