//! `delay`: everything a while later.

use super::alarm::{Alarm, BURST, CAPACITY, after};
use super::metered::Metered;
use futures::Stream;
use pin_project_lite::pin_project;
use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;

pin_project! {
    /// Stream of [`Operators::delay`](crate::stream::Operators::delay).
    ///
    /// - **Emits when** `by` has passed since an item came, in order.
    /// - **Back-pressures when** it holds [`capacity`](Self::capacity) items (65,536 unless said otherwise); items that
    ///   wait outside then are delayed longer.
    /// - **Completes when** `by` has passed since the source completed.
    /// - **Cancels when** downstream cancels; the items held back are dropped.
    ///
    /// Memory: the items that come within `by`, at most `capacity`; one timer. Source:
    /// [ReactiveX Delay](https://reactivex.io/documentation/operators/delay.html); RxPY `delay`. ReactiveX does not delay
    /// an error; here an `Err` item keeps its place.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// use mape::stream::{Operators, testing::{assert_marbles, marbles}};
    /// use std::time::Duration;
    ///
    /// assert_marbles(marbles("a-bc|").delay(Duration::from_millis(5)), "-----a-bc|").await;
    /// # }
    /// ```
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct Delay<S: Stream> {
        #[pin]
        source: S,
        #[pin]
        alarm: Alarm,
        by: Duration,
        capacity: usize,
        held: VecDeque<(Instant, S::Item)>,
        metered: Metered,
        // Everything due up to this time may go without asking the timer again.
        passed: Option<Instant>,
        end_at: Option<Instant>,
        ended: bool,
    }
}

impl<S: Stream> Delay<S> {
    pub(crate) fn new(source: S, by: Duration) -> Self {
        Self {
            source,
            alarm: Alarm::default(),
            by,
            capacity: CAPACITY,
            held: VecDeque::new(),
            metered: Metered::new("delay"),
            passed: None,
            end_at: None,
            ended: false,
        }
    }

    /// How many items it holds at most (0 counts as 1).
    pub fn capacity(mut self, items: usize) -> Self {
        self.capacity = items.max(1);
        self
    }
}

impl<S: Stream> Stream for Delay<S> {
    type Item = S::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        if *this.ended {
            return Poll::Ready(None);
        }
        let mut now = None;
        let mut burst = 0;
        while this.end_at.is_none() && this.held.len() < *this.capacity {
            if burst == BURST {
                cx.waker().wake_by_ref();
                break;
            }
            let Poll::Ready(item) = this.source.as_mut().poll_next(cx) else { break };
            let due = after(*now.get_or_insert_with(Instant::now), *this.by);
            match item {
                Some(item) => this.held.push_back((due, item)),
                None => *this.end_at = Some(due),
            }
            burst += 1;
        }
        if burst > 0 {
            this.metered.queued(this.held.len());
        }
        let Some(due) = this.held.front().map(|(due, _)| *due).or(*this.end_at) else {
            return Poll::Pending;
        };
        if this.passed.is_none_or(|passed| due > passed) {
            this.alarm.as_mut().set(due);
            ready!(this.alarm.poll(cx));
            *this.passed = Some(due);
        }
        let item = this.held.pop_front().map(|(_, item)| item);
        *this.ended = item.is_none();
        Poll::Ready(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        if self.end_at.is_some() {
            return (self.held.len(), Some(self.held.len()));
        }
        let (least, most) = self.source.size_hint();
        let held = self.held.len();
        (least.saturating_add(held), most.and_then(|most| most.checked_add(held)))
    }
}
