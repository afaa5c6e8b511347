//! Several commands as one.

use super::{
    Command, Conflict, Data, End, Error, HashCommand, Items, Key, KeyCommand, ListCommand, LockGuard, Reply,
    SetCommand, SortedCommand, ValueCommand, Version,
};
use crate::event::{Consumer, Event, EventId, GroupName, LogName};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Conditions and commands over any keys of a store and the logs beside it, done as one: all of them, or none.
///
/// The commands are done in the order stated if every condition holds at that moment, then what is stated for logs;
/// nobody sees a state between.
/// The shorthands are named as the Redis commands; [`run`](Self::run) takes any command, also reads. Keys and data are
/// what the store keeps: [`Value::key`](super::Value::key), and [`Set::data`](super::Set::data) and its like for items.
///
/// ```
/// use mape::backend::Backend;
/// use mape::knowledge::{Error, Knowledge, Scope, Transaction};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Error> {
/// let backend = Backend::memory();
/// let k = Knowledge::new(backend.store(), Scope::App);
/// let (lanes, open) = (k.set::<String>("lanes"), k.value::<u32>("open"));
/// let (_, version) = open.get_versioned().await?;
/// let opening = || -> Result<_, Error> {
///     Ok(Transaction::new()
///         .expect_version(open.key(), version)
///         .sadd(lanes.key(), lanes.data("left")?)
///         .set(open.key(), open.data(&1)?))
/// };
/// k.store().commit(opening()?).await?;
/// assert!(lanes.contains("left").await?);
/// // `open` has changed since its version was read:
/// assert!(matches!(k.store().commit(opening()?).await, Err(Error::Conflict(_))));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[must_use = "a transaction does nothing until it is committed"]
pub struct Transaction {
    conditions: Vec<Condition>,
    steps: Vec<(Key, Command)>,
    log_steps: Vec<LogStep>,
    /// Whether the versions that keys have then are of no interest.
    #[serde(default)]
    unversioned: bool,
}

/// What a [`Transaction`] does to a log; behind its commands, in the order stated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum LogStep {
    /// Appends an event.
    Append(LogName, Event),
    /// Acknowledges events for a group.
    Acknowledge(LogName, GroupName, Vec<EventId>),
}

/// What has to hold for a [`Transaction`] to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Condition {
    /// The key has this version ([`Version::ABSENT`]: it does not exist).
    Version(Key, Version),
    /// The key exists (`true`) or does not (`false`).
    Exists(Key, bool),
    /// The key holds exactly this value.
    Value(Key, Data),
    /// The field of the hash has this value, or does not exist.
    Field(Key, Data, Option<Data>),
    /// The set has this member (`true`) or has not (`false`).
    Member(Key, Data, bool),
    /// The list has this many items.
    Length(Key, u64),
    /// The event is still pending for this consumer: it has not been acknowledged, and nobody else has claimed it.
    Pending(Consumer, EventId),
}

impl Condition {
    /// The key it speaks of, if it does not speak of a log.
    #[must_use]
    pub fn key(&self) -> Option<&Key> {
        match self {
            Self::Version(key, _)
            | Self::Exists(key, _)
            | Self::Value(key, _)
            | Self::Field(key, ..)
            | Self::Member(key, ..)
            | Self::Length(key, _) => Some(key),
            Self::Pending(..) => None,
        }
    }
}

/// What a transaction did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Committed {
    /// The reply to each command, in order.
    pub replies: Vec<Reply>,
    /// The version of each key a value was [`set`](Transaction::set) to, in order of first mention.
    pub versions: Vec<(Key, Version)>,
    /// The places of the events that were appended, in order.
    pub ids: Vec<EventId>,
}

impl Committed {
    /// The version that `key` has now, if the transaction set it.
    #[must_use]
    pub fn version(&self, key: &Key) -> Option<Version> {
        self.versions.iter().find(|(k, _)| k == key).map(|(_, version)| *version)
    }
}

impl Transaction {
    /// Without an answer that has [versions](Committed::versions), which cost a look at each value that is set.
    #[cfg(feature = "flow")]
    pub(crate) fn unversioned(self) -> Self {
        Self { unversioned: true, ..self }
    }

    #[cfg(feature = "redis")]
    pub(crate) fn is_unversioned(&self) -> bool {
        self.unversioned
    }
}

/// Conditions.
impl Transaction {
    /// Without conditions and commands.
    pub fn new() -> Self {
        Self::default()
    }

    /// This and then the other, as one.
    pub fn and(mut self, other: Self) -> Self {
        self.conditions.extend(other.conditions);
        self.steps.extend(other.steps);
        for step in other.log_steps {
            self.add_log_step(step);
        }
        self
    }

    /// Acknowledgements for one group are one step.
    fn add_log_step(&mut self, step: LogStep) {
        if let LogStep::Acknowledge(log, group, ids) = &step {
            let same = self.log_steps.iter_mut().find_map(|held| match held {
                LogStep::Acknowledge(of, by, held) if of == log && by == group => Some(held),
                _ => None,
            });
            if let Some(held) = same {
                return held.extend(ids);
            }
        }
        self.log_steps.push(step);
    }

    /// Only if `condition` holds.
    pub fn expect(mut self, condition: Condition) -> Self {
        self.conditions.push(condition);
        self
    }

    /// Only if `key` still has `version`.
    pub fn expect_version(self, key: impl Into<Key>, version: Version) -> Self {
        self.expect(Condition::Version(key.into(), version))
    }

    /// Only if there is no `key`.
    pub fn expect_absent(self, key: impl Into<Key>) -> Self {
        self.expect(Condition::Exists(key.into(), false))
    }

    /// Only if there is a `key`.
    pub fn expect_present(self, key: impl Into<Key>) -> Self {
        self.expect(Condition::Exists(key.into(), true))
    }

    /// Only if `key` holds exactly `value`.
    pub fn expect_value(self, key: impl Into<Key>, value: impl Into<Data>) -> Self {
        self.expect(Condition::Value(key.into(), value.into()))
    }

    /// Only if the field of the hash has this value (`None`: does not exist).
    pub fn expect_field(self, key: impl Into<Key>, field: impl Into<Data>, value: Option<Data>) -> Self {
        self.expect(Condition::Field(key.into(), field.into(), value))
    }

    /// Only if the set has this member (`false`: has not).
    pub fn expect_member(self, key: impl Into<Key>, member: impl Into<Data>, present: bool) -> Self {
        self.expect(Condition::Member(key.into(), member.into(), present))
    }

    /// Only if the list has this many items.
    pub fn expect_length(self, key: impl Into<Key>, length: u64) -> Self {
        self.expect(Condition::Length(key.into(), length))
    }

    /// Only while the lock is held by this guard: what a holder that lost it without noticing does, is not done.
    pub fn expect_lock(self, guard: &LockGuard) -> Self {
        self.expect(guard.condition())
    }

    /// Only while the event is pending for this consumer: what one that lost its lease without noticing does, is not
    /// done.
    pub fn expect_pending(self, consumer: &Consumer, id: EventId) -> Self {
        self.expect(Condition::Pending(consumer.clone(), id))
    }
}

/// Commands.
impl Transaction {
    /// Does any command.
    pub fn run(mut self, key: impl Into<Key>, command: impl Into<Command>) -> Self {
        self.steps.push((key.into(), command.into()));
        self
    }

    /// Sets a value; an expiry it had ends.
    pub fn set(self, key: impl Into<Key>, value: impl Into<Data>) -> Self {
        self.run(key, ValueCommand::Set { value: value.into(), expiry: None })
    }

    /// Sets a value that ceases after `expiry`.
    pub fn set_for(self, key: impl Into<Key>, value: impl Into<Data>, expiry: Duration) -> Self {
        self.run(key, ValueCommand::Set { value: value.into(), expiry: Some(expiry) })
    }

    /// Adds to a counter.
    pub fn incrby(self, key: impl Into<Key>, by: i64) -> Self {
        self.run(key, ValueCommand::Increment(by))
    }

    /// Deletes a key.
    pub fn del(self, key: impl Into<Key>) -> Self {
        self.run(key, KeyCommand::Delete)
    }

    /// Lets a key cease after `after`.
    pub fn expire(self, key: impl Into<Key>, after: Duration) -> Self {
        self.run(key, KeyCommand::Expire(after))
    }

    /// Sets a field of a hash.
    pub fn hset(self, key: impl Into<Key>, field: impl Into<Data>, value: impl Into<Data>) -> Self {
        self.run(key, HashCommand::Set(Items::One((field.into(), value.into()))))
    }

    /// Removes a field of a hash.
    pub fn hdel(self, key: impl Into<Key>, field: impl Into<Data>) -> Self {
        self.run(key, HashCommand::Remove(Items::One(field.into())))
    }

    /// Adds a member to a set.
    pub fn sadd(self, key: impl Into<Key>, member: impl Into<Data>) -> Self {
        self.run(key, SetCommand::Add(Items::One(member.into())))
    }

    /// Removes a member of a set.
    pub fn srem(self, key: impl Into<Key>, member: impl Into<Data>) -> Self {
        self.run(key, SetCommand::Remove(Items::One(member.into())))
    }

    /// Puts an item at the back of a list.
    pub fn rpush(self, key: impl Into<Key>, item: impl Into<Data>) -> Self {
        self.run(key, ListCommand::Push(End::Back, Items::One(item.into())))
    }

    /// Puts items at the front of a list, one after the other: the last is the first then.
    pub fn lpush_all<D: Into<Data>>(self, key: impl Into<Key>, items: impl IntoIterator<Item = D>) -> Self {
        let items: Vec<Data> = items.into_iter().map(Into::into).collect();
        if items.is_empty() { self } else { self.run(key, ListCommand::Push(End::Front, Items::Many(items))) }
    }

    /// Puts an item at the front of a list.
    pub fn lpush(self, key: impl Into<Key>, item: impl Into<Data>) -> Self {
        self.run(key, ListCommand::Push(End::Front, Items::One(item.into())))
    }

    /// Gives a member of a sorted set its score.
    pub fn zadd(self, key: impl Into<Key>, member: impl Into<Data>, score: f64) -> Self {
        self.run(key, SortedCommand::Add(Items::One((member.into(), score))))
    }

    /// Removes a member of a sorted set.
    pub fn zrem(self, key: impl Into<Key>, member: impl Into<Data>) -> Self {
        self.run(key, SortedCommand::Remove(Items::One(member.into())))
    }

    /// Appends an event to a log of the same backend.
    pub fn append(mut self, log: impl Into<LogName>, event: Event) -> Self {
        self.log_steps.push(LogStep::Append(log.into(), event));
        self
    }

    /// Acknowledges an event of a log for a group.
    pub fn acknowledge(mut self, log: impl Into<LogName>, group: impl Into<GroupName>, id: EventId) -> Self {
        self.add_log_step(LogStep::Acknowledge(log.into(), group.into(), vec![id]));
        self
    }

    /// What has to hold, in the order stated.
    #[must_use]
    pub fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    /// What is done to keys, in order.
    #[must_use]
    pub fn steps(&self) -> &[(Key, Command)] {
        &self.steps
    }

    /// What is done to logs behind that, in order.
    #[must_use]
    pub fn log_steps(&self) -> &[LogStep] {
        &self.log_steps
    }

    /// Apart, for a store that carries it out.
    #[must_use]
    pub fn into_parts(self) -> (Vec<Condition>, Vec<(Key, Command)>, Vec<LogStep>) {
        (self.conditions, self.steps, self.log_steps)
    }

    /// A conflict of this transaction at its `condition`-th condition.
    #[must_use]
    pub fn conflict(self, condition: usize) -> Error {
        let key = match self.conditions.get(condition) {
            Some(Condition::Pending(consumer, _)) => Key::from(consumer.log.as_str()),
            Some(condition) => condition.key().cloned().unwrap_or_else(|| Key::from("")),
            None => Key::from(""),
        };
        Error::Conflict(Box::new(Conflict { condition, key, transaction: self }))
    }
}
