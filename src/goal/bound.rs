//! The leaf of a goal: a signal and the bound that it is to keep.

use super::node::Moment;
use super::{Margin, Signal};
use std::time::Duration;

/// What a signal is to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Limit {
    Below(f64),
    Above(f64),
    Between(f64, f64),
    /// It is a condition: 1 where it holds, 0 where it doesn't; its margin is 1 or -1.
    Holds,
}

impl Limit {
    /// The margin of a value between two others.
    fn margin(self, low: f64, high: f64) -> Margin {
        match self {
            Self::Below(bound) => Margin { low: bound - high, high: bound - low },
            Self::Above(bound) => Margin { low: low - bound, high: high - bound },
            Self::Between(from, to) => {
                let inside = |value: f64| (value - from).min(to - value);
                // The margin is largest in the middle, or as near to it as the value may be.
                let best = f64::midpoint(from, to).min(high).max(low);
                Margin { low: inside(low).min(inside(high)), high: inside(best) }
            }
            Self::Holds => Margin { low: 2.0 * low - 1.0, high: 2.0 * high - 1.0 },
        }
    }
}

/// A signal, its bound, and its last sample.
pub(super) struct Bound<T> {
    pub(super) signal: Signal<T>,
    pub(super) limit: Limit,
    pub(super) stale_after: Option<Duration>,
    /// When the last sample came.
    pub(super) sampled_at: Option<Duration>,
    /// Value and uncertainty, as long as they are known.
    pub(super) value: Option<(f64, f64)>,
    /// Of the last sample.
    last: (f64, f64),
}

impl<T> Clone for Bound<T> {
    fn clone(&self) -> Self {
        Self { signal: self.signal.clone(), ..*self }
    }
}

impl<T> Bound<T> {
    pub(super) fn new(signal: Signal<T>, limit: Limit) -> Self {
        Self { signal, limit, stale_after: None, sampled_at: None, value: None, last: (0.0, 0.0) }
    }

    pub(super) fn unit(&self) -> &str {
        &self.signal.unit
    }

    pub(super) fn judge(&mut self, moment: &mut Moment<'_, T>) -> Margin {
        let now = moment.now;
        if let Some(item) = moment.item {
            match self.signal.sample(item) {
                Ok(Some((value, uncertainty))) => {
                    moment.sampled = true;
                    self.sampled_at = Some(now);
                    self.last = (value, uncertainty);
                    if let Some(rolling) = &mut self.signal.rolling {
                        moment.coarsened += u64::from(rolling.push(now, value, uncertainty));
                    }
                }
                Ok(None) => {}
                Err(error) => moment.error = moment.error.take().or(Some(error)),
            }
        }
        self.value = self.value_at(moment);
        match self.value {
            Some((value, uncertainty)) => self.limit.margin(value - uncertainty, value + uncertainty),
            None => Margin::UNKNOWN,
        }
    }

    fn value_at(&mut self, moment: &mut Moment<'_, T>) -> Option<(f64, f64)> {
        let sampled_at = self.sampled_at?;
        if let Some(after) = self.stale_after {
            let stale = sampled_at.saturating_add(after);
            if moment.now >= stale {
                return None;
            }
            moment.changes(stale);
        }
        let Some(rolling) = &mut self.signal.rolling else { return Some(self.last) };
        rolling.expire(moment.now);
        if let Some(at) = rolling.leaves() {
            moment.changes(at);
        }
        rolling.value()
    }
}
