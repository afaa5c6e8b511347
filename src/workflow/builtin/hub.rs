//! Those who wait for events of one log.

use crate::event::{Entry, Error, EventId, Log};
use futures::StreamExt;
use parking_lot::Mutex;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Reads a log once for all who wait for events of it; it begins with the first of them, and ends when this is dropped.
pub(super) struct Hub {
    log: Log,
    waits: Arc<Waits>,
    reading: Mutex<Option<JoinHandle<()>>>,
}

/// What somebody waits for: the value that they take from an event, if it is the right one.
pub(super) type Wanted = Arc<dyn Fn(&Value) -> Option<Value> + Send + Sync>;

/// An event that was waited for.
pub(super) struct Taken {
    pub(super) id: EventId,
    pub(super) value: Value,
}

#[derive(Default)]
struct Waits {
    by_kind: Mutex<HashMap<String, HashMap<u64, Waiter>>>,
    next: AtomicU64,
}

/// A place in the table, until this is dropped.
struct Listed<'w> {
    waits: &'w Waits,
    kind: &'w str,
    number: u64,
}

struct Waiter {
    /// The log may be read more slowly than it is written: what comes to be read may have been there before.
    from: EventId,
    wanted: Wanted,
    answer: oneshot::Sender<Taken>,
}

/// How many events are read at a time.
const PAGE: usize = 256;
/// How long to wait before a log is read again that could not be read.
const PATIENCE: Duration = Duration::from_secs(1);

impl Hub {
    pub(super) fn new(log: Log) -> Self {
        Self { log, waits: Arc::default(), reading: Mutex::new(None) }
    }

    pub(super) fn log(&self) -> &Log {
        &self.log
    }

    /// Waits for the first event of this kind, from a place on, that is wanted.
    ///
    /// Dropping the future ends the wait.
    pub(super) async fn first(&self, kind: &str, from: EventId, wanted: Wanted) -> Result<Taken, Error> {
        loop {
            self.begin().await?;
            // In line before looking, so that nothing appended between looking and waiting is overheard.
            let (answer, answered) = oneshot::channel();
            let _listed = self.waits.add(kind, Waiter { from, wanted: wanted.clone(), answer });
            if let Some(taken) = self.find(kind, from, &wanted).await? {
                return Ok(taken);
            }
            if let Ok(taken) = answered.await {
                return Ok(taken);
            }
        }
    }

    /// What is in the log already.
    async fn find(&self, kind: &str, from: EventId, wanted: &Wanted) -> Result<Option<Taken>, Error> {
        let mut from = from;
        loop {
            let page = self.log.range(from, EventId::MAX, PAGE).await?;
            let Some(last) = page.last() else { return Ok(None) };
            from = last.id.next();
            if let Some(taken) = page.iter().find_map(|entry| take(entry, kind, wanted)) {
                return Ok(Some(taken));
            }
        }
    }

    /// Begins to read the log if nobody does.
    async fn begin(&self) -> Result<(), Error> {
        let runs = || self.reading.lock().as_ref().is_some_and(|reading| !reading.is_finished());
        if runs() {
            return Ok(());
        }
        let last = self.log.info().await?.last;
        let mut reading = self.reading.lock();
        if reading.as_ref().is_none_or(JoinHandle::is_finished) {
            *reading = Some(tokio::spawn(read(self.log.clone(), last, self.waits.clone())));
        }
        Ok(())
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        if let Some(reading) = self.reading.lock().take() {
            reading.abort();
        }
    }
}

async fn read(log: Log, after: EventId, waits: Arc<Waits>) {
    let mut after = after;
    loop {
        let mut entries = Box::pin(log.follow(after));
        while let Some(entry) = entries.next().await {
            match entry {
                Ok(entry) => {
                    after = entry.id;
                    waits.see(&entry);
                }
                Err(error) => {
                    tracing::warn!(%error, "events that are waited for cannot be read; trying again");
                }
            }
        }
        tokio::time::sleep(PATIENCE).await;
    }
}

impl Waits {
    fn add<'w>(&'w self, kind: &'w str, waiter: Waiter) -> Listed<'w> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.by_kind.lock().entry(kind.to_owned()).or_default().insert(number, waiter);
        Listed { waits: self, kind, number }
    }

    fn see(&self, entry: &Entry) {
        let mut by_kind = self.by_kind.lock();
        if by_kind.is_empty() {
            return;
        }
        let Some(kind) = entry.event.as_ref().ok().and_then(|event| event.kind()) else { return };
        let Some(waiters) = by_kind.get_mut(&kind) else { return };
        let Some(event) = read_event(entry, &kind) else { return };
        let mut served = Vec::new();
        for (number, waiter) in waiters.iter().filter(|(_, waiter)| waiter.from <= entry.id) {
            if let Some(value) = (waiter.wanted)(&event) {
                served.push((*number, value));
            }
        }
        for (number, value) in served {
            if let Some(waiter) = waiters.remove(&number) {
                // Who has gone away in the meantime does not need it.
                drop(waiter.answer.send(Taken { id: entry.id, value }));
            }
        }
    }
}

impl Drop for Listed<'_> {
    fn drop(&mut self) {
        let mut by_kind = self.waits.by_kind.lock();
        if let Some(waiters) = by_kind.get_mut(self.kind) {
            waiters.remove(&self.number);
            if waiters.is_empty() {
                by_kind.remove(self.kind);
            }
        }
    }
}

fn take(entry: &Entry, kind: &str, wanted: &Wanted) -> Option<Taken> {
    Some(Taken { id: entry.id, value: wanted(&read_event(entry, kind)?)? })
}

fn read_event(entry: &Entry, kind: &str) -> Option<Value> {
    entry.event.as_ref().ok().filter(|event| event.is(kind))?.read().ok()
}
