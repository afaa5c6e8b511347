//! So many in any time.

use super::chain::{Going, Group, Unit};
use super::due::{Due, Ticket};
use std::collections::{HashMap, VecDeque};
use std::time::Duration;
use tokio::time::Instant;

/// Lets so many of a group through in any time of a length; others wait.
pub(super) struct RateLimit<T> {
    most: usize,
    per: Duration,
    groups: HashMap<Group, Bucket<T>>,
    due: Due<Group>,
    held: usize,
}

struct Bucket<T> {
    /// When the last ones went through, the oldest first.
    went: VecDeque<Instant>,
    waiting: VecDeque<T>,
    ticket: Option<Ticket>,
}

impl<T: Unit> RateLimit<T> {
    pub(super) fn new(most: usize, per: Duration) -> Self {
        Self { most, per, groups: HashMap::new(), due: Due::new(), held: 0 }
    }

    /// The same with another limit; this one is empty then.
    pub(super) fn take_over(&mut self, most: usize, per: Duration, now: Instant) -> Self {
        let before = std::mem::replace(self, Self::new(self.most, self.per));
        let mut after = Self { most, per, due: Due::new(), ..before };
        // More may go now than before.
        for (group, bucket) in &mut after.groups {
            bucket.ticket = Some(after.due.put(now, group.clone()));
        }
        after
    }

    pub(super) fn offer(&mut self, item: T, group: &Group, now: Instant, next: &mut Going<T>) {
        let bucket = self.groups.entry(group.clone()).or_insert_with(|| Bucket {
            went: VecDeque::new(),
            waiting: VecDeque::new(),
            ticket: None,
        });
        self.held += item.count();
        bucket.waiting.push_back(item);
        self.turn(group, now, next);
    }

    /// Lets those of a group go whose turn it is, and says when to look again.
    fn turn(&mut self, group: &Group, now: Instant, next: &mut Going<T>) {
        let Some(bucket) = self.groups.get_mut(group) else { return };
        while bucket.went.front().is_some_and(|went| *went + self.per <= now) {
            bucket.went.pop_front();
        }
        while bucket.went.len() < self.most
            && let Some(item) = bucket.waiting.pop_front()
        {
            bucket.went.push_back(now);
            self.held -= item.count();
            next.push((item, group.clone()));
        }
        if let Some(ticket) = bucket.ticket.take() {
            self.due.take_back(ticket);
        }
        let look = if bucket.waiting.is_empty() { bucket.went.back() } else { bucket.went.front() };
        match look {
            Some(went) => bucket.ticket = Some(self.due.put(*went + self.per, group.clone())),
            None => drop(self.groups.remove(group)),
        }
    }

    pub(super) fn due(&self) -> Option<Instant> {
        self.due.first()
    }

    pub(super) fn advance(&mut self, now: Instant, next: &mut Going<T>) {
        while let Some(group) = self.due.pop(now) {
            self.turn(&group, now, next);
        }
    }

    /// Lets all go that wait, and remembers those that went in time.
    pub(super) fn flush(&mut self, next: &mut Going<T>) {
        for (group, bucket) in &mut self.groups {
            next.extend(bucket.waiting.drain(..).map(|item| (item, group.clone())));
        }
        self.held = 0;
    }

    pub(super) fn held(&self) -> usize {
        self.held
    }
}
