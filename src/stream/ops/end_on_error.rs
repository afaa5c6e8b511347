//! The first error is the last item.

use super::until_end::UntilEnd;
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// Stream of [`Operators::end_on_error`](crate::stream::Operators::end_on_error).
    ///
    /// - **Emits when** the source does, up to and with its first error.
    /// - **Back-pressures when** its consumer does; nothing is read ahead.
    /// - **Completes when** the source ends or has given an error.
    /// - **Cancels when** dropped; the source is dropped already at its first error.
    ///
    /// Memory: none. Source: the contract of ReactiveX observables, where an error is always the end.
    ///
    /// ```
    /// use futures::{StreamExt, stream};
    /// use mape::stream::Operators;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let got: Vec<_> = stream::iter([Ok(1), Err("bad"), Ok(2)]).end_on_error().collect().await;
    /// assert_eq!(got, [Ok(1), Err("bad")]);
    /// # }
    /// ```
    #[derive(Clone, Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct EndOnError<S> {
        #[pin]
        source: UntilEnd<S>,
    }
}

impl<S> EndOnError<S> {
    pub(crate) const fn new(source: S) -> Self {
        Self { source: UntilEnd::new(source) }
    }
}

impl<S, T, E> Stream for EndOnError<S>
where
    S: Stream<Item = Result<T, E>>,
{
    type Item = Result<T, E>;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<T, E>>> {
        let mut source = self.project().source;
        let item = ready!(source.as_mut().poll_next(cx));
        if let Some(Err(_)) = item {
            source.end();
        }
        Poll::Ready(item)
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let (low, high) = self.source.size_hint();
        (low.min(1), high)
    }
}
