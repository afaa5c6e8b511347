//! The smallest value of a window that slides over a held signal.

use super::LARGEST;
use std::collections::VecDeque;
use std::time::Duration;

/// The smallest value that a signal had in the last `span`, in `O(1)` on average for each change.
///
/// Entries are ordered by time and strictly by value: one that is followed by a smaller or equal one can never be the
/// smallest again. The newest is always there; each of the others is followed by another value at `until`.
#[derive(Clone, Debug)]
pub(super) struct Extreme {
    span: Duration,
    entries: VecDeque<Held>,
    /// With too many entries, the smallest leaves early; otherwise it stays too long.
    early: bool,
}

#[derive(Clone, Copy, Debug)]
struct Held {
    value: f64,
    /// When another value took its place; the newest has the end of time.
    until: Duration,
}

impl Extreme {
    /// Before the first value the signal had `past`.
    pub(super) fn new(span: Duration, past: f64, early: bool) -> Self {
        Self { span, entries: VecDeque::from([Held { value: past, until: Duration::MAX }]), early }
    }

    /// The signal has this value from now on; `true` if there were too many entries.
    pub(super) fn push(&mut self, now: Duration, value: f64) -> bool {
        if let Some(newest) = self.entries.back_mut() {
            if newest.value.total_cmp(&value).is_eq() {
                return false;
            }
            newest.until = now;
        }
        while self.entries.back().is_some_and(|held| held.value >= value) {
            self.entries.pop_back();
        }
        self.entries.push_back(Held { value, until: Duration::MAX });
        if self.entries.len() <= LARGEST {
            return false;
        }
        // One of the two oldest takes over the time of the other.
        if let Some(oldest) = self.entries.pop_front()
            && !self.early
            && let Some(second) = self.entries.front_mut()
        {
            second.value = oldest.value;
        }
        true
    }

    /// Lets go of what has left the window.
    pub(super) fn expire(&mut self, now: Duration) {
        while self.leaves().is_some_and(|at| at <= now) {
            self.entries.pop_front();
        }
    }

    /// When the oldest entry leaves.
    pub(super) fn leaves(&self) -> Option<Duration> {
        let oldest = self.entries.front()?;
        if self.entries.len() == 1 { None } else { Some(oldest.until.saturating_add(self.span)) }
    }

    pub(super) fn value(&self) -> f64 {
        self.entries.front().map_or(f64::NAN, |held| held.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_too_many_entries_the_result_errs_on_the_side_that_was_asked_for() {
        let at = |n: usize| Duration::from_millis(n as u64);
        for early in [false, true] {
            let mut extreme = Extreme::new(Duration::from_hours(1), f64::INFINITY, early);
            let coarse = (0..2 * LARGEST).filter(|n| extreme.push(at(*n), *n as f64)).count();
            assert_eq!((coarse, extreme.entries.len()), (LARGEST, LARGEST));
            // The true one is 0.
            let expected = if early { LARGEST as f64 } else { 0.0 };
            assert_eq!(extreme.value().to_bits(), expected.to_bits());
            // Once the window has passed on, it is exact again.
            extreme.expire(Duration::from_hours(2));
            assert_eq!(extreme.value().to_bits(), ((2 * LARGEST - 1) as f64).to_bits());
        }
    }
}
