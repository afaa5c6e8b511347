//! Each item with the latest of another stream.

use super::budget::Budget;
use super::until_end::UntilEnd;
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// Stream of [`Operators::with_latest_from`](crate::stream::Operators::with_latest_from).
    ///
    /// - **Emits when** the source gives an item and the other stream has given one. The other stream is
    ///   asked first.
    /// - **Back-pressures when** its consumer does.
    /// - **Completes when** the source ends, or the other stream ends without an item (no pair can follow; in
    ///   ReactiveX the source would be read to its end).
    /// - **Cancels when** dropped, both streams with it.
    ///
    /// Memory: one item of the other stream. Items of the source that come before the first of the other
    /// are dropped, as the definition has it; `other.start_with(..)` keeps them. Source: RxPY
    /// `with_latest_from` (ReactiveX *CombineLatest*).
    ///
    /// ```
    /// use futures::{StreamExt, stream};
    /// use mape::stream::Operators;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let readings = stream::iter([10, 20]);
    /// let mode = stream::iter(["day", "night"]);
    /// let got: Vec<_> = readings.with_latest_from(mode).collect().await;
    /// assert_eq!(got, [(10, "night"), (20, "night")]);
    /// # }
    /// ```
    #[derive(Clone, Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct WithLatestFrom<S, B>
    where
        B: Stream,
    {
        #[pin]
        source: UntilEnd<S>,
        #[pin]
        other: UntilEnd<B>,
        latest: Option<B::Item>,
    }
}

impl<S, B: Stream> WithLatestFrom<S, B> {
    pub(crate) const fn new(source: S, other: B) -> Self {
        Self { source: UntilEnd::new(source), other: UntilEnd::new(other), latest: None }
    }
}

impl<S, B> Stream for WithLatestFrom<S, B>
where
    S: Stream,
    B: Stream,
    B::Item: Clone,
{
    type Item = (S::Item, B::Item);

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        let mut budget = Budget::new();
        while let Poll::Ready(Some(item)) = this.other.as_mut().poll_next(cx) {
            *this.latest = Some(item);
            if !budget.spend_or_wake(cx) {
                break;
            }
        }
        if this.latest.is_none() && this.other.has_ended() {
            this.source.end();
            return Poll::Ready(None);
        }
        let mut budget = Budget::new();
        loop {
            let Some(item) = ready!(this.source.as_mut().poll_next(cx)) else { return Poll::Ready(None) };
            if let Some(latest) = this.latest {
                return Poll::Ready(Some((item, latest.clone())));
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
