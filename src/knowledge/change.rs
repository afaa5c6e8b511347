//! What happened to a key.

use super::{Data, Key};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// One change of one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Change {
    /// The key that changed, with its scope's prefix.
    pub key: Key,
    /// What was done to it.
    pub operation: Operation,
    /// Which part of it: the field of a hash, the member of a sorted set; `None` where there are no parts.
    pub field: Option<Data>,
    /// What was there: the value, the member or item taken away, the former score (as decimal text).
    ///
    /// `None` if nothing was, if a whole collection ceased, or if a foreign program made the change.
    pub old: Option<Data>,
    /// What is there: the value, the member or item added, the score (as decimal text).
    pub new: Option<Data>,
}

impl Change {
    /// A change that names no part and no values yet.
    #[must_use]
    pub fn new(key: Key, operation: Operation) -> Self {
        Self { key, operation, field: None, old: None, new: None }
    }

    /// With the part that changed.
    #[must_use]
    pub fn field(mut self, field: Data) -> Self {
        self.field = Some(field);
        self
    }

    /// With what was there.
    #[must_use]
    pub fn old(mut self, old: impl Into<Option<Data>>) -> Self {
        self.old = old.into();
        self
    }

    /// With what is there.
    #[must_use]
    pub fn new_value(mut self, new: impl Into<Option<Data>>) -> Self {
        self.new = new.into();
        self
    }
}

/// What a watcher is told: a change, or that it missed some.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Notice<C = Change> {
    /// Something changed.
    Change(C),
    /// The watcher was too slow: this many changes were lost here, older than what follows.
    Missed(u64),
    /// The store was out of reach for a while; changes may have been lost here.
    Interrupted,
}

impl<C> Notice<C> {
    /// The change, if it is one.
    #[must_use]
    pub fn change(self) -> Option<C> {
        match self {
            Self::Change(change) => Some(change),
            Self::Missed(_) | Self::Interrupted => None,
        }
    }
}

macro_rules! operations {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// What is done to a key, named as Redis names it in its keyspace notifications.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum Operation {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)*
        }

        impl Operation {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name Redis gives it, such as `sadd`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

operations! {
    /// A value was set.
    Set = "set",
    /// A counter was changed.
    Incrby = "incrby",
    /// The key is gone: deleted, or its last member was taken.
    Del = "del",
    /// The key was given a time to live.
    Expire = "expire",
    /// The key's time ended.
    Expired = "expired",
    /// The key's time to live was taken away.
    Persist = "persist",
    /// A field was set.
    Hset = "hset",
    /// A field was removed.
    Hdel = "hdel",
    /// A field was counted up or down.
    Hincrby = "hincrby",
    /// A member was added.
    Sadd = "sadd",
    /// A member was removed.
    Srem = "srem",
    /// A member was taken at random.
    Spop = "spop",
    /// An item was put at the front.
    Lpush = "lpush",
    /// An item was put at the back.
    Rpush = "rpush",
    /// An item was taken from the front.
    Lpop = "lpop",
    /// An item was taken from the back.
    Rpop = "rpop",
    /// An item was replaced.
    Lset = "lset",
    /// Items outside of a range were removed.
    Ltrim = "ltrim",
    /// Items of one value were removed.
    Lrem = "lrem",
    /// A member was given a score.
    Zadd = "zadd",
    /// A member was removed from a sorted set.
    Zrem = "zrem",
    /// A score was counted up or down.
    Zincr = "zincr",
    /// The member of the lowest score was taken.
    Zpopmin = "zpopmin",
    /// The member of the highest score was taken.
    Zpopmax = "zpopmax",
    /// Done by a foreign program: text was appended.
    Append = "append",
    /// Done by a foreign program: a part of the text was overwritten.
    Setrange = "setrange",
    /// Done by a foreign program: the key was renamed to another.
    RenameFrom = "rename_from",
    /// Done by a foreign program: the key was renamed from another.
    RenameTo = "rename_to",
    /// Done by a foreign program: the key was copied from another.
    CopyTo = "copy_to",
    /// Done by a foreign program: the key was restored from a dump.
    Restore = "restore",
    /// The server gave up the key to have memory.
    Evicted = "evicted",
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Operation {
    type Err = UnknownOperation;

    fn from_str(name: &str) -> Result<Self, UnknownOperation> {
        Self::ALL.iter().copied().find(|o| o.name() == name).ok_or_else(|| UnknownOperation(name.to_owned()))
    }
}

/// No operation has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no operation `{0}`; operations are named as Redis' keyspace notifications, such as `sadd`")]
pub struct UnknownOperation(pub String);
