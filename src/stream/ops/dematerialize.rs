//! Values back into items and end.

use super::until_end::UntilEnd;
use crate::stream::Notification;
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// Stream of [`Operators::dematerialize`](crate::stream::Operators::dematerialize).
    ///
    /// - **Emits when** the source gives a `Next`.
    /// - **Back-pressures when** its consumer does; nothing is read ahead.
    /// - **Completes when** the source gives `Completed`, or ends without. On a merged stream `Completed`
    ///   of one part would end them all: dematerialize before merging.
    /// - **Cancels when** dropped; the source is dropped already at `Completed`.
    ///
    /// Memory: none. Source: ReactiveX *Dematerialize*, RxPY `dematerialize`. For notifications with errors
    /// see [`TryDematerialize`](super::TryDematerialize).
    ///
    /// ```
    /// use futures::{StreamExt, stream};
    /// use mape::stream::{Notification, Operators};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let notes = stream::iter([Notification::Next(1), Notification::Completed, Notification::Next(2)]);
    /// assert_eq!(notes.dematerialize().collect::<Vec<i32>>().await, [1]);
    /// # }
    /// ```
    #[derive(Clone, Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct Dematerialize<S> {
        #[pin]
        source: UntilEnd<S>,
    }
}

impl<S> Dematerialize<S> {
    pub(crate) const fn new(source: S) -> Self {
        Self { source: UntilEnd::new(source) }
    }
}

impl<S, T> Stream for Dematerialize<S>
where
    S: Stream<Item = Notification<T>>,
{
    type Item = T;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let mut source = self.project().source;
        match ready!(source.as_mut().poll_next(cx)) {
            Some(Notification::Next(item)) => Poll::Ready(Some(item)),
            Some(Notification::Error(never)) => match never {},
            Some(Notification::Completed) => {
                source.end();
                Poll::Ready(None)
            }
            None => Poll::Ready(None),
        }
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, self.source.size_hint().1)
    }
}
