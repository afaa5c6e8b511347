//! `buffer_count_or_time`: lists that are full or old enough.

use super::alarm::{Alarm, BURST, after};
use futures::Stream;
use pin_project_lite::pin_project;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;

pin_project! {
    /// Stream of [`Operators::buffer_count_or_time`](crate::stream::Operators::buffer_count_or_time).
    ///
    /// Made for small batches: a list never waits longer than `time`, is never longer than `n` (0 counts as 1), and never
    /// empty.
    ///
    /// - **Emits when** `n` items have come or `time` has passed since the list's first; at the end, the rest if there is
    ///   any.
    /// - **Back-pressures when** downstream does.
    /// - **Completes when** the source completes.
    /// - **Cancels when** downstream cancels; the started list is dropped.
    ///
    /// Memory: `n` items, one timer (idle while the list is empty). Source:
    /// [ReactiveX Buffer](https://reactivex.io/documentation/operators/buffer.html) with time and count; RxPY
    /// `buffer_with_time_or_count`. There time counts from the last list, and empty lists are emitted. Tokio-stream's
    /// `chunks_timeout` is alike.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// use mape::stream::{Operators, testing::{assert_marbles, marbles}};
    /// use std::time::Duration;
    ///
    /// let batches = marbles("abc-------de-f|").buffer_count_or_time(2, Duration::from_millis(3));
    /// assert_marbles(batches, "-[ab]---[c]-----[de]--([f]|)").await;
    /// # }
    /// ```
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct BufferCountOrTime<S: Stream> {
        #[pin]
        source: S,
        #[pin]
        alarm: Alarm,
        n: usize,
        time: Duration,
        items: Vec<S::Item>,
        ended: bool,
    }
}

impl<S: Stream> BufferCountOrTime<S> {
    pub(crate) fn new(source: S, n: usize, time: Duration) -> Self {
        Self { source, alarm: Alarm::default(), n: n.max(1), time, items: Vec::new(), ended: false }
    }
}

impl<S: Stream> Stream for BufferCountOrTime<S> {
    type Item = Vec<S::Item>;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Vec<S::Item>>> {
        let mut this = self.project();
        if *this.ended {
            return Poll::Ready(None);
        }
        if this.alarm.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Some(mem::take(this.items)));
        }
        for _ in 0..BURST {
            match this.source.as_mut().poll_next(cx) {
                Poll::Ready(Some(item)) => {
                    this.items.push(item);
                    if this.items.len() >= *this.n {
                        this.alarm.clear();
                        return Poll::Ready(Some(mem::take(this.items)));
                    }
                    if this.items.len() == 1 {
                        this.alarm.as_mut().set(after(Instant::now(), *this.time));
                    }
                }
                Poll::Ready(None) => {
                    *this.ended = true;
                    let rest = mem::take(this.items);
                    return Poll::Ready((!rest.is_empty()).then_some(rest));
                }
                Poll::Pending => {
                    ready!(this.alarm.poll(cx));
                    return Poll::Ready(Some(mem::take(this.items)));
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
