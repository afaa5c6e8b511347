//! A function called at the end.

use super::until_end::UntilEnd;
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// Stream of [`Operators::on_end`](crate::stream::Operators::on_end).
    ///
    /// - **Emits when** the source does. The function is called once, when the source has ended and is
    ///   dropped.
    /// - **Back-pressures when** its consumer does; nothing is read ahead.
    /// - **Completes when** the source ends.
    /// - **Cancels when** dropped, the source with it; the function is then not called (see
    ///   [`Finally`](super::Finally)).
    ///
    /// Memory: none. Source: ReactiveX *Do* (`doOnCompleted`), RxPY `do_action(on_completed=…)`.
    ///
    /// ```
    /// use futures::{StreamExt, stream};
    /// use mape::stream::Operators;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut ended = false;
    /// let got: Vec<_> = stream::iter([1]).on_end(|| ended = true).collect().await;
    /// assert_eq!((got, ended), (vec![1], true));
    /// # }
    /// ```
    #[derive(Clone)]
    #[must_use = "streams do nothing unless polled"]
    pub struct OnEnd<S, F> {
        #[pin]
        source: UntilEnd<S>,
        f: Option<F>,
    }
}

impl<S, F> OnEnd<S, F> {
    pub(crate) const fn new(source: S, f: F) -> Self {
        Self { source: UntilEnd::new(source), f: Some(f) }
    }
}

impl<S, F> Stream for OnEnd<S, F>
where
    S: Stream,
    F: FnOnce(),
{
    type Item = S::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        let item = ready!(this.source.poll_next(cx));
        if item.is_none()
            && let Some(f) = this.f.take()
        {
            f();
        }
        Poll::Ready(item)
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.source.size_hint()
    }
}
