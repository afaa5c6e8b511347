//! An item for each error.

use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// Stream of [`Operators::replace_errors`](crate::stream::Operators::replace_errors).
    ///
    /// - **Emits when** the source does: the `Ok` item, or what the function makes of the error.
    /// - **Back-pressures when** its consumer does; nothing is read ahead.
    /// - **Completes when** the source ends.
    /// - **Cancels when** dropped, the source with it.
    ///
    /// Memory: none. Source: ReactiveX *Catch* (`onErrorReturn`), where the item is the last; see
    /// [`end_on_error`](crate::stream::Operators::end_on_error).
    ///
    /// ```
    /// use futures::{StreamExt, stream};
    /// use mape::stream::Operators;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let got: Vec<_> = stream::iter([Ok(1), Err("bad"), Ok(2)]).replace_errors(|_bad| 0).collect().await;
    /// assert_eq!(got, [1, 0, 2]);
    /// # }
    /// ```
    #[derive(Clone)]
    #[must_use = "streams do nothing unless polled"]
    pub struct ReplaceErrors<S, F> {
        #[pin]
        source: S,
        f: F,
    }
}

impl<S, F> ReplaceErrors<S, F> {
    pub(crate) const fn new(source: S, f: F) -> Self {
        Self { source, f }
    }
}

impl<S, F, T, E> Stream for ReplaceErrors<S, F>
where
    S: Stream<Item = Result<T, E>>,
    F: FnMut(E) -> T,
{
    type Item = T;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let this = self.project();
        Poll::Ready(ready!(this.source.poll_next(cx)).map(|item| item.unwrap_or_else(this.f)))
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.source.size_hint()
    }
}
