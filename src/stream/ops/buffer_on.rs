//! `buffer_on`: the items between two boundaries.

use super::alarm::{BURST, CAPACITY};
use super::metered::Metered;
use futures::Stream;
use pin_project_lite::pin_project;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

pin_project! {
    /// Stream of [`Operators::buffer_on`](crate::stream::Operators::buffer_on).
    ///
    /// An item that comes at the same instant as a boundary comes after it. A boundary without items before it gives an
    /// empty list.
    ///
    /// - **Emits when** the boundary emits; at the end, the rest if there is any.
    /// - **Back-pressures when** the list holds [`capacity`](Self::capacity) items (65,536 unless said otherwise), until
    ///   the boundary emits.
    /// - **Completes when** the source or the boundary completes.
    /// - **Cancels when** downstream cancels; the started list is dropped.
    ///
    /// Memory: one list, at most `capacity` items. Source:
    /// [ReactiveX Buffer](https://reactivex.io/documentation/operators/buffer.html) with boundaries; RxPY
    /// `buffer(boundaries)`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// use mape::stream::{Operators, testing::{assert_marbles, marbles}};
    ///
    /// let between = marbles("-a-bc-----d|").buffer_on(marbles("--x---x-x----"));
    /// assert_marbles(between, "--[a]---[bc]-[]--([d]|)").await;
    /// # }
    /// ```
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct BufferOn<S: Stream, B> {
        #[pin]
        source: S,
        #[pin]
        boundary: B,
        capacity: usize,
        items: Vec<S::Item>,
        metered: Metered,
        ended: bool,
    }
}

impl<S: Stream, B> BufferOn<S, B> {
    pub(crate) fn new(source: S, boundary: B) -> Self {
        Self {
            source,
            boundary,
            capacity: CAPACITY,
            items: Vec::new(),
            metered: Metered::new("buffer_on"),
            ended: false,
        }
    }

    /// How many items a list holds at most (0 counts as 1).
    pub fn capacity(mut self, items: usize) -> Self {
        self.capacity = items.max(1);
        self
    }
}

impl<S: Stream, B: Stream> Stream for BufferOn<S, B> {
    type Item = Vec<S::Item>;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Vec<S::Item>>> {
        let mut this = self.project();
        if *this.ended {
            return Poll::Ready(None);
        }
        let mut finished = match this.boundary.as_mut().poll_next(cx) {
            Poll::Ready(Some(_)) => {
                this.metered.queued(0);
                return Poll::Ready(Some(mem::take(this.items)));
            }
            Poll::Ready(None) => true,
            Poll::Pending => false,
        };
        for _ in 0..BURST {
            if finished {
                *this.ended = true;
                let rest = mem::take(this.items);
                this.metered.queued(0);
                return Poll::Ready((!rest.is_empty()).then_some(rest));
            }
            if this.items.len() >= *this.capacity {
                return Poll::Pending;
            }
            match this.source.as_mut().poll_next(cx) {
                Poll::Ready(Some(item)) => {
                    this.items.push(item);
                    this.metered.queued(this.items.len());
                }
                Poll::Ready(None) => finished = true,
                Poll::Pending => return Poll::Pending,
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
