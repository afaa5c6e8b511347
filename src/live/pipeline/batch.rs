//! Several become one.

use super::chain::{Going, Group, Kin, Unit};
use super::due::{Due, Ticket};
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;

/// Collects until there are so many, or for so long.
pub(super) struct Batch<T> {
    most: usize,
    within: Duration,
    open: HashMap<Key, Open<T>>,
    due: Due<Key>,
    held: usize,
}

type Key = (Group, Kin);

struct Open<T> {
    items: Vec<T>,
    ticket: Ticket,
}

impl<T: Unit> Batch<T> {
    pub(super) fn new(most: usize, within: Duration) -> Self {
        Self { most, within, open: HashMap::new(), due: Due::new(), held: 0 }
    }

    pub(super) fn offer(&mut self, item: T, group: Group, now: Instant, next: &mut Going<T>) {
        let key = (group, item.kin());
        if item.data().is_none() {
            // An error stays an error, behind what came before it.
            self.close(&key, next);
            next.push((item, key.0));
            return;
        }
        self.held += item.count();
        let Some(open) = self.open.get_mut(&key) else {
            let ticket = self.due.put(now + self.within, key.clone());
            self.open.insert(key.clone(), Open { items: vec![item], ticket });
            if self.most <= 1 {
                self.close(&key, next);
            }
            return;
        };
        open.items.push(item);
        if open.items.len() >= self.most {
            self.close(&key, next);
        }
    }

    /// Takes out what nobody wants any more.
    pub(super) fn take_unwanted(&mut self, gone: &mut Vec<T>) {
        let before: usize = gone.iter().map(T::count).sum();
        let due = &mut self.due;
        self.open.retain(|_, open| {
            open.items = super::chain::wanted(std::mem::take(&mut open.items), gone).collect();
            if open.items.is_empty() {
                due.take_back(open.ticket);
            }
            !open.items.is_empty()
        });
        self.held -= gone.iter().map(T::count).sum::<usize>() - before;
    }

    fn close(&mut self, key: &Key, next: &mut Going<T>) {
        let Some(open) = self.open.remove(key) else { return };
        self.due.take_back(open.ticket);
        self.held -= open.items.iter().map(T::count).sum::<usize>();
        let mut items = open.items.into_iter();
        next.extend(items.next().map(|first| (first.join(items), key.0.clone())));
    }

    pub(super) fn due(&self) -> Option<Instant> {
        self.due.first()
    }

    pub(super) fn advance(&mut self, now: Instant, next: &mut Going<T>) {
        while let Some(key) = self.due.pop(now) {
            self.close(&key, next);
        }
    }

    pub(super) fn flush(&mut self, next: &mut Going<T>) {
        while let Some(key) = self.due.pop_any() {
            self.close(&key, next);
        }
    }

    pub(super) fn held(&self) -> usize {
        self.held
    }
}
