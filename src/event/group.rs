//! Those who share the events of a log.

use super::source::EventSource;
use super::{ConsumerName, Error, EventId, GroupInfo, GroupName, Log, Pending};
use crate::stream::Backoff;
use serde::de::DeserializeOwned;
use std::num::NonZeroUsize;
use std::time::Duration;

/// A consumer group of a log and how its members work: a cheap handle, from which [`source`](Self::source)s are made.
///
/// Who is in the same group, in this process or any other, shares the events: each goes to one of them. The group is
/// made by the first source and remembers where it is.
#[derive(Clone, Debug)]
pub struct Group {
    pub(super) log: Log,
    pub(super) name: GroupName,
    pub(super) after: EventId,
    pub(super) kinds: Option<Vec<String>>,
    pub(super) lease: Duration,
    pub(super) attempts: u64,
    pub(super) backoff: Backoff,
    pub(super) in_hand: NonZeroUsize,
    pub(super) receipts: bool,
    pub(super) consumer: Option<ConsumerName>,
}

impl Group {
    /// The lease unless another is asked for.
    pub const LEASE: Duration = Duration::from_secs(10);
    /// How many times an event is delivered unless another number is asked for.
    pub const ATTEMPTS: u64 = 5;
    /// How many events a source has in hand at most unless another number is asked for.
    pub const IN_HAND: NonZeroUsize = NonZeroUsize::new(1024).unwrap();

    pub(super) fn new(log: Log, name: GroupName) -> Self {
        Self {
            log,
            name,
            after: EventId::MIN,
            kinds: None,
            lease: Self::LEASE,
            attempts: Self::ATTEMPTS,
            backoff: Backoff::exponential(Duration::from_millis(100), Duration::from_secs(10)),
            in_hand: Self::IN_HAND,
            receipts: false,
            consumer: None,
        }
    }

    /// Where the group begins if it does not exist yet: behind this place. [`EventId::MIN`], the default, is everything
    /// that is still in the log; [`EventId::MAX`] what is appended from then on.
    #[must_use]
    pub fn after(mut self, place: EventId) -> Self {
        self.after = place;
        self
    }

    /// Only events of these kinds; the others are acknowledged unseen.
    #[must_use]
    pub fn select<K: Into<String>>(mut self, kinds: impl IntoIterator<Item = K>) -> Self {
        self.kinds = Some(kinds.into_iter().map(Into::into).collect());
        self
    }

    /// How long after its last sign of life a consumer's events go to another: long enough for a stall, short enough to
    /// wait for after a crash. All members of a group should have the same. As long as a consumer lives it gives a sign
    /// every third of it, so work may take any time.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease.max(Duration::from_millis(10));
        self
    }

    /// How many times an event is delivered before it goes to the dead letters, at least once.
    #[must_use]
    pub fn attempts(mut self, attempts: u64) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// How long after a failed attempt an event is delivered again, at the earliest; no longer than the lease.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// How many events a source may have given out or ready that are not acknowledged; then it waits. It may have up to
    /// as many again of what it takes over from others.
    #[must_use]
    pub fn in_hand(mut self, events: NonZeroUsize) -> Self {
        self.in_hand = events;
        self
    }

    /// Appends a receipt to the log with each acknowledgement, as one.
    #[must_use]
    pub fn receipts(mut self) -> Self {
        self.receipts = true;
        self
    }

    /// The name of the consumer; random unless said. One that comes back under its name goes on with what it had.
    #[must_use]
    pub fn consumer(mut self, name: impl Into<ConsumerName>) -> Self {
        self.consumer = Some(name.into());
        self
    }

    /// Joins the group as a consumer: a stream of the events that fall to it, as `T`s. Makes the group if there is none.
    ///
    /// # Errors
    ///
    /// As of the log; an outage at this moment too.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with time.
    ///
    /// # Cancel safety
    ///
    /// Yes: the group may have been made.
    pub async fn source<T: DeserializeOwned>(&self) -> Result<EventSource<T>, Error> {
        self.create().await?;
        Ok(EventSource::new(self.clone()))
    }

    /// Makes the group; `false` if it exists, and stays where it is.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it happens; doing it again does no harm.
    pub async fn create(&self) -> Result<bool, Error> {
        self.log.event_log().create_group(self.log.name(), &self.name, self.after).await
    }

    /// Moves the group, forward or back, so that it reads what comes behind `after` next; what is pending stays so.
    ///
    /// # Errors
    ///
    /// [`Error::NoGroup`] if it does not exist.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it happens; doing it again does no harm.
    pub async fn seek(&self, after: EventId) -> Result<(), Error> {
        self.log.event_log().seek(self.log.name(), &self.name, after).await
    }

    /// Removes the group with all it has not acknowledged; whether there was one.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it happens.
    pub async fn remove(&self) -> Result<bool, Error> {
        self.log.event_log().remove_group(self.log.name(), &self.name).await
    }

    /// How far it is, if it exists.
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn info(&self) -> Result<Option<GroupInfo>, Error> {
        let groups = self.log.info().await?.groups;
        Ok(groups.into_iter().find(|group| group.name == self.name))
    }

    /// The first `count` events that were delivered and not acknowledged.
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn pending(&self, count: usize) -> Result<Vec<Pending>, Error> {
        self.log.event_log().pending(self.log.name(), &self.name, EventId::MIN, count).await
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &GroupName {
        &self.name
    }

    /// The log it reads.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    pub(super) fn selects(&self, event: &super::Event) -> bool {
        self.kinds.as_ref().is_none_or(|kinds| kinds.iter().any(|kind| event.is(kind)))
    }
}
