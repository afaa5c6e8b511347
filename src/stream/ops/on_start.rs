//! A function called before the first item.

use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll};

pin_project! {
    /// Stream of [`Operators::on_start`](crate::stream::Operators::on_start).
    ///
    /// - **Emits when** the source does. The function is called at the first poll, before the source is
    ///   polled.
    /// - **Back-pressures when** its consumer does; nothing is read ahead.
    /// - **Completes when** the source ends.
    /// - **Cancels when** dropped, the source with it; if it was never polled, the function is not called.
    ///
    /// Memory: none. Source: ReactiveX *Do* (`doOnSubscribe`), RxPY `do_on_subscribe`.
    ///
    /// ```
    /// use futures::{StreamExt, stream};
    /// use mape::stream::Operators;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut started = false;
    /// let got: Vec<_> = stream::iter([1]).on_start(|| started = true).collect().await;
    /// assert_eq!((got, started), (vec![1], true));
    /// # }
    /// ```
    #[derive(Clone)]
    #[must_use = "streams do nothing unless polled"]
    pub struct OnStart<S, F> {
        #[pin]
        source: S,
        f: Option<F>,
    }
}

impl<S, F> OnStart<S, F> {
    pub(crate) const fn new(source: S, f: F) -> Self {
        Self { source, f: Some(f) }
    }
}

impl<S, F> Stream for OnStart<S, F>
where
    S: Stream,
    F: FnOnce(),
{
    type Item = S::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        if let Some(f) = this.f.take() {
            f();
        }
        this.source.poll_next(cx)
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.source.size_hint()
    }
}
