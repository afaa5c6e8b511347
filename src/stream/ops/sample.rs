//! `sample`: the latest item at regular times.

use super::alarm::{Alarm, BURST, next_tick};
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;

pin_project! {
    /// Stream of [`Operators::sample`](crate::stream::Operators::sample).
    ///
    /// Time is cut into periods from when the stream is first polled; at the end of each, the latest item that came in
    /// it is emitted, the others are dropped. A period without an item emits nothing.
    ///
    /// - **Emits when** a period with items ends; at the end, the item held back.
    /// - **Back-pressures when** never: while downstream is not asking, nothing is asked of the source.
    /// - **Completes when** the source completes.
    /// - **Cancels when** downstream cancels; the item held back is dropped.
    ///
    /// Memory: one item, one timer (idle while nothing is held). Source:
    /// [ReactiveX Sample](https://reactivex.io/documentation/operators/sample.html); RxPY `sample`, which emits the item
    /// held back at the tick after the end; here it comes with the end.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// use mape::stream::{Operators, testing::{assert_marbles, marbles}};
    /// use std::time::Duration;
    ///
    /// let speed = marbles("-abc------de|").sample(Duration::from_millis(3));
    /// assert_marbles(speed, "---b--c-----(e|)").await;
    /// # }
    /// ```
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct Sample<S: Stream> {
        #[pin]
        source: S,
        #[pin]
        alarm: Alarm,
        period: Duration,
        start: Option<Instant>,
        held: Option<S::Item>,
        ended: bool,
    }
}

impl<S: Stream> Sample<S> {
    pub(crate) fn new(source: S, period: Duration) -> Self {
        Self { source, alarm: Alarm::default(), period, start: None, held: None, ended: false }
    }
}

impl<S: Stream> Stream for Sample<S> {
    type Item = S::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        if *this.ended {
            return Poll::Ready(None);
        }
        let start = *this.start.get_or_insert_with(Instant::now);
        if this.alarm.as_mut().poll(cx).is_ready() {
            return Poll::Ready(this.held.take());
        }
        for _ in 0..BURST {
            match this.source.as_mut().poll_next(cx) {
                Poll::Ready(Some(item)) => {
                    if this.held.replace(item).is_none() {
                        this.alarm.as_mut().set(next_tick(start, *this.period, Instant::now()));
                    }
                }
                Poll::Ready(None) => {
                    *this.ended = true;
                    return Poll::Ready(this.held.take());
                }
                Poll::Pending => {
                    ready!(this.alarm.poll(cx));
                    return Poll::Ready(this.held.take());
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
