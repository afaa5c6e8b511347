//! `debounce`: an item once it has been quiet for a while.

use super::alarm::{Alarm, BURST, after};
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;

pin_project! {
    /// Stream of [`Operators::debounce`](crate::stream::Operators::debounce).
    ///
    /// An item that is followed by another within `quiet` is dropped. An item that comes exactly `quiet` later is not
    /// within.
    ///
    /// - **Emits when** no item has come for `quiet` since the last one; at the end, the item held back.
    /// - **Back-pressures when** never: while downstream is not asking, nothing is asked of the source.
    /// - **Completes when** the source completes.
    /// - **Cancels when** downstream cancels; the item held back is dropped.
    ///
    /// Memory: one item, one timer (touched when it fires, not on each item).
    /// Source: [ReactiveX Debounce](https://reactivex.io/documentation/operators/debounce.html); RxPY `debounce`,
    /// `throttle_with_timeout`. An `Err` item is an item like any other: to debounce only successes, split first.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// use mape::stream::{Operators, testing::{assert_marbles, marbles}};
    /// use std::time::Duration;
    ///
    /// let typed = marbles("ab-c-----d|").debounce(Duration::from_millis(3));
    /// assert_marbles(typed, "------c---(d|)").await;
    /// # }
    /// ```
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct Debounce<S: Stream> {
        #[pin]
        source: S,
        #[pin]
        alarm: Alarm,
        quiet: Duration,
        held: Option<S::Item>,
        ended: bool,
    }
}

impl<S: Stream> Debounce<S> {
    pub(crate) fn new(source: S, quiet: Duration) -> Self {
        Self { source, alarm: Alarm::default(), quiet, held: None, ended: false }
    }
}

impl<S: Stream> Stream for Debounce<S> {
    type Item = S::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        if *this.ended {
            return Poll::Ready(None);
        }
        if this.alarm.as_mut().poll(cx).is_ready() {
            return Poll::Ready(this.held.take());
        }
        let mut burst = 0;
        while burst < BURST {
            match this.source.as_mut().poll_next(cx) {
                Poll::Ready(Some(item)) => {
                    *this.held = Some(item);
                    burst += 1;
                }
                Poll::Ready(None) => {
                    *this.ended = true;
                    return Poll::Ready(this.held.take());
                }
                Poll::Pending if burst == 0 => return Poll::Pending,
                Poll::Pending => break,
            }
        }
        this.alarm.as_mut().set(after(Instant::now(), *this.quiet));
        if burst == BURST {
            // The source may have more at once: what it gave last is not yet quiet.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        ready!(this.alarm.poll(cx));
        Poll::Ready(this.held.take())
    }
}
