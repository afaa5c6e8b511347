//! `ratio`: in which share of the items of a window a part is met.

use super::node::{Moment, Node};
use super::{LARGEST, Margin, State};
use std::collections::VecDeque;
use std::time::Duration;

/// The share of items in the last `span` at which a part was met, less the share that is wanted.
pub(super) struct Ratio<T> {
    pub(super) part: Node<T>,
    pub(super) wanted: f64,
    pub(super) span: Duration,
    items: VecDeque<(Duration, State)>,
    met: usize,
    unknown: usize,
}

impl<T> Clone for Ratio<T> {
    fn clone(&self) -> Self {
        Self { part: self.part.clone(), items: self.items.clone(), ..*self }
    }
}

impl<T> Ratio<T> {
    pub(super) fn new(part: Node<T>, wanted: f64, span: Duration) -> Self {
        Self { part, wanted: wanted.clamp(0.0, 1.0), span, items: VecDeque::new(), met: 0, unknown: 0 }
    }

    pub(super) fn judge(&mut self, moment: &mut Moment<'_, T>) -> Margin {
        let now = moment.now;
        let sampled_before = std::mem::replace(&mut moment.sampled, false);
        let state = self.part.judge(moment).state();
        if moment.item.is_some() && moment.sampled {
            self.items.push_back((now, state));
            self.count(state, 1);
            if self.items.len() > LARGEST {
                moment.coarsened += 1;
                self.pop();
            }
        }
        moment.sampled |= sampled_before;
        while self.leaves().is_some_and(|at| at <= now) {
            self.pop();
        }
        if let Some(at) = self.leaves() {
            moment.changes(at);
        }
        let share = |count: usize| count as f64 / self.items.len() as f64;
        if self.items.is_empty() {
            return Margin { low: -self.wanted, high: 1.0 - self.wanted };
        }
        Margin { low: share(self.met) - self.wanted, high: share(self.met + self.unknown) - self.wanted }
    }

    /// How many items there are, and at how many of them the part was met.
    pub(super) fn items(&self) -> (usize, usize) {
        (self.items.len(), self.met)
    }

    fn leaves(&self) -> Option<Duration> {
        self.items.front().map(|(at, _)| at.saturating_add(self.span))
    }

    fn pop(&mut self) {
        if let Some((_, state)) = self.items.pop_front() {
            self.count(state, -1);
        }
    }

    fn count(&mut self, state: State, by: isize) {
        match state {
            State::Met => self.met = self.met.saturating_add_signed(by),
            State::Unknown => self.unknown = self.unknown.saturating_add_signed(by),
            State::Violated => {}
        }
    }
}
