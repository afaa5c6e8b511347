//! What a backend has to be able to do to hold knowledge.

use super::{Changes, Command, Committed, Data, Error, Filter, Key, Reply, Transaction, score};
use crate::channel::Pattern;
use crate::stream::Answer;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Holds knowledge: a map from keys to values and collections, shared by everyone who has a handle.
///
/// The typed collections ([`Set`](super::Set), [`Hash`](super::Hash), …) are views over it; a backend implements these
/// five methods. All of them may be called from any task or thread; an implementation that has to wait returns a
/// pending [`Answer`], one that knows answers at once.
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// Does one command on one key, atomically.
    ///
    /// # Cancel safety
    ///
    /// Dropping a pending answer leaves open whether a write happens; a pop that is not delivered may be lost with it,
    /// use [`pop`](Self::pop) for those.
    fn run(&self, key: &Key, command: Command) -> Answer<Result<Reply, Error>>;

    /// Takes an item from a list or sorted set, waiting for one if there is none.
    ///
    /// Each item goes to exactly one of those who wait; they are served in the order in which they began to wait, as
    /// far as the store can tell.
    ///
    /// # Cancel safety
    ///
    /// Dropping the answer takes no item.
    fn pop(&self, key: &Key, from: Pop) -> Answer<Result<Popped, Error>>;

    /// Does all of a transaction or nothing of it; nobody sees it half done.
    ///
    /// # Errors
    ///
    /// [`Error::Conflict`] when a condition does not hold; others as for the single commands, among them
    /// [`Error::WrongKind`], which is checked for all commands before any is done: a key is of the kind it has when the
    /// transaction begins, then of the kind its commands make it, until a `set` or `del` among them.
    fn commit(&self, transaction: Transaction) -> Answer<Result<Committed, Error>>;

    /// Some of the keys that match, and where to go on.
    ///
    /// A key that is there from the first page to the last is on one of them at least; others may be missed or seen
    /// twice.
    fn scan(&self, pattern: &Pattern, from: Cursor) -> Answer<Result<Page, Error>>;

    /// Every change of the matching keys from now on, whoever makes it; in order for each key.
    ///
    /// The watcher never holds up a writer: it has a bounded queue and is told how many changes it missed.
    fn watch(&self, filter: Filter) -> Answer<Result<Changes, Error>>;
}

/// From which end [`Store::pop`] takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Pop {
    /// From the front of a list (`BLPOP`).
    Front,
    /// From the back of a list (`BRPOP`).
    Back,
    /// The member with the lowest score of a sorted set (`BZPOPMIN`).
    Min,
}

/// What [`Store::pop`] took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Popped {
    /// The item.
    pub item: Data,
    /// Its score, if it comes from a sorted set.
    #[serde(with = "score::option")]
    pub score: Option<f64>,
}

/// A place in a [`Store::scan`], only meaningful to the store that gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Cursor {
    /// Which part of the store, such as a shard or a node.
    pub part: u32,
    /// Where in that part.
    pub place: u64,
}

/// A part of the answer to a [`Store::scan`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// Keys that match; may be none although more pages follow.
    pub keys: Vec<Key>,
    /// Where the next page begins, or `None` after the last.
    pub next: Option<Cursor>,
}
