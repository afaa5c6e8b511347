//! `deadline`: items have to keep coming.

use super::Margin;
use super::node::Moment;
use super::response::left_of;
use std::time::Duration;

/// After each item the next one has to come within `period`; the margin is the time that is left, in seconds.
#[derive(Clone, Debug)]
pub(super) struct Deadline {
    pub(super) period: Duration,
    last: Option<Duration>,
}

impl Deadline {
    pub(super) fn new(period: Duration) -> Self {
        Self { period, last: None }
    }

    pub(super) fn judge<T>(&mut self, moment: &mut Moment<'_, T>) -> Margin {
        if moment.item.is_some() {
            self.last = Some(moment.now);
        }
        // The first is due from the beginning on.
        let last = *self.last.get_or_insert(moment.now);
        let left = left_of(self.period, last, moment);
        Margin { low: left, high: left }
    }
}
