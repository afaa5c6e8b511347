//! `buffer_by`: runs of items with equal keys.

use super::alarm::CAPACITY;
use super::metered::Metered;
use futures::Stream;
use pin_project_lite::pin_project;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// Stream of [`Operators::buffer_by`](crate::stream::Operators::buffer_by).
    ///
    /// Only neighbours are put together; for all items of a key see
    /// [`group_by`](crate::stream::Operators::group_by). A run of more than [`capacity`](Self::capacity) items (65,536
    /// unless said otherwise) is emitted in parts.
    ///
    /// - **Emits when** an item with another key comes, or `capacity` items have; at the end, the rest if there is any.
    /// - **Back-pressures when** downstream does.
    /// - **Completes when** the source completes.
    /// - **Cancels when** downstream cancels; the started list is dropped.
    ///
    /// Memory: one run, at most `capacity` items. Source: RxJava and Reactor `bufferUntilChanged`;
    /// [`slice::chunk_by`] of the standard library.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use futures::{StreamExt, stream};
    /// use mape::stream::Operators;
    ///
    /// let runs = stream::iter([1, 3, 2, 5]).buffer_by(|n| n % 2);
    /// assert_eq!(runs.collect::<Vec<_>>().await, [vec![1, 3], vec![2], vec![5]]);
    /// # }
    /// ```
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct BufferBy<S: Stream, K, F> {
        #[pin]
        source: S,
        key: F,
        current: Option<K>,
        capacity: usize,
        items: Vec<S::Item>,
        metered: Metered,
        ended: bool,
    }
}

impl<S: Stream, K, F> BufferBy<S, K, F> {
    pub(crate) fn new(source: S, key: F) -> Self {
        Self {
            source,
            key,
            current: None,
            capacity: CAPACITY,
            items: Vec::new(),
            metered: Metered::new("buffer_by"),
            ended: false,
        }
    }

    /// How many items a list holds at most (0 counts as 1).
    pub fn capacity(mut self, items: usize) -> Self {
        self.capacity = items.max(1);
        self
    }
}

impl<S, K, F> Stream for BufferBy<S, K, F>
where
    S: Stream,
    K: PartialEq,
    F: FnMut(&S::Item) -> K,
{
    type Item = Vec<S::Item>;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Vec<S::Item>>> {
        let mut this = self.project();
        if *this.ended {
            return Poll::Ready(None);
        }
        loop {
            let Some(item) = ready!(this.source.as_mut().poll_next(cx)) else {
                *this.ended = true;
                let rest = mem::take(this.items);
                this.metered.queued(0);
                return Poll::Ready((!rest.is_empty()).then_some(rest));
            };
            let key = Some((this.key)(&item));
            let goes_on = *this.current == key && this.items.len() < *this.capacity;
            if goes_on || this.items.is_empty() {
                *this.current = key;
                this.items.push(item);
                this.metered.queued(this.items.len());
                continue;
            }
            *this.current = key;
            return Poll::Ready(Some(mem::replace(this.items, vec![item])));
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let (_, most) = self.source.size_hint();
        let held = usize::from(!self.items.is_empty());
        if self.ended { (0, Some(0)) } else { (held, most.and_then(|most| most.checked_add(held))) }
    }
}
