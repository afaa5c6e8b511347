//! How long to wait between attempts to connect.

use crate::stream::Backoff;
use std::time::Duration;
use tokio::time::Instant;

/// How long an outage is young: so long attempts are frequent.
const YOUNG: Duration = Duration::from_mins(1);
const CEILING: Duration = Duration::from_secs(1);
const CEILING_LATER: Duration = Duration::from_secs(5);
/// A connection that lasted so long was a good one.
const GOOD: Duration = Duration::from_secs(1);

/// The pauses of one outage: from 50 ms to 1 s, later to 5 s.
#[derive(Debug)]
pub(super) struct Pauses {
    attempts: u32,
    began: Instant,
}

impl Default for Pauses {
    fn default() -> Self {
        Self { attempts: 0, began: Instant::now() }
    }
}

impl Pauses {
    /// A connection was lost that lasted so long. After a good one everything begins anew; one that was lost at once
    /// counts as an attempt that failed, or a server that hangs up on everybody would be called without a pause.
    pub(super) fn lost_after(&mut self, lasted: Duration) {
        if lasted >= GOOD {
            *self = Self::default();
        }
    }

    /// The pause before the next attempt; none before the first.
    pub(super) fn before(&mut self) -> Duration {
        if self.attempts == 0 {
            self.attempts = 1;
            return Duration::ZERO;
        }
        self.next()
    }

    /// The pause after an attempt that failed.
    pub(super) fn next(&mut self) -> Duration {
        let ceiling = if self.began.elapsed() < YOUNG { CEILING } else { CEILING_LATER };
        let failed = self.attempts.saturating_sub(1);
        self.attempts = self.attempts.saturating_add(1);
        Backoff::exponential(Duration::from_millis(50), ceiling).wait(failed).unwrap_or(ceiling)
    }

    /// From now on the pauses are the longest there are.
    pub(super) fn slow_down(&mut self) {
        self.attempts = u32::MAX;
        self.began = self.began.checked_sub(YOUNG).unwrap_or(self.began);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    async fn run(pauses: &mut Pauses, until: Duration) -> Vec<Duration> {
        let begun = Instant::now();
        let mut all = Vec::new();
        while begun.elapsed() < until {
            all.push(pauses.before());
            advance(*all.last().unwrap() + Duration::from_millis(1)).await;
        }
        all
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_to_a_second_and_after_a_minute_to_five() {
        let mut pauses = Pauses::default();
        let first = run(&mut pauses, YOUNG).await;
        assert!(first[0].is_zero() && first[1] < Duration::from_millis(60), "{first:?}");
        assert!(first.iter().all(|pause| *pause <= Duration::from_millis(1100)), "{first:?}");
        assert!((55..75).contains(&first.len()), "{}", first.len());
        let later = run(&mut pauses, YOUNG).await;
        assert!((11..=14).contains(&later.len()), "{later:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn connections_that_are_lost_at_once_are_not_made_without_a_pause() {
        let mut pauses = Pauses::default();
        let mut waited = Duration::ZERO;
        for _ in 0..10 {
            let pause = pauses.before();
            waited += pause;
            advance(pause).await;
            pauses.lost_after(Duration::from_millis(1));
        }
        assert!(waited > Duration::from_secs(4), "{waited:?}");
        pauses.lost_after(GOOD);
        assert!(pauses.before().is_zero());
    }

    #[tokio::test(start_paused = true)]
    async fn where_a_person_has_to_act_the_pauses_are_long_at_once() {
        let mut pauses = Pauses::default();
        pauses.before();
        pauses.slow_down();
        assert!(pauses.before() > Duration::from_secs(4));
    }
}
