//! Only the last, when it is quiet.

use super::chain::{Going, Group, Kin, Out, Unit};
use super::due::{Due, Ticket};
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;

/// Holds the last of each until none has come for a time; those before it are left out.
pub(super) struct Debounce<T> {
    quiet: Duration,
    last: HashMap<Key, (T, Ticket)>,
    due: Due<Key>,
    held: usize,
}

type Key = (Group, Kin);

impl<T: Unit> Debounce<T> {
    pub(super) fn new(quiet: Duration) -> Self {
        Self { quiet, last: HashMap::new(), due: Due::new(), held: 0 }
    }

    pub(super) fn offer(
        &mut self,
        item: T,
        group: Group,
        now: Instant,
        next: &mut Going<T>,
        out: &mut Out<T>,
    ) {
        let key = (group, item.kin());
        if item.data().is_none() {
            self.let_go(&key, next);
            next.push((item, key.0));
            return;
        }
        self.held += item.count();
        let ticket = self.due.put(now + self.quiet, key.clone());
        if let Some((before, ticket)) = self.last.insert(key, (item, ticket)) {
            self.due.take_back(ticket);
            self.held -= before.count();
            out.left.push((before, "a newer one came before it was quiet for long enough"));
        }
    }

    /// Takes out what nobody wants any more.
    pub(super) fn take_unwanted(&mut self, gone: &mut Vec<T>) {
        for (key, (item, ticket)) in std::mem::take(&mut self.last) {
            let (wanted, unwanted) = item.part_unwanted();
            self.held -= unwanted.as_ref().map_or(0, T::count);
            gone.extend(unwanted);
            match wanted {
                Some(item) => drop(self.last.insert(key, (item, ticket))),
                None => drop(self.due.take_back(ticket)),
            }
        }
    }

    fn let_go(&mut self, key: &Key, next: &mut Going<T>) {
        if let Some((item, ticket)) = self.last.remove(key) {
            self.due.take_back(ticket);
            self.held -= item.count();
            next.push((item, key.0.clone()));
        }
    }

    pub(super) fn due(&self) -> Option<Instant> {
        self.due.first()
    }

    pub(super) fn advance(&mut self, now: Instant, next: &mut Going<T>) {
        while let Some(key) = self.due.pop(now) {
            self.let_go(&key, next);
        }
    }

    pub(super) fn flush(&mut self, next: &mut Going<T>) {
        while let Some(key) = self.due.pop_any() {
            self.let_go(&key, next);
        }
    }

    pub(super) fn held(&self) -> usize {
        self.held
    }
}
