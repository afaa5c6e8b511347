//! `rate_limit`: so many items a time, without loss.

use super::alarm::{Alarm, after};
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;

pin_project! {
    /// Stream of [`Operators::rate_limit`](crate::stream::Operators::rate_limit).
    ///
    /// A bucket of `n` tokens that refills evenly, one token each `per / n`: after a quiet time `n` items may come at
    /// once, then one each `per / n`. Over any time `t` at most `n + t * n / per` items pass. Nothing is dropped: the
    /// source waits.
    ///
    /// - **Emits when** the source emits and a token is there.
    /// - **Back-pressures when** the bucket is empty (the source is not polled), or downstream does.
    /// - **Completes when** the source completes; this is seen when the next token is there.
    /// - **Cancels when** downstream cancels.
    ///
    /// Memory: two instants, one timer. Source: generic cell rate algorithm (ITU-T I.371), as in crate governor;
    /// no ReactiveX operator slows a source down. `n` of 0 counts as 1.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// use mape::stream::{Operators, testing::{assert_marbles, marbles}};
    /// use std::time::Duration;
    ///
    /// let requests = marbles("(abcdef|)").rate_limit(2, Duration::from_millis(6));
    /// assert_marbles(requests, "(ab)--c--d--e--f--|").await;
    /// # }
    /// ```
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct RateLimit<S> {
        #[pin]
        source: S,
        #[pin]
        alarm: Alarm,
        interval: Duration,
        tolerance: Duration,
        full_at: Option<Instant>,
    }
}

impl<S> RateLimit<S> {
    pub(crate) fn new(source: S, n: u32, per: Duration) -> Self {
        let interval = per / n.max(1);
        Self {
            source,
            alarm: Alarm::default(),
            interval,
            tolerance: per.saturating_sub(interval),
            full_at: None,
        }
    }
}

impl<S: Stream> Stream for RateLimit<S> {
    type Item = S::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        if this.alarm.due().is_some() {
            ready!(this.alarm.as_mut().poll(cx));
        }
        let item = ready!(this.source.poll_next(cx));
        if item.is_some() {
            let now = Instant::now();
            let full_at = after(this.full_at.map_or(now, |full_at| full_at.max(now)), *this.interval);
            *this.full_at = Some(full_at);
            // A time before the clock's beginning has passed.
            if let Some(next) = full_at.checked_sub(*this.tolerance).filter(|next| *next > now) {
                this.alarm.set(next);
            }
        }
        Poll::Ready(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.source.size_hint()
    }
}
