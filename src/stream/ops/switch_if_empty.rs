//! Another stream for one that has no item.

use super::until_end::UntilEnd;
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// Stream of [`Operators::switch_if_empty`](crate::stream::Operators::switch_if_empty).
    ///
    /// - **Emits when** the source does; if the source ends without an item, when the other stream does.
    /// - **Back-pressures when** its consumer does; the other stream is not polled before it is needed.
    /// - **Completes when** the one that emits ends.
    /// - **Cancels when** dropped, with what is left; the other stream is dropped at the source's first item.
    ///
    /// Memory: none. Source: ReactiveX *DefaultIfEmpty* (`switchIfEmpty`).
    ///
    /// ```
    /// use futures::{StreamExt, stream};
    /// use mape::stream::Operators;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let cache = stream::empty();
    /// let disk = stream::iter([1, 2]);
    /// assert_eq!(cache.switch_if_empty(disk).collect::<Vec<_>>().await, [1, 2]);
    /// # }
    /// ```
    #[derive(Clone, Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct SwitchIfEmpty<S, B> {
        #[pin]
        source: UntilEnd<S>,
        #[pin]
        other: UntilEnd<B>,
    }
}

impl<S, B> SwitchIfEmpty<S, B> {
    pub(crate) const fn new(source: S, other: B) -> Self {
        Self { source: UntilEnd::new(source), other: UntilEnd::new(other) }
    }
}

impl<S, B> Stream for SwitchIfEmpty<S, B>
where
    S: Stream,
    B: Stream<Item = S::Item>,
{
    type Item = S::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        let Some(item) = ready!(this.source.poll_next(cx)) else { return this.other.poll_next(cx) };
        if !this.other.has_ended() {
            this.other.as_mut().end();
        }
        Poll::Ready(Some(item))
    }
}
