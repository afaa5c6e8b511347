//! What can be done to the thing under one key.

use super::{Data, score};
use serde::{Deserialize, Serialize};
use std::ops::Deref;
use std::time::Duration;

/// One operation on one key, of the kind of collection it belongs to; read and answered by a [`Store`](super::Store).
///
/// Each is atomic, and takes one round trip on a store that is elsewhere. The names in the docs are the Redis commands
/// they stand for. A key that does not exist counts as empty; a collection that becomes empty ceases to exist.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Command {
    /// Whatever the key holds.
    Key(KeyCommand),
    /// A single value.
    Value(ValueCommand),
    /// A map of fields.
    Hash(HashCommand),
    /// A set.
    Set(SetCommand),
    /// A list, also the base of queues and stacks.
    List(ListCommand),
    /// Members ordered by score, also the base of priority queues.
    Sorted(SortedCommand),
}

impl Command {
    /// Whether it only reads.
    #[must_use]
    pub fn is_read(&self) -> bool {
        use {HashCommand as H, ListCommand as L, SetCommand as S, SortedCommand as Z};
        match self {
            Self::Key(command) => match command {
                KeyCommand::Exists | KeyCommand::Kind | KeyCommand::TimeToLive | KeyCommand::Version => true,
                KeyCommand::Delete | KeyCommand::Expire(_) | KeyCommand::Persist => false,
            },
            Self::Value(command) => match command {
                ValueCommand::Get | ValueCommand::GetVersioned => true,
                ValueCommand::Set { .. } | ValueCommand::Take | ValueCommand::Increment(_) => false,
            },
            Self::Hash(command) => match command {
                H::Get(_) | H::GetMany(_) | H::Has(_) | H::Len | H::Keys | H::All => true,
                H::Set(_) | H::Remove(_) | H::Increment(..) => false,
            },
            Self::Set(command) => match command {
                S::Has(_) | S::Len | S::Members => true,
                S::Add(_) | S::Remove(_) | S::Pop => false,
            },
            Self::List(command) => match command {
                L::Len | L::Get(_) | L::Range(..) => true,
                L::Push(..) | L::Pop(_) | L::Set(..) | L::Trim(..) | L::Remove(_) => false,
            },
            Self::Sorted(command) => match command {
                Z::Score(_) | Z::Rank(_) | Z::Len | Z::Range(..) | Z::RangeByScore(..) => true,
                Z::Add(_) | Z::Remove(_) | Z::Increment(..) | Z::PopMin | Z::PopMax => false,
            },
        }
    }
}

/// On a key of any kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyCommand {
    /// `DEL`. Reply: flag, whether it was there.
    Delete,
    /// `EXISTS`. Reply: flag.
    Exists,
    /// `TYPE`. Reply: kind or nil.
    Kind,
    /// `PEXPIRE`: the key ceases after this time. Reply: flag, whether it is there.
    Expire(Duration),
    /// `PERSIST`. Reply: flag, whether an expiry was taken away.
    Persist,
    /// `PTTL`. Reply: the time left, or nil (no expiry, or no key).
    TimeToLive,
    /// Reply: [`Version`](super::Version) of the key.
    Version,
}

/// On a single value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ValueCommand {
    /// `GET`. Reply: data or nil.
    Get,
    /// `GET` with the version it has. Reply: versioned.
    GetVersioned,
    /// `SET` (with `PX` if `expiry` is given, else any expiry ends). Whatever kind the key was, it is a value then.
    /// Reply: done.
    Set {
        /// The new value.
        value: Data,
        /// How long it lasts.
        expiry: Option<Duration>,
    },
    /// `GETDEL`. Reply: data or nil.
    Take,
    /// `INCRBY`. Reply: number, after the addition.
    Increment(i64),
}

/// On a hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HashCommand {
    /// `HGET`. Reply: data or nil.
    Get(Data),
    /// `HMGET`. Reply: options in the order asked.
    GetMany(Vec<Data>),
    /// `HSET`. Reply: count of fields that are new.
    Set(Items<(Data, Data)>),
    /// `HDEL`. Reply: count of fields that were there.
    Remove(Items<Data>),
    /// `HEXISTS`. Reply: flag.
    Has(Data),
    /// `HLEN`. Reply: count.
    Len,
    /// `HKEYS`. Reply: list, in no order.
    Keys,
    /// `HGETALL`. Reply: pairs, in no order.
    All,
    /// `HINCRBY`. Reply: number, after the addition.
    Increment(Data, i64),
}

/// On a set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SetCommand {
    /// `SADD`. Reply: count of members that are new.
    Add(Items<Data>),
    /// `SREM`. Reply: count of members that were there.
    Remove(Items<Data>),
    /// `SISMEMBER`. Reply: flag.
    Has(Data),
    /// `SCARD`. Reply: count.
    Len,
    /// `SMEMBERS`. Reply: list, in no order.
    Members,
    /// `SPOP`: any one member. Reply: data or nil.
    Pop,
}

/// One end of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum End {
    /// Its left end: index 0, Redis' `L` commands.
    Front,
    /// Its right end: index -1, Redis' `R` commands.
    Back,
}

/// On a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ListCommand {
    /// `LPUSH`, `RPUSH`: one after the other. Reply: count, the length then.
    Push(End, Items<Data>),
    /// `LPOP`, `RPOP`. Reply: data or nil.
    Pop(End),
    /// `LLEN`. Reply: count.
    Len,
    /// `LINDEX`; negative counts from the back. Reply: data or nil.
    Get(i64),
    /// `LSET`. Reply: done.
    Set(i64, Data),
    /// `LRANGE`, both ends included, negative counts from the back. Reply: list.
    Range(i64, i64),
    /// `LTRIM` to that range. Reply: done.
    Trim(i64, i64),
    /// `LREM` of every occurrence. Reply: count.
    Remove(Data),
}

/// On a sorted set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum SortedCommand {
    /// `ZADD`. Reply: count of members that are new.
    Add(#[serde(with = "score::items")] Items<(Data, f64)>),
    /// `ZREM`. Reply: count of members that were there.
    Remove(Items<Data>),
    /// `ZSCORE`. Reply: score or nil.
    Score(Data),
    /// `ZINCRBY`. Reply: score, after the addition.
    Increment(Data, #[serde(with = "score")] f64),
    /// `ZRANK`: place counted from the lowest score. Reply: count or nil.
    Rank(Data),
    /// `ZCARD`. Reply: count.
    Len,
    /// `ZRANGE` by rank, both ends included, negative counts from the highest. Reply: scored.
    Range(i64, i64),
    /// `ZRANGEBYSCORE`, both ends included. Reply: scored.
    RangeByScore(#[serde(with = "score")] f64, #[serde(with = "score")] f64),
    /// `ZPOPMIN`. Reply: scored (none or one).
    PopMin,
    /// `ZPOPMAX`. Reply: scored (none or one).
    PopMax,
}

/// One item without allocation, or many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Items<T> {
    /// Just one.
    One(T),
    /// Any number, in this order.
    Many(Vec<T>),
}

impl<T> Deref for Items<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::One(item) => std::slice::from_ref(item),
            Self::Many(items) => items,
        }
    }
}

impl<T> IntoIterator for Items<T> {
    type Item = T;
    type IntoIter = std::iter::Chain<std::option::IntoIter<T>, std::vec::IntoIter<T>>;

    fn into_iter(self) -> Self::IntoIter {
        match self {
            Self::One(item) => Some(item).into_iter().chain(Vec::new()),
            Self::Many(items) => None.into_iter().chain(items),
        }
    }
}

impl<T> From<T> for Items<T> {
    fn from(item: T) -> Self {
        Self::One(item)
    }
}

macro_rules! into_command {
    ($($variant:ident($type:ident)),*) => {
        $(impl From<$type> for Command {
            fn from(command: $type) -> Self {
                Self::$variant(command)
            }
        })*
    };
}
into_command!(
    Key(KeyCommand),
    Value(ValueCommand),
    Hash(HashCommand),
    Set(SetCommand),
    List(ListCommand),
    Sorted(SortedCommand)
);
