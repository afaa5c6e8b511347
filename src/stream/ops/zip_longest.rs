//! Pairs until both streams have ended.

use super::until_end::UntilEnd;
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll};

pin_project! {
    /// Stream of [`Operators::zip_longest`](crate::stream::Operators::zip_longest).
    ///
    /// - **Emits when** both have given their next item, or one has and the other has ended. Never `(None,
    ///   None)`.
    /// - **Back-pressures when** its consumer does; the faster stream waits for the slower.
    /// - **Completes when** both have ended.
    /// - **Cancels when** dropped, both streams with it.
    ///
    /// Memory: one item of the faster. Source: ReactiveX *Zip*, which ends with the shorter as `futures`'
    /// `zip` does; this is Python's `itertools.zip_longest`.
    ///
    /// ```
    /// use futures::{StreamExt, stream};
    /// use mape::stream::Operators;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let got: Vec<_> = stream::iter([1, 2]).zip_longest(stream::iter(["a"])).collect().await;
    /// assert_eq!(got, [(Some(1), Some("a")), (Some(2), None)]);
    /// # }
    /// ```
    #[derive(Clone, Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct ZipLongest<A, B>
    where
        A: Stream,
        B: Stream,
    {
        #[pin]
        a: UntilEnd<A>,
        #[pin]
        b: UntilEnd<B>,
        next_a: Option<A::Item>,
        next_b: Option<B::Item>,
    }
}

impl<A: Stream, B: Stream> ZipLongest<A, B> {
    pub(crate) const fn new(a: A, b: B) -> Self {
        Self { a: UntilEnd::new(a), b: UntilEnd::new(b), next_a: None, next_b: None }
    }
}

impl<A: Stream, B: Stream> Stream for ZipLongest<A, B> {
    type Item = (Option<A::Item>, Option<B::Item>);

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        let a = fill(this.a.as_mut(), this.next_a, cx);
        let b = fill(this.b.as_mut(), this.next_b, cx);
        if a.is_pending() || b.is_pending() {
            return Poll::Pending;
        }
        let pair = (this.next_a.take(), this.next_b.take());
        Poll::Ready((pair.0.is_some() || pair.1.is_some()).then_some(pair))
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let (a_low, a_high) = self.a.size_hint();
        let (b_low, b_high) = self.b.size_hint();
        let high = a_high.zip(b_high).map(|(a, b)| a.max(b).saturating_add(1));
        (a_low.max(b_low), high)
    }
}

/// Ready when `next` holds an item or the source has ended.
#[inline]
pub(super) fn fill<S: Stream>(
    source: Pin<&mut UntilEnd<S>>,
    next: &mut Option<S::Item>,
    cx: &mut Context<'_>,
) -> Poll<()> {
    if next.is_none() {
        match source.poll_next(cx) {
            Poll::Ready(item) => *next = item,
            Poll::Pending => return Poll::Pending,
        }
    }
    Poll::Ready(())
}
