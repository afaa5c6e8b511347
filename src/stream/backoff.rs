//! How long to wait before trying again.

use std::time::Duration;

/// Waiting times between attempts: exponential growth up to a ceiling, with jitter.
///
/// The `n`-th wait (counted from 0) is `initial * factor^n`, at most `ceiling`, then moved at random by up to
/// `jitter` of itself in either direction (0.0 to 1.0; 0.0 is exact). Attempts are counted by whoever uses it;
/// [`max_attempts`](Self::max_attempts) bounds them.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Backoff {
    /// The first wait.
    pub initial: Duration,
    /// Growth from one wait to the next (at least 1.0).
    pub factor: f64,
    /// No wait is longer than this (before jitter).
    pub ceiling: Duration,
    /// Share of the wait by which it is moved at random, 0.0 to 1.0.
    pub jitter: f64,
    /// How many times to try again; `None` is for ever.
    pub max_attempts: Option<u32>,
}

impl Default for Backoff {
    /// 100 ms, doubling up to 30 s, 10 % jitter, for ever.
    fn default() -> Self {
        Self {
            initial: Duration::from_millis(100),
            factor: 2.0,
            ceiling: Duration::from_secs(30),
            jitter: 0.1,
            max_attempts: None,
        }
    }
}

impl Backoff {
    /// Always the same wait, without jitter.
    #[must_use]
    pub fn constant(wait: Duration) -> Self {
        Self { initial: wait, factor: 1.0, ceiling: wait, jitter: 0.0, max_attempts: None }
    }

    /// Doubling from `initial` up to `ceiling`, with 10 % jitter.
    #[must_use]
    pub fn exponential(initial: Duration, ceiling: Duration) -> Self {
        Self { initial, ceiling, ..Self::default() }
    }

    /// At most `n` further attempts.
    #[must_use]
    pub fn max_attempts(mut self, n: u32) -> Self {
        self.max_attempts = Some(n);
        self
    }

    /// The share (0.0 to 1.0) by which each wait is moved at random.
    #[must_use]
    pub fn jitter(mut self, share: f64) -> Self {
        self.jitter = share.clamp(0.0, 1.0);
        self
    }

    /// The wait before further attempt number `n` (from 0), or `None` when the attempts are used up.
    #[must_use]
    pub fn wait(&self, n: u32) -> Option<Duration> {
        if self.max_attempts.is_some_and(|max| n >= max) {
            return None;
        }
        let growth = self.factor.max(1.0).powi(i32::try_from(n).unwrap_or(i32::MAX));
        let seconds = (self.initial.as_secs_f64() * growth).min(self.ceiling.as_secs_f64());
        let moved = seconds * (1.0 + self.jitter * (fastrand::f64() * 2.0 - 1.0));
        Some(Duration::try_from_secs_f64(moved).unwrap_or(self.ceiling))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_ceiling_and_end_after_the_last_attempt() {
        let b =
            Backoff::exponential(Duration::from_secs(1), Duration::from_secs(5)).jitter(0.0).max_attempts(4);
        let waits: Vec<_> = (0..5).map(|n| b.wait(n).map(|d| d.as_secs())).collect();
        assert_eq!(waits, [Some(1), Some(2), Some(4), Some(5), None]);
        assert_eq!(Backoff::default().jitter(0.0).wait(5_000), Some(Duration::from_secs(30)));
    }
}
