//! `throttle_trailing`: the latest item, a while after the first.

use super::alarm::{Alarm, BURST, after};
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;

pin_project! {
    /// Stream of [`Operators::throttle_trailing`](crate::stream::Operators::throttle_trailing).
    ///
    /// The first item opens a window; when it closes, the latest item that came in it is emitted, the others are
    /// dropped. Unlike [`debounce`](crate::stream::Operators::debounce), a source that is never quiet is heard.
    ///
    /// - **Emits when** a window closes; at the end, the item held back.
    /// - **Back-pressures when** never: while downstream is not asking, nothing is asked of the source.
    /// - **Completes when** the source completes.
    /// - **Cancels when** downstream cancels; the item held back is dropped.
    ///
    /// Memory: one item, one timer (idle while nothing is held). Source: ReactiveX `audit` (RxJS `auditTime`, RxJava
    /// `throttleLast` on its own grid), which drops the item held back when the source ends; here it is emitted.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// use mape::stream::{Operators, testing::{assert_marbles, marbles}};
    /// use std::time::Duration;
    ///
    /// let positions = marbles("ab--cd-ef|").throttle_trailing(Duration::from_millis(3));
    /// assert_marbles(positions, "---b---d-(f|)").await;
    /// # }
    /// ```
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct ThrottleTrailing<S: Stream> {
        #[pin]
        source: S,
        #[pin]
        alarm: Alarm,
        window: Duration,
        held: Option<S::Item>,
        ended: bool,
    }
}

impl<S: Stream> ThrottleTrailing<S> {
    pub(crate) fn new(source: S, window: Duration) -> Self {
        Self { source, alarm: Alarm::default(), window, held: None, ended: false }
    }
}

impl<S: Stream> Stream for ThrottleTrailing<S> {
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
        for _ in 0..BURST {
            match this.source.as_mut().poll_next(cx) {
                Poll::Ready(Some(item)) => {
                    if this.held.replace(item).is_none() {
                        this.alarm.as_mut().set(after(Instant::now(), *this.window));
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
