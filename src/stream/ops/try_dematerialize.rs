//! Values back into items, errors and end.

use super::until_end::UntilEnd;
use crate::stream::Notification;
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// Stream of [`Operators::try_dematerialize`](crate::stream::Operators::try_dematerialize).
    ///
    /// - **Emits when** the source gives a `Next` (`Ok`) or an `Error` (`Err`).
    /// - **Back-pressures when** its consumer does; nothing is read ahead.
    /// - **Completes when** the source gives `Completed`, or ends without.
    /// - **Cancels when** dropped; the source is dropped already at `Completed`.
    ///
    /// Memory: none. Source: ReactiveX *Dematerialize*, RxPY `dematerialize`, where an error ends the stream.
    ///
    /// ```
    /// use futures::{StreamExt, stream};
    /// use mape::stream::{Notification, Operators};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let notes = stream::iter([Notification::Error("late"), Notification::Next(1)]);
    /// assert_eq!(notes.try_dematerialize().collect::<Vec<_>>().await, [Err("late"), Ok(1)]);
    /// # }
    /// ```
    #[derive(Clone, Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct TryDematerialize<S> {
        #[pin]
        source: UntilEnd<S>,
    }
}

impl<S> TryDematerialize<S> {
    pub(crate) const fn new(source: S) -> Self {
        Self { source: UntilEnd::new(source) }
    }
}

impl<S, T, E> Stream for TryDematerialize<S>
where
    S: Stream<Item = Notification<T, E>>,
{
    type Item = Result<T, E>;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut source = self.project().source;
        match ready!(source.as_mut().poll_next(cx)) {
            Some(Notification::Next(item)) => Poll::Ready(Some(Ok(item))),
            Some(Notification::Error(error)) => Poll::Ready(Some(Err(error))),
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
