//! What the server says of a log, its groups and their consumers.

use super::entries::{id, list};
use super::replies::integer;
use crate::event::{ConsumerInfo, ConsumerName, GroupInfo, LogInfo, Pending};
use redis::Value;
use std::time::Duration;

pub(super) fn count_of(value: &Value) -> Option<u64> {
    integer(value).and_then(|count| u64::try_from(count).ok())
}

/// A lag that the server does not know.
pub(super) const UNKNOWN: u64 = u64::MAX;

pub(super) fn info(value: Value) -> Option<LogInfo> {
    let mut parts = list(value)?.into_iter();
    let (len, last) = (count_of(&parts.next()?)?, id(&parts.next()?)?);
    let mut groups = list(parts.next()?)?.into_iter().map(group).collect::<Option<Vec<_>>>()?;
    groups.sort_by(|a, b| a.name.cmp(&b.name));
    Some(LogInfo { len, last, groups })
}

fn group(value: Value) -> Option<GroupInfo> {
    let mut parts = list(value)?.into_iter();
    Some(GroupInfo {
        name: text(&parts.next()?)?.into(),
        last_delivered: id(&parts.next()?)?,
        lag: integer(&parts.next()?).map(|lag| u64::try_from(lag).unwrap_or(UNKNOWN))?,
        pending: count_of(&parts.next()?)?,
        consumers: count_of(&parts.next()?)?,
    })
}

pub(super) fn pending(value: Value) -> Option<Pending> {
    let mut parts = list(value)?.into_iter();
    Some(Pending {
        id: id(&parts.next()?)?,
        consumer: ConsumerName::from(text(&parts.next()?)?),
        idle: Duration::from_millis(count_of(&parts.next()?).unwrap_or(0)),
        attempts: count_of(&parts.next()?)?,
    })
}

pub(super) fn consumer(value: Value) -> Option<ConsumerInfo> {
    let fields: Vec<(Value, Value)> = match value {
        Value::Map(fields) => fields,
        // As servers of the older protocol write a map.
        other => list(other)?
            .chunks_exact(2)
            .filter_map(|pair| pair.first().cloned().zip(pair.last().cloned()))
            .collect(),
    };
    let field = |name: &str| {
        fields.iter().find(|(key, _)| text(key).as_deref() == Some(name)).map(|(_, value)| value)
    };
    Some(ConsumerInfo {
        name: text(field("name")?)?.into(),
        pending: count_of(field("pending")?)?,
        idle: Duration::from_millis(count_of(field("idle")?)?),
    })
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::BulkString(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        _ => None,
    }
}
