//! Single values.

use super::contents::Contents;
use super::journal::Journal;
use super::shard::{Shard, deadline};
use crate::knowledge::{Change, Data, Error, Key, Kind, Operation, Reply, ValueCommand};

pub(super) fn apply(
    shard: &mut Shard,
    key: &Key,
    command: ValueCommand,
    journal: &mut Journal,
) -> Result<Reply, Error> {
    match command {
        ValueCommand::Get => Ok(get(shard, key, journal)?.into()),
        ValueCommand::GetVersioned => {
            Ok(Reply::Versioned(get(shard, key, journal)?, shard.version(key, journal)))
        }
        ValueCommand::Set { value, expiry } => {
            // A value whose time has ended is no old value.
            shard.contents(key, journal);
            let old = shard.insert(key, Contents::Value(value.clone()), expiry.and_then(deadline), journal);
            journal.record(|| {
                let old = if let Some(Contents::Value(old)) = old { Some(old) } else { None };
                Change::new(key.clone(), Operation::Set).old(old).new_value(value)
            });
            if expiry.is_some() {
                journal.record(|| Change::new(key.clone(), Operation::Expire));
            }
            Ok(Reply::Done)
        }
        ValueCommand::Take => {
            let value = get(shard, key, journal)?;
            if value.is_some() {
                shard.remove(key, journal);
                journal.record(|| Change::new(key.clone(), Operation::Del).old(value.clone()));
            }
            Ok(value.into())
        }
        ValueCommand::Increment(by) => {
            let held = get(shard, key, journal)?;
            let sum = add(key, held.as_ref(), by)?;
            shard.replace(key, Contents::Value(sum.into()), journal);
            journal
                .record(|| Change::new(key.clone(), Operation::Incrby).old(held).new_value(Data::from(sum)));
            Ok(Reply::Number(sum))
        }
    }
}

fn get(shard: &mut Shard, key: &Key, journal: &mut Journal) -> Result<Option<Data>, Error> {
    match shard.contents(key, journal) {
        None => Ok(None),
        Some(Contents::Value(value)) => Ok(Some(value.clone())),
        Some(other) => Err(Error::WrongKind { key: key.clone(), asked: Kind::Value, held: other.kind() }),
    }
}

/// The sum of a counter kept as decimal text and `by`.
pub(super) fn add(key: &Key, held: Option<&Data>, by: i64) -> Result<i64, Error> {
    let number = match held {
        None => 0,
        Some(data) => match data.as_str().and_then(|text| text.parse().ok()) {
            Some(number) => number,
            None => return Err(Error::NotANumber { key: key.clone(), held: data.clone() }),
        },
    };
    let overflow = || Error::Overflow { key: key.clone(), held: number, by };
    number.checked_add(by).ok_or_else(overflow)
}
