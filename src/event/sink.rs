//! A sink that appends.

use super::{Error, Event, EventId, EventLog, LogName, Retention, metered};
use crate::stream::meter::{self, Meter};
use crate::stream::trace::{Parent, Span, SpanKind, TraceContext, carried};
use crate::stream::{Answer, Backoff};
use futures::{FutureExt, Sink};
use serde::Serialize;
use std::collections::VecDeque;
use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep};
use tracing::warn;

/// Appends the items of a stream to a log as events, a [`Sink`]: the fields of an item are those of the event, with
/// `kind`, `apiVersion` and `at` where the item has none. If appending is traced, it is a span, of the trace of the item if
/// that is a [`Message`](crate::element::Message), and the event has the field `traceparent`.
///
/// It loses nothing: while the backend is out of reach or refuses (its memory is full), items wait, and when its queue
/// (1,024 unless [`capacity`](Self::capacity) says otherwise) is full, whoever feeds it waits too. An item that cannot be
/// an event is counted, reported and left out.
///
/// Source: `EventClient.append` of `rqse`.
///
/// # Delivery
///
/// In order, at least once: events whose answer was lost with a connection are appended again.
#[doc(alias = "EventClient")]
pub struct EventSink<T> {
    log: Arc<dyn EventLog>,
    name: LogName,
    kind: String,
    keep: Option<Retention>,
    capacity: usize,
    waiting: VecDeque<Event>,
    /// What is being appended, or is to be appended again.
    batch: Vec<Event>,
    appending: Option<Answer<Result<Vec<EventId>, Error>>>,
    trimming: Option<Answer<Result<u64, Error>>>,
    untrimmed: u64,
    pause: Option<Pin<Box<Sleep>>>,
    failed: u32,
    /// When the batch was handed over.
    since: Option<Instant>,
    stats: EventSinkStats,
    item: PhantomData<fn(T)>,
}

/// How many events are appended at once.
const BATCH: usize = 256;
/// The capacity unless another is asked for.
const CAPACITY: usize = 1024;
/// After how many appended events the log is trimmed.
const TRIM_AFTER: u64 = 1024;

impl<T: Serialize> EventSink<T> {
    pub(super) fn new(log: Arc<dyn EventLog>, name: LogName, kind: &str) -> Self {
        Self {
            stats: EventSinkStats(Meter::new(&metered::SINK, name.as_str())),
            log,
            name,
            kind: kind.to_owned(),
            keep: None,
            capacity: CAPACITY,
            waiting: VecDeque::new(),
            batch: Vec::new(),
            appending: None,
            trimming: None,
            untrimmed: 0,
            pause: None,
            failed: 0,
            since: None,
            item: PhantomData,
        }
    }

    /// How many items wait before whoever feeds it does.
    #[must_use]
    pub fn capacity(mut self, capacity: NonZeroUsize) -> Self {
        self.capacity = capacity.get();
        self
    }

    /// Trims the log now and then to what is to be kept; never what a group has not acknowledged.
    #[must_use]
    pub fn keep(mut self, keep: Retention) -> Self {
        self.keep = Some(keep);
        self
    }

    /// Its counters, which go on counting.
    #[must_use]
    pub fn stats(&self) -> EventSinkStats {
        self.stats.clone()
    }

    /// Appends what waits; ready when nothing does any more.
    fn drive(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if let Some(appending) = &mut self.appending {
                let appended = ready!(appending.poll_unpin(cx));
                self.appending = None;
                self.appended(appended);
            }
            if let Some(pause) = &mut self.pause {
                ready!(pause.poll_unpin(cx));
                self.pause = None;
            }
            if let Some(trimming) = &mut self.trimming {
                if let Err(error) = ready!(trimming.poll_unpin(cx)) {
                    warn!(log = %self.name, %error, "a log could not be trimmed");
                }
                self.trimming = None;
            }
            if let Some(keep) = self.keep.filter(|_| self.untrimmed >= TRIM_AFTER) {
                self.untrimmed = 0;
                self.trimming = Some(self.log.trim(&self.name, keep));
                continue;
            }
            if self.batch.is_empty() {
                let len = self.waiting.len().min(BATCH);
                self.batch.extend(self.waiting.drain(..len));
            }
            if self.batch.is_empty() {
                return Poll::Ready(());
            }
            self.since = meter::now();
            self.appending = Some(self.log.append(&self.name, self.batch.clone()));
        }
    }

    fn appended(&mut self, appended: Result<Vec<EventId>, Error>) {
        let count = self.batch.len() as u64;
        self.stats.0.set(metered::WAITING, self.waiting.len() as f64);
        match appended {
            Ok(_) => {
                self.stats.0.add(metered::APPENDED, count);
                if let Some(since) = self.since {
                    self.stats.0.record(since.elapsed());
                }
                self.untrimmed += count;
                self.batch.clear();
                self.failed = 0;
            }
            Err(error) => {
                self.stats.0.add(metered::FAILURES, 1);
                if self.failed == 0 {
                    warn!(log = %self.name, %error, "events could not be appended; it is tried again");
                }
                let backoff = Backoff::exponential(Duration::from_millis(50), Duration::from_secs(1));
                self.pause = Some(Box::pin(sleep(backoff.wait(self.failed).unwrap_or_default())));
                self.failed += 1;
            }
        }
    }
}

impl<T: Serialize> Sink<T> for EventSink<T> {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if self.waiting.len() >= BATCH.min(self.capacity) {
            let all = self.drive(cx);
            if all.is_pending() && self.waiting.len() >= self.capacity {
                return Poll::Pending;
            }
        }
        Poll::Ready(Ok(()))
    }

    fn start_send(mut self: Pin<&mut Self>, item: T) -> Result<(), Error> {
        let (event, context) = carried(|| Event::of(&item));
        match event {
            Ok(event) => {
                let name = format_args!("append {}", self.name);
                let parent = Parent::from(context.or_else(TraceContext::current));
                let span = Span::begin(SpanKind::Producer, name, parent);
                span.note("messaging.destination.name", &self.name);
                let event = event.of_kind(&self.kind).stamped();
                let event = span.context().into_iter().fold(event, Event::traced_by);
                self.waiting.push_back(event);
            }
            Err(error) => {
                self.stats.0.add(metered::REFUSED, 1);
                warn!(log = %self.name, error = &error as &dyn std::error::Error, "an item cannot be appended");
            }
        }
        Ok(())
    }

    /// Ready when everything is in the log.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.drive(cx).map(Ok)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.poll_flush(cx)
    }
}

impl<T> fmt::Debug for EventSink<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventSink")
            .field("log", &self.name)
            .field("kind", &self.kind)
            .field("waiting", &(self.waiting.len() + self.batch.len()))
            .field("stats", &self.stats)
            .finish_non_exhaustive()
    }
}

/// The counters of an [`EventSink`]: what was put in is appended, refused or still waits; clones show the same.
#[derive(Clone, Debug)]
pub struct EventSinkStats(Arc<Meter>);

impl EventSinkStats {
    /// Events that are in the log.
    #[must_use]
    pub fn appended(&self) -> u64 {
        self.0.counter(metered::APPENDED)
    }

    /// Items that cannot be an event.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.0.counter(metered::REFUSED)
    }

    /// Attempts to append that failed.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.0.counter(metered::FAILURES)
    }
}
