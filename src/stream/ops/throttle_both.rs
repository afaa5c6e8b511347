//! `throttle_both`: an item at once, then at most one a window.

use super::alarm::{Alarm, BURST, after};
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;

pin_project! {
    /// Stream of [`Operators::throttle_both`](crate::stream::Operators::throttle_both).
    ///
    /// An item after a quiet time is emitted at once and opens a window; when the window closes, the latest item that
    /// came in it, if any, is emitted and opens the next one. Two items are at least `window` apart (but the last one).
    ///
    /// - **Emits when** an item comes while no window is open, and when a window with items closes; at the end, the item
    ///   held back.
    /// - **Back-pressures when** never: while downstream is not asking, nothing is asked of the source.
    /// - **Completes when** the source completes.
    /// - **Cancels when** downstream cancels; the item held back is dropped.
    ///
    /// Memory: one item, one timer. Source: RxJS `throttleTime` with `leading` and `trailing`, RxJava
    /// `throttleLatest`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// use mape::stream::{Operators, testing::{assert_marbles, marbles}};
    /// use std::time::Duration;
    ///
    /// let shown = marbles("abc-----d-e|").throttle_both(Duration::from_millis(3));
    /// assert_marbles(shown, "a--c----d--(e|)").await;
    /// # }
    /// ```
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct ThrottleBoth<S: Stream> {
        #[pin]
        source: S,
        #[pin]
        alarm: Alarm,
        window: Duration,
        held: Option<S::Item>,
        ended: bool,
    }
}

impl<S: Stream> ThrottleBoth<S> {
    pub(crate) fn new(source: S, window: Duration) -> Self {
        Self { source, alarm: Alarm::default(), window, held: None, ended: false }
    }
}

impl<S: Stream> Stream for ThrottleBoth<S> {
    type Item = S::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        if *this.ended {
            return Poll::Ready(None);
        }
        for _ in 0..BURST {
            if this.alarm.as_mut().poll(cx).is_ready()
                && let Some(item) = this.held.take()
            {
                this.alarm.set(after(Instant::now(), *this.window));
                return Poll::Ready(Some(item));
            }
            match ready!(this.source.as_mut().poll_next(cx)) {
                Some(item) if this.alarm.due().is_none() => {
                    this.alarm.set(after(Instant::now(), *this.window));
                    return Poll::Ready(Some(item));
                }
                Some(item) => *this.held = Some(item),
                None => {
                    *this.ended = true;
                    return Poll::Ready(this.held.take());
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
