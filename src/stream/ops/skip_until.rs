//! No item before a future is ready.

use super::budget::Budget;
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// Stream of [`Operators::skip_until`](crate::stream::Operators::skip_until).
    ///
    /// - **Emits when** the source does and the future is ready; what comes before is dropped. The future
    ///   is asked first.
    /// - **Back-pressures when** its consumer does; nothing is read ahead.
    /// - **Completes when** the source ends.
    /// - **Cancels when** dropped, source and future with it; the future is dropped when it is ready.
    ///
    /// Memory: none. Source: ReactiveX *SkipUntil*, RxPY `skip_until`, where it waits for another stream's
    /// first item: here `other.into_future()`.
    ///
    /// ```
    /// use futures::{StreamExt, stream};
    /// use mape::stream::Operators;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let got: Vec<_> = stream::iter([1, 2]).skip_until(async { "calibrated" }).collect().await;
    /// assert_eq!(got, [1, 2]);
    /// let got: Vec<_> = stream::iter([1, 2]).skip_until(std::future::pending::<()>()).collect().await;
    /// assert!(got.is_empty());
    /// # }
    /// ```
    #[derive(Clone, Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct SkipUntil<S, U> {
        #[pin]
        source: S,
        #[pin]
        until: Option<U>,
    }
}

impl<S, U> SkipUntil<S, U> {
    pub(crate) const fn new(source: S, until: U) -> Self {
        Self { source, until: Some(until) }
    }
}

impl<S, U> Stream for SkipUntil<S, U>
where
    S: Stream,
    U: Future,
{
    type Item = S::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        if let Some(until) = this.until.as_mut().as_pin_mut()
            && until.poll(cx).is_ready()
        {
            this.until.set(None);
        }
        let mut budget = Budget::new();
        loop {
            let item = ready!(this.source.as_mut().poll_next(cx));
            if item.is_none() || this.until.is_none() {
                return Poll::Ready(item);
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
