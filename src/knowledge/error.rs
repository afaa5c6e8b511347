//! What can go wrong with knowledge.

use super::{Data, Key, Kind, Transaction};

/// Why something was not done to knowledge; [`is_retryable`](Self::is_retryable) says whether trying again can help.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The key holds another kind of collection (Redis: `WRONGTYPE`). Nothing was changed; a retry does not help.
    #[error("using `{key}` as a {asked}: it holds a {held}; choose another name or delete the key first")]
    WrongKind {
        /// The key.
        key: Key,
        /// What it was used as.
        asked: Kind,
        /// What it holds.
        held: Kind,
    },
    /// What is kept under the key is not a value of the asked type. A retry does not help.
    #[error("reading `{key}` as {type_name}")]
    Decode {
        /// The key.
        key: Key,
        /// The Rust type that was asked for.
        type_name: &'static str,
        /// What is wrong with the bytes.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The value cannot be written, as serde says. Nothing was changed; a retry does not help.
    #[error("writing a {type_name} to `{key}`")]
    Encode {
        /// The key.
        key: Key,
        /// The Rust type of the value.
        type_name: &'static str,
        /// Why serde refuses it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A counter does not hold a whole number. A retry does not help.
    #[error("counting in `{key}`: it holds {held:?}, which is no whole number")]
    NotANumber {
        /// The key.
        key: Key,
        /// What is there instead.
        held: Data,
    },
    /// A counter would leave the range of `i64`. Nothing was changed; a retry does not help.
    #[error("counting in `{key}`: {held} + {by} is out of range")]
    Overflow {
        /// The key.
        key: Key,
        /// The number that is there.
        held: i64,
        /// What was to be added.
        by: i64,
    },
    /// The list is not that long. Nothing was changed; a retry does not help.
    #[error("setting item {index} of the list `{key}`: it has {len} items")]
    NoSuchIndex {
        /// The key.
        key: Key,
        /// The index that was asked for.
        index: i64,
        /// How many items there are.
        len: usize,
    },
    /// A score is not a number. Nothing was changed; a retry does not help.
    #[error("giving a member of `{key}` the score NaN: scores have to be ordered")]
    NotAScore {
        /// The key.
        key: Key,
    },
    /// A condition of a transaction did not hold; nothing of it was done. Read again, decide again, then try again.
    #[error(transparent)]
    Conflict(Box<Conflict>),
    /// The lock's lease ended before it was renewed; another may hold it now. Acquire it again before going on.
    #[error("lock `{key}` was lost: its lease ended (fencing token {token})")]
    LockLost {
        /// The key of the lock.
        key: Key,
        /// The token under which it was held.
        token: u64,
    },
    /// A lease has to be longer than nothing. A retry does not help.
    #[error("acquiring the lock `{key}`: a lease of zero ends at once; give it a duration")]
    ZeroLease {
        /// The key of the lock.
        key: Key,
    },
    /// The store answered with something that does not belong to the command: a bug of the store. No retry.
    #[error("using `{key}`: the store answered {reply}, where {expected} belongs")]
    Unexpected {
        /// The key.
        key: Key,
        /// The kind of answer that belongs there.
        expected: &'static str,
        /// What came.
        reply: String,
    },
    /// The store cannot be reached at the moment. A retry may help; a write may or may not have happened.
    #[error("reaching the store for `{key}`")]
    Unavailable {
        /// The key.
        key: Key,
        /// What the connection said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The store refuses the command (rights, memory, read-only). A retry does not help until that is mended.
    #[error("the store refuses a command on `{key}`")]
    Refused {
        /// The key.
        key: Key,
        /// Its reason.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Error {
    /// Whether doing the same again can succeed: the store may be back, or the conflicting writer done.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Conflict(_) | Self::LockLost { .. })
    }

    /// The conflict, if that is what it is.
    pub fn into_conflict(self) -> Result<Conflict, Self> {
        match self {
            Self::Conflict(conflict) => Ok(*conflict),
            other => Err(other),
        }
    }
}

/// A transaction of which nothing was done, because a condition did not hold.
#[derive(Debug, thiserror::Error)]
#[error("condition {} of the transaction does not hold: {} has changed", .condition + 1, .key)]
pub struct Conflict {
    /// Which condition, counted from 0 in the order they were stated.
    pub condition: usize,
    /// The key of that condition.
    pub key: Key,
    /// The transaction, to be looked at or tried again.
    pub transaction: Transaction,
}
