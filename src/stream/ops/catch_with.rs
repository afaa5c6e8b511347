//! Another stream after an error.

use super::until_end::UntilEnd;
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// Stream of [`Operators::catch_with`](crate::stream::Operators::catch_with).
    ///
    /// - **Emits when** the source gives an `Ok` item; after its first error, when the replacement emits,
    ///   errors included.
    /// - **Back-pressures when** its consumer does; nothing is read ahead.
    /// - **Completes when** the source, or after an error the replacement, ends.
    /// - **Cancels when** dropped, with what is left; the source is dropped already at its first error.
    ///
    /// Memory: none. Source: ReactiveX *Catch* (`onErrorResumeNext` with a function), RxPY `catch`.
    ///
    /// ```
    /// use futures::{StreamExt, stream};
    /// use mape::stream::Operators;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let live = stream::iter([Ok(1), Err("gone"), Ok(2)]);
    /// let got: Vec<Result<_, String>> =
    ///     live.catch_with(|_gone| stream::iter([Ok(10), Err("stale".to_owned())])).collect().await;
    /// assert_eq!(got, [Ok(1), Ok(10), Err("stale".to_owned())]);
    /// # }
    /// ```
    #[derive(Clone)]
    #[must_use = "streams do nothing unless polled"]
    pub struct CatchWith<S, R, F> {
        #[pin]
        source: UntilEnd<S>,
        #[pin]
        replacement: Option<UntilEnd<R>>,
        f: Option<F>,
    }
}

impl<S, R, F> CatchWith<S, R, F> {
    pub(crate) const fn new(source: S, f: F) -> Self {
        Self { source: UntilEnd::new(source), replacement: None, f: Some(f) }
    }
}

impl<S, R, F, T, E, G> Stream for CatchWith<S, R, F>
where
    S: Stream<Item = Result<T, E>>,
    R: Stream<Item = Result<T, G>>,
    F: FnOnce(E) -> R,
{
    type Item = Result<T, G>;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        loop {
            if let Some(replacement) = this.replacement.as_mut().as_pin_mut() {
                return replacement.poll_next(cx);
            }
            match ready!(this.source.as_mut().poll_next(cx)) {
                Some(Ok(item)) => return Poll::Ready(Some(Ok(item))),
                Some(Err(error)) => {
                    this.source.as_mut().end();
                    let Some(f) = this.f.take() else { return Poll::Ready(None) };
                    this.replacement.set(Some(UntilEnd::new(f(error))));
                }
                None => return Poll::Ready(None),
            }
        }
    }
}
