//! Watching keys.

use super::{Change, Key, Notice, Operation};
use crate::channel::Pattern;
use crate::stream::{Lossy, LossyReceiver, LossySender, lossy};
use futures::{Stream, StreamExt};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Which changes a watcher wants, and how many may wait for it.
///
/// ```
/// use mape::knowledge::{Filter, Operation};
/// let cars = Filter::key("cars").operations([Operation::Sadd, Operation::Srem]);
/// assert!(cars.accepts(&"cars".into(), Operation::Sadd));
/// assert!(!cars.accepts(&"cars".into(), Operation::Del));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    keys: Keys,
    /// One bit an operation.
    operations: u64,
    capacity: NonZeroUsize,
}

/// The keys a [`Filter`] lets through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Keys {
    /// Exactly this one.
    One(Key),
    /// All that match.
    Matching(Pattern),
}

impl Filter {
    /// How many changes wait for a watcher unless it asks for another number.
    pub const CAPACITY: NonZeroUsize = NonZeroUsize::new(1024).unwrap();

    fn new(keys: Keys) -> Self {
        Self { keys, operations: u64::MAX, capacity: Self::CAPACITY }
    }

    /// Every change of every key.
    #[must_use]
    pub fn all() -> Self {
        Self::glob("*")
    }

    /// Every change of the key of exactly this name, whatever characters it has.
    #[must_use]
    pub fn key(key: impl Into<Key>) -> Self {
        Self::new(Keys::One(key.into()))
    }

    /// Every change of the keys that match.
    #[must_use]
    pub fn glob(pattern: impl Into<Pattern>) -> Self {
        Self::new(Keys::Matching(pattern.into()))
    }

    /// Only these operations.
    #[must_use]
    pub fn operations(mut self, operations: impl IntoIterator<Item = Operation>) -> Self {
        self.operations = operations.into_iter().fold(0, |bits, operation| bits | bit(operation));
        self
    }

    /// How many changes may wait for the watcher before the oldest is lost and counted.
    #[must_use]
    pub fn capacity(mut self, capacity: NonZeroUsize) -> Self {
        self.capacity = capacity;
        self
    }

    /// The same filter for keys behind the literal text `prefix`.
    #[must_use]
    pub fn prefixed(mut self, prefix: &str) -> Self {
        self.keys = match self.keys {
            Keys::One(key) => Keys::One(format!("{prefix}{key}").into()),
            Keys::Matching(pattern) => Keys::Matching(pattern.prefixed(prefix)),
        };
        self
    }

    /// Whether the watcher wants to hear of this.
    #[must_use]
    pub fn accepts(&self, key: &Key, operation: Operation) -> bool {
        self.wants(operation)
            && match &self.keys {
                Keys::One(one) => one == key,
                Keys::Matching(pattern) => pattern.matches(key),
            }
    }

    /// Whether the watcher wants to hear of this of any key.
    #[must_use]
    pub fn wants(&self, operation: Operation) -> bool {
        self.operations & bit(operation) != 0
    }

    /// The keys it lets through.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.keys
    }
}

const fn bit(operation: Operation) -> u64 {
    1 << operation as u64
}

/// The changes a watcher is told of, a [`Stream`] of [`Notice`]; dropping it ends the watching.
///
/// It ends when the store is closed.
pub struct Changes {
    queue: LossyReceiver<Notice>,
    end: Option<Box<dyn FnOnce() + Send + Sync>>,
}

/// Where a store puts the changes for one watcher.
#[derive(Debug)]
pub struct ChangeSender {
    filter: Filter,
    queue: LossySender<Notice>,
}

impl Changes {
    /// A queue for a watcher with this filter, for a store to fill; `end` is called when the watcher is dropped.
    pub fn bounded(filter: Filter, end: impl FnOnce() + Send + Sync + 'static) -> (ChangeSender, Self) {
        let (sender, queue) = lossy(filter.capacity);
        (ChangeSender { filter, queue: sender }, Self { queue, end: Some(Box::new(end)) })
    }

    /// How many changes were lost so far because the watcher was slow.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.queue.lost()
    }
}

impl ChangeSender {
    /// Tells the watcher of `change` if its filter accepts it; never waits.
    pub fn send(&self, change: &Change) {
        if self.filter.accepts(&change.key, change.operation) {
            self.queue.send(Notice::Change(change.clone()));
        }
    }

    /// Tells the watcher that it missed changes which nobody knows any more; it should read again.
    pub fn missed(&self, count: u64) {
        self.queue.send(Notice::Missed(count));
    }

    /// Tells the watcher that the store was out of reach.
    pub fn interrupted(&self) {
        self.queue.send(Notice::Interrupted);
    }

    /// What the watcher wants.
    #[must_use]
    pub fn filter(&self) -> &Filter {
        &self.filter
    }
}

impl Stream for Changes {
    type Item = Notice;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Notice>> {
        self.queue.poll_next_unpin(cx).map(|next| {
            next.map(|next| match next {
                Lossy::Item(notice) => notice,
                Lossy::Missed(n) => Notice::Missed(n),
            })
        })
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        if let Some(end) = self.end.take() {
            end();
        }
    }
}

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changes").field("queue", &self.queue).finish_non_exhaustive()
    }
}
