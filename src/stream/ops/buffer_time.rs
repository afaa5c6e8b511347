//! `buffer_time`: the items of each period.

use super::alarm::{Alarm, BURST, CAPACITY, next_tick};
use super::metered::Metered;
use futures::Stream;
use pin_project_lite::pin_project;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Instant;

pin_project! {
    /// Stream of [`Operators::buffer_time`](crate::stream::Operators::buffer_time).
    ///
    /// Time is cut into periods from when the stream is first polled. A period without items gives an empty list, so
    /// counting lists counts periods; periods that nobody waited for are joined into one list. An item that comes exactly
    /// at the end of a period belongs to the next.
    ///
    /// - **Emits when** a period ends; at the end, the rest if there is any.
    /// - **Back-pressures when** the list holds [`capacity`](Self::capacity) items (65,536 unless said otherwise), until
    ///   the period ends.
    /// - **Completes when** the source completes.
    /// - **Cancels when** downstream cancels; the started list is dropped.
    ///
    /// Memory: the items of one period, at most `capacity`; one timer. Source:
    /// [ReactiveX Buffer](https://reactivex.io/documentation/operators/buffer.html) with a time span; RxPY
    /// `buffer_with_time`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// use mape::stream::{Operators, testing::{assert_marbles, marbles}};
    /// use std::time::Duration;
    ///
    /// let each_period = marbles("-a-bc-----d|").buffer_time(Duration::from_millis(3));
    /// assert_marbles(each_period, "---[a]--[bc]--[]-([d]|)").await;
    /// # }
    /// ```
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct BufferTime<S: Stream> {
        #[pin]
        source: S,
        #[pin]
        alarm: Alarm,
        period: Duration,
        capacity: usize,
        start: Option<Instant>,
        items: Vec<S::Item>,
        metered: Metered,
        ended: bool,
    }
}

impl<S: Stream> BufferTime<S> {
    pub(crate) fn new(source: S, period: Duration) -> Self {
        Self {
            source,
            alarm: Alarm::default(),
            period: period.max(Duration::from_millis(1)),
            capacity: CAPACITY,
            start: None,
            items: Vec::new(),
            metered: Metered::new("buffer_time"),
            ended: false,
        }
    }

    /// How many items a list holds at most (0 counts as 1).
    pub fn capacity(mut self, items: usize) -> Self {
        self.capacity = items.max(1);
        self
    }
}

impl<S: Stream> Stream for BufferTime<S> {
    type Item = Vec<S::Item>;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Vec<S::Item>>> {
        let mut this = self.project();
        if *this.ended {
            return Poll::Ready(None);
        }
        let start = *this.start.get_or_insert_with(Instant::now);
        if this.alarm.due().is_none() {
            this.alarm.as_mut().set(next_tick(start, *this.period, start));
        }
        if this.alarm.as_mut().poll(cx).is_ready() {
            this.alarm.set(next_tick(start, *this.period, Instant::now()));
            {
                this.metered.queued(0);
                return Poll::Ready(Some(mem::take(this.items)));
            }
        }
        for _ in 0..BURST {
            if this.items.len() >= *this.capacity {
                return Poll::Pending;
            }
            match this.source.as_mut().poll_next(cx) {
                Poll::Ready(Some(item)) => {
                    this.items.push(item);
                    this.metered.queued(this.items.len());
                }
                Poll::Ready(None) => {
                    *this.ended = true;
                    let rest = mem::take(this.items);
                    this.metered.queued(0);
                    return Poll::Ready((!rest.is_empty()).then_some(rest));
                }
                Poll::Pending => return Poll::Pending,
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
