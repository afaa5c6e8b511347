//! Knowledge in memory.

use super::durable::{Admission, Durable, Trouble};
use super::event_log::Logs;
use super::expiry::Expiry;
use super::journal::Journal;
use super::redo::Redos;
use super::shard::Shard;
use super::waiters::Waiters;
use super::watchers::Watchers;
use super::{hash, list, set, size, sorted, value};
use crate::backend::keeper::Keeper;
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
    /// Ends with the last handle; what goes on by itself has none.
    _keeper: Option<Arc<dyn Keeper>>,
}

pub(super) struct Inner {
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
    pub(super) watchers: Arc<Watchers>,
    pub(super) waiters: Arc<Waiters>,
    pub(super) expiry: Expiry,
    pub(super) logs: Mutex<Logs>,
    /// Where what is done goes to be kept; nowhere for what is in memory only.
    durable: Option<Arc<Durable>>,
}

impl MemoryStore {
    pub(in crate::backend) fn new() -> Self {
        Self::with(None, 0)
    }

    /// One whose changes go into `durable`; each shard counts its writes from `writes` on.
    pub(super) fn with(durable: Option<Arc<Durable>>, writes: u64) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::new(Shard::counting_from(writes))).collect();
        let inner = Inner {
            shards,
            hasher: RandomState::default(),
            watchers: Arc::default(),
            waiters: Arc::default(),
            expiry: Expiry::default(),
            logs: Mutex::default(),
            durable,
        };
        Self { inner: Arc::new(inner), _keeper: None }
    }

    /// A handle as users have it.
    pub(in crate::backend) fn kept_by(self, keeper: Arc<dyn Keeper>) -> Self {
        Self { _keeper: Some(keeper), ..self }
    }

    /// What the command did, and the batch after which that is kept.
    #[inline]
    fn apply(&self, key: &Key, command: Command) -> (Result<Reply, Error>, u64) {
        let lives = lives(&command);
        let mut shard = self.inner.lock(self.inner.index(key));
        let mut journal = self.inner.journal();
        let reply = apply(&mut shard, key, command, &mut journal);
        let batch = self.inner.tell(journal);
        drop(shard);
        if let Some(lives) = lives {
            self.inner.expiry.look_again(&self.inner, lives);
        }
        (reply, batch)
    }

    /// Does `f`, which says after which batch what it did is kept, when there is room for it; answers when it is kept.
    pub(super) fn durably<T: Send + 'static, E: Send + 'static>(
        &self,
        told: impl Fn(Trouble) -> E + Send + 'static,
        f: impl FnOnce(&Self) -> (Result<T, E>, u64) + Send + 'static,
    ) -> Answer<Result<T, E>> {
        let store = Self { inner: self.inner.clone(), _keeper: None };
        match self.inner.admit() {
            Admission::Now => {
                let (done, batch) = f(self);
                match done {
                    Ok(done) if !store.inner.is_kept(batch) => Answer::pending(async move {
                        store.inner.kept(batch).await.map_err(told)?;
                        Ok(done)
                    }),
                    done => Answer::ready(done),
                }
            }
            Admission::Never(trouble) => Answer::ready(Err(told(trouble))),
            Admission::Later => Answer::pending(async move {
                store.inner.admitted().await.map_err(&told)?;
                let (done, batch) = f(&store);
                let done = done?;
                store.inner.kept(batch).await.map_err(told)?;
                Ok(done)
            }),
        }
    }
}

impl Store for MemoryStore {
    #[inline]
    fn run(&self, key: &Key, command: Command) -> Answer<Result<Reply, Error>> {
        if !self.inner.is_durable() || command.is_read() {
            return Answer::ready(self.apply(key, command).0);
        }
        if let Err(error) = size::check(key, &command) {
            return Answer::ready(Err(error));
        }
        let (key, named) = (key.clone(), key.clone());
        self.durably(move |trouble| trouble.with_key(&named), move |store| store.apply(&key, command))
    }

    fn pop(&self, key: &Key, from: Pop) -> Answer<Result<Popped, Error>> {
        if !self.inner.is_durable() {
            match self.try_pop(key, from).0 {
                Ok(Some(popped)) => return Answer::ready(Ok(popped)),
                Ok(None) => {}
                Err(error) => return Answer::ready(Err(error)),
            }
        }
        let (store, key, taker) = (self.clone(), key.clone(), self.inner.waiters.enter(key));
        Answer::pending(async move {
            let told = |trouble: Trouble| trouble.with_key(&key);
            loop {
                let (popped, batch) = {
                    let notified = taker.notify.notified();
                    tokio::pin!(notified);
                    // In line before looking, so that no push between looking and waiting is overheard.
                    notified.as_mut().enable();
                    store.inner.admitted().await.map_err(told)?;
                    match store.try_pop(&key, from) {
                        (Ok(Some(popped)), batch) => (popped, batch),
                        (Ok(None), _) => {
                            notified.await;
                            continue;
                        }
                        (Err(error), _) => return Err(error),
                    }
                };
                let on_its_way = Taken::new(&store.inner, &key, from, popped);
                store.inner.kept(batch).await.map_err(told)?;
                return Ok(on_its_way.deliver());
            }
        })
    }

    fn commit(&self, transaction: Transaction) -> Answer<Result<Committed, Error>> {
        let lives = transaction.steps().iter().filter_map(|(_, command)| lives(command)).min();
        if self.inner.is_durable()
            && let Err(error) = size::check_all(&transaction)
        {
            return Answer::ready(Err(error));
        }
        let first = transaction.steps().first().map_or_else(|| Key::from(""), |(key, _)| key.clone());
        self.durably(
            move |trouble| trouble.with_key(&first),
            move |store| {
                let committed = super::transaction::commit(&store.inner, transaction);
                if let Some(lives) = lives {
                    store.inner.expiry.look_again(&store.inner, lives);
                }
                committed
            },
        )
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
    fn try_pop(&self, key: &Key, from: Pop) -> (Result<Option<Popped>, Error>, u64) {
        let command = match from {
            Pop::Front => ListCommand::Pop(End::Front).into(),
            Pop::Back => ListCommand::Pop(End::Back).into(),
            Pop::Min => SortedCommand::PopMin.into(),
        };
        let (reply, batch) = self.apply(key, command);
        let popped = reply.map(|reply| match reply {
            Reply::Data(item) => Some(Popped { item, score: None }),
            Reply::Scored(scored) => {
                scored.into_iter().next().map(|(item, score)| Popped { item, score: Some(score) })
            }
            _ => None,
        });
        (popped, batch)
    }

    /// Ends the watching, and lets those who wait see that nothing more is to be had.
    pub(in crate::backend) fn close(&self) {
        self.inner.watchers.close();
        self.inner.waiters.close();
        for log in self.inner.logs.lock().values() {
            log.news.notify_waiters();
        }
    }

    /// Puts an item back that was popped and got nowhere.
    pub(in crate::backend) fn put_back(&self, key: &Key, from: Pop, popped: Popped) {
        self.inner.put_back(key, from, popped);
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
        Journal::new(self.watchers.any(), self.waiters.any(), self.redos())
    }

    #[inline]
    pub(super) fn redos(&self) -> Redos {
        Redos::new(self.is_durable())
    }

    /// Tells all who watch and wait, and hands over what is to be kept; called while the shard is locked. The batch
    /// after which it is kept.
    #[inline]
    pub(super) fn tell(&self, journal: Journal) -> u64 {
        if !journal.changes.is_empty() {
            self.watchers.tell(&journal.changes);
        }
        for (key, items) in &journal.pushed {
            self.waiters.wake(key, *items);
        }
        self.keep(journal.redos)
    }

    fn put_back(&self, key: &Key, from: Pop, Popped { item, score }: Popped) {
        let mut shard = self.lock(self.index(key));
        let mut journal = self.journal();
        let mut apply = |command: Command| apply(&mut shard, key, command, &mut journal);
        // Whatever else is there by now stays; an item that cannot be put beside it is gone with what it was in.
        let _ = match from {
            Pop::Front => apply(ListCommand::Push(End::Front, item.into()).into()),
            Pop::Back => apply(ListCommand::Push(End::Back, item.into()).into()),
            Pop::Min => match apply(SortedCommand::Score(item.clone()).into()) {
                Ok(Reply::Nil) => apply(SortedCommand::Add((item, score.unwrap_or(0.0)).into()).into()),
                other => other,
            },
        };
        self.tell(journal);
    }
}

/// Nothing to wait for where nothing is kept.
impl Inner {
    #[inline]
    pub(super) fn is_durable(&self) -> bool {
        self.durable.is_some()
    }

    #[inline]
    pub(super) fn keep(&self, redos: Redos) -> u64 {
        self.durable.as_ref().map_or(0, |durable| durable.push(redos.into_steps()))
    }

    pub(super) fn admit(&self) -> Admission {
        self.durable.as_ref().map_or(Admission::Now, |durable| durable.admit())
    }

    /// Waits until a write may begin.
    pub(super) async fn admitted(&self) -> Result<(), Trouble> {
        loop {
            match (self.admit(), &self.durable) {
                (Admission::Never(trouble), _) => return Err(trouble),
                (Admission::Later, Some(durable)) => durable.room().await,
                _ => return Ok(()),
            }
        }
    }

    pub(super) fn is_kept(&self, batch: u64) -> bool {
        self.durable.as_ref().is_none_or(|durable| durable.is_kept(batch))
    }

    pub(super) async fn kept(&self, batch: u64) -> Result<(), Trouble> {
        match &self.durable {
            Some(durable) => durable.kept(batch).await,
            None => Ok(()),
        }
    }
}

/// An item on its way to a taker; if it does not get there it goes back.
struct Taken<'a> {
    inner: &'a Inner,
    key: &'a Key,
    from: Pop,
    popped: Option<Popped>,
}

impl<'a> Taken<'a> {
    fn new(inner: &'a Inner, key: &'a Key, from: Pop, popped: Popped) -> Self {
        Self { inner, key, from, popped: Some(popped) }
    }

    #[expect(clippy::expect_used, reason = "only dropping it takes the item out otherwise")]
    fn deliver(mut self) -> Popped {
        self.popped.take().expect("an item is delivered once")
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if let Some(popped) = self.popped.take() {
            self.inner.put_back(self.key, self.from, popped);
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
        f.write_str(if self.inner.is_durable() { "file" } else { "memory" })
    }
}
