//! What a backend has to be able to do to keep events.

use super::{Consumer, Error, Event, EventId, GroupName, LogName};
use crate::stream::Answer;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::fmt;
use std::time::Duration;

/// Keeps events in the order of their arrival, and who has read them.
///
/// A log is made by the first append, a group by [`create_group`](Self::create_group). Each event goes to one consumer
/// of every group and is **pending** there until it is acknowledged; how long it has been idle says whether its
/// consumer still lives. The views ([`Log`](super::Log), [`Group`](super::Group), [`EventSource`](super::EventSource))
/// are made of these methods.
///
/// # Delivery
///
/// At least once: what was appended and answered is there, and every group gets it until one of its consumers
/// acknowledges it.
pub trait EventLog: fmt::Debug + Send + Sync + 'static {
    /// Appends these events as one, one right behind the other; their places.
    ///
    /// # Cancel safety
    ///
    /// Dropping a pending answer leaves open whether it happens.
    fn append(&self, log: &LogName, events: Vec<Event>) -> Answer<Result<Vec<EventId>, Error>>;

    /// The first `count` entries from `from` to `to`, both included.
    fn range(
        &self,
        log: &LogName,
        from: EventId,
        to: EventId,
        count: usize,
    ) -> Answer<Result<Vec<Entry>, Error>>;

    /// At least one and at most `count` entries behind `after`, waiting until there is one.
    fn follow(&self, log: &LogName, after: EventId, count: usize) -> Answer<Result<Vec<Entry>, Error>>;

    /// The state of a log and its groups; one that does not exist is empty.
    fn info(&self, log: &LogName) -> Answer<Result<LogInfo, Error>>;

    /// Removes the entries that no group needs any more (all of them have read and acknowledged it); which ones.
    fn delete(&self, log: &LogName, ids: Vec<EventId>) -> Answer<Result<Vec<EventId>, Error>>;

    /// Removes the oldest entries as `keep` says, but none that a group has not acknowledged; how many.
    ///
    /// An implementation may leave some more (Redis trims whole blocks).
    fn trim(&self, log: &LogName, keep: Retention) -> Answer<Result<u64, Error>>;

    /// Removes a log with its groups; whether there was one.
    fn remove(&self, log: &LogName) -> Answer<Result<bool, Error>>;

    /// Makes a group that reads what comes behind `after` ([`EventId::MIN`]: everything; [`EventId::MAX`]: what is
    /// appended from now on); `false` if it exists, and stays as it is.
    fn create_group(&self, log: &LogName, group: &GroupName, after: EventId) -> Answer<Result<bool, Error>>;

    /// Moves a group, forward or back, so that it reads what comes behind `after` next, as in
    /// [`create_group`](Self::create_group). What is pending stays so. It is for those who keep their place elsewhere, and
    /// tell the log by a group what they no longer need.
    ///
    /// # Errors
    ///
    /// [`Error::NoGroup`] if it was not made, or is gone.
    fn seek(&self, log: &LogName, group: &GroupName, after: EventId) -> Answer<Result<(), Error>>;

    /// Removes a group with what is pending in it; whether there was one.
    fn remove_group(&self, log: &LogName, group: &GroupName) -> Answer<Result<bool, Error>>;

    /// At least one and at most `count` entries that nobody of the group has got yet, waiting until there is one.
    ///
    /// # Errors
    ///
    /// [`Error::NoGroup`] if it was not made, or is gone.
    ///
    /// # Cancel safety
    ///
    /// Dropping a pending answer may leave entries pending for this consumer that it does not know;
    /// [`forgotten`](Self::forgotten) gives them.
    fn read(&self, consumer: &Consumer, count: usize) -> Answer<Result<Vec<Delivered>, Error>>;

    /// Takes over at most `count` entries that have been idle for at least `idle`, whoever had them; they count as
    /// delivered once more, and are idle no more.
    fn claim(
        &self,
        consumer: &Consumer,
        idle: Duration,
        count: usize,
    ) -> Answer<Result<Vec<Delivered>, Error>>;

    /// What is pending for this consumer besides `known`: delivered to it by an answer that never arrived. It counts
    /// as delivered once more.
    fn forgotten(&self, consumer: &Consumer, known: Vec<EventId>) -> Answer<Result<Vec<Delivered>, Error>>;

    /// Sets how long these entries have been idle, as far as they are still this consumer's: zero is a sign of life,
    /// more lets others claim them sooner. Those that are.
    fn set_idle(
        &self,
        consumer: &Consumer,
        ids: Vec<EventId>,
        idle: Duration,
    ) -> Answer<Result<Vec<EventId>, Error>>;

    /// Puts back what this consumer got and never worked on: that delivery of these entries, as far as they are still this
    /// consumer's, does not count, and they have been idle for so long that others may claim them. Those that are.
    fn put_back(
        &self,
        consumer: &Consumer,
        ids: Vec<EventId>,
        idle: Duration,
    ) -> Answer<Result<Vec<EventId>, Error>>;

    /// Marks these as done for the group; how many were pending.
    fn acknowledge(&self, log: &LogName, group: &GroupName, ids: Vec<EventId>) -> Answer<Result<u64, Error>>;

    /// Acknowledges an entry and appends events, as one, if it is still pending for this consumer; whether it was.
    fn settle(
        &self,
        consumer: &Consumer,
        id: EventId,
        append: Vec<(LogName, Event)>,
    ) -> Answer<Result<bool, Error>>;

    /// Settles several entries of a consumer, each as [`settle`](Self::settle) does and by itself; which were pending, in
    /// their order.
    ///
    /// # Errors
    ///
    /// The first that there is; others may be settled then. Settling them again does no harm: they are pending no more.
    fn settle_all(&self, consumer: &Consumer, entries: Vec<Settling>) -> Answer<Result<Vec<bool>, Error>> {
        let each: Vec<_> =
            entries.into_iter().map(|(id, append)| self.settle(consumer, id, append)).collect();
        Answer::pending(async move { futures::future::join_all(each).await.into_iter().collect() })
    }

    /// The first `count` entries from `from` on that are pending in a group.
    fn pending(
        &self,
        log: &LogName,
        group: &GroupName,
        from: EventId,
        count: usize,
    ) -> Answer<Result<Vec<Pending>, Error>>;

    /// The consumers on a group's list, also those of programs of other kinds; none if it has no such group, or cannot
    /// be used by programs of other kinds.
    fn consumers(&self, _log: &LogName, _group: &GroupName) -> Answer<Result<Vec<ConsumerInfo>, Error>> {
        Answer::ready(Ok(Vec::new()))
    }

    /// Takes a consumer that has nothing pending off the group's list.
    fn leave(&self, consumer: &Consumer) -> Answer<Result<(), Error>>;
}

/// An entry that is to be acknowledged, and the events that are to be appended with that.
pub type Settling = (EventId, Vec<(LogName, Event)>);

/// An event at its place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Where.
    pub id: EventId,
    /// What; or, of a foreign program, fields that are no event.
    pub event: Result<Event, Malformed>,
}

/// An entry that is no event: a field of it is no JSON. Its fields as they are, lossy where they are no text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("the field {field:?} is no JSON; it begins with {:?}", .beginning)]
pub struct Malformed {
    /// The first field that is no JSON.
    pub field: String,
    /// The beginning of what stands in it.
    pub beginning: String,
    /// All fields.
    pub fields: Vec<(String, String)>,
}

impl Malformed {
    /// An event of its fields; those that are no JSON are texts.
    pub(crate) fn as_event(&self) -> Event {
        self.fields.iter().fold(Event::default(), |event, (name, text)| {
            let value = serde_json::from_str(text).unwrap_or_else(|_| Json::from(text.as_str()));
            event.with(name, value)
        })
    }
}

/// An entry as a consumer gets it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delivered {
    /// What.
    pub entry: Entry,
    /// The how manieth delivery to the group it is, from 1; those that were put back do not count.
    pub attempt: u64,
}

/// An entry that was delivered and not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// Where it is in the log.
    pub id: EventId,
    /// Who has it.
    pub consumer: super::ConsumerName,
    /// How long ago it was delivered, or its consumer last gave a sign of life for it.
    pub idle: Duration,
    /// How many times it was delivered and not put back.
    pub attempts: u64,
}

/// The state of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogInfo {
    /// How many entries it has.
    pub len: u64,
    /// The place of the last event ever appended; [`EventId::MIN`] if there was none.
    pub last: EventId,
    /// Its groups, by name.
    pub groups: Vec<GroupInfo>,
}

/// The state of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupInfo {
    /// Its name.
    pub name: GroupName,
    /// The last entry that was delivered to any of its consumers.
    pub last_delivered: EventId,
    /// How many entries wait that nobody of the group has got yet.
    pub lag: u64,
    /// How many were delivered and not acknowledged.
    pub pending: u64,
    /// How many consumers are on its list.
    pub consumers: u64,
}

/// A consumer on the list of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsumerInfo {
    /// Its name.
    pub name: super::ConsumerName,
    /// How many entries it has that it has not acknowledged.
    pub pending: u64,
    /// How long ago it last asked for something.
    pub idle: Duration,
}

/// What a log keeps when it is trimmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Retention {
    /// The newest entries, this many.
    Entries(u64),
    /// Those that are younger than this.
    Age(Duration),
    /// Those that a group has not acknowledged; all, as long as there is no group.
    Needed,
}
