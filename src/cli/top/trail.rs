//! The counters of an element over the past minute.

use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

/// Rates are taken over at most this long: a little more than the time between some looks of a service, so a slow
/// stream of items has a steady rate.
const WINDOW: Duration = Duration::from_millis(2_600);
/// How often a rate is kept.
const STEP: Duration = Duration::from_secs(1);
/// How many rates are kept.
const STEPS: usize = 60;
/// How many looks are kept at most; services look twice a second.
const LOOKS: usize = 16;

/// What was counted when, and the rates that followed from it.
#[derive(Clone, Debug, Default)]
pub(super) struct Trail {
    looks: VecDeque<(Instant, u64, u64)>,
    kept: VecDeque<(f32, f32)>,
    last_kept: Option<Instant>,
    rates: (f64, f64),
}

impl Trail {
    /// So many were received and emitted by now. Where a counter has begun anew, so does this.
    pub(super) fn look(&mut self, now: Instant, received: u64, emitted: u64) {
        if self.looks.back().is_some_and(|(_, r, e)| *r > received || *e > emitted) {
            self.looks.clear();
        }
        self.looks.push_back((now, received, emitted));
        let is_old = |at: &Instant| now.duration_since(*at) > WINDOW;
        while self.looks.len() > 2
            && (self.looks.len() > LOOKS || self.looks.front().is_some_and(|l| is_old(&l.0)))
        {
            self.looks.pop_front();
        }
        self.rates = self.rates_over_window();
        if self.last_kept.is_none_or(|at| now.duration_since(at) >= STEP) {
            self.last_kept = Some(now);
            #[expect(clippy::cast_possible_truncation, reason = "it becomes the height of a bar")]
            self.kept.push_back((self.rates.0 as f32, self.rates.1 as f32));
            if self.kept.len() > STEPS {
                self.kept.pop_front();
            }
        }
    }

    fn rates_over_window(&self) -> (f64, f64) {
        let (Some((from, r0, e0)), Some((to, r1, e1))) = (self.looks.front(), self.looks.back()) else {
            return (0.0, 0.0);
        };
        let seconds = to.duration_since(*from).as_secs_f64();
        if seconds < 0.05 {
            return (0.0, 0.0);
        }
        (r1.saturating_sub(*r0) as f64 / seconds, e1.saturating_sub(*e0) as f64 / seconds)
    }

    /// Items received a second.
    pub(super) fn received_per_second(&self) -> f64 {
        self.rates.0
    }

    /// Items emitted a second.
    pub(super) fn emitted_per_second(&self) -> f64 {
        self.rates.1
    }

    /// The rates of the past minute, the newest last: received, emitted.
    pub(super) fn minute(&self) -> impl DoubleEndedIterator<Item = (f32, f32)> + ExactSizeIterator + '_ {
        self.kept.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_that_of_the_last_seconds_and_starts_anew_with_its_counter() {
        let (mut trail, start) = (Trail::default(), Instant::now());
        let at = |n: u64| start + Duration::from_millis(500 * n);
        for n in 0..20 {
            trail.look(at(n), n * 50, n * 5);
        }
        assert_eq!((trail.received_per_second(), trail.emitted_per_second()), (100.0, 10.0));
        // Nothing comes any more: after the window, nothing is the rate.
        for n in 20..26 {
            trail.look(at(n), 950, 95);
        }
        assert_eq!(trail.received_per_second().to_bits(), 0.0_f64.to_bits());
        trail.look(at(26), 10, 1);
        assert_eq!(trail.received_per_second().to_bits(), 0.0_f64.to_bits());
        trail.look(at(28), 30, 1);
        assert_eq!(trail.received_per_second().to_bits(), 20.0_f64.to_bits());
        assert_eq!(trail.minute().len(), 15);
    }

    #[test]
    fn a_minute_is_all_that_is_kept() {
        let (mut trail, start) = (Trail::default(), Instant::now());
        for n in 0..1000 {
            trail.look(start + Duration::from_millis(n * 300), n, 0);
        }
        assert!(trail.minute().len() <= STEPS && trail.looks.len() <= LOOKS);
    }
}
