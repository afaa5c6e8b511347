//! One log with its groups.

use super::redo::{Content, LogRedos, Part, Redo, Space};
use super::shard::on_the_wall;
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
    fn new(consumer: &ConsumerName, attempts: u64) -> Self {
        Self { consumer: consumer.clone(), since: Instant::now(), before: Duration::ZERO, attempts }
    }

    fn content(&self) -> Content {
        let before = i64::try_from(self.before.as_millis()).unwrap_or(i64::MAX);
        let since = on_the_wall(self.since).saturating_sub(before);
        Content::Held { consumer: self.consumer.clone(), since, attempts: self.attempts }
    }

    fn idle(&self, now: Instant) -> Duration {
        self.before.saturating_add(now.saturating_duration_since(self.since))
    }
}

impl Log {
    /// Whether anything was ever done to it.
    pub(super) fn exists(&self) -> bool {
        self.last > EventId::MIN || !self.groups.is_empty()
    }

    pub(super) fn append(&mut self, event: Event, redos: &mut LogRedos) -> EventId {
        let millis = clock::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        let now = EventId::new(u64::try_from(millis).unwrap_or(u64::MAX), 0);
        let id = now.max(self.last.next());
        let event = Arc::new(event);
        redos.record(|log| Redo::Put(Space::Entry, log, Part::Id(id), Content::Event(event.clone())));
        self.entries.insert(id, event);
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

    pub(super) fn delete(&mut self, ids: Vec<EventId>, redos: &mut LogRedos) -> Vec<EventId> {
        let needed = |id: &EventId| self.groups.values().any(|group| group.needs(id));
        let gone: Vec<_> =
            ids.into_iter().filter(|id| self.entries.contains_key(id) && !needed(id)).collect();
        self.take_out(&gone, redos);
        gone
    }

    fn take_out(&mut self, ids: &[EventId], redos: &mut LogRedos) {
        for id in ids {
            self.entries.remove(id);
            redos.record(|log| Redo::Remove(Space::Entry, log, Part::Id(*id)));
        }
        if ids.contains(&self.last) {
            // No place is given twice, also when nothing is there any more that shows it was given.
            redos.record(|log| Redo::Put(Space::Last, log, Part::Whole, Content::Id(self.last)));
        }
    }

    /// Removes what `keep` lets go and no group needs; how many entries.
    pub(super) fn trim(&mut self, keep: Retention, redos: &mut LogRedos) -> u64 {
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
            Retention::Needed if self.groups.is_empty() => Vec::new(),
            Retention::Needed => self.entries.range(..needed).map(|(id, _)| *id).collect(),
        };
        let goes: Vec<_> = goes.into_iter().take_while(|id| *id < needed).collect();
        self.take_out(&goes, redos);
        goes.len() as u64
    }

    /// It is removed with all that is in it.
    pub(super) fn forget(&self, redos: &mut LogRedos) {
        for group in self.groups.keys() {
            redos.forget(group);
        }
        for space in [Space::Entry, Space::Last] {
            redos.record(|log| Redo::Clear(space, log));
        }
        self.news.notify_waiters();
    }

    pub(super) fn create_group(&mut self, name: &GroupName, after: EventId, redos: &mut LogRedos) -> bool {
        if self.groups.contains_key(name) {
            return false;
        }
        let group = Group::behind(after.min(self.last));
        group.record_last(name, redos);
        self.groups.insert(name.clone(), group);
        true
    }

    /// Whether there is such a group.
    pub(super) fn seek(&mut self, name: &GroupName, after: EventId, redos: &mut LogRedos) -> bool {
        let Some(group) = self.groups.get_mut(name) else { return false };
        let after = after.min(self.last);
        if after < group.last {
            self.news.notify_waiters();
        }
        group.last = after;
        group.record_last(name, redos);
        true
    }

    pub(super) fn remove_group(&mut self, name: &GroupName, redos: &mut LogRedos) -> bool {
        let there = self.groups.remove(name).is_some();
        if there {
            redos.forget(name);
            self.news.notify_waiters();
        }
        there
    }

    /// Entries that nobody of the group has got; `None` if there is no such group.
    pub(super) fn read(
        &mut self,
        name: &GroupName,
        consumer: &ConsumerName,
        count: usize,
        redos: &mut LogRedos,
    ) -> Option<Vec<Delivered>> {
        let group = self.groups.get_mut(name)?;
        group.enter(name, consumer, redos);
        let mut read = Vec::new();
        for (id, event) in self.entries.range(group.last.next()..).take(count) {
            let held = Held::new(consumer, 1);
            record_held(name, *id, &held, redos);
            group.pending.insert(*id, held);
            read.push(Delivered { entry: entry(*id, event), attempt: 1 });
        }
        if let Some(last) = read.last() {
            group.last = last.entry.id;
            group.record_last(name, redos);
        }
        Some(read)
    }

    /// Hands pending entries for which `takes` is true to `consumer` once more.
    pub(super) fn deliver_again(
        &mut self,
        name: &GroupName,
        consumer: &ConsumerName,
        count: usize,
        takes: impl Fn(&Pending) -> bool,
        redos: &mut LogRedos,
    ) -> Option<Vec<Delivered>> {
        let group = self.groups.get_mut(name)?;
        group.enter(name, consumer, redos);
        let now = Instant::now();
        let mut again = Vec::new();
        for (id, held) in &mut group.pending {
            if again.len() == count {
                break;
            }
            // What is no longer in the log cannot be there: nothing that is pending is removed.
            let Some(event) = self.entries.get(id) else { continue };
            if takes(&pending(*id, held, now)) {
                *held = Held::new(consumer, held.attempts + 1);
                record_held(name, *id, held, redos);
                again.push(Delivered { entry: entry(*id, event), attempt: held.attempts });
            }
        }
        Some(again)
    }

    /// As [`EventLog::set_idle`](crate::event::EventLog::set_idle), and that many of their deliveries do not count.
    pub(super) fn set_idle(
        &mut self,
        name: &GroupName,
        consumer: &ConsumerName,
        ids: Vec<EventId>,
        (idle, uncounted): (Duration, u64),
        redos: &mut LogRedos,
    ) -> Vec<EventId> {
        let Some(group) = self.groups.get_mut(name) else { return Vec::new() };
        let now = Instant::now();
        let mine = ids.into_iter().filter(|id| {
            let held = group.pending.get_mut(id).filter(|held| held.consumer == *consumer);
            let Some(held) = held else { return false };
            (held.since, held.before) = (now, idle);
            held.attempts = held.attempts.saturating_sub(uncounted);
            record_held(name, *id, held, redos);
            true
        });
        mine.collect()
    }

    /// Whether the entry is pending for this consumer.
    pub(super) fn is_pending(&self, group: &GroupName, consumer: &ConsumerName, id: EventId) -> bool {
        let held = self.groups.get(group).and_then(|group| group.pending.get(&id));
        held.is_some_and(|held| held.consumer == *consumer)
    }

    pub(super) fn acknowledge(&mut self, name: &GroupName, ids: &[EventId], redos: &mut LogRedos) -> u64 {
        let Some(group) = self.groups.get_mut(name) else { return 0 };
        let done = ids.iter().filter(|id| group.pending.remove(id).is_some());
        let done = done.inspect(|id| {
            redos.record_in(name, |group| Redo::Remove(Space::Pending, group, Part::Id(**id)));
        });
        done.count() as u64
    }

    pub(super) fn pending(&self, group: &GroupName, from: EventId, count: usize) -> Option<Vec<Pending>> {
        let now = Instant::now();
        let held = self.groups.get(group)?.pending.range(from..).take(count);
        Some(held.map(|(id, held)| pending(*id, held, now)).collect())
    }

    pub(super) fn leave(&mut self, name: &GroupName, consumer: &ConsumerName, redos: &mut LogRedos) {
        if let Some(group) = self.groups.get_mut(name)
            && group.pending.values().all(|held| held.consumer != *consumer)
            && group.consumers.remove(consumer)
        {
            let part = || Part::name(consumer.as_str());
            redos.record_in(name, |group| Redo::Remove(Space::Consumer, group, part()));
        }
    }
}

/// What is read again after a restart; each is there only once, in the order of [`Space`].
impl Log {
    pub(super) fn restore_entry(&mut self, id: EventId, event: Arc<Event>) {
        self.last = self.last.max(id);
        self.entries.insert(id, event);
    }

    pub(super) fn restore_last(&mut self, last: EventId) {
        self.last = self.last.max(last);
    }

    pub(super) fn restore_group(&mut self, name: &GroupName, last: EventId) {
        self.groups.insert(name.clone(), Group::behind(last));
    }

    /// Whether there is such a group.
    pub(super) fn restore_consumer(&mut self, group: &GroupName, consumer: &ConsumerName) -> bool {
        self.groups.get_mut(group).map(|group| group.consumers.insert(consumer.clone())).is_some()
    }

    /// Whether there is such a group.
    pub(super) fn restore_pending(
        &mut self,
        group: &GroupName,
        id: EventId,
        consumer: &ConsumerName,
        since: i64,
        attempts: u64,
    ) -> bool {
        let idle = on_the_wall(Instant::now()).saturating_sub(since);
        let before = Duration::from_millis(u64::try_from(idle).unwrap_or(0));
        let held = Held { before, ..Held::new(consumer, attempts) };
        self.groups.get_mut(group).map(|group| group.pending.insert(id, held)).is_some()
    }
}

impl Group {
    fn behind(last: EventId) -> Self {
        Self { last, pending: BTreeMap::new(), consumers: BTreeSet::new() }
    }

    fn enter(&mut self, name: &GroupName, consumer: &ConsumerName, redos: &mut LogRedos) {
        if !self.consumers.contains(consumer) {
            self.consumers.insert(consumer.clone());
            let part = || Part::name(consumer.as_str());
            redos.record_in(name, |group| Redo::Put(Space::Consumer, group, part(), Content::Nothing));
        }
    }

    fn record_last(&self, name: &GroupName, redos: &mut LogRedos) {
        let part = || Part::name(name.as_str());
        redos.record(|log| Redo::Put(Space::Group, log, part(), Content::Id(self.last)));
    }

    /// The first entry it has not acknowledged.
    fn first_needed(&self) -> EventId {
        self.pending.keys().next().copied().unwrap_or(EventId::MAX).min(self.last.next())
    }

    fn needs(&self, id: &EventId) -> bool {
        *id > self.last || self.pending.contains_key(id)
    }
}

fn record_held(group: &GroupName, id: EventId, held: &Held, redos: &mut LogRedos) {
    redos.record_in(group, |group| Redo::Put(Space::Pending, group, Part::Id(id), held.content()));
}

fn entry(id: EventId, event: &Event) -> Entry {
    Entry { id, event: Ok(event.clone()) }
}

fn pending(id: EventId, held: &Held, now: Instant) -> Pending {
    Pending { id, consumer: held.consumer.clone(), idle: held.idle(now), attempts: held.attempts }
}
