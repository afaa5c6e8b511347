//! Lists.

use super::contents::Items;
use super::journal::Journal;
use super::shard::Shard;
use crate::knowledge::{Change, Data, End, Error, Key, ListCommand, Operation, Reply};
use std::ops::Range;

pub(super) fn apply(
    shard: &mut Shard,
    key: &Key,
    command: ListCommand,
    journal: &mut Journal,
) -> Result<Reply, Error> {
    match command {
        ListCommand::Push(end, pushed) => shard.write(key, journal, |items: &mut Items, journal| {
            let before = items.len();
            for item in pushed {
                push(items, end, item, key, journal);
            }
            journal.pushed(key, items.len() - before);
            Ok(items.len().into())
        }),
        ListCommand::Pop(end) => {
            shard.write(key, journal, |items: &mut Items, journal| Ok(pop(items, end, key, journal).into()))
        }
        ListCommand::Len => {
            shard.read(key, journal, |items: Option<&Items>| items.map_or(0, Items::len).into())
        }
        ListCommand::Get(index) => shard.read(key, journal, |items: Option<&Items>| {
            items.and_then(|items| items.get(place(index, items.len())?)).cloned().into()
        }),
        ListCommand::Set(index, item) => shard.write(key, journal, |items: &mut Items, journal| {
            let len = items.len();
            let Some(held) = place(index, len).and_then(|at| items.get_mut(at)) else {
                return Err(Error::NoSuchIndex { key: key.clone(), index, len });
            };
            let old = std::mem::replace(held, item.clone());
            journal.record(|| Change::new(key.clone(), Operation::Lset).old(old).new_value(item));
            Ok(Reply::Done)
        }),
        ListCommand::Range(first, last) => shard.read(key, journal, |items: Option<&Items>| {
            let found = items.map(|items| items.range(range(first, last, items.len())).cloned().collect());
            Reply::List(found.unwrap_or_default())
        }),
        ListCommand::Trim(first, last) => shard.write(key, journal, |items: &mut Items, journal| {
            let kept = range(first, last, items.len());
            if kept.len() < items.len() {
                items.truncate(kept.end);
                items.drain(..kept.start);
                journal.record(|| Change::new(key.clone(), Operation::Ltrim));
            }
            Ok(Reply::Done)
        }),
        ListCommand::Remove(item) => shard.write(key, journal, |items: &mut Items, journal| {
            let before = items.len();
            items.retain(|held| *held != item);
            let removed = before - items.len();
            if removed > 0 {
                journal.record(|| Change::new(key.clone(), Operation::Lrem).old(item));
            }
            Ok(removed.into())
        }),
    }
}

fn push(items: &mut Items, end: End, item: Data, key: &Key, journal: &mut Journal) {
    let operation = match end {
        End::Front => Operation::Lpush,
        End::Back => Operation::Rpush,
    };
    journal.record(|| Change::new(key.clone(), operation).new_value(item.clone()));
    match end {
        End::Front => items.push_front(item),
        End::Back => items.push_back(item),
    }
}

fn pop(items: &mut Items, end: End, key: &Key, journal: &mut Journal) -> Option<Data> {
    let (item, operation) = match end {
        End::Front => (items.pop_front()?, Operation::Lpop),
        End::Back => (items.pop_back()?, Operation::Rpop),
    };
    journal.record(|| Change::new(key.clone(), operation).old(item.clone()));
    Some(item)
}

/// The place that `index` means in a list of `len` items; negative ones count from the back.
fn place(index: i64, len: usize) -> Option<usize> {
    let at = if index < 0 { i64::try_from(len).ok()?.checked_add(index)? } else { index };
    usize::try_from(at).ok().filter(|at| *at < len)
}

/// The places from `first` to `last`, both included, as far as they are in the list.
pub(super) fn range(first: i64, last: i64, len: usize) -> Range<usize> {
    let len = i64::try_from(len).unwrap_or(i64::MAX);
    let bound = |index: i64| if index < 0 { index.saturating_add(len) } else { index };
    let start = bound(first).clamp(0, len);
    let end = bound(last).saturating_add(1).clamp(start, len);
    usize::try_from(start).unwrap_or(0)..usize::try_from(end).unwrap_or(0)
}
