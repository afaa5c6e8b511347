//! `buffer_count`: items in lists of a fixed length.

use super::metered::Metered;
use futures::Stream;
use pin_project_lite::pin_project;
use std::mem;
use std::num::NonZero;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// A list's first allocation holds at most this many items; longer lists grow.
const FIRST_ALLOCATION: usize = 1_024;

pin_project! {
    /// Stream of [`Operators::buffer_count`](crate::stream::Operators::buffer_count).
    ///
    /// - **Emits when** `n` items have come; at the end, the rest if there is any.
    /// - **Back-pressures when** downstream does.
    /// - **Completes when** the source completes.
    /// - **Cancels when** downstream cancels; the started list is dropped.
    ///
    /// Memory: `n` items. Source: [ReactiveX Buffer](https://reactivex.io/documentation/operators/buffer.html); RxPY
    /// `buffer_with_count`, without `skip`, which is [`sliding`](crate::stream::Operators::sliding). Same as futures'
    /// `chunks`, which panics on 0 and always allocates `n` items at once; here 0 counts as 1.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use futures::{StreamExt, stream};
    /// use mape::stream::Operators;
    ///
    /// let pairs = stream::iter(1..=5).buffer_count(2);
    /// assert_eq!(pairs.collect::<Vec<_>>().await, [vec![1, 2], vec![3, 4], vec![5]]);
    /// # }
    /// ```
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct BufferCount<S: Stream> {
        #[pin]
        source: S,
        n: NonZero<usize>,
        items: Vec<S::Item>,
        metered: Metered,
        ended: bool,
    }
}

impl<S: Stream> BufferCount<S> {
    pub(crate) fn new(source: S, n: usize) -> Self {
        Self {
            source,
            n: NonZero::new(n).unwrap_or(NonZero::<usize>::MIN),
            items: Vec::new(),
            metered: Metered::new("buffer_count"),
            ended: false,
        }
    }
}

impl<S: Stream> Stream for BufferCount<S> {
    type Item = Vec<S::Item>;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Vec<S::Item>>> {
        let mut this = self.project();
        if *this.ended {
            return Poll::Ready(None);
        }
        let n = this.n.get();
        loop {
            if let Some(item) = ready!(this.source.as_mut().poll_next(cx)) {
                if this.items.capacity() == 0 {
                    this.items.reserve_exact(n.min(FIRST_ALLOCATION));
                }
                this.items.push(item);
                this.metered.queued(this.items.len());
                if this.items.len() >= n {
                    this.metered.queued(0);
                    return Poll::Ready(Some(mem::take(this.items)));
                }
            } else {
                *this.ended = true;
                let rest = mem::take(this.items);
                this.metered.queued(0);
                return Poll::Ready((!rest.is_empty()).then_some(rest));
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        if self.ended {
            return (0, Some(0));
        }
        let (held, n) = (self.items.len(), self.n.get());
        let lists = |items: usize| items.saturating_add(held).div_ceil(n);
        let (least, most) = self.source.size_hint();
        (lists(least), most.map(lists))
    }
}
