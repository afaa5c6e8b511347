//! `sliding`: overlapping lists.

use futures::Stream;
use pin_project_lite::pin_project;
use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// Stream of [`Operators::sliding`](crate::stream::Operators::sliding).
    ///
    /// Only full lists are emitted, as by [`slice::windows`]; with `step` greater than `n`, the items between lists are
    /// dropped. 0 counts as 1 for both.
    ///
    /// - **Emits when** the `n`-th item has come, then each `step` items.
    /// - **Back-pressures when** downstream does.
    /// - **Completes when** the source completes.
    /// - **Cancels when** downstream cancels.
    ///
    /// Memory: `n` items; each list holds clones. Source:
    /// [ReactiveX Buffer](https://reactivex.io/documentation/operators/buffer.html) with count and skip; RxPY
    /// `buffer_with_count(count, skip)`, which also emits the lists that the end cuts short.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// use mape::stream::{Operators, testing::{assert_marbles, marbles}};
    ///
    /// assert_marbles(marbles("abcde|").sliding(3, 1), "--[abc][bcd][cde]|").await;
    /// # }
    /// ```
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct Sliding<S: Stream> {
        #[pin]
        source: S,
        n: usize,
        step: usize,
        skip: usize,
        items: VecDeque<S::Item>,
    }
}

impl<S: Stream> Sliding<S> {
    pub(crate) fn new(source: S, n: usize, step: usize) -> Self {
        Self { source, n: n.max(1), step: step.max(1), skip: 0, items: VecDeque::new() }
    }
}

impl<S: Stream<Item: Clone>> Stream for Sliding<S> {
    type Item = Vec<S::Item>;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Vec<S::Item>>> {
        let mut this = self.project();
        loop {
            let Some(item) = ready!(this.source.as_mut().poll_next(cx)) else { return Poll::Ready(None) };
            if *this.skip > 0 {
                *this.skip -= 1;
                continue;
            }
            this.items.push_back(item);
            if this.items.len() == *this.n {
                let list = this.items.iter().cloned().collect();
                this.items.drain(..(*this.step).min(*this.n));
                *this.skip = this.step.saturating_sub(*this.n);
                return Poll::Ready(Some(list));
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let missing = self.skip.saturating_add(self.n - self.items.len());
        let lists = |items: usize| items.checked_sub(missing).map_or(0, |rest| rest / self.step + 1);
        let (least, most) = self.source.size_hint();
        (lists(least), most.map(lists))
    }
}
