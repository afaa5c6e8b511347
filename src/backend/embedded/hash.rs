//! Hashes.

use super::contents::Fields;
use super::journal::Journal;
use super::redo::{Redo, Space};
use super::shard::Shard;
use super::value::add;
use crate::knowledge::{Change, Data, Error, HashCommand, Key, Operation, Reply};

pub(super) fn apply(
    shard: &mut Shard,
    key: &Key,
    command: HashCommand,
    journal: &mut Journal,
) -> Result<Reply, Error> {
    let get = |fields: Option<&Fields>, field: &Data| fields.and_then(|fields| fields.get(field)).cloned();
    match command {
        HashCommand::Get(field) => shard.read(key, journal, |fields| get(fields, &field).into()),
        HashCommand::GetMany(asked) => shard.read(key, journal, |fields| {
            Reply::Options(asked.iter().map(|field| get(fields, field)).collect())
        }),
        HashCommand::Set(pairs) => shard.write(key, journal, |fields: &mut Fields, journal| {
            let mut new = 0_usize;
            for (field, value) in pairs {
                new += usize::from(set(fields, key, Operation::Hset, field, value, journal).is_none());
            }
            Ok(new.into())
        }),
        HashCommand::Remove(asked) => shard.write(key, journal, |fields: &mut Fields, journal| {
            let mut removed = 0_usize;
            for field in asked {
                if let Some(old) = fields.remove(&field) {
                    removed += 1;
                    journal.redos.record(|| Redo::remove(Space::Hash, key, &field));
                    journal.record(|| Change::new(key.clone(), Operation::Hdel).field(field).old(old));
                }
            }
            Ok(removed.into())
        }),
        HashCommand::Has(field) => shard.read(key, journal, |fields: Option<&Fields>| {
            Reply::Flag(fields.is_some_and(|fields| fields.contains_key(&field)))
        }),
        HashCommand::Len => {
            shard.read(key, journal, |fields: Option<&Fields>| fields.map_or(0, Fields::len).into())
        }
        HashCommand::Keys => shard.read(key, journal, |fields: Option<&Fields>| {
            Reply::List(fields.into_iter().flat_map(Fields::keys).cloned().collect())
        }),
        HashCommand::All => shard.read(key, journal, |fields: Option<&Fields>| {
            let pairs = fields.into_iter().flatten();
            Reply::Pairs(pairs.map(|(field, value)| (field.clone(), value.clone())).collect())
        }),
        HashCommand::Increment(field, by) => shard.write(key, journal, |fields: &mut Fields, journal| {
            let sum = add(key, fields.get(&field), by)?;
            set(fields, key, Operation::Hincrby, field, sum.into(), journal);
            Ok(Reply::Number(sum))
        }),
    }
}

fn set(
    fields: &mut Fields,
    key: &Key,
    operation: Operation,
    field: Data,
    value: Data,
    journal: &mut Journal,
) -> Option<Data> {
    let old = fields.insert(field.clone(), value.clone());
    journal.redos.record(|| Redo::put(Space::Hash, key, &field, &value));
    journal.record(|| Change::new(key.clone(), operation).field(field).old(old.clone()).new_value(value));
    old
}
