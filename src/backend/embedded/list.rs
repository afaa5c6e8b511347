//! Lists.

use super::journal::Journal;
use super::redo::{Redo, Space};
use super::shard::Shard;
use crate::knowledge::{Change, Data, End, Error, Key, ListCommand, Operation, Reply};
use std::collections::VecDeque;
use std::ops::Range;

/// Items in order, each at a place that it keeps as long as nothing is taken out between them.
#[derive(Clone, Debug, Default)]
pub(super) struct Items {
    items: VecDeque<Data>,
    /// The place of the front item.
    first: i64,
}

impl Items {
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The place of the item that has `at` before it.
    fn place(&self, at: usize) -> i64 {
        self.first.saturating_add_unsigned(at as u64)
    }

    /// The place that the next item pushed at this end gets.
    fn next(&self, end: End) -> i64 {
        match end {
            End::Front => self.first.saturating_sub(1),
            End::Back => self.place(self.items.len()),
        }
    }

    fn push(&mut self, end: End, item: Data) {
        match end {
            End::Front => {
                self.first = self.next(End::Front);
                self.items.push_front(item);
            }
            End::Back => self.items.push_back(item),
        }
    }

    /// The item and the place it had.
    fn pop(&mut self, end: End) -> Option<(Data, i64)> {
        match end {
            End::Front => {
                let (item, place) = (self.items.pop_front()?, self.first);
                self.first = self.place(1);
                Some((item, place))
            }
            End::Back => {
                let item = self.items.pop_back()?;
                Some((item, self.place(self.items.len())))
            }
        }
    }

    /// Takes back what is read again, from the front to the back; whether this is the place that comes next.
    pub(super) fn restore(&mut self, place: i64, item: Data) -> bool {
        if self.items.is_empty() {
            self.first = place;
        }
        let next = self.next(End::Back) == place;
        self.items.push_back(item);
        next
    }
}

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
            items.and_then(|items| items.items.get(at(index, items.len())?)).cloned().into()
        }),
        ListCommand::Set(index, item) => {
            shard.write(key, journal, |items: &mut Items, journal| set(items, index, item, key, journal))
        }
        ListCommand::Range(first, last) => shard.read(key, journal, |items: Option<&Items>| {
            let found =
                items.map(|items| items.items.range(range(first, last, items.len())).cloned().collect());
            Reply::List(found.unwrap_or_default())
        }),
        ListCommand::Trim(first, last) => shard.write(key, journal, |items: &mut Items, journal| {
            trim(items, range(first, last, items.len()), key, journal);
            Ok(Reply::Done)
        }),
        ListCommand::Remove(item) => shard
            .write(key, journal, |items: &mut Items, journal| Ok(remove(items, &item, key, journal).into())),
    }
}

fn push(items: &mut Items, end: End, item: Data, key: &Key, journal: &mut Journal) {
    let operation = match end {
        End::Front => Operation::Lpush,
        End::Back => Operation::Rpush,
    };
    journal.record(|| Change::new(key.clone(), operation).new_value(item.clone()));
    journal.redos.record(|| Redo::put(Space::List, key, items.next(end), &item));
    items.push(end, item);
}

fn pop(items: &mut Items, end: End, key: &Key, journal: &mut Journal) -> Option<Data> {
    let operation = match end {
        End::Front => Operation::Lpop,
        End::Back => Operation::Rpop,
    };
    let (item, place) = items.pop(end)?;
    journal.redos.record(|| Redo::remove(Space::List, key, place));
    journal.record(|| Change::new(key.clone(), operation).old(item.clone()));
    Some(item)
}

fn set(items: &mut Items, index: i64, item: Data, key: &Key, journal: &mut Journal) -> Result<Reply, Error> {
    let len = items.len();
    let at = at(index, len);
    let Some((at, held)) = at.and_then(|at| Some((at, items.items.get_mut(at)?))) else {
        return Err(Error::NoSuchIndex { key: key.clone(), index, len });
    };
    let old = std::mem::replace(held, item.clone());
    journal.redos.record(|| Redo::put(Space::List, key, items.place(at), &item));
    journal.record(|| Change::new(key.clone(), Operation::Lset).old(old).new_value(item));
    Ok(Reply::Done)
}

fn trim(items: &mut Items, kept: Range<usize>, key: &Key, journal: &mut Journal) {
    let len = items.len();
    if kept.len() == len {
        return;
    }
    for at in (0..kept.start).chain(kept.end..len) {
        journal.redos.record(|| Redo::remove(Space::List, key, items.place(at)));
    }
    items.items.truncate(kept.end);
    items.items.drain(..kept.start);
    items.first = items.place(kept.start);
    journal.record(|| Change::new(key.clone(), Operation::Ltrim));
}

/// Those behind the first that is removed move up, so that there are no gaps.
fn remove(items: &mut Items, item: &Data, key: &Key, journal: &mut Journal) -> usize {
    let Some(moved) = items.items.iter().position(|held| held == item) else { return 0 };
    let before = items.len();
    items.items.retain(|held| held != item);
    for (at, held) in items.items.iter().enumerate().skip(moved) {
        journal.redos.record(|| Redo::put(Space::List, key, items.place(at), held));
    }
    for at in items.len()..before {
        journal.redos.record(|| Redo::remove(Space::List, key, items.place(at)));
    }
    journal.record(|| Change::new(key.clone(), Operation::Lrem).old(item.clone()));
    before - items.len()
}

/// What `index` means in a list of `len` items; negative ones count from the back.
fn at(index: i64, len: usize) -> Option<usize> {
    let at = if index < 0 { i64::try_from(len).ok()?.checked_add(index)? } else { index };
    usize::try_from(at).ok().filter(|at| *at < len)
}

/// The items from `first` to `last`, both included, as far as they are in the list.
pub(super) fn range(first: i64, last: i64, len: usize) -> Range<usize> {
    let len = i64::try_from(len).unwrap_or(i64::MAX);
    let bound = |index: i64| if index < 0 { index.saturating_add(len) } else { index };
    let start = bound(first).clamp(0, len);
    let end = bound(last).saturating_add(1).clamp(start, len);
    usize::try_from(start).unwrap_or(0)..usize::try_from(end).unwrap_or(0)
}
