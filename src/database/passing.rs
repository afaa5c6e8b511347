//! How far what was committed has been passed on.

use crate::event::EventId;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::Notify;

/// Stretches of a log that have come out, in their order, until it is kept that they have been passed on.
#[derive(Debug, Default)]
pub(super) struct Passing {
    stretches: Mutex<Stretches>,
    /// Told when one has been passed on.
    pub(super) changed: Notify,
}

#[derive(Debug, Default)]
struct Stretches {
    open: VecDeque<Stretch>,
    next: u64,
    closed: bool,
}

/// What lies behind `from`, up to `to`.
#[derive(Debug)]
struct Stretch {
    number: u64,
    from: EventId,
    to: EventId,
    passed: bool,
}

/// The stretch is passed on when this is dropped.
#[derive(Debug)]
pub(super) struct Token {
    passing: Arc<Passing>,
    number: u64,
}

impl Passing {
    /// A stretch at its place among the others: one of another writer, which has not passed it on, may lie before them.
    pub(super) fn begin(self: &Arc<Self>, from: EventId, to: EventId) -> Token {
        let mut stretches = self.stretches.lock();
        let number = stretches.next;
        stretches.next += 1;
        let place = stretches.open.partition_point(|other| other.to <= from);
        stretches.open.insert(place, Stretch { number, from, to, passed: false });
        Token { passing: self.clone(), number }
    }

    /// What may be kept as passed on, as far as it hangs together: where it begins and ends.
    pub(super) fn passed(&self) -> Option<(EventId, EventId)> {
        let stretches = self.stretches.lock();
        let mut passed = stretches.open.iter().take_while(|stretch| stretch.passed);
        let first = passed.next()?;
        let to = passed.try_fold(first.to, |to, next| if next.from == to { Ok(next.to) } else { Err(to) });
        Some((first.from, to.unwrap_or_else(|to| to)))
    }

    /// Where the first one begins that is not kept as passed on.
    pub(super) fn first(&self) -> Option<EventId> {
        self.stretches.lock().open.front().map(|stretch| stretch.from)
    }

    /// All up to `to` is kept as passed on.
    pub(super) fn keep(&self, to: EventId) {
        let mut stretches = self.stretches.lock();
        while stretches.open.front().is_some_and(|stretch| stretch.to <= to) {
            stretches.open.pop_front();
        }
        if let Some(stretch) = stretches.open.front_mut() {
            stretch.from = stretch.from.max(to);
        }
    }

    /// Nothing is passed on from now on: what is dropped by now was not taken.
    pub(super) fn close(&self) {
        self.stretches.lock().closed = true;
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        let mut stretches = self.passing.stretches.lock();
        if stretches.closed {
            return;
        }
        if let Some(stretch) = stretches.open.iter_mut().find(|stretch| stretch.number == self.number) {
            stretch.passed = true;
        }
        drop(stretches);
        self.passing.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(n: u64) -> EventId {
        EventId::new(n, 0)
    }

    #[test]
    fn only_what_hangs_together_is_passed_on() {
        let passing = Arc::new(Passing::default());
        let [a, b, c] = [(0, 2), (2, 5), (7, 9)].map(|(from, to)| passing.begin(at(from), at(to)));
        drop(b);
        assert_eq!(passing.passed(), None);
        drop(a);
        assert_eq!(passing.passed(), Some((at(0), at(5))));
        drop(c);
        assert_eq!(passing.passed(), Some((at(0), at(5))), "between 5 and 7 is another's");
        passing.keep(at(5));
        assert_eq!((passing.passed(), passing.first()), (Some((at(7), at(9))), Some(at(7))));
        drop(passing.begin(at(5), at(6)));
        assert_eq!(passing.passed(), Some((at(5), at(6))));
        drop(passing.begin(at(6), at(7)));
        assert_eq!(passing.passed(), Some((at(5), at(9))), "another's come page by page");
        let last = passing.begin(at(9), at(10));
        passing.close();
        drop(last);
        assert_eq!(passing.passed(), Some((at(5), at(9))));
    }
}
