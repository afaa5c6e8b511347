//! When to connect again, and what of it is told.

use super::Error;
use crate::stream::Backoff;
use std::time::Duration;
use tokio::time::Instant;

/// A connection that held for so long was a good one: waiting begins anew.
const SETTLED: Duration = Duration::from_secs(10);

/// What a source that connects again and again remembers of that.
#[derive(Debug)]
pub(super) struct Retry {
    pub(super) backoff: Backoff,
    failed: u32,
    since: Option<Instant>,
    told: Option<String>,
}

impl Retry {
    pub(super) fn new(backoff: Backoff) -> Self {
        Self { backoff, failed: 0, since: None, told: None }
    }

    /// There is a connection now.
    pub(super) fn connected(&mut self) {
        (self.since, self.told) = (Some(Instant::now()), None);
    }

    /// How long to wait after it broke, or was not made; the other side may ask for more. Nothing if the attempts are
    /// used up.
    pub(super) fn wait(&mut self, asked: Option<Duration>) -> Option<Duration> {
        if self.since.take().is_some_and(|since| since.elapsed() >= SETTLED) {
            self.failed = 0;
        }
        let own = self.backoff.wait(self.failed)?;
        self.failed = self.failed.saturating_add(1);
        Some(own.max(asked.unwrap_or_default()))
    }

    /// Whether it is another failure than the last.
    pub(super) fn is_news(&mut self, error: &Error) -> bool {
        let said = error.to_string();
        let is_news = self.told.as_deref() != Some(said.as_str());
        self.told = Some(said);
        is_news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_connects_and_breaks_at_once_is_waited_for_longer_each_time() {
        let second = Duration::from_secs(1);
        let mut retry = Retry::new(Backoff::exponential(second, second * 60).jitter(0.0));
        for expected in [1, 2, 4] {
            retry.connected();
            assert_eq!(retry.wait(None), Some(second * expected));
        }
        assert_eq!(retry.wait(Some(second * 30)), Some(second * 30));
        retry.connected();
        tokio::time::advance(SETTLED).await;
        assert_eq!(retry.wait(None), Some(second));
    }
}
