//! The last item.

use super::budget::Budget;
use super::until_end::UntilEnd;
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// Future of [`Operators::last_item`](crate::stream::Operators::last_item).
    ///
    /// - **Emits when** the source has ended: its last item, or `None` if there was none.
    /// - **Back-pressures when** never: the source is read as fast as it gives.
    /// - **Completes when** the answer is given.
    /// - **Cancels when** dropped; the source is dropped already when it ends.
    ///
    /// Memory: one item. Source: ReactiveX *Last*, RxPY `last`; there the answer is a stream of
    /// one item.
    ///
    /// ```
    /// use futures::stream;
    /// use mape::stream::Operators;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// assert_eq!(stream::iter([1, 2, 3]).last_item().await, Some(3));
    /// # }
    /// ```
    #[derive(Clone, Debug)]
    #[must_use = "futures do nothing unless awaited"]
    pub struct LastItem<S>
    where
        S: Stream,
    {
        #[pin]
        source: UntilEnd<S>,
        last: Option<S::Item>,
    }
}

impl<S: Stream> LastItem<S> {
    pub(crate) const fn new(source: S) -> Self {
        Self { source: UntilEnd::new(source), last: None }
    }
}

impl<S: Stream> Future for LastItem<S> {
    type Output = Option<S::Item>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        let mut budget = Budget::new();
        while let Some(item) = ready!(this.source.as_mut().poll_next(cx)) {
            *this.last = Some(item);
            if !budget.spend_or_wake(cx) {
                return Poll::Pending;
            }
        }
        Poll::Ready(this.last.take())
    }
}
