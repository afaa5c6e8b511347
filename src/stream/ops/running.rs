//! `running_*`: what all items so far come to.

use super::aggregate::Aggregate;
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// Stream of [`Operators::running`](crate::stream::Operators::running), `running_sum`, `running_min`, `running_max`,
    /// `running_average`, `running_deviation` and `running_count`.
    ///
    /// - **Emits when** the source emits.
    /// - **Back-pressures when** downstream does.
    /// - **Completes when** the source completes.
    /// - **Cancels when** downstream cancels.
    ///
    /// Memory: one aggregate. Source: ReactiveX
    /// [Scan](https://reactivex.io/documentation/operators/scan.html) with the functions of its aggregates.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use futures::{StreamExt, stream};
    /// use mape::stream::Operators;
    ///
    /// assert_eq!(stream::iter([2, 4, 9]).running_average().collect::<Vec<_>>().await, [2.0, 3.0, 5.0]);
    /// # }
    /// ```
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct Running<S, A> {
        #[pin]
        source: S,
        aggregate: Option<A>,
    }
}

impl<S, A> Running<S, A> {
    pub(crate) fn new(source: S) -> Self {
        Self { source, aggregate: None }
    }
}

impl<S: Stream, A: Aggregate<S::Item>> Stream for Running<S, A> {
    type Item = A::Output;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<A::Output>> {
        let this = self.project();
        let Some(item) = ready!(this.source.poll_next(cx)) else { return Poll::Ready(None) };
        let item = A::of(item);
        let aggregate = match this.aggregate {
            Some(aggregate) => aggregate.and(&item),
            None => item,
        };
        let value = aggregate.value();
        *this.aggregate = Some(aggregate);
        Poll::Ready(Some(value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.source.size_hint()
    }
}
