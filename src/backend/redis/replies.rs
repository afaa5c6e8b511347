//! What Redis answers to commands on knowledge.

use super::version;
use crate::knowledge::{Data, Key, Kind, Reply, Version};
use redis::Value;
use std::time::Duration;

/// Which [`Reply`] an answer is.
///
/// The same command is answered differently by itself (RESP3: maps, numbers) and from a script (RESP2: flat lists,
/// text); both are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Done,
    Flag,
    Count,
    /// A count, of which the last one holds if there are several.
    LastCount,
    Number,
    /// A score or nil.
    Score,
    /// A count or nil.
    Rank,
    /// Data or nil.
    Data,
    /// Data or nil, whose version is still to be made.
    Versioned,
    Version,
    List,
    Options,
    Pairs,
    Scored,
    Kind,
    Time,
    /// The answer to another question, whose answer is known: a count of 0.
    NoCount,
    /// As [`NoCount`](Self::NoCount): no options.
    NoOptions,
    /// As [`NoCount`](Self::NoCount): no members.
    NoScored,
}

impl Shape {
    /// The reply, or the answer back if it is none of this shape.
    pub(super) fn read(self, value: Value) -> Result<Reply, Value> {
        let reply = match (self, value) {
            (Self::Done, Value::Okay) => Reply::Done,
            (Self::Done, Value::SimpleString(text)) if text == "OK" => Reply::Done,
            (Self::Flag, Value::Int(n)) => Reply::Flag(n > 0),
            (Self::Flag, Value::Boolean(flag)) => Reply::Flag(flag),
            (Self::Count | Self::LastCount | Self::Rank, Value::Int(n)) => Reply::Count(n.unsigned_abs()),
            (Self::Rank | Self::Data | Self::Score, Value::Nil) => Reply::Nil,
            (Self::Number, value) => Reply::Number(integer(&value).ok_or(value)?),
            (Self::Score, value) => Reply::Score(float(&value).ok_or(value)?),
            (Self::Data, value) => Reply::Data(data(value)?),
            (Self::Versioned, Value::Nil) => Reply::Versioned(None, Version::ABSENT),
            (Self::Versioned, value) => {
                let data = data(value)?;
                let version = version::of_value(&data);
                Reply::Versioned(Some(data), version)
            }
            (Self::Version, Value::BulkString(hex)) => match version::from_hex(&hex) {
                Some(version) => Reply::Version(version),
                None => return Err(Value::BulkString(hex)),
            },
            (Self::List, Value::Array(items) | Value::Set(items)) => {
                Reply::List(items.into_iter().map(data).collect::<Result<_, _>>()?)
            }
            (Self::Options, Value::Array(items)) => {
                Reply::Options(items.into_iter().map(option).collect::<Result<_, _>>()?)
            }
            (Self::Pairs, value) => Reply::Pairs(pairs(value)?),
            (Self::Scored, Value::Array(items)) => Reply::Scored(scored(items)?),
            (Self::Kind, Value::SimpleString(name)) => match kind(&name) {
                Some(kind) => Reply::Kind(kind),
                None if name == "none" => Reply::Nil,
                None => return Err(Value::SimpleString(name)),
            },
            (Self::Time, Value::Int(millis)) => {
                u64::try_from(millis).map_or(Reply::Nil, |millis| Reply::Time(Duration::from_millis(millis)))
            }
            (Self::NoCount, Value::Int(_)) => Reply::Count(0),
            (Self::NoOptions, Value::Int(_)) => Reply::Options(Vec::new()),
            (Self::NoScored, Value::Int(_)) => Reply::Scored(Vec::new()),
            (_, other) => return Err(other),
        };
        Ok(reply)
    }

    /// The reply to a command that was sent in parts, from those of the parts.
    pub(super) fn join(self, parts: Vec<Reply>) -> Option<Reply> {
        let mut parts = parts.into_iter();
        let first = parts.next()?;
        Some(parts.fold(first, |all, part| match (all, part) {
            (Reply::Count(all), Reply::Count(part)) if self == Self::Count => Reply::Count(all + part),
            (Reply::Options(mut all), Reply::Options(part)) => {
                all.extend(part);
                Reply::Options(all)
            }
            (_, part) => part,
        }))
    }
}

/// The kind that `TYPE` names so.
pub(super) fn kind(name: &str) -> Option<Kind> {
    Some(match name {
        "string" => Kind::Value,
        "hash" => Kind::Hash,
        "set" => Kind::Set,
        "list" => Kind::List,
        "zset" => Kind::SortedSet,
        "stream" => Kind::Log,
        _ => return None,
    })
}

/// What does not belong to the command, as an error.
pub(super) fn unexpected(key: &Key, value: &Value) -> crate::knowledge::Error {
    let reply = format!("{value:?}").chars().take(200).collect();
    crate::knowledge::Error::Unexpected { key: key.clone(), expected: "another reply", reply }
}

pub(super) fn data(value: Value) -> Result<Data, Value> {
    match value {
        Value::BulkString(bytes) => Ok(bytes.into()),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => Ok(text.into()),
        Value::Int(number) => Ok(number.into()),
        other => Err(other),
    }
}

fn option(value: Value) -> Result<Option<Data>, Value> {
    if value == Value::Nil { Ok(None) } else { data(value).map(Some) }
}

pub(super) fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        Value::BulkString(text) => std::str::from_utf8(text).ok()?.parse().ok(),
        _ => None,
    }
}

fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Double(number) => Some(*number),
        Value::Int(number) => Some(*number as f64),
        Value::BulkString(text) => std::str::from_utf8(text).ok()?.parse().ok(),
        Value::SimpleString(text) => text.parse().ok(),
        _ => None,
    }
}

fn pairs(value: Value) -> Result<Vec<(Data, Data)>, Value> {
    match value {
        Value::Map(map) => map.into_iter().map(|(field, value)| Ok((data(field)?, data(value)?))).collect(),
        Value::Array(flat) => {
            let mut pairs = Vec::with_capacity(flat.len() / 2);
            let mut flat = flat.into_iter();
            while let (Some(field), Some(value)) = (flat.next(), flat.next()) {
                pairs.push((data(field)?, data(value)?));
            }
            Ok(pairs)
        }
        other => Err(other),
    }
}

/// Pairs of members and scores, each for itself or one behind the other.
fn scored(items: Vec<Value>) -> Result<Vec<(Data, f64)>, Value> {
    let mut scored = Vec::with_capacity(items.len());
    let mut items = items.into_iter();
    while let Some(item) = items.next() {
        let (member, score) = match item {
            Value::Array(pair) => {
                let mut pair = pair.into_iter();
                (pair.next().unwrap_or_default(), pair.next().unwrap_or_default())
            }
            member => (member, items.next().unwrap_or_default()),
        };
        scored.push((data(member)?, float(&score).ok_or(score)?));
    }
    Ok(scored)
}
