//! Two streams and the last item of each: what the `combine_latest` family shares.

use super::budget::Budget;
use super::until_end::UntilEnd;
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll};

pin_project! {
    #[derive(Clone, Debug)]
    pub(super) struct Latest<A, B, TA, TB> {
        #[pin]
        a: UntilEnd<A>,
        #[pin]
        b: UntilEnd<B>,
        last_a: Option<TA>,
        last_b: Option<TB>,
        // Turns alternate, so that a side that is always ready does not starve the other.
        turn_of_b: bool,
    }
}

impl<A: Stream, B: Stream> Latest<A, B, A::Item, B::Item> {
    pub(super) const fn new(a: A, b: B) -> Self {
        Self { a: UntilEnd::new(a), b: UntilEnd::new(b), last_a: None, last_b: None, turn_of_b: false }
    }

    /// Ready with `join` of both last items when one of them is new and both are there; with `None` when no
    /// pair can follow: both have ended, or one without an item.
    #[inline]
    pub(super) fn poll_pair<T>(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        join: impl FnOnce(&A::Item, &B::Item) -> T,
    ) -> Poll<Option<T>> {
        let mut this = self.project();
        let mut budget = Budget::new();
        loop {
            let mut swallowed = false;
            for _ in 0..2 {
                let polled = if *this.turn_of_b {
                    keep(this.b.as_mut().poll_next(cx), this.last_b)
                } else {
                    keep(this.a.as_mut().poll_next(cx), this.last_a)
                };
                *this.turn_of_b = !*this.turn_of_b;
                match polled {
                    Side::New => {
                        if let (Some(a), Some(b)) = (&*this.last_a, &*this.last_b) {
                            return Poll::Ready(Some(join(a, b)));
                        }
                        swallowed = true;
                    }
                    Side::EndedEmpty => return Poll::Ready(None),
                    Side::Nothing => {}
                }
            }
            if this.a.has_ended() && this.b.has_ended() {
                return Poll::Ready(None);
            }
            if !swallowed || !budget.spend_or_wake(cx) {
                return Poll::Pending;
            }
        }
    }
}

enum Side {
    New,
    Nothing,
    EndedEmpty,
}

#[inline]
fn keep<T>(polled: Poll<Option<T>>, last: &mut Option<T>) -> Side {
    match polled {
        Poll::Ready(Some(item)) => {
            *last = Some(item);
            Side::New
        }
        Poll::Ready(None) if last.is_none() => Side::EndedEmpty,
        Poll::Ready(None) | Poll::Pending => Side::Nothing,
    }
}
