//! Whether two streams give the same.

use super::budget::Budget;
use super::until_end::UntilEnd;
use super::zip_longest::fill;
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll};

pin_project! {
    /// Future of [`Operators::sequence_equal`](crate::stream::Operators::sequence_equal).
    ///
    /// - **Emits when** the answer is known: `false` at the first difference, `true` when both have ended.
    /// - **Back-pressures when** it waits for the slower stream: the faster is at most one item ahead.
    /// - **Completes when** the answer is given.
    /// - **Cancels when** dropped, both streams with it.
    ///
    /// Memory: one item of the faster. Source: ReactiveX *SequenceEqual*, RxPY `sequence_equal`; there the
    /// answer is a stream of one item.
    ///
    /// ```
    /// use futures::stream;
    /// use mape::stream::Operators;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// assert!(stream::iter([1, 2]).sequence_equal(stream::iter([1, 2])).await);
    /// assert!(!stream::iter([1, 2]).sequence_equal(stream::iter([1])).await);
    /// # }
    /// ```
    #[derive(Clone, Debug)]
    #[must_use = "futures do nothing unless awaited"]
    pub struct SequenceEqual<A, B>
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

impl<A: Stream, B: Stream> SequenceEqual<A, B> {
    pub(crate) const fn new(a: A, b: B) -> Self {
        Self { a: UntilEnd::new(a), b: UntilEnd::new(b), next_a: None, next_b: None }
    }
}

impl<A, B> Future for SequenceEqual<A, B>
where
    A: Stream,
    B: Stream,
    A::Item: PartialEq<B::Item>,
{
    type Output = bool;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<bool> {
        let mut this = self.project();
        let mut budget = Budget::new();
        loop {
            let a = fill(this.a.as_mut(), this.next_a, cx);
            let b = fill(this.b.as_mut(), this.next_b, cx);
            if a.is_pending() || b.is_pending() {
                return Poll::Pending;
            }
            match (this.next_a.take(), this.next_b.take()) {
                (None, None) => return Poll::Ready(true),
                (Some(a), Some(b)) if a == b => {}
                _ => return Poll::Ready(false),
            }
            if !budget.spend_or_wake(cx) {
                return Poll::Pending;
            }
        }
    }
}
