//! One part of the keys.

use super::contents::{Collection, Contents};
use super::journal::Journal;
use super::redo::{Content, Part, Redo, Space};
use crate::knowledge::{Change, Data, Error, Key, KeyCommand, Operation, Reply, Version};
use crate::stream::clock;
use foldhash::fast::RandomState;
use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, UNIX_EPOCH};
use tokio::time::Instant;

/// A map of keys; its owner locks it.
#[derive(Debug, Default)]
pub(super) struct Shard {
    entries: HashMap<Key, Entry, RandomState>,
    /// The keys that have a deadline, by it.
    deadlines: BTreeSet<(Instant, Key)>,
    /// Counts the writes; a key lives in one shard, so its versions never come again.
    writes: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Entry {
    contents: Contents,
    version: u64,
    deadline: Option<Instant>,
}

impl Shard {
    pub(super) fn counting_from(writes: u64) -> Self {
        Self { writes, ..Self::default() }
    }

    /// The contents of `key`, whatever they are.
    pub(super) fn contents(&mut self, key: &Key, journal: &mut Journal) -> Option<&Contents> {
        self.entry(key, journal).map(|entry| &entry.contents)
    }

    /// What `f` reads from the collection under `key`; `None` if there is none.
    pub(super) fn read<C: Collection, R>(
        &mut self,
        key: &Key,
        journal: &mut Journal,
        f: impl FnOnce(Option<&C>) -> R,
    ) -> Result<R, Error> {
        match self.contents(key, journal) {
            None => Ok(f(None)),
            Some(contents) => match C::of(contents) {
                Some(collection) => Ok(f(Some(collection))),
                None => Err(wrong_kind::<C>(key, contents)),
            },
        }
    }

    /// What `f` does to the collection under `key`, which is made if there is none and unmade if none is left.
    pub(super) fn write<C: Collection, R>(
        &mut self,
        key: &Key,
        journal: &mut Journal,
        f: impl FnOnce(&mut C, &mut Journal) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let next = self.writes + 1;
        let Some(entry) = self.entry(key, journal) else {
            let mut collection = C::default();
            journal.take_changed();
            let reply = f(&mut collection, journal)?;
            if !collection.is_empty() {
                self.insert(key, collection.into_contents(), None, journal);
            }
            return Ok(reply);
        };
        let Some(collection) = C::of_mut(&mut entry.contents) else {
            return Err(wrong_kind::<C>(key, &entry.contents));
        };
        journal.take_changed();
        let steps = journal.redos.len();
        let reply = f(collection, journal)?;
        let emptied = collection.is_empty();
        if journal.take_changed() {
            entry.version = next;
            self.writes = next;
        }
        if emptied {
            // Instead of part by part it goes as a whole.
            journal.redos.take_back(steps);
            self.remove(key, journal);
            journal.record(|| Change::new(key.clone(), Operation::Del));
        }
        Ok(reply)
    }

    /// Puts `contents` under `key`, in place of whatever was there.
    pub(super) fn insert(
        &mut self,
        key: &Key,
        contents: Contents,
        deadline: Option<Instant>,
        journal: &mut Journal,
    ) -> Option<Contents> {
        self.writes += 1;
        self.record(key, &contents, deadline, journal);
        let entry = Entry { contents, version: self.writes, deadline };
        let old = self.entries.insert(key.clone(), entry);
        if let Some(at) = old.as_ref().and_then(|old| old.deadline) {
            self.deadlines.remove(&(at, key.clone()));
        }
        if let Some(at) = deadline {
            self.deadlines.insert((at, key.clone()));
        }
        old.map(|old| old.contents)
    }

    /// Puts `contents` under `key` and leaves the time it has.
    pub(super) fn replace(&mut self, key: &Key, contents: Contents, journal: &mut Journal) {
        let deadline = self.entries.get(key).and_then(|entry| entry.deadline);
        self.insert(key, contents, deadline, journal);
    }

    /// Takes `key` away.
    pub(super) fn remove(&mut self, key: &Key, journal: &mut Journal) -> Option<Contents> {
        let old = self.take(key)?;
        journal.redos.record(|| Redo::clear(old.contents.space(), key));
        if old.deadline.is_some() {
            journal.redos.record(|| Redo::clear(Space::Expiry, key));
        }
        Some(old.contents)
    }

    fn take(&mut self, key: &Key) -> Option<Entry> {
        let old = self.entries.remove(key)?;
        if let Some(at) = old.deadline {
            self.deadlines.remove(&(at, key.clone()));
        }
        Some(old)
    }

    /// What it means to put `contents` in place of what is there; the parts of a collection are recorded one by one.
    #[inline]
    fn record(&self, key: &Key, contents: &Contents, deadline: Option<Instant>, journal: &mut Journal) {
        if !journal.redos.wanted() {
            return;
        }
        let old = self.entries.get(key);
        if let Some(space) = old.map(|old| old.contents.space()).filter(|space| *space != contents.space()) {
            journal.redos.record(|| Redo::clear(space, key));
        }
        if let Contents::Value(value) = contents {
            journal.redos.record(|| Redo::put(Space::Value, key, Part::Whole, value));
        }
        if deadline != old.and_then(|old| old.deadline) {
            record_deadline(key, deadline, journal);
        }
    }

    pub(super) fn version(&mut self, key: &Key, journal: &mut Journal) -> Version {
        self.entry(key, journal).map_or(Version::ABSENT, |entry| Version::from_store(entry.version))
    }

    /// What is under `key`, to be put back by [`restore`](Self::restore).
    pub(super) fn snapshot(&self, key: &Key) -> Option<Entry> {
        self.entries.get(key).cloned()
    }

    pub(super) fn restore(&mut self, key: &Key, entry: Option<Entry>) {
        self.take(key);
        if let Some(entry) = entry {
            if let Some(at) = entry.deadline {
                self.deadlines.insert((at, key.clone()));
            }
            self.entries.insert(key.clone(), entry);
        }
    }

    /// Puts what is made under `key` if there is nothing yet; whether there was nothing.
    pub(super) fn restore_new(&mut self, key: &Key, contents: impl FnOnce() -> Contents) -> bool {
        let new = !self.entries.contains_key(key);
        if new {
            self.writes += 1;
            let entry = Entry { contents: contents(), version: self.writes, deadline: None };
            self.entries.insert(key.clone(), entry);
        }
        new
    }

    pub(super) fn contents_mut(&mut self, key: &Key) -> Option<&mut Contents> {
        self.entries.get_mut(key).map(|entry| &mut entry.contents)
    }

    /// Lets `key` cease after `lives`; whether it is there.
    pub(super) fn restore_deadline(&mut self, key: &Key, lives: Duration) -> bool {
        let Some(entry) = self.entries.get_mut(key) else { return false };
        entry.deadline = deadline(lives);
        if let Some(at) = entry.deadline {
            self.deadlines.insert((at, key.clone()));
        }
        true
    }

    /// The keys, those whose time has ended left out.
    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        let ended = |entry: &Entry| entry.deadline.is_some_and(|at| at <= Instant::now());
        self.entries.iter().filter(move |(_, entry)| !ended(entry)).map(|(key, _)| key)
    }

    /// Removes the keys whose time has ended; when the next one's does.
    pub(super) fn sweep(&mut self, now: Instant, journal: &mut Journal) -> Option<Instant> {
        while let Some((at, key)) = self.deadlines.first() {
            if *at > now {
                return Some(*at);
            }
            let key = key.clone();
            self.expire(&key, journal);
        }
        None
    }

    pub(super) fn apply(&mut self, key: &Key, command: KeyCommand, journal: &mut Journal) -> Reply {
        match command {
            KeyCommand::Exists => Reply::Flag(self.entry(key, journal).is_some()),
            KeyCommand::Kind => {
                self.contents(key, journal).map_or(Reply::Nil, |contents| Reply::Kind(contents.kind()))
            }
            KeyCommand::Version => Reply::Version(self.version(key, journal)),
            KeyCommand::TimeToLive => {
                let deadline = self.entry(key, journal).and_then(|entry| entry.deadline);
                deadline.map_or(Reply::Nil, |at| Reply::Time(at.saturating_duration_since(Instant::now())))
            }
            KeyCommand::Delete => {
                let there = self.entry(key, journal).is_some();
                if let Some(old) = self.remove(key, journal) {
                    journal.record(|| Change::new(key.clone(), Operation::Del).old(whole(old)));
                }
                Reply::Flag(there)
            }
            KeyCommand::Expire(after) => Reply::Flag(self.set_deadline(key, deadline(after), journal)),
            KeyCommand::Persist => {
                let had = self.entry(key, journal).is_some_and(|entry| entry.deadline.is_some());
                Reply::Flag(had && self.set_deadline(key, None, journal))
            }
        }
    }

    fn set_deadline(&mut self, key: &Key, deadline: Option<Instant>, journal: &mut Journal) -> bool {
        let Some(entry) = self.entry(key, journal) else { return false };
        let old = std::mem::replace(&mut entry.deadline, deadline);
        if let Some(at) = old {
            self.deadlines.remove(&(at, key.clone()));
        }
        if let Some(at) = deadline {
            self.deadlines.insert((at, key.clone()));
        }
        record_deadline(key, deadline, journal);
        let operation = if deadline.is_some() { Operation::Expire } else { Operation::Persist };
        journal.record(|| Change::new(key.clone(), operation));
        true
    }

    /// The entry of `key`, unless its time has ended; then it goes.
    #[inline]
    fn entry(&mut self, key: &Key, journal: &mut Journal) -> Option<&mut Entry> {
        let ended = match self.entries.get(key) {
            None => return None,
            Some(entry) => entry.deadline.is_some_and(|at| at <= Instant::now()),
        };
        if ended {
            self.expire(key, journal);
            return None;
        }
        self.entries.get_mut(key)
    }

    #[cold]
    fn expire(&mut self, key: &Key, journal: &mut Journal) {
        if let Some(old) = self.remove(key, journal) {
            journal.record(|| Change::new(key.clone(), Operation::Expired).old(whole(old)));
        }
    }
}

/// When something ends that lasts for `after` from now; `None` if that is beyond all clocks.
pub(super) fn deadline(after: Duration) -> Option<Instant> {
    Instant::now().checked_add(after)
}

fn record_deadline(key: &Key, deadline: Option<Instant>, journal: &mut Journal) {
    journal.redos.record(|| match deadline {
        Some(at) => Redo::put(Space::Expiry, key, Part::Whole, Content::At(on_the_wall(at))),
        None => Redo::clear(Space::Expiry, key),
    });
}

/// Milliseconds since 1970 at this moment, rounded up.
pub(super) fn on_the_wall(at: Instant) -> i64 {
    let (now, wall) = (Instant::now(), clock::now());
    let at = if at >= now { wall.checked_add(at - now) } else { wall.checked_sub(now - at) };
    let since = at.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    since.and_then(|since| i64::try_from(since.as_nanos().div_ceil(1_000_000)).ok()).unwrap_or(i64::MAX)
}

/// The old value of a key that ceases; a collection is too much to be handed around.
fn whole(contents: Contents) -> Option<Data> {
    if let Contents::Value(value) = contents { Some(value) } else { None }
}

#[cold]
fn wrong_kind<C: Collection>(key: &Key, held: &Contents) -> Error {
    Error::WrongKind { key: key.clone(), asked: C::KIND, held: held.kind() }
}
