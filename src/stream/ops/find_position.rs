//! Where the first item is that passes a test.

use super::budget::Budget;
use super::until_end::UntilEnd;
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// Future of [`Operators::find_position`](crate::stream::Operators::find_position).
    ///
    /// - **Emits when** an item passes the test: its position, counted from 0, or `None` when the source
    ///   ends before.
    /// - **Back-pressures when** never: the source is read as fast as it gives.
    /// - **Completes when** the answer is given.
    /// - **Cancels when** dropped; the source is dropped already with the answer.
    ///
    /// Memory: none. Source: RxPY `find_index` (ReactiveX *Find*); there the answer is a stream of
    /// one item.
    ///
    /// ```
    /// use futures::stream;
    /// use mape::stream::Operators;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// assert_eq!(stream::iter([1, 4, 6]).find_position(|n| n % 2 == 0).await, Some(1));
    /// # }
    /// ```
    #[derive(Clone)]
    #[must_use = "futures do nothing unless awaited"]
    pub struct FindPosition<S, F> {
        #[pin]
        source: UntilEnd<S>,
        test: F,
        position: usize,
    }
}

impl<S, F> FindPosition<S, F> {
    pub(crate) const fn new(source: S, test: F) -> Self {
        Self { source: UntilEnd::new(source), test, position: 0 }
    }
}

impl<S, F> Future for FindPosition<S, F>
where
    S: Stream,
    F: FnMut(&S::Item) -> bool,
{
    type Output = Option<usize>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<usize>> {
        let mut this = self.project();
        let mut budget = Budget::new();
        loop {
            let Some(item) = ready!(this.source.as_mut().poll_next(cx)) else { return Poll::Ready(None) };
            if (this.test)(&item) {
                this.source.end();
                return Poll::Ready(Some(*this.position));
            }
            *this.position += 1;
            if !budget.spend_or_wake(cx) {
                return Poll::Pending;
            }
        }
    }
}
