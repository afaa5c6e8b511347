//! The items without the errors.

use super::budget::Budget;
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// Stream of [`Operators::skip_errors`](crate::stream::Operators::skip_errors).
    ///
    /// - **Emits when** the source gives an `Ok` item. Each error goes to the handler, so that none is lost
    ///   in silence.
    /// - **Back-pressures when** its consumer does; nothing is read ahead.
    /// - **Completes when** the source ends.
    /// - **Cancels when** dropped, the source with it.
    ///
    /// Memory: none. Source: ReactiveX *Catch*; an error does not end the stream here.
    ///
    /// ```
    /// use futures::{StreamExt, stream};
    /// use mape::stream::Operators;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut bad = Vec::new();
    /// let readings = stream::iter([Ok(1), Err("x"), Ok(2)]);
    /// let got: Vec<_> = readings.skip_errors(|error| bad.push(error)).collect().await;
    /// assert_eq!((got, bad), (vec![1, 2], vec!["x"]));
    /// # }
    /// ```
    #[derive(Clone)]
    #[must_use = "streams do nothing unless polled"]
    pub struct SkipErrors<S, F> {
        #[pin]
        source: S,
        on_error: F,
    }
}

impl<S, F> SkipErrors<S, F> {
    pub(crate) const fn new(source: S, on_error: F) -> Self {
        Self { source, on_error }
    }
}

impl<S, F, T, E> Stream for SkipErrors<S, F>
where
    S: Stream<Item = Result<T, E>>,
    F: FnMut(E),
{
    type Item = T;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let mut this = self.project();
        let mut budget = Budget::new();
        loop {
            match ready!(this.source.as_mut().poll_next(cx)) {
                Some(Ok(item)) => return Poll::Ready(Some(item)),
                Some(Err(error)) => (this.on_error)(error),
                None => return Poll::Ready(None),
            }
            if !budget.spend_or_wake(cx) {
                return Poll::Pending;
            }
        }
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, self.source.size_hint().1)
    }
}
