//! `throttle_leading`: an item, then none for a while.

use super::alarm::{BURST, after};
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;

pin_project! {
    /// Stream of [`Operators::throttle_leading`](crate::stream::Operators::throttle_leading).
    ///
    /// Two items are at least `window` apart; what comes in between is dropped.
    ///
    /// - **Emits when** an item comes and none was emitted within the last `window`.
    /// - **Back-pressures when** downstream does.
    /// - **Completes when** the source completes.
    /// - **Cancels when** downstream cancels.
    ///
    /// Memory: one instant, no timer. Source:
    /// [ReactiveX Sample (throttleFirst)](https://reactivex.io/documentation/operators/sample.html); RxPY
    /// `throttle_first`. Tokio-stream's `throttle` is another thing: it drops nothing and slows the source down, as
    /// [`rate_limit`](crate::stream::Operators::rate_limit) does.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// use mape::stream::{Operators, testing::{assert_marbles, marbles}};
    /// use std::time::Duration;
    ///
    /// let alarms = marbles("ab--cd-e-f|").throttle_leading(Duration::from_millis(3));
    /// assert_marbles(alarms, "a---c--e--|").await;
    /// # }
    /// ```
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct ThrottleLeading<S> {
        #[pin]
        source: S,
        window: Duration,
        open_at: Option<Instant>,
    }
}

impl<S> ThrottleLeading<S> {
    pub(crate) fn new(source: S, window: Duration) -> Self {
        Self { source, window, open_at: None }
    }
}

impl<S: Stream> Stream for ThrottleLeading<S> {
    type Item = S::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        let mut now = None;
        for _ in 0..BURST {
            let Some(item) = ready!(this.source.as_mut().poll_next(cx)) else { return Poll::Ready(None) };
            let now = *now.get_or_insert_with(Instant::now);
            if this.open_at.is_none_or(|open_at| now >= open_at) {
                *this.open_at = Some(after(now, *this.window));
                return Poll::Ready(Some(item));
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, self.source.size_hint().1)
    }
}
