//! The one timer of an operator.

use pin_project_lite::pin_project;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// How many items an operator swallows in one poll before it lets other tasks run.
pub(crate) const BURST: usize = 256;

/// How many items an operator that holds items back keeps unless told otherwise.
pub(crate) const CAPACITY: usize = 65_536;

/// `wait` after `start`; what lies beyond the clock's end is thirty years away.
pub(crate) fn after(start: Instant, wait: Duration) -> Instant {
    const FAR: Duration = Duration::from_hours(24 * 365 * 30);
    start.checked_add(wait).unwrap_or_else(|| start + FAR)
}

/// The first of the times `start + period`, `start + 2 * period`, … that lies after `now`.
pub(crate) fn next_tick(start: Instant, period: Duration, now: Instant) -> Instant {
    let period = period.as_nanos().max(1);
    let next = (now.saturating_duration_since(start).as_nanos() / period + 1).saturating_mul(period);
    after(start, u64::try_from(next).map_or(Duration::MAX, Duration::from_nanos))
}

pin_project! {
    /// A timer that is set often and fires seldom.
    ///
    /// Setting it to a later time only remembers that time: the timer wheel is touched when the old time comes, so a
    /// deadline that moves with each item costs nothing per item.
    #[derive(Debug, Default)]
    pub(crate) struct Alarm {
        #[pin]
        sleep: Option<Sleep>,
        due: Option<Instant>,
    }
}

impl Alarm {
    pub(crate) fn set(self: Pin<&mut Self>, due: Instant) {
        *self.project().due = Some(due);
    }

    pub(crate) fn clear(self: Pin<&mut Self>) {
        *self.project().due = None;
    }

    pub(crate) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Ready once, when the time it was set to has come; pending without a wake-up while it is not set.
    pub(crate) fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        let Some(due) = *this.due else { return Poll::Pending };
        if this.sleep.is_none() {
            this.sleep.set(Some(tokio::time::sleep_until(due)));
        }
        let Some(mut sleep) = this.sleep.as_pin_mut() else { return Poll::Pending };
        if sleep.deadline() > due {
            sleep.as_mut().reset(due);
        }
        while sleep.as_mut().poll(cx).is_ready() {
            if sleep.deadline() >= due {
                *this.due = None;
                return Poll::Ready(());
            }
            sleep.as_mut().reset(due);
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::poll;
    use std::future::poll_fn;
    use std::pin::pin;

    #[tokio::test(start_paused = true)]
    async fn a_deadline_that_moves_on_leaves_the_timer_alone_until_it_fires() {
        let mut alarm = pin!(Alarm::default());
        let start = Instant::now();
        let at = |n| start + Duration::from_millis(n);
        for n in [10, 15, 20] {
            alarm.as_mut().set(at(n));
            assert!(poll!(poll_fn(|cx| alarm.as_mut().poll(cx))).is_pending());
            assert_eq!(alarm.sleep.as_ref().unwrap().deadline(), at(10));
        }
        poll_fn(|cx| alarm.as_mut().poll(cx)).await;
        assert_eq!(Instant::now(), at(20));
        assert!(poll!(poll_fn(|cx| alarm.as_mut().poll(cx))).is_pending());
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_that_moves_nearer_is_kept() {
        let mut alarm = pin!(Alarm::default());
        let start = Instant::now();
        for n in [50, 10] {
            alarm.as_mut().set(start + Duration::from_millis(n));
            assert!(poll!(poll_fn(|cx| alarm.as_mut().poll(cx))).is_pending());
        }
        poll_fn(|cx| alarm.as_mut().poll(cx)).await;
        assert_eq!(start.elapsed(), Duration::from_millis(10));
    }
}
