//! Items and end as values.

use super::until_end::UntilEnd;
use crate::stream::Notification;
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// Stream of [`Operators::materialize`](crate::stream::Operators::materialize).
    ///
    /// - **Emits when** the source gives an item (`Next`) or ends (`Completed`, once).
    /// - **Back-pressures when** its consumer does; nothing is read ahead.
    /// - **Completes when** `Completed` has been emitted.
    /// - **Cancels when** dropped; the source is dropped already when it ends.
    ///
    /// Memory: none. Source: ReactiveX *Materialize*, RxPY `materialize`. For a stream of results see
    /// [`TryMaterialize`](super::TryMaterialize).
    ///
    /// ```
    /// use futures::{StreamExt, stream};
    /// use mape::stream::{Notification, Operators};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let got: Vec<_> = stream::iter([7]).materialize().collect().await;
    /// assert_eq!(got, [Notification::Next(7), Notification::Completed]);
    /// # }
    /// ```
    #[derive(Clone, Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct Materialize<S> {
        #[pin]
        source: UntilEnd<S>,
    }
}

impl<S> Materialize<S> {
    pub(crate) const fn new(source: S) -> Self {
        Self { source: UntilEnd::new(source) }
    }
}

impl<S: Stream> Stream for Materialize<S> {
    type Item = Notification<S::Item>;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let source = self.project().source;
        if source.has_ended() {
            return Poll::Ready(None);
        }
        let item = ready!(source.poll_next(cx));
        Poll::Ready(Some(item.map_or(Notification::Completed, Notification::Next)))
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let (low, high) = self.source.size_hint();
        let completed = usize::from(!self.source.has_ended());
        (low.saturating_add(completed), high.and_then(|high| high.checked_add(completed)))
    }
}
