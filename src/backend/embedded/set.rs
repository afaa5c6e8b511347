//! Sets.

use super::contents::Members;
use super::journal::Journal;
use super::redo::{Content, Redo, Space};
use super::shard::Shard;
use crate::knowledge::{Change, Error, Key, Operation, Reply, SetCommand};

pub(super) fn apply(
    shard: &mut Shard,
    key: &Key,
    command: SetCommand,
    journal: &mut Journal,
) -> Result<Reply, Error> {
    match command {
        SetCommand::Add(asked) => shard.write(key, journal, |members: &mut Members, journal| {
            let mut added = 0_usize;
            for member in asked {
                if members.insert(member.clone()) {
                    added += 1;
                    journal.redos.record(|| Redo::put(Space::Set, key, &member, Content::Nothing));
                    journal.record(|| Change::new(key.clone(), Operation::Sadd).new_value(member));
                }
            }
            Ok(added.into())
        }),
        SetCommand::Remove(asked) => shard.write(key, journal, |members: &mut Members, journal| {
            let mut removed = 0_usize;
            for member in asked {
                if members.remove(&member) {
                    removed += 1;
                    journal.redos.record(|| Redo::remove(Space::Set, key, &member));
                    journal.record(|| Change::new(key.clone(), Operation::Srem).old(member));
                }
            }
            Ok(removed.into())
        }),
        SetCommand::Has(member) => shard.read(key, journal, |members: Option<&Members>| {
            Reply::Flag(members.is_some_and(|members| members.contains(&member)))
        }),
        SetCommand::Len => {
            shard.read(key, journal, |members: Option<&Members>| members.map_or(0, Members::len).into())
        }
        SetCommand::Members => shard.read(key, journal, |members: Option<&Members>| {
            Reply::List(members.into_iter().flatten().cloned().collect())
        }),
        SetCommand::Pop => shard.write(key, journal, |members: &mut Members, journal| {
            let any = members.iter().next().cloned();
            if let Some(member) = &any {
                members.remove(member);
                journal.redos.record(|| Redo::remove(Space::Set, key, member));
                journal.record(|| Change::new(key.clone(), Operation::Spop).old(member.clone()));
            }
            Ok(any.into())
        }),
    }
}
