//! Gathers entries of a log to batches.

use super::Table;
use super::rows::Rows;
use crate::event::{self, Entry, Event, EventId, Log};
use futures::future::pending;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::any::type_name;
use std::mem;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

/// Follows a log from a place and makes rows of what comes.
pub(super) struct Collector<T> {
    log: Log,
    entries: BoxStream<'static, Result<Entry, event::Error>>,
    last: EventId,
    table: Table<T>,
    taken: Taken,
    batch: Batch<T>,
    /// When what is there is enough.
    until: Option<Instant>,
}

/// What is taken, and how much at a time.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    pub(super) max: NonZeroUsize,
    pub(super) within: Duration,
    pub(super) kinds: Option<Arc<[String]>>,
}

/// Entries one behind the other.
pub(super) struct Batch<T> {
    pub(super) entries: Vec<Gathered<T>>,
    pub(super) rows: Rows,
}

pub(super) struct Gathered<T> {
    pub(super) id: EventId,
    pub(super) event: Event,
    pub(super) what: What<T>,
}

/// What an entry is.
pub(super) enum What<T> {
    /// A row, which is the how manieth of the batch.
    Row(T, usize),
    /// No row.
    Refused(String),
    /// Of a kind that is not taken.
    Unseen,
}

impl<T> Gathered<T> {
    pub(super) fn is_row(&self) -> bool {
        matches!(self.what, What::Row(..))
    }
}

/// The pause after the log has refused to be read.
const PAUSE: Duration = Duration::from_secs(1);

impl Taken {
    /// What becomes of an entry.
    pub(super) fn open<T: DeserializeOwned>(&self, entry: Entry) -> (Event, Result<Option<T>, String>) {
        let event = match entry.event {
            Ok(event) => event,
            Err(malformed) => return (malformed.as_event(), Err(malformed.to_string())),
        };
        let takes = |kinds: &Arc<[String]>| kinds.iter().any(|kind| event.is(kind));
        if !self.kinds.as_ref().is_none_or(takes) {
            return (event, Ok(None));
        }
        let value = event.read().map(Some).map_err(|error| format!("it is no {}: {error}", type_name::<T>()));
        (event, value)
    }
}

impl<T: Serialize + DeserializeOwned> Collector<T> {
    pub(super) fn new(log: &Log, after: EventId, table: &Table<T>, taken: &Taken) -> Self {
        Self {
            entries: log.follow(after).fuse().boxed(),
            log: log.clone(),
            last: after,
            batch: Batch { entries: Vec::new(), rows: table.no_rows() },
            table: table.clone(),
            taken: taken.clone(),
            until: None,
        }
    }

    fn is_full(&self) -> bool {
        self.batch.entries.len() >= self.taken.max.get()
    }

    /// The next batch: as many as may be, or what has come in the time from the first one. Dropping the future leaves
    /// what it has gathered here.
    pub(super) async fn next(&mut self) -> Batch<T> {
        loop {
            self.take_ready();
            let due = self.until.is_some_and(|until| until <= Instant::now());
            if self.is_full() || due {
                self.until = None;
                let none = Batch {
                    entries: Vec::with_capacity(self.batch.entries.len()),
                    rows: self.table.no_rows(),
                };
                return mem::replace(&mut self.batch, none);
            }
            match self.until {
                None => self.take_one().await,
                Some(until) => tokio::select! {
                    () = self.take_one() => {}
                    () = sleep_until(until) => {}
                },
            }
        }
    }

    /// Gathers for the next batch, and never ends: for the time while the one before is committed.
    pub(super) async fn gather(&mut self) {
        loop {
            self.take_ready();
            if self.is_full() {
                pending::<()>().await;
            }
            self.take_one().await;
        }
    }

    /// What needs no waiting.
    fn take_ready(&mut self) {
        while !self.is_full()
            && let Some(Some(entry)) = self.entries.next().now_or_never()
        {
            self.take(entry);
        }
    }

    async fn take_one(&mut self) {
        if let Some(entry) = self.entries.next().await {
            self.take(entry);
        } else {
            // The pause is a part of what is followed, so it goes on if this future is dropped.
            let (log, after) = (self.log.clone(), self.last);
            let anew = sleep(PAUSE).map(move |()| log.follow(after)).flatten_stream();
            self.entries = anew.fuse().boxed();
        }
    }

    fn take(&mut self, entry: Result<Entry, event::Error>) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                tracing::error!(log = %self.log.name(), %error, "a log cannot be read; it is tried again");
                // Its end comes next, and then it is followed anew.
                return;
            }
        };
        let id = entry.id;
        self.last = id;
        let (event, opened) = self.taken.open::<T>(entry);
        let rows = &mut self.batch.rows;
        let what = match opened {
            Ok(None) => What::Unseen,
            Ok(Some(value)) => match rows.push(&value) {
                Ok(()) => What::Row(value, rows.len() - 1),
                Err(reason) => What::Refused(reason),
            },
            Err(reason) => What::Refused(reason),
        };
        if self.batch.entries.is_empty() {
            self.until = Some(Instant::now() + self.taken.within);
        }
        self.batch.entries.push(Gathered { id, event, what });
    }
}
