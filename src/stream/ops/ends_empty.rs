//! Whether there is no item.

use super::until_end::UntilEnd;
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// Future of [`Operators::ends_empty`](crate::stream::Operators::ends_empty).
    ///
    /// - **Emits when** the answer is known: `false` at the first item, `true` at an end without one.
    /// - **Back-pressures when** never: at most one item is read.
    /// - **Completes when** the answer is given.
    /// - **Cancels when** dropped; the source is dropped already with the answer.
    ///
    /// Memory: none. Source: ReactiveX *Contains* (`isEmpty`), RxPY `is_empty`; there the answer is a
    /// stream of one item.
    ///
    /// ```
    /// use futures::stream;
    /// use mape::stream::Operators;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// assert!(stream::empty::<i32>().ends_empty().await);
    /// assert!(!stream::iter([1]).ends_empty().await);
    /// # }
    /// ```
    #[derive(Clone, Debug)]
    #[must_use = "futures do nothing unless awaited"]
    pub struct EndsEmpty<S> {
        #[pin]
        source: UntilEnd<S>,
    }
}

impl<S> EndsEmpty<S> {
    pub(crate) const fn new(source: S) -> Self {
        Self { source: UntilEnd::new(source) }
    }
}

impl<S: Stream> Future for EndsEmpty<S> {
    type Output = bool;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<bool> {
        let mut source = self.project().source;
        let item = ready!(source.as_mut().poll_next(cx));
        source.end();
        Poll::Ready(item.is_none())
    }
}
