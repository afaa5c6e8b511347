//! Items, what becomes of them, what becomes of that, and so on.

use super::until_end::UntilEnd;
use futures::Stream;
use futures::stream::SelectAll;
use pin_project_lite::pin_project;
use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

pin_project! {
    /// Stream of [`Operators::expand`](crate::stream::Operators::expand).
    ///
    /// - **Emits when** the source or one of the streams that the function made gives an item. Every item
    ///   emitted is handed to the function in its turn, first come, first served.
    /// - **Back-pressures when** its consumer does. At most `limit` (0 counts as 1) inner streams run at a
    ///   time; the source is read only while fewer run.
    /// - **Completes when** the source and all inner streams have ended and no item waits to be expanded.
    /// - **Cancels when** dropped, all streams with it.
    ///
    /// Memory: `limit` inner streams, one allocation each, and the items found but not yet expanded: the
    /// frontier of the search, which the function bounds. Source: ReactiveX *FlatMap* (`expand`), RxPY
    /// `expand`, which run without a limit.
    ///
    /// ```
    /// use futures::{StreamExt, stream};
    /// use mape::stream::Operators;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let children = |n| stream::iter(if n < 4 { vec![2 * n, 2 * n + 1] } else { vec![] });
    /// let tree: Vec<_> = stream::iter([1]).expand(1, children).collect().await;
    /// assert_eq!(tree, [1, 2, 3, 4, 5, 6, 7]);
    /// # }
    /// ```
    #[must_use = "streams do nothing unless polled"]
    pub struct Expand<S, U, F>
    where
        S: Stream,
    {
        #[pin]
        source: UntilEnd<S>,
        running: SelectAll<Pin<Box<U>>>,
        waiting: VecDeque<S::Item>,
        limit: usize,
        f: F,
    }
}

impl<S: Stream, U: Stream, F> Expand<S, U, F> {
    pub(crate) fn new(source: S, limit: usize, f: F) -> Self {
        let source = UntilEnd::new(source);
        Self { source, running: SelectAll::new(), waiting: VecDeque::new(), limit: limit.max(1), f }
    }
}

impl<S, U, F> Stream for Expand<S, U, F>
where
    S: Stream,
    S::Item: Clone,
    U: Stream<Item = S::Item>,
    F: FnMut(S::Item) -> U,
{
    type Item = S::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        loop {
            while this.running.len() < *this.limit
                && let Some(item) = this.waiting.pop_front()
            {
                this.running.push(Box::pin((this.f)(item)));
            }
            let mut polled = Pin::new(&mut *this.running).poll_next(cx);
            if !matches!(polled, Poll::Ready(Some(_)))
                && this.waiting.is_empty()
                && this.running.len() < *this.limit
            {
                polled = this.source.as_mut().poll_next(cx);
            }
            match polled {
                Poll::Ready(Some(item)) => {
                    this.waiting.push_back(item.clone());
                    return Poll::Ready(Some(item));
                }
                // An inner stream may have ended and made room.
                _ if !this.waiting.is_empty() && this.running.len() < *this.limit => {}
                Poll::Ready(None) if this.running.is_empty() => return Poll::Ready(None),
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
    }
}
