//! The stream that is first.

use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll};

pin_project! {
    /// Stream of [`Operators::race_with`](crate::stream::Operators::race_with).
    ///
    /// - **Emits when** the winner does: the stream that first gave an item or ended. If both are ready,
    ///   `self` wins.
    /// - **Back-pressures when** its consumer does; nothing is read ahead.
    /// - **Completes when** the winner ends.
    /// - **Cancels when** dropped, with what is left; the loser is dropped as soon as there is a winner.
    ///
    /// Memory: none. Source: ReactiveX *Amb*, RxPY `amb`. For many streams see
    /// [`race_all`](crate::stream::race_all).
    ///
    /// ```
    /// use futures::{StreamExt, stream};
    /// use mape::stream::Operators;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let got: Vec<_> = stream::pending().race_with(stream::iter([1, 2])).collect().await;
    /// assert_eq!(got, [1, 2]);
    /// # }
    /// ```
    #[doc(alias = "Amb")]
    #[derive(Clone, Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct RaceWith<A, B> {
        #[pin]
        a: Option<A>,
        #[pin]
        b: Option<B>,
    }
}

impl<A, B> RaceWith<A, B> {
    pub(crate) const fn new(a: A, b: B) -> Self {
        Self { a: Some(a), b: Some(b) }
    }
}

impl<A, B> Stream for RaceWith<A, B>
where
    A: Stream,
    B: Stream<Item = A::Item>,
{
    type Item = A::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<A::Item>> {
        let mut this = self.project();
        if let Some(a) = this.a.as_mut().as_pin_mut()
            && let Poll::Ready(polled) = a.poll_next(cx)
        {
            this.b.set(None);
            return Poll::Ready(polled);
        }
        if let Some(b) = this.b.as_mut().as_pin_mut()
            && let Poll::Ready(polled) = b.poll_next(cx)
        {
            this.a.set(None);
            return Poll::Ready(polled);
        }
        Poll::Pending
    }
}
