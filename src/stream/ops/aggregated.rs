//! `aggregate`, `reduce_items`: one value at the end.

use super::aggregate::Aggregate;
use super::alarm::BURST;
use futures::Stream;
use pin_project_lite::pin_project;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// Future of [`Operators::aggregate`](crate::stream::Operators::aggregate), `sum_items`, `min_item`, `max_item` and
    /// `average`: what all items come to, or `None` if there were none.
    ///
    /// It is ready when the source ends. Cancel safety: dropping it drops the source and what was worked out.
    ///
    /// Memory: one aggregate. Source: ReactiveX
    /// [Sum](https://reactivex.io/documentation/operators/sum.html),
    /// [Min](https://reactivex.io/documentation/operators/min.html),
    /// [Max](https://reactivex.io/documentation/operators/max.html),
    /// [Average](https://reactivex.io/documentation/operators/average.html), there streams of one item; RxPY `sum`,
    /// `min`, `max`, `average`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use futures::stream;
    /// use mape::stream::Operators;
    ///
    /// assert_eq!(stream::iter([1, 5, 3]).sum_items().await, Some(9));
    /// assert_eq!(stream::iter([1.0, f64::NAN, 3.0]).max_item().await, Some(3.0));
    /// assert_eq!(stream::iter([1, 2]).average().await, Some(1.5));
    /// # }
    /// ```
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Aggregated<S, A> {
        #[pin]
        source: S,
        aggregate: Option<A>,
    }
}

impl<S, A> Aggregated<S, A> {
    pub(crate) fn new(source: S) -> Self {
        Self { source, aggregate: None }
    }
}

impl<S: Stream, A: Aggregate<S::Item>> Future for Aggregated<S, A> {
    type Output = Option<A::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        for _ in 0..BURST {
            match ready!(this.source.as_mut().poll_next(cx)) {
                Some(item) => {
                    let item = A::of(item);
                    *this.aggregate = Some(match this.aggregate {
                        Some(aggregate) => aggregate.and(&item),
                        None => item,
                    });
                }
                None => return Poll::Ready(this.aggregate.take().map(|aggregate| aggregate.value())),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

pin_project! {
    /// Future of [`Operators::reduce_items`](crate::stream::Operators::reduce_items): all items folded into the first, or
    /// `None` if there were none.
    ///
    /// It is ready when the source ends. Cancel safety: dropping it drops the source and what was worked out.
    ///
    /// Memory: one item. Source: [ReactiveX Reduce](https://reactivex.io/documentation/operators/reduce.html) without a
    /// seed; RxPY `reduce`. With a seed it is futures' `fold`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use futures::stream;
    /// use mape::stream::Operators;
    ///
    /// assert_eq!(stream::iter([2, 3, 4]).reduce_items(|all, n| all * n).await, Some(24));
    /// # }
    /// ```
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ReduceItems<S: Stream, F> {
        #[pin]
        source: S,
        f: F,
        all: Option<S::Item>,
    }
}

impl<S: Stream, F> ReduceItems<S, F> {
    pub(crate) fn new(source: S, f: F) -> Self {
        Self { source, f, all: None }
    }
}

impl<S, F> Future for ReduceItems<S, F>
where
    S: Stream,
    F: FnMut(S::Item, S::Item) -> S::Item,
{
    type Output = Option<S::Item>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        for _ in 0..BURST {
            match ready!(this.source.as_mut().poll_next(cx)) {
                Some(item) => {
                    *this.all = Some(match this.all.take() {
                        Some(all) => (this.f)(all, item),
                        None => item,
                    });
                }
                None => return Poll::Ready(this.all.take()),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
