//! A running inner stream is not disturbed: what `exhaust_map` and `exhaust_all` share.

use super::budget::Budget;
use super::until_end::UntilEnd;
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    #[derive(Clone, Debug)]
    pub(super) struct Exhaust<S, U, F> {
        #[pin]
        outer: UntilEnd<S>,
        #[pin]
        inner: Option<U>,
        f: F,
    }
}

impl<S, U, F> Exhaust<S, U, F> {
    pub(super) const fn new(outer: S, f: F) -> Self {
        Self { outer: UntilEnd::new(outer), inner: None, f }
    }
}

impl<S, U, F> Stream for Exhaust<S, U, F>
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
        loop {
            if let Some(inner) = this.inner.as_mut().as_pin_mut() {
                match inner.poll_next(cx) {
                    Poll::Ready(Some(item)) => return Poll::Ready(Some(item)),
                    Poll::Ready(None) => this.inner.set(None),
                    Poll::Pending => {
                        while let Poll::Ready(Some(_dropped)) = this.outer.as_mut().poll_next(cx) {
                            if !budget.spend_or_wake(cx) {
                                break;
                            }
                        }
                        return Poll::Pending;
                    }
                }
            }
            let Some(item) = ready!(this.outer.as_mut().poll_next(cx)) else { return Poll::Ready(None) };
            let inner = (this.f)(item);
            this.inner.set(Some(inner));
            if !budget.spend_or_wake(cx) {
                return Poll::Pending;
            }
        }
    }
}
