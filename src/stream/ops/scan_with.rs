//! `scan_with`: the accumulator after each item.

use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// Stream of [`Operators::scan_with`](crate::stream::Operators::scan_with).
    ///
    /// `f` changes the accumulator in place; a copy of it is emitted after each item. With an expensive `Clone`, keep
    /// an `Arc` in the accumulator or use [`StreamExt::scan`](futures::StreamExt::scan), which emits what it returns.
    ///
    /// - **Emits when** the source emits.
    /// - **Back-pressures when** downstream does.
    /// - **Completes when** the source completes.
    /// - **Cancels when** downstream cancels.
    ///
    /// Memory: the accumulator. Source: [ReactiveX Scan](https://reactivex.io/documentation/operators/scan.html) with
    /// a seed; RxPY `scan(accumulator, seed)`. Differs from futures' `scan`, which can end the stream.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use futures::{StreamExt, stream};
    /// use mape::stream::Operators;
    ///
    /// let longest = stream::iter(["a", "abc", "ab"]).scan_with(0, |longest, word| *longest = word.len().max(*longest));
    /// assert_eq!(longest.collect::<Vec<_>>().await, [1, 3, 3]);
    /// # }
    /// ```
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct ScanWith<S, A, F> {
        #[pin]
        source: S,
        accumulator: A,
        f: F,
    }
}

impl<S, A, F> ScanWith<S, A, F> {
    pub(crate) fn new(source: S, init: A, f: F) -> Self {
        Self { source, accumulator: init, f }
    }
}

impl<S, A, F> Stream for ScanWith<S, A, F>
where
    S: Stream,
    A: Clone,
    F: FnMut(&mut A, S::Item),
{
    type Item = A;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<A>> {
        let this = self.project();
        Poll::Ready(ready!(this.source.poll_next(cx)).map(|item| {
            (this.f)(this.accumulator, item);
            this.accumulator.clone()
        }))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.source.size_hint()
    }
}
