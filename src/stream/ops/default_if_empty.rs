//! One item for a stream that has none.

use super::until_end::UntilEnd;
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// Stream of [`Operators::default_if_empty`](crate::stream::Operators::default_if_empty).
    ///
    /// - **Emits when** the source does; the default when the source ends without an item.
    /// - **Back-pressures when** its consumer does; nothing is read ahead.
    /// - **Completes when** the source has ended and the default, if needed, is emitted.
    /// - **Cancels when** dropped; the source is dropped already when it ends.
    ///
    /// Memory: the default, until the first item. Source: ReactiveX *DefaultIfEmpty*, RxPY
    /// `default_if_empty`.
    ///
    /// ```
    /// use futures::{StreamExt, stream};
    /// use mape::stream::Operators;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// assert_eq!(stream::empty().default_if_empty(0).collect::<Vec<_>>().await, [0]);
    /// assert_eq!(stream::iter([1]).default_if_empty(0).collect::<Vec<_>>().await, [1]);
    /// # }
    /// ```
    #[derive(Clone, Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct DefaultIfEmpty<S>
    where
        S: Stream,
    {
        #[pin]
        source: UntilEnd<S>,
        default: Option<S::Item>,
    }
}

impl<S: Stream> DefaultIfEmpty<S> {
    pub(crate) const fn new(source: S, default: S::Item) -> Self {
        Self { source: UntilEnd::new(source), default: Some(default) }
    }
}

impl<S: Stream> Stream for DefaultIfEmpty<S> {
    type Item = S::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        let item = ready!(this.source.poll_next(cx));
        let default = this.default.take();
        Poll::Ready(item.or(default))
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let (low, high) = self.source.size_hint();
        let least = usize::from(self.default.is_some());
        (low.max(least), high.map(|high| high.max(least)))
    }
}
