//! Redo steps as rows of a table.

use crate::backend::embedded::{Content, Owner, Part, Redo, Space};
use crate::event::{Event, EventId};
use crate::knowledge::Data;
use rusqlite::Row;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::Arc;

/// Who has a pending event, as JSON.
#[derive(Serialize, Deserialize)]
struct Held<'a> {
    consumer: Cow<'a, str>,
    /// Milliseconds since 1970.
    since: i64,
    attempts: u64,
}

pub(super) fn key(owner: &Owner) -> Cow<'_, str> {
    match owner {
        Owner::Key(key) => key.as_str().into(),
        Owner::Log(log) => log.as_str().into(),
        Owner::Group(log, group) => serde_json::json!([log, group]).to_string().into(),
    }
}

pub(super) fn part(part: &Part) -> ToSqlOutput<'_> {
    match part {
        Part::Whole => text(""),
        Part::Data(data) => bytes(data),
        Part::Place(place) => ToSqlOutput::Owned(Value::from(*place)),
        Part::Id(id) => ToSqlOutput::Owned(Value::from(id.to_string())),
    }
}

pub(super) fn value(content: &Content) -> ToSqlOutput<'_> {
    match content {
        Content::Nothing => text(""),
        Content::Data(data) => bytes(data),
        Content::Score(score) => ToSqlOutput::Owned(Value::from(*score)),
        Content::At(at) => ToSqlOutput::Owned(Value::from(*at)),
        Content::Id(id) => ToSqlOutput::Owned(Value::from(id.to_string())),
        Content::Event(event) => ToSqlOutput::Owned(Value::from(event.to_string())),
        Content::Held { consumer, since, attempts } => {
            let held = Held { consumer: consumer.as_str().into(), since: *since, attempts: *attempts };
            ToSqlOutput::Owned(Value::from(serde_json::to_string(&held).unwrap_or_default()))
        }
    }
}

fn text(text: &str) -> ToSqlOutput<'_> {
    ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes()))
}

/// Always the same for the same bytes, so that they find their row again.
fn bytes(data: &Data) -> ToSqlOutput<'_> {
    ToSqlOutput::Borrowed(match data.as_str() {
        Some(text) => ValueRef::Text(text.as_bytes()),
        None => ValueRef::Blob(data),
    })
}

/// The step that writes this row.
pub(super) fn read(row: &Row<'_>) -> Result<Redo, Unreadable> {
    let cell = |column: usize| row.get_ref(column).map_err(|_| Unreadable("column"));
    let space = space(cell(0)?).ok_or(Unreadable("space"))?;
    let key = cell(1)?.as_str().map_err(|_| Unreadable("key"))?;
    let owner = match space {
        Space::Value | Space::Hash | Space::Set | Space::List | Space::Sorted | Space::Expiry => {
            Owner::Key(key.into())
        }
        Space::Entry | Space::Last | Space::Group => Owner::Log(key.into()),
        Space::Consumer | Space::Pending => {
            let (log, group) = serde_json::from_str(key).map_err(|_| Unreadable("key"))?;
            Owner::Group(log, group)
        }
    };
    let (part, value) = (cell(2)?, cell(3)?);
    let part = match space {
        Space::Value | Space::Expiry | Space::Last => Some(Part::Whole),
        Space::Hash | Space::Set | Space::Sorted | Space::Group | Space::Consumer => {
            data(part).map(Part::Data)
        }
        Space::List => part.as_i64().ok().map(Part::Place),
        Space::Entry | Space::Pending => id(part).map(Part::Id),
    };
    let content = match space {
        Space::Value | Space::Hash | Space::List => data(value).map(Content::Data),
        Space::Set | Space::Consumer => Some(Content::Nothing),
        Space::Sorted => value.as_f64().ok().map(Content::Score),
        Space::Expiry => value.as_i64().ok().map(Content::At),
        Space::Last | Space::Group => id(value).map(Content::Id),
        Space::Entry => {
            let event = value.as_str().ok().and_then(|text| serde_json::from_str::<Event>(text).ok());
            event.map(|event| Content::Event(Arc::new(event)))
        }
        Space::Pending => held(value),
    };
    Ok(Redo::Put(space, owner, part.ok_or(Unreadable("part"))?, content.ok_or(Unreadable("value"))?))
}

/// A row holds what no store writes.
#[derive(Debug, thiserror::Error)]
#[error("the {0} of a row is not what belongs there")]
pub(super) struct Unreadable(&'static str);

fn space(cell: ValueRef<'_>) -> Option<Space> {
    const ALL: [Space; 11] = [
        Space::Value,
        Space::Hash,
        Space::Set,
        Space::List,
        Space::Sorted,
        Space::Expiry,
        Space::Entry,
        Space::Last,
        Space::Group,
        Space::Consumer,
        Space::Pending,
    ];
    let number = cell.as_i64().ok()?;
    ALL.into_iter().find(|space| *space as i64 == number)
}

fn data(cell: ValueRef<'_>) -> Option<Data> {
    cell.as_bytes().ok().map(Data::from)
}

fn id(cell: ValueRef<'_>) -> Option<EventId> {
    cell.as_str().ok()?.parse().ok()
}

fn held(cell: ValueRef<'_>) -> Option<Content> {
    let held: Held<'_> = serde_json::from_str(cell.as_str().ok()?).ok()?;
    let consumer = held.consumer.as_ref().into();
    Some(Content::Held { consumer, since: held.since, attempts: held.attempts })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_text_are_text_and_others_are_not() {
        assert_eq!(bytes(&"ü".into()), ToSqlOutput::Borrowed(ValueRef::Text("ü".as_bytes())));
        let data = Data::from(vec![0xff, 0]);
        assert_eq!(bytes(&data), ToSqlOutput::Borrowed(ValueRef::Blob(&[0xff, 0])));
    }
}
