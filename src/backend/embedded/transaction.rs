//! Transactions in memory.

use super::contents::{Contents, Fields, Members};
use super::event_log::Logs;
use super::journal::Journal;
use super::list::Items;
use super::redo::{LogRedos, Redos};
use super::shard::{Entry, Shard};
use super::store::{Inner, SHARDS, apply};
use crate::knowledge::{
    Command, Committed, Condition, Error, HashCommand, Key, KeyCommand, Kind, ListCommand, LogStep,
    SortedCommand, Transaction, ValueCommand,
};
use foldhash::fast::RandomState;
use parking_lot::MutexGuard;
use std::collections::HashMap;

/// Does all of it or nothing, with every shard it touches locked; and after which batch that is kept.
pub(super) fn commit(inner: &Inner, transaction: Transaction) -> (Result<Committed, Error>, u64) {
    let mut world = Locked::of(inner, &transaction);
    let mut journal = inner.journal();
    let done = world.carry_out(transaction, &mut journal);
    // What ceased because it was looked at has ceased, also if nothing else was done.
    let batch = inner.tell(journal);
    (done, batch)
}

/// The shards a transaction touches.
struct Locked<'a> {
    inner: &'a Inner,
    /// By their index; locked in its order, so that two transactions cannot wait for each other.
    shards: Vec<(usize, MutexGuard<'a, Shard>)>,
    /// Locked after the shards, if the transaction speaks of logs.
    logs: Option<MutexGuard<'a, Logs>>,
}

impl<'a> Locked<'a> {
    fn of(inner: &'a Inner, transaction: &Transaction) -> Self {
        let conditions = transaction.conditions().iter().filter_map(Condition::key);
        let keys = conditions.chain(transaction.steps().iter().map(|(key, _)| key));
        let mut touched = [false; SHARDS];
        let mut count = 0;
        for key in keys {
            if let Some(shard) = touched.get_mut(inner.index(key)) {
                count += usize::from(!std::mem::replace(shard, true));
            }
        }
        let mut shards = Vec::with_capacity(count);
        let touched = touched.iter().enumerate().filter(|(_, touched)| **touched);
        shards.extend(touched.map(|(index, _)| (index, inner.lock(index))));
        let of_log = |condition: &Condition| matches!(condition, Condition::Pending(..));
        let logs = !transaction.log_steps().is_empty() || transaction.conditions().iter().any(of_log);
        let logs = logs.then(|| inner.logs.lock());
        Self { inner, shards, logs }
    }

    #[expect(clippy::expect_used, reason = "every key of the transaction has its shard locked")]
    fn shard(&mut self, key: &Key) -> &mut Shard {
        let index = self.inner.index(key);
        let shard = self.shards.iter_mut().find(|(at, _)| *at == index);
        &mut shard.expect("the shard of a key of the transaction is locked").1
    }

    fn carry_out(&mut self, transaction: Transaction, journal: &mut Journal) -> Result<Committed, Error> {
        for (number, condition) in transaction.conditions().iter().enumerate() {
            if !self.holds(condition, journal)? {
                return Err(transaction.conflict(number));
            }
        }
        self.check_kinds(&transaction, journal)?;
        let (_, steps, log_steps) = transaction.into_parts();
        let before = self.snapshot_if_it_may_fail(&steps);
        let (changes, pushed, redone) = (journal.changes.len(), journal.pushed.len(), journal.redos.len());

        let mut committed = Committed { replies: Vec::with_capacity(steps.len()), ..Committed::default() };
        for (key, command) in steps {
            let sets = matches!(command, Command::Value(ValueCommand::Set { .. }));
            match apply(self.shard(&key), &key, command, journal) {
                Ok(reply) => committed.replies.push(reply),
                Err(error) => {
                    for (key, entry) in before {
                        self.shard(&key).restore(&key, entry);
                    }
                    journal.changes.truncate(changes);
                    journal.pushed.truncate(pushed);
                    journal.redos.take_back(redone);
                    return Err(error);
                }
            }
            if sets && committed.version(&key).is_none() {
                committed.versions.push((key, crate::knowledge::Version::ABSENT));
            }
        }
        for (key, version) in &mut committed.versions {
            *version = self.shard(key).version(key, journal);
        }
        self.do_to_logs(log_steps, &mut journal.redos, &mut committed);
        Ok(committed)
    }

    /// Comes last because it cannot fail.
    fn do_to_logs(&mut self, steps: Vec<LogStep>, redos: &mut Redos, committed: &mut Committed) {
        let Some(logs) = &mut self.logs else { return };
        for step in steps {
            match step {
                LogStep::Append(log, event) => {
                    let held = logs.entry(log.clone()).or_default();
                    committed.ids.push(held.append(event, &mut LogRedos::new(&log, redos)));
                }
                LogStep::Acknowledge(log, group, ids) => {
                    let held = logs.entry(log.clone()).or_default();
                    held.acknowledge(&group, &ids, &mut LogRedos::new(&log, redos));
                }
            }
        }
    }

    fn holds(&mut self, condition: &Condition, journal: &mut Journal) -> Result<bool, Error> {
        Ok(match condition {
            Condition::Version(key, version) => self.shard(key).version(key, journal) == *version,
            Condition::Exists(key, there) => self.shard(key).contents(key, journal).is_some() == *there,
            Condition::Value(key, value) => {
                matches!(self.shard(key).contents(key, journal), Some(Contents::Value(held)) if held == value)
            }
            Condition::Field(key, field, value) => {
                self.shard(key).read(key, journal, |fields: Option<&Fields>| {
                    fields.and_then(|f| f.get(field)) == value.as_ref()
                })?
            }
            Condition::Member(key, member, there) => {
                self.shard(key).read(key, journal, |members: Option<&Members>| {
                    members.is_some_and(|m| m.contains(member)) == *there
                })?
            }
            Condition::Length(key, length) => {
                self.shard(key).read(key, journal, |items: Option<&Items>| {
                    items.map_or(0, Items::len) as u64 == *length
                })?
            }
            Condition::Pending(consumer, id) => {
                let log = self.logs.as_ref().and_then(|logs| logs.get(&consumer.log));
                log.is_some_and(|log| log.is_pending(&consumer.group, &consumer.name, *id))
            }
            // `Condition` may grow; what this store does not know, does not hold.
            #[allow(unreachable_patterns, reason = "the enum may grow")]
            _ => false,
        })
    }

    /// Finds commands that would fail for the kind of their key before anything is done.
    fn check_kinds(&mut self, transaction: &Transaction, journal: &mut Journal) -> Result<(), Error> {
        // In most there are a few keys, each once.
        let mut kinds: HashMap<&Key, Option<Kind>, RandomState> = HashMap::default();
        for (key, command) in transaction.steps() {
            let held = match kinds.get(key) {
                Some(kind) => *kind,
                None => self.shard(key).contents(key, journal).map(Contents::kind),
            };
            let after = match (needs(command), held) {
                (Some(asked), Some(held)) if asked != held => {
                    return Err(Error::WrongKind { key: key.clone(), asked, held });
                }
                (Some(asked), _) => Some(asked),
                (None, held) => match command {
                    Command::Key(KeyCommand::Delete) => None,
                    Command::Value(ValueCommand::Set { .. }) => Some(Kind::Value),
                    _ => held,
                },
            };
            if transaction.steps().len() > 1 {
                kinds.insert(key, after);
            }
        }
        Ok(())
    }

    /// The keys as they are now, if a command may fail for another reason than its kind.
    fn snapshot_if_it_may_fail(&mut self, steps: &[(Key, Command)]) -> Vec<(Key, Option<Entry>)> {
        if !steps.iter().any(|(_, command)| may_fail(command)) {
            return Vec::new();
        }
        steps.iter().map(|(key, _)| (key.clone(), self.shard(key).snapshot(key))).collect()
    }
}

/// The kind its key has to be of, if it exists.
fn needs(command: &Command) -> Option<Kind> {
    match command {
        Command::Key(_) | Command::Value(ValueCommand::Set { .. }) => None,
        Command::Value(_) => Some(Kind::Value),
        Command::Hash(_) => Some(Kind::Hash),
        Command::Set(_) => Some(Kind::Set),
        Command::List(_) => Some(Kind::List),
        Command::Sorted(_) => Some(Kind::SortedSet),
    }
}

/// Whether the command can fail although its key is of the right kind.
fn may_fail(command: &Command) -> bool {
    matches!(
        command,
        Command::Value(ValueCommand::Increment(_))
            | Command::Hash(HashCommand::Increment(..))
            | Command::List(ListCommand::Set(..))
            | Command::Sorted(SortedCommand::Add(_) | SortedCommand::Increment(..))
    )
}
