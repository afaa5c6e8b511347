//! Events as entries of a stream: names, and values that are JSON texts.

use crate::event::{Delivered, Entry, Event, EventId, Malformed};
use redis::Value;
use serde_json::value::RawValue;
use smallvec::{SmallVec, smallvec};

/// A stream has no entry without fields, so this stands for an event that has none.
const NOTHING: (&str, &str) = ("", "{}");

/// The fields of an event as they are written.
pub(super) fn written(event: &Event) -> SmallVec<[(&str, &str); 12]> {
    let fields: SmallVec<_> = event.fields().collect();
    if fields.is_empty() { smallvec![NOTHING] } else { fields }
}

/// An id as text.
pub(super) fn id(value: &Value) -> Option<EventId> {
    match value {
        Value::BulkString(text) => std::str::from_utf8(text).ok()?.parse().ok(),
        Value::SimpleString(text) => text.parse().ok(),
        _ => None,
    }
}

/// The list that an answer is; `None` if it is none.
pub(super) fn list(value: Value) -> Option<Vec<Value>> {
    match value {
        Value::Array(items) | Value::Set(items) => Some(items),
        Value::Nil => Some(Vec::new()),
        _ => None,
    }
}

pub(super) fn ids(value: Value) -> Option<Vec<EventId>> {
    list(value)?.iter().map(id).collect()
}

/// Entries as `XRANGE` answers them: id and fields of each.
pub(super) fn entries(value: Value) -> Option<Vec<Entry>> {
    let read = |value| {
        let mut parts = list(value)?.into_iter();
        entry(&parts.next()?, parts.next()?)
    };
    list(value)?.into_iter().map(read).collect()
}

/// Entries as `XREAD` answers them for one log; none if it waited in vain.
pub(super) fn read(value: Value) -> Option<Vec<Entry>> {
    let of_log = match value {
        Value::Nil => None,
        Value::Map(logs) => logs.into_iter().next().map(|(_, entries)| entries),
        Value::Array(logs) => match logs.into_iter().next() {
            Some(Value::Array(mut log)) => log.pop(),
            _ => None,
        },
        _ => return None,
    };
    of_log.map_or_else(|| Some(Vec::new()), entries)
}

/// Entries as the scripts answer them: id, fields and attempts of each.
pub(super) fn delivered(value: Value) -> Option<Vec<Delivered>> {
    let read = |value| {
        let mut parts = list(value)?.into_iter();
        let entry = entry(&parts.next()?, parts.next()?)?;
        let Value::Int(attempt) = parts.next()? else { return None };
        Some(Delivered { entry, attempt: attempt.unsigned_abs() })
    };
    list(value)?.into_iter().map(read).collect()
}

fn entry(at: &Value, fields: Value) -> Option<Entry> {
    Some(Entry { id: id(at)?, event: event(&list(fields)?) })
}

fn event(flat: &[Value]) -> Result<Event, Malformed> {
    let mut fields = SmallVec::<[(&str, &str); 12]>::new();
    for pair in flat.chunks_exact(2) {
        let [name, value] = pair else { continue };
        match (text(name), text(value).and_then(|text| serde_json::from_str::<&RawValue>(text).ok())) {
            // Spaces around a value belong to nobody.
            (Some(name), Some(raw)) => fields.push((name, raw.get())),
            _ => return Err(malformed(name, value, flat)),
        }
    }
    match fields.as_slice() {
        [only] if *only == NOTHING => Ok(Event::default()),
        fields => Ok(Event::of_fields(fields)),
    }
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok(),
        Value::SimpleString(text) => Some(text),
        _ => None,
    }
}

fn malformed(name: &Value, value: &Value, flat: &[Value]) -> Malformed {
    let lossy = |value: &Value| match value {
        Value::BulkString(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        other => format!("{other:?}"),
    };
    let fields = flat.chunks_exact(2).filter_map(|pair| match pair {
        [name, value] => Some((lossy(name), lossy(value))),
        _ => None,
    });
    let beginning = lossy(value).chars().take(80).collect();
    Malformed { field: lossy(name), beginning, fields: fields.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk(text: &[u8]) -> Value {
        Value::BulkString(text.to_vec())
    }

    fn one(fields: &[&[u8]]) -> Result<Event, Malformed> {
        event(&fields.iter().map(|text| bulk(text)).collect::<Vec<_>>())
    }

    #[test]
    fn fields_are_json_texts_and_what_is_none_is_handed_on_as_it_stands() {
        let event = one(&[b"name", b"\"A\"", b"index", b" 2 ", b"name", b"\"B\""]).unwrap();
        assert_eq!(event.to_string(), r#"{"name":"B","index":2}"#);
        let malformed = one(&[b"a", b"1", b"b", b"plain", b"\xff", b"\"x\xff\""]).unwrap_err();
        assert_eq!((malformed.field.as_str(), malformed.beginning.as_str()), ("b", "plain"));
        assert_eq!(malformed.fields.len(), 3);
        assert!(one(&[b"a", b"\"\xff\""]).is_err());
    }

    #[test]
    fn an_event_without_fields_is_written_and_read() {
        let nothing = Event::default();
        let fields = written(&nothing);
        assert_eq!(fields.as_slice(), [NOTHING]);
        assert_eq!(one(&[b"", b"{}"]).unwrap().fields().len(), 0);
    }
}
