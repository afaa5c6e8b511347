//! One log.

use super::{
    Entry, Error, Event, EventId, EventLog, EventSink, Group, GroupName, LogInfo, LogName, Retention,
};
use futures::{Stream, StreamExt, stream};
use serde::Serialize;
use std::sync::Arc;

/// One log; a cheap handle.
#[derive(Clone, Debug)]
pub struct Log {
    log: Arc<dyn EventLog>,
    name: LogName,
}

/// How many entries are asked for at a time.
const PAGE: usize = 256;

impl Log {
    pub(super) fn new(log: Arc<dyn EventLog>, name: LogName) -> Self {
        Self { log, name }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &LogName {
        &self.name
    }

    /// Appends an event; its place. When the answer is there, the event is.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it happens.
    pub async fn append(&self, event: Event) -> Result<EventId, Error> {
        let ids = self.append_all(vec![event]).await?;
        Ok(ids.last().copied().unwrap_or_default())
    }

    /// Appends several events as one, one right behind the other; their places.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it happens.
    pub async fn append_all(&self, events: Vec<Event>) -> Result<Vec<EventId>, Error> {
        if events.is_empty() { Ok(Vec::new()) } else { self.log.append(&self.name, events).await }
    }

    /// A sink whose items are appended as events of this kind.
    pub fn sink<T: Serialize>(&self, kind: &str) -> EventSink<T> {
        EventSink::new(self.log.clone(), self.name.clone(), kind)
    }

    /// The group `name`: those who share the events among them.
    pub fn group(&self, name: impl Into<GroupName>) -> Group {
        Group::new(self.clone(), name.into())
    }

    /// The first `count` entries from `from` to `to`, both included.
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn range(&self, from: EventId, to: EventId, count: usize) -> Result<Vec<Entry>, Error> {
        self.log.range(&self.name, from, to, count).await
    }

    /// Every entry behind `after`, those to come included, for ever ([`EventId::MIN`]: all there is and will be,
    /// [`EventId::MAX`]: what is appended from now on). Nobody has to acknowledge anything.
    ///
    /// # Errors
    ///
    /// What was appended during an outage comes behind it; an error that a retry does not mend is the last item.
    ///
    /// # Delivery
    ///
    /// Every entry once and in order; what is trimmed before it is read is left out.
    pub fn follow(&self, after: EventId) -> impl Stream<Item = Result<Entry, Error>> + Send + use<> {
        let log = self.clone();
        let pages = stream::unfold(Some(after), move |after| {
            let log = log.clone();
            async move {
                let after = after?;
                Some(match log.next_page(after).await {
                    Ok(page) => {
                        let last = page.last().map_or(after, |entry| entry.id);
                        (page.into_iter().map(Ok).collect::<Vec<_>>(), Some(last))
                    }
                    Err(error) => (vec![Err(error)], None),
                })
            }
        });
        pages.flat_map(stream::iter)
    }

    async fn next_page(&self, after: EventId) -> Result<Vec<Entry>, Error> {
        // What is appended while the backend is away is behind this place, also if it was asked for as "from now on".
        let after = if after == EventId::MAX { self.info_patiently().await?.last } else { after };
        super::fetch::patiently(|| self.log.follow(&self.name, after, PAGE)).await
    }

    async fn info_patiently(&self) -> Result<LogInfo, Error> {
        super::fetch::patiently(|| self.log.info(&self.name)).await
    }

    /// How long it is, where it ends, and how far its groups are.
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn info(&self) -> Result<LogInfo, Error> {
        self.log.info(&self.name).await
    }

    /// Removes the oldest entries as `keep` says, but never what a group has not acknowledged; how many.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it happens.
    pub async fn trim(&self, keep: Retention) -> Result<u64, Error> {
        self.log.trim(&self.name, keep).await
    }

    /// Removes those of these entries that every group has acknowledged; which ones.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it happens.
    pub async fn delete(&self, ids: Vec<EventId>) -> Result<Vec<EventId>, Error> {
        self.log.delete(&self.name, ids).await
    }

    /// Removes the whole log with its groups, acknowledged or not; whether there was one.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it happens.
    pub async fn remove(&self) -> Result<bool, Error> {
        self.log.remove(&self.name).await
    }

    /// The log into which its dead letters go. Each is the event with a field `dead` more, which says where it was, how
    /// often it was tried, and why it is here.
    #[must_use]
    pub fn dead_letters(&self) -> Self {
        Self { log: self.log.clone(), name: self.name.dead() }
    }

    /// What keeps it.
    #[must_use]
    pub fn event_log(&self) -> &Arc<dyn EventLog> {
        &self.log
    }
}
