//! The same stream several times.

use super::budget::Budget;
use super::until_end::UntilEnd;
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// Stream of [`Operators::repeat_times`](crate::stream::Operators::repeat_times).
    ///
    /// - **Emits when** the present run of the source does.
    /// - **Back-pressures when** its consumer does; nothing is read ahead.
    /// - **Completes when** the last run ends; at once with 0 times.
    /// - **Cancels when** dropped, the source with it.
    ///
    /// Memory: a second copy of the source as it was at first. Source: ReactiveX *Repeat*, RxPY
    /// `repeat(n)`. Repeating for ever is `futures`' `cycle`.
    ///
    /// ```
    /// use futures::{StreamExt, stream};
    /// use mape::stream::Operators;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let got: Vec<_> = stream::iter([1, 2]).repeat_times(2).collect().await;
    /// assert_eq!(got, [1, 2, 1, 2]);
    /// # }
    /// ```
    #[derive(Clone, Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct RepeatTimes<S> {
        original: S,
        #[pin]
        current: UntilEnd<S>,
        further: usize,
    }
}

impl<S: Clone> RepeatTimes<S> {
    pub(crate) fn new(original: S, times: usize) -> Self {
        let current = if times == 0 { UntilEnd::ended() } else { UntilEnd::new(original.clone()) };
        Self { original, current, further: times.saturating_sub(1) }
    }
}

impl<S> Stream for RepeatTimes<S>
where
    S: Stream + Clone,
{
    type Item = S::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        let mut budget = Budget::new();
        loop {
            let item = ready!(this.current.as_mut().poll_next(cx));
            if item.is_some() || *this.further == 0 {
                return Poll::Ready(item);
            }
            *this.further -= 1;
            this.current.set(UntilEnd::new(this.original.clone()));
            if !budget.spend_or_wake(cx) {
                return Poll::Pending;
            }
        }
    }
}
