//! The kinds of things a key can hold.

use super::{Command, HashCommand, ListCommand, SetCommand, SortedCommand, ValueCommand};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What kind of thing a key holds, named as Redis' `TYPE` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Kind {
    /// One value; also a lock.
    #[serde(rename = "string")]
    Value,
    /// Fields with values.
    Hash,
    /// A set.
    Set,
    /// A list; also a queue or a stack.
    List,
    /// A sorted set; also a priority queue.
    #[serde(rename = "zset")]
    SortedSet,
    /// A log of events, which is no knowledge; on a server both share the names.
    #[serde(rename = "stream")]
    Log,
}

impl Kind {
    /// The command that reads all that a key of this kind holds; `None` for what is no knowledge.
    #[must_use]
    pub fn read_all(self) -> Option<Command> {
        Some(match self {
            Self::Value => ValueCommand::Get.into(),
            Self::Hash => HashCommand::All.into(),
            Self::Set => SetCommand::Members.into(),
            Self::List => ListCommand::Range(0, -1).into(),
            Self::SortedSet => SortedCommand::Range(0, -1).into(),
            Self::Log => return None,
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Value => "string",
            Self::Hash => "hash",
            Self::Set => "set",
            Self::List => "list",
            Self::SortedSet => "zset",
            Self::Log => "stream",
        })
    }
}
