//! The one and only item.

use super::until_end::UntilEnd;
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// Future of [`Operators::single`](crate::stream::Operators::single).
    ///
    /// - **Emits when** the source has ended after one item; [`NotSingle`] when it ends without one or
    ///   gives a second.
    /// - **Back-pressures when** never: at most two items are read.
    /// - **Completes when** the answer is given.
    /// - **Cancels when** dropped; the source is dropped already with the answer.
    ///
    /// Memory: one item. Source: ReactiveX *First* (`single`), RxPY `single`; there the answer is a stream of
    /// one item.
    ///
    /// ```
    /// use futures::stream;
    /// use mape::stream::Operators;
    /// use mape::stream::ops::NotSingle;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// assert_eq!(stream::iter([7]).single().await, Ok(7));
    /// assert_eq!(stream::iter([7, 8]).single().await, Err(NotSingle::Several { first: 7, second: 8 }));
    /// assert_eq!(stream::iter([0; 0]).single().await, Err(NotSingle::Empty));
    /// # }
    /// ```
    #[derive(Clone, Debug)]
    #[must_use = "futures do nothing unless awaited"]
    pub struct Single<S>
    where
        S: Stream,
    {
        #[pin]
        source: UntilEnd<S>,
        first: Option<S::Item>,
    }
}

impl<S: Stream> Single<S> {
    pub(crate) const fn new(source: S) -> Self {
        Self { source: UntilEnd::new(source), first: None }
    }
}

impl<S: Stream> Future for Single<S> {
    type Output = Result<S::Item, NotSingle<S::Item>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let item = ready!(this.source.as_mut().poll_next(cx));
            match (this.first.take(), item) {
                (None, Some(item)) => *this.first = Some(item),
                (None, None) => return Poll::Ready(Err(NotSingle::Empty)),
                (Some(only), None) => return Poll::Ready(Ok(only)),
                (Some(first), Some(second)) => {
                    this.source.end();
                    return Poll::Ready(Err(NotSingle::Several { first, second }));
                }
            }
        }
    }
}

/// Why a stream has no single item.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotSingle<T> {
    /// It ended without an item.
    #[error("expected one item, but the stream ended without any")]
    Empty,
    /// It gave a second item; both are given back.
    #[error("expected one item, but the stream gave a second")]
    Several {
        /// The first item.
        first: T,
        /// The second item.
        second: T,
    },
}
