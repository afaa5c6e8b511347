//! `sample_on`: the latest item when another stream emits.

use super::alarm::BURST;
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll};

pin_project! {
    /// Stream of [`Operators::sample_on`](crate::stream::Operators::sample_on).
    ///
    /// An item that comes at the same instant as the trigger comes after it.
    ///
    /// - **Emits when** the trigger emits and an item has come since it did last; at the end, the item held back.
    /// - **Back-pressures when** never: while downstream is not asking, nothing is asked of source and trigger.
    /// - **Completes when** the source or the trigger completes.
    /// - **Cancels when** downstream cancels; the item held back is dropped.
    ///
    /// Memory: one item. Source: [ReactiveX Sample](https://reactivex.io/documentation/operators/sample.html); RxPY
    /// `sample(sampler)`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// use mape::stream::{Operators, testing::{assert_marbles, marbles}};
    ///
    /// let asked = marbles("a-b---c-d|").sample_on(marbles("---x-x--x------"));
    /// assert_marbles(asked, "---b----c(d|)").await;
    /// # }
    /// ```
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct SampleOn<S: Stream, T> {
        #[pin]
        source: S,
        #[pin]
        trigger: T,
        held: Option<S::Item>,
        ended: bool,
    }
}

impl<S: Stream, T> SampleOn<S, T> {
    pub(crate) fn new(source: S, trigger: T) -> Self {
        Self { source, trigger, held: None, ended: false }
    }
}

impl<S: Stream, T: Stream> Stream for SampleOn<S, T> {
    type Item = S::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        if *this.ended {
            return Poll::Ready(None);
        }
        for _ in 0..BURST {
            let trigger = this.trigger.as_mut().poll_next(cx);
            match trigger {
                Poll::Ready(None) => {
                    *this.ended = true;
                    return Poll::Ready(this.held.take());
                }
                Poll::Ready(Some(_)) if this.held.is_some() => return Poll::Ready(this.held.take()),
                Poll::Ready(Some(_)) | Poll::Pending => {}
            }
            match this.source.as_mut().poll_next(cx) {
                Poll::Ready(Some(item)) => *this.held = Some(item),
                Poll::Ready(None) => {
                    *this.ended = true;
                    return Poll::Ready(this.held.take());
                }
                Poll::Pending if trigger.is_pending() => return Poll::Pending,
                Poll::Pending => {}
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
