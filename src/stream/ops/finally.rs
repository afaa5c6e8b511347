//! A function called when it is over, one way or the other.

use super::until_end::UntilEnd;
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// Stream of [`Operators::finally`](crate::stream::Operators::finally).
    ///
    /// - **Emits when** the source does. The function is called once, after the source is dropped: at its
    ///   end, or when this stream is dropped before, even unpolled.
    /// - **Back-pressures when** its consumer does; nothing is read ahead.
    /// - **Completes when** the source ends.
    /// - **Cancels when** dropped, the source with it.
    ///
    /// Memory: none. Source: ReactiveX *Do* (`finallyDo`), RxPY `finally_action`.
    ///
    /// ```
    /// use futures::{StreamExt, stream};
    /// use mape::stream::Operators;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut freed = 0;
    /// let _first = stream::iter([1, 2]).finally(|| freed += 1).next().await;
    /// assert_eq!(freed, 1);
    /// # }
    /// ```
    #[must_use = "streams do nothing unless polled"]
    pub struct Finally<S, F>
    where
        F: FnOnce(),
    {
        #[pin]
        source: UntilEnd<S>,
        // After the source: that is dropped first.
        guard: Guard<F>,
    }
}

impl<S, F: FnOnce()> Finally<S, F> {
    pub(crate) const fn new(source: S, f: F) -> Self {
        Self { source: UntilEnd::new(source), guard: Guard(Some(f)) }
    }
}

impl<S, F> Stream for Finally<S, F>
where
    S: Stream,
    F: FnOnce(),
{
    type Item = S::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        let item = ready!(this.source.poll_next(cx));
        if item.is_none() {
            this.guard.call();
        }
        Poll::Ready(item)
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.source.size_hint()
    }
}

/// Calls its function when dropped, unless it was called before.
struct Guard<F: FnOnce()>(Option<F>);

impl<F: FnOnce()> Guard<F> {
    fn call(&mut self) {
        if let Some(f) = self.0.take() {
            f();
        }
    }
}

impl<F: FnOnce()> Drop for Guard<F> {
    fn drop(&mut self) {
        self.call();
    }
}
