//! Items, errors and end as values.

use super::until_end::UntilEnd;
use crate::stream::Notification;
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// Stream of [`Operators::try_materialize`](crate::stream::Operators::try_materialize).
    ///
    /// - **Emits when** the source gives an item (`Next` or `Error`) or ends (`Completed`, once).
    /// - **Back-pressures when** its consumer does; nothing is read ahead.
    /// - **Completes when** `Completed` has been emitted. An error does not end it.
    /// - **Cancels when** dropped; the source is dropped already when it ends.
    ///
    /// Memory: none. Source: ReactiveX *Materialize*, RxPY `materialize`, where an error is the last
    /// notification; put [`end_on_error`](crate::stream::Operators::end_on_error) before it for that.
    ///
    /// ```
    /// use futures::{StreamExt, stream};
    /// use mape::stream::{Notification, Operators};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let got: Vec<_> = stream::iter([Ok(1), Err("late")]).try_materialize().collect().await;
    /// assert_eq!(got, [Notification::Next(1), Notification::Error("late"), Notification::Completed]);
    /// # }
    /// ```
    #[derive(Clone, Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct TryMaterialize<S> {
        #[pin]
        source: UntilEnd<S>,
    }
}

impl<S> TryMaterialize<S> {
    pub(crate) const fn new(source: S) -> Self {
        Self { source: UntilEnd::new(source) }
    }
}

impl<S, T, E> Stream for TryMaterialize<S>
where
    S: Stream<Item = Result<T, E>>,
{
    type Item = Notification<T, E>;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let source = self.project().source;
        if source.has_ended() {
            return Poll::Ready(None);
        }
        Poll::Ready(Some(match ready!(source.poll_next(cx)) {
            Some(Ok(item)) => Notification::Next(item),
            Some(Err(error)) => Notification::Error(error),
            None => Notification::Completed,
        }))
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let (low, high) = self.source.size_hint();
        let completed = usize::from(!self.source.has_ended());
        (low.saturating_add(completed), high.and_then(|high| high.checked_add(completed)))
    }
}
