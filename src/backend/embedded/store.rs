//! Knowledge in memory.

use super::event_log::Logs;
use super::expiry::Expiry;
use super::journal::Journal;
use super::shard::Shard;
use super::waiters::Waiters;
use super::watchers::Watchers;
use super::{hash, list, set, sorted, value};
use crate::channel::Pattern;
use crate::knowledge::{
    Changes, Command, Committed, Cursor, End, Error, Filter, Key, KeyCommand, ListCommand, Page, Pop, Popped,
    Reply, SortedCommand, Store, Transaction, ValueCommand,
};
use crate::stream::Answer;
use foldhash::fast::RandomState;
use parking_lot::{Mutex, MutexGuard};
use std::fmt;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::Duration;

/// How many parts the keys are in: a power of two, several times the threads that work at once.
pub(super) const SHARDS: usize = 64;

/// A [`Store`] in this process' memory; clones share it.
#[derive(Clone)]
pub(in crate::backend) struct MemoryStore {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
    pub(super) watchers: Arc<Watchers>,
    pub(super) waiters: Arc<Waiters>,
    pub(super) expiry: Expiry,
    pub(super) logs: Mutex<Logs>,
}

impl MemoryStore {
    pub(in crate::backend) fn new() -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        let inner = Inner {
            shards,
            hasher: RandomState::default(),
            watchers: Arc::default(),
            waiters: Arc::default(),
            expiry: Expiry::default(),
            logs: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    #[inline]
    fn apply(&self, key: &Key, command: Command) -> Result<Reply, Error> {
        let lives = lives(&command);
        let mut shard = self.inner.lock(self.inner.index(key));
        let mut journal = self.inner.journal();
        let reply = apply(&mut shard, key, command, &mut journal);
        self.inner.tell(&journal);
        drop(shard);
        if let Some(lives) = lives {
            self.inner.expiry.look_again(&self.inner, lives);
        }
        reply
    }
}

impl Store for MemoryStore {
    #[inline]
    fn run(&self, key: &Key, command: Command) -> Answer<Result<Reply, Error>> {
        Answer::ready(self.apply(key, command))
    }

    fn pop(&self, key: &Key, from: Pop) -> Answer<Result<Popped, Error>> {
        match self.try_pop(key, from) {
            Ok(Some(popped)) => return Answer::ready(Ok(popped)),
            Ok(None) => {}
            Err(error) => return Answer::ready(Err(error)),
        }
        let (store, key, taker) = (self.clone(), key.clone(), self.inner.waiters.enter(key));
        Answer::pending(async move {
            loop {
                let notified = taker.notify.notified();
                tokio::pin!(notified);
                // In line before looking, so that no push between looking and waiting is overheard.
                notified.as_mut().enable();
                if let Some(popped) = store.try_pop(&key, from)? {
                    return Ok(popped);
                }
                notified.await;
            }
        })
    }

    fn commit(&self, transaction: Transaction) -> Answer<Result<Committed, Error>> {
        let lives = transaction.steps().iter().filter_map(|(_, command)| lives(command)).min();
        let committed = super::transaction::commit(&self.inner, transaction);
        if let Some(lives) = lives {
            self.inner.expiry.look_again(&self.inner, lives);
        }
        Answer::ready(committed)
    }

    fn scan(&self, pattern: &Pattern, from: Cursor) -> Answer<Result<Page, Error>> {
        let Some(shard) = self.inner.shards.get(from.part as usize) else {
            return Answer::ready(Ok(Page { keys: Vec::new(), next: None }));
        };
        let keys = shard.lock().keys().filter(|key| pattern.matches(key)).cloned().collect();
        let next = Some(from.part + 1).filter(|part| (*part as usize) < SHARDS);
        let next = next.map(|part| Cursor { part, place: 0 });
        Answer::ready(Ok(Page { keys, next }))
    }

    fn watch(&self, filter: Filter) -> Answer<Result<Changes, Error>> {
        Answer::ready(Ok(self.inner.watchers.watch(filter)))
    }
}

impl MemoryStore {
    fn try_pop(&self, key: &Key, from: Pop) -> Result<Option<Popped>, Error> {
        let command = match from {
            Pop::Front => ListCommand::Pop(End::Front).into(),
            Pop::Back => ListCommand::Pop(End::Back).into(),
            Pop::Min => SortedCommand::PopMin.into(),
        };
        Ok(match self.apply(key, command)? {
            Reply::Data(item) => Some(Popped { item, score: None }),
            Reply::Scored(scored) => {
                scored.into_iter().next().map(|(item, score)| Popped { item, score: Some(score) })
            }
            _ => None,
        })
    }
}

impl Inner {
    /// The shard in which `key` is.
    #[inline]
    pub(super) fn index(&self, key: &Key) -> usize {
        // The upper half, because the map inside of the shard goes by the lower bits.
        (self.hasher.hash_one(key.as_str()) >> 32) as usize % SHARDS
    }

    #[inline]
    #[expect(
        clippy::indexing_slicing,
        reason = "every index comes from `index`, which is below the number of shards"
    )]
    pub(super) fn lock(&self, index: usize) -> MutexGuard<'_, Shard> {
        self.shards[index].lock()
    }

    pub(super) fn shards(&self) -> impl Iterator<Item = MutexGuard<'_, Shard>> {
        self.shards.iter().map(Mutex::lock)
    }

    /// Made while the shard is locked.
    #[inline]
    pub(super) fn journal(&self) -> Journal {
        Journal::new(self.watchers.any(), self.waiters.any())
    }

    /// Tells all who watch and wait; called while the shard is locked.
    #[inline]
    pub(super) fn tell(&self, journal: &Journal) {
        if !journal.changes.is_empty() {
            self.watchers.tell(&journal.changes);
        }
        for (key, items) in &journal.pushed {
            self.waiters.wake(key, *items);
        }
    }
}

/// Does one command on a key of this shard.
#[inline]
pub(super) fn apply(
    shard: &mut Shard,
    key: &Key,
    command: Command,
    journal: &mut Journal,
) -> Result<Reply, Error> {
    match command {
        Command::Key(command) => Ok(shard.apply(key, command, journal)),
        Command::Value(command) => value::apply(shard, key, command, journal),
        Command::Hash(command) => hash::apply(shard, key, command, journal),
        Command::Set(command) => set::apply(shard, key, command, journal),
        Command::List(command) => list::apply(shard, key, command, journal),
        Command::Sorted(command) => sorted::apply(shard, key, command, journal),
    }
}

/// The time to live that the command gives its key.
fn lives(command: &Command) -> Option<Duration> {
    match command {
        Command::Key(KeyCommand::Expire(after)) => Some(*after),
        Command::Value(ValueCommand::Set { expiry, .. }) => *expiry,
        _ => None,
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("memory")
    }
}
