//! One log with its groups.

use crate::event::{
    ConsumerName, Delivered, Entry, Event, EventId, GroupInfo, GroupName, LogInfo, Pending, Retention,
};
use crate::stream::clock;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::Notify;
use tokio::time::Instant;

/// Events in order, and what each group has got of them; its owner locks it.
#[derive(Debug, Default)]
pub(super) struct Log {
    entries: BTreeMap<EventId, Arc<Event>>,
    last: EventId,
    groups: BTreeMap<GroupName, Group>,
    /// Told when something was appended, or the log or a group was removed.
    pub(super) news: Arc<Notify>,
}

#[derive(Debug)]
struct Group {
    /// The last entry that was delivered.
    last: EventId,
    pending: BTreeMap<EventId, Held>,
    consumers: BTreeSet<ConsumerName>,
}

/// An entry that a consumer has.
#[derive(Debug)]
struct Held {
    consumer: ConsumerName,
    /// Idle since, and how long it had been idle then.
    since: Instant,
    before: Duration,
    attempts: u64,
}

impl Held {
    fn idle(&self, now: Instant) -> Duration {
        self.before.saturating_add(now.saturating_duration_since(self.since))
    }
}

impl Log {
    /// Whether anything was ever done to it.
    pub(super) fn exists(&self) -> bool {
        self.last > EventId::MIN || !self.groups.is_empty()
    }

    pub(super) fn append(&mut self, event: Event) -> EventId {
        let millis = clock::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        let now = EventId::new(u64::try_from(millis).unwrap_or(u64::MAX), 0);
        let id = now.max(self.last.next());
        self.entries.insert(id, Arc::new(event));
        self.last = id;
        self.news.notify_waiters();
        id
    }

    pub(super) fn range(&self, from: EventId, to: EventId, count: usize) -> Vec<Entry> {
        if from > to {
            return Vec::new();
        }
        self.entries.range(from..=to).take(count).map(|(id, event)| entry(*id, event)).collect()
    }

    pub(super) fn info(&self) -> LogInfo {
        let groups = self.groups.iter().map(|(name, group)| GroupInfo {
            name: name.clone(),
            last_delivered: group.last,
            lag: self.entries.range(group.last.next()..).count() as u64,
            pending: group.pending.len() as u64,
            consumers: group.consumers.len() as u64,
        });
        LogInfo { len: self.entries.len() as u64, last: self.last, groups: groups.collect() }
    }

    /// The place of the last event ever appended.
    pub(super) fn last(&self) -> EventId {
        self.last
    }

    pub(super) fn delete(&mut self, ids: Vec<EventId>) -> Vec<EventId> {
        let needed = |id: &EventId| self.groups.values().any(|group| group.needs(id));
        let gone: Vec<_> =
            ids.into_iter().filter(|id| self.entries.contains_key(id) && !needed(id)).collect();
        for id in &gone {
            self.entries.remove(id);
        }
        gone
    }

    /// Removes what `keep` lets go and no group needs; which entries.
    pub(super) fn trim(&mut self, keep: Retention) -> Vec<EventId> {
        let needed = self.groups.values().map(Group::first_needed).min().unwrap_or(EventId::MAX);
        let goes: Vec<EventId> = match keep {
            Retention::Entries(n) => {
                let extra = self.entries.len().saturating_sub(usize::try_from(n).unwrap_or(usize::MAX));
                self.entries.keys().take(extra).copied().collect()
            }
            Retention::Age(age) => {
                let oldest = clock::now().checked_sub(age).unwrap_or(SystemTime::UNIX_EPOCH);
                let millis = oldest.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
                let oldest = EventId::new(u64::try_from(millis).unwrap_or(u64::MAX), 0);
                self.entries.range(..oldest).map(|(id, _)| *id).collect()
            }
        };
        let goes: Vec<_> = goes.into_iter().take_while(|id| *id < needed).collect();
        for id in &goes {
            self.entries.remove(id);
        }
        goes
    }

    pub(super) fn create_group(&mut self, name: &GroupName, after: EventId) -> bool {
        if self.groups.contains_key(name) {
            return false;
        }
        let group =
            Group { last: after.min(self.last), pending: BTreeMap::new(), consumers: BTreeSet::new() };
        self.groups.insert(name.clone(), group);
        true
    }

    pub(super) fn remove_group(&mut self, name: &GroupName) -> bool {
        let there = self.groups.remove(name).is_some();
        if there {
            self.news.notify_waiters();
        }
        there
    }

    /// Entries that nobody of the group has got; `None` if there is no such group.
    pub(super) fn read(
        &mut self,
        group: &GroupName,
        consumer: &ConsumerName,
        count: usize,
    ) -> Option<Vec<Delivered>> {
        let group = self.groups.get_mut(group)?;
        group.consumers.insert(consumer.clone());
        let now = Instant::now();
        let mut read = Vec::new();
        for (id, event) in self.entries.range(group.last.next()..).take(count) {
            let held = Held { consumer: consumer.clone(), since: now, before: Duration::ZERO, attempts: 1 };
            group.pending.insert(*id, held);
            read.push(Delivered { entry: entry(*id, event), attempt: 1 });
        }
        if let Some(last) = read.last() {
            group.last = last.entry.id;
        }
        Some(read)
    }

    /// Hands pending entries for which `takes` is true to `consumer` once more.
    pub(super) fn deliver_again(
        &mut self,
        group: &GroupName,
        consumer: &ConsumerName,
        count: usize,
        takes: impl Fn(&Pending) -> bool,
    ) -> Option<Vec<Delivered>> {
        let group = self.groups.get_mut(group)?;
        group.consumers.insert(consumer.clone());
        let now = Instant::now();
        let mut again = Vec::new();
        for (id, held) in &mut group.pending {
            if again.len() == count {
                break;
            }
            // What is no longer in the log cannot be there: nothing that is pending is removed.
            let Some(event) = self.entries.get(id) else { continue };
            if takes(&pending(*id, held, now)) {
                held.consumer = consumer.clone();
                (held.since, held.before) = (now, Duration::ZERO);
                held.attempts += 1;
                again.push(Delivered { entry: entry(*id, event), attempt: held.attempts });
            }
        }
        Some(again)
    }

    pub(super) fn set_idle(
        &mut self,
        group: &GroupName,
        consumer: &ConsumerName,
        ids: Vec<EventId>,
        idle: Duration,
    ) -> Vec<EventId> {
        let Some(group) = self.groups.get_mut(group) else { return Vec::new() };
        let now = Instant::now();
        let mine = ids.into_iter().filter(|id| {
            let held = group.pending.get_mut(id).filter(|held| held.consumer == *consumer);
            held.map(|held| (held.since, held.before) = (now, idle)).is_some()
        });
        mine.collect()
    }

    /// Whether the entry is pending for this consumer.
    pub(super) fn is_pending(&self, group: &GroupName, consumer: &ConsumerName, id: EventId) -> bool {
        let held = self.groups.get(group).and_then(|group| group.pending.get(&id));
        held.is_some_and(|held| held.consumer == *consumer)
    }

    pub(super) fn acknowledge(&mut self, group: &GroupName, ids: &[EventId]) -> u64 {
        let Some(group) = self.groups.get_mut(group) else { return 0 };
        ids.iter().filter(|id| group.pending.remove(id).is_some()).count() as u64
    }

    pub(super) fn pending(&self, group: &GroupName, from: EventId, count: usize) -> Option<Vec<Pending>> {
        let now = Instant::now();
        let held = self.groups.get(group)?.pending.range(from..).take(count);
        Some(held.map(|(id, held)| pending(*id, held, now)).collect())
    }

    pub(super) fn leave(&mut self, group: &GroupName, consumer: &ConsumerName) {
        if let Some(group) = self.groups.get_mut(group)
            && group.pending.values().all(|held| held.consumer != *consumer)
        {
            group.consumers.remove(consumer);
        }
    }
}

impl Group {
    /// The first entry it has not acknowledged.
    fn first_needed(&self) -> EventId {
        self.pending.keys().next().copied().unwrap_or(EventId::MAX).min(self.last.next())
    }

    fn needs(&self, id: &EventId) -> bool {
        *id > self.last || self.pending.contains_key(id)
    }
}

fn entry(id: EventId, event: &Event) -> Entry {
    Entry { id, event: Ok(event.clone()) }
}

fn pending(id: EventId, held: &Held, now: Instant) -> Pending {
    Pending { id, consumer: held.consumer.clone(), idle: held.idle(now), attempts: held.attempts }
}
