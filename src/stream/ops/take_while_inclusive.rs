//! Up to and with the first item that fails the test.

use super::until_end::UntilEnd;
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// Stream of [`Operators::take_while_inclusive`](crate::stream::Operators::take_while_inclusive).
    ///
    /// - **Emits when** the source does, up to and with the first item for which the test is false.
    /// - **Back-pressures when** its consumer does; nothing is read ahead.
    /// - **Completes when** the source ends or that item is emitted.
    /// - **Cancels when** dropped; the source is dropped already at that item.
    ///
    /// Memory: none. Source: ReactiveX *TakeWhile* (`takeUntil` with a test), RxPY
    /// `take_while(inclusive=True)`.
    ///
    /// ```
    /// use futures::{StreamExt, stream};
    /// use mape::stream::Operators;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let states = stream::iter(["opening", "opening", "open", "closing"]);
    /// let got: Vec<_> = states.take_while_inclusive(|state| *state != "open").collect().await;
    /// assert_eq!(got, ["opening", "opening", "open"]);
    /// # }
    /// ```
    #[derive(Clone)]
    #[must_use = "streams do nothing unless polled"]
    pub struct TakeWhileInclusive<S, F> {
        #[pin]
        source: UntilEnd<S>,
        keep_on: F,
    }
}

impl<S, F> TakeWhileInclusive<S, F> {
    pub(crate) const fn new(source: S, keep_on: F) -> Self {
        Self { source: UntilEnd::new(source), keep_on }
    }
}

impl<S, F> Stream for TakeWhileInclusive<S, F>
where
    S: Stream,
    F: FnMut(&S::Item) -> bool,
{
    type Item = S::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        let item = ready!(this.source.as_mut().poll_next(cx));
        if let Some(item) = &item
            && !(this.keep_on)(item)
        {
            this.source.end();
        }
        Poll::Ready(item)
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let (low, high) = self.source.size_hint();
        (low.min(1), high)
    }
}
