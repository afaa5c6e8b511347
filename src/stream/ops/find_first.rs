//! The first item that passes a test.

use super::budget::Budget;
use super::until_end::UntilEnd;
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// Future of [`Operators::find_first`](crate::stream::Operators::find_first).
    ///
    /// - **Emits when** an item passes the test: `Some`, or `None` when the source ends before.
    /// - **Back-pressures when** never: the source is read as fast as it gives.
    /// - **Completes when** the answer is given.
    /// - **Cancels when** dropped; the source is dropped already with the answer.
    ///
    /// Memory: none. Source: ReactiveX *First* and *Find*, RxPY `find`, `first`; there the answer is a
    /// stream of one item.
    ///
    /// ```
    /// use futures::stream;
    /// use mape::stream::Operators;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// assert_eq!(stream::iter([1, 4, 6]).find_first(|n| n % 2 == 0).await, Some(4));
    /// # }
    /// ```
    #[derive(Clone)]
    #[must_use = "futures do nothing unless awaited"]
    pub struct FindFirst<S, F> {
        #[pin]
        source: UntilEnd<S>,
        test: F,
    }
}

impl<S, F> FindFirst<S, F> {
    pub(crate) const fn new(source: S, test: F) -> Self {
        Self { source: UntilEnd::new(source), test }
    }
}

impl<S, F> Future for FindFirst<S, F>
where
    S: Stream,
    F: FnMut(&S::Item) -> bool,
{
    type Output = Option<S::Item>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        let mut budget = Budget::new();
        loop {
            let Some(item) = ready!(this.source.as_mut().poll_next(cx)) else { return Poll::Ready(None) };
            if (this.test)(&item) {
                this.source.end();
                return Poll::Ready(Some(item));
            }
            if !budget.spend_or_wake(cx) {
                return Poll::Pending;
            }
        }
    }
}
