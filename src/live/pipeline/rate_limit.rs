//! So many in any time.

use super::chain::{Going, Group, Unit, wanted};
use super::due::{Due, Ticket};
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;
use tokio::time::Instant;

/// Groups of which nothing waits that are remembered, at most.
const MOST_IDLE: usize = 10_000;

/// Lets so many of a group through in any time of a length; others wait.
pub(super) struct RateLimit<T> {
    most: usize,
    per: Duration,
    groups: HashMap<Group, Bucket<T>>,
    due: Due<Group>,
    /// Of groups of which nothing waits, the oldest first.
    idle: BTreeSet<Ticket>,
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
        Self { most, per, groups: HashMap::new(), due: Due::new(), idle: BTreeSet::new(), held: 0 }
    }

    /// The same with another limit; this one is empty then.
    pub(super) fn take_over(&mut self, most: usize, per: Duration, now: Instant) -> Self {
        let before = std::mem::replace(self, Self::new(self.most, self.per));
        let mut after = Self { most, per, due: Due::new(), idle: BTreeSet::new(), ..before };
        // More may go now than before.
        for (group, bucket) in &mut after.groups {
            bucket.ticket = Some(after.due.put(now, group.clone()));
        }
        after
    }

    pub(super) fn offer(
        &mut self,
        item: T,
        group: &Group,
        now: Instant,
        next: &mut Going<T>,
        gone: &mut Vec<T>,
    ) {
        let bucket = self.groups.entry(group.clone()).or_insert_with(|| Bucket {
            went: VecDeque::new(),
            waiting: VecDeque::new(),
            ticket: None,
        });
        self.held += item.count();
        bucket.waiting.push_back(item);
        self.turn(group, now, next, gone);
    }

    /// Lets those of a group go whose turn it is, and says when to look again.
    fn turn(&mut self, group: &Group, now: Instant, next: &mut Going<T>, gone: &mut Vec<T>) {
        let Some(bucket) = self.groups.get_mut(group) else { return };
        while bucket.went.front().is_some_and(|went| *went + self.per <= now) {
            bucket.went.pop_front();
        }
        while bucket.went.len() < self.most
            && let Some(item) = bucket.waiting.pop_front()
        {
            self.held -= item.count();
            let (wanted, unwanted) = item.part_unwanted();
            gone.extend(unwanted);
            if let Some(item) = wanted {
                bucket.went.push_back(now);
                next.push((item, group.clone()));
            }
        }
        if let Some(ticket) = bucket.ticket.take() {
            self.due.take_back(ticket);
            self.idle.remove(&ticket);
        }
        let is_idle = bucket.waiting.is_empty();
        let look = if is_idle { bucket.went.back() } else { bucket.went.front() };
        let Some(went) = look else {
            self.groups.remove(group);
            return;
        };
        let ticket = self.due.put(*went + self.per, group.clone());
        bucket.ticket = Some(ticket);
        if is_idle {
            self.idle.insert(ticket);
        }
        // Whoever makes up groups is not remembered for ever.
        if self.idle.len() > MOST_IDLE
            && let Some(oldest) = self.idle.pop_first()
            && let Some(group) = self.due.take_back(oldest)
        {
            self.groups.remove(&group);
        }
    }

    /// Takes out what nobody wants any more.
    pub(super) fn take_unwanted(&mut self, gone: &mut Vec<T>) {
        let before: usize = gone.iter().map(T::count).sum();
        for bucket in self.groups.values_mut() {
            bucket.waiting = wanted(std::mem::take(&mut bucket.waiting), gone).collect();
        }
        self.held -= gone.iter().map(T::count).sum::<usize>() - before;
    }

    pub(super) fn due(&self) -> Option<Instant> {
        self.due.first()
    }

    pub(super) fn advance(&mut self, now: Instant, next: &mut Going<T>, gone: &mut Vec<T>) {
        while let Some(group) = self.due.pop(now) {
            self.turn(&group, now, next, gone);
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
