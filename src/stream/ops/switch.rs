//! The latest inner stream wins: what `switch_map` and `switch_latest` share.

use super::budget::Budget;
use super::until_end::UntilEnd;
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll};

pin_project! {
    #[derive(Clone, Debug)]
    pub(super) struct Switch<S, U, F> {
        #[pin]
        outer: UntilEnd<S>,
        #[pin]
        inner: Option<U>,
        f: F,
    }
}

impl<S, U, F> Switch<S, U, F> {
    pub(super) const fn new(outer: S, f: F) -> Self {
        Self { outer: UntilEnd::new(outer), inner: None, f }
    }
}

impl<S, U, F> Stream for Switch<S, U, F>
where
    S: Stream,
    U: Stream,
    F: FnMut(S::Item) -> U,
{
    type Item = U::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<U::Item>> {
        let mut this = self.project();
        let mut budget = Budget::new();
        // An outer stream that is always ready must not keep the inner one from its turn, hence the budget.
        let mut outer_is_ready = false;
        while let Poll::Ready(Some(item)) = this.outer.as_mut().poll_next(cx) {
            let newer = (this.f)(item);
            this.inner.set(Some(newer));
            if !budget.spend() {
                outer_is_ready = true;
                break;
            }
        }
        if let Some(inner) = this.inner.as_mut().as_pin_mut() {
            match inner.poll_next(cx) {
                Poll::Ready(Some(item)) => return Poll::Ready(Some(item)),
                Poll::Ready(None) => this.inner.set(None),
                Poll::Pending => {}
            }
        }
        if this.inner.is_none() && this.outer.has_ended() {
            return Poll::Ready(None);
        }
        if outer_is_ready {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}
