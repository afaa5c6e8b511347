//! What the script of a transaction answers.

use super::call::Call;
use super::entries::id;
use super::explain::{because, refused, wrong_kind};
use super::replies::{kind, unexpected};
use super::version;
use crate::knowledge::{Committed, Error, Key, Reply, Transaction, Version};
use redis::Value;

/// What was done, or why nothing was.
pub(super) fn outcome(call: &Call, transaction: Transaction, answer: Value) -> Result<Committed, Error> {
    let Value::Array(parts) = answer else { return Err(unexpected(&call.name(1), &answer)) };
    let mut parts = parts.into_iter();
    let what = parts.next().unwrap_or_default();
    let mut next = || parts.next().unwrap_or_default();
    let (first, second, third) = (next(), next(), next());
    match (text(&what).as_str(), &first) {
        ("done", Value::Array(_)) => done(call, first, &second, &third),
        ("conflict", Value::Int(number)) => {
            Err(transaction.conflict(usize::try_from(*number).unwrap_or(usize::MAX)))
        }
        ("kind", Value::Int(number)) => {
            let (key, asked, held) = (call.name(*number), text(&second), text(&third));
            let error = wrong_kind(&key, kind(&asked), &held);
            Err(error.unwrap_or_else(|| refused(&key, format!("it holds a {held}, not a {asked}"))))
        }
        ("failed", Value::Int(part)) => {
            let Some((key, wire, _)) = call.step_of(*part) else {
                return Err(unexpected(&call.name(1), &first));
            };
            let words = text(&second);
            Err(because(key, wire, &words, third).unwrap_or_else(|| refused(key, words)))
        }
        ("refused", Value::Int(number)) => Err(refused(&call.name(*number), text(&second))),
        _ => Err(unexpected(&call.name(1), &what)),
    }
}

fn done(call: &Call, replies: Value, versions: &Value, ids: &Value) -> Result<Committed, Error> {
    let mut committed = Committed::default();
    let mut parts = items(replies).into_iter();
    for (key, wire, count) in &call.steps {
        let read = |value| wire.shape.read(value).map_err(|value| unexpected(key, &value));
        let replies = parts.by_ref().take(*count).map(read).collect::<Result<Vec<Reply>, _>>()?;
        committed.replies.push(wire.shape.join(replies).ok_or_else(|| unexpected(key, &Value::Nil))?);
    }
    for ((key, _), hex) in call.set.iter().zip(list(versions)) {
        committed.versions.push((key.clone(), read_version(key, hex)?));
    }
    for at in list(ids) {
        committed.ids.push(id(at).ok_or_else(|| unexpected(&call.name(1), at))?);
    }
    Ok(committed)
}

fn read_version(key: &Key, hex: &Value) -> Result<Version, Error> {
    version::from_hex(text(hex).as_bytes()).ok_or_else(|| unexpected(key, hex))
}

fn items(value: Value) -> Vec<Value> {
    if let Value::Array(items) = value { items } else { Vec::new() }
}

fn list(value: &Value) -> &[Value] {
    if let Value::Array(items) = value { items } else { &[] }
}

fn text(value: &Value) -> String {
    match value {
        Value::BulkString(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::SimpleString(text) => text.clone(),
        _ => String::new(),
    }
}
