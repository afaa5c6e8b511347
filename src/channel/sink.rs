//! A sink that publishes.

use super::envelope::{Envelope, EnvelopeKind, RemoteError};
use super::{ChannelName, Error, Payload, PubSub, metered};
use crate::stream::meter::{self, Meter};
use crate::stream::trace::{Parent, Span, SpanKind, TraceContext, carried};
use crate::stream::{Answer, Backoff};
use futures::{FutureExt, Sink, SinkExt};
use serde::Serialize;
use std::any::type_name;
use std::collections::VecDeque;
use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::time::{Instant, Sleep, sleep};
use tracing::warn;

/// Publishes the items of a stream on a channel, a [`Sink`].
///
/// Items travel in an [`Envelope`](super::Envelope), so that errors and completion cross and losses are noticed; with
/// [`bare`](Self::bare) they are plain JSON for programs that know no envelopes. Closing the sink publishes the
/// completion. If publications are traced, each is a span, of the trace of the item if that is a
/// [`Message`](crate::element::Message).
///
/// The sink outlives its backend: while that is out of reach, items wait in a bounded queue (1,024 unless
/// [`capacity`](Self::capacity) says otherwise), the oldest give way and are counted, and publishing is tried again
/// with back-off. An item that cannot be written is counted and an error is published in its place. So none of this
/// ends the stream that feeds it; [`stats`](Self::stats) shows it.
///
/// Source: `PubObserver` of `PyMAPE`, which ends for good with the first error.
///
/// # Delivery
///
/// At most once, in order. Bare items may arrive twice after a connection broke, as nothing tells them apart.
#[doc(alias = "PubObserver")]
pub struct ChannelSink<T> {
    pubsub: Arc<dyn PubSub>,
    channel: ChannelName,
    src: String,
    bare: bool,
    epoch: u64,
    seq: u64,
    waiting: VecDeque<Payload>,
    capacity: usize,
    /// What is being published, or is to be published again.
    batch: Vec<Payload>,
    publishing: Option<Answer<Result<u64, Error>>>,
    pause: Option<Pin<Box<Sleep>>>,
    backoff: Backoff,
    failed: u32,
    /// When the batch was handed over.
    since: Option<Instant>,
    closed: bool,
    stats: SinkStats,
    trace: fn(&T) -> Option<String>,
    item: PhantomData<fn(T)>,
}

/// How many payloads are published at once.
const BATCH: usize = 256;

/// The capacity unless another is asked for.
const CAPACITY: usize = 1024;

/// A number for one start of a publisher, among those that every JSON reader keeps exactly.
pub(super) fn epoch() -> u64 {
    fastrand::u64(1..1 << 53)
}

impl<T: Serialize> ChannelSink<T> {
    pub(super) fn new(pubsub: Arc<dyn PubSub>, channel: ChannelName) -> Self {
        Self {
            pubsub,
            src: channel.as_str().to_owned(),
            stats: SinkStats(Meter::new(&metered::SINK, channel.as_str())),
            since: None,
            channel,
            bare: false,
            epoch: epoch(),
            seq: 0,
            waiting: VecDeque::new(),
            capacity: CAPACITY,
            batch: Vec::new(),
            publishing: None,
            pause: None,
            backoff: Backoff::default(),
            failed: 0,
            closed: false,
            trace: |_| None,
            item: PhantomData,
        }
    }

    /// Plain JSON values without envelope: no errors, no completion, no notice of losses.
    #[must_use]
    pub fn bare(mut self) -> Self {
        self.bare = true;
        self
    }

    /// Who publishes, such as an element's path; the channel's name unless said.
    #[must_use]
    pub fn src(mut self, src: impl Into<String>) -> Self {
        self.src = src.into();
        self
    }

    /// How many items wait while the backend is out of reach before the oldest is dropped and counted.
    #[must_use]
    pub fn capacity(mut self, capacity: NonZeroUsize) -> Self {
        self.capacity = capacity.get();
        self
    }

    /// How long to wait before trying again; when its attempts are used up, the batch is dropped and counted.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// With the trace that an item belongs to, which travels in its envelope.
    #[must_use]
    pub fn trace(mut self, trace: fn(&T) -> Option<String>) -> Self {
        self.trace = trace;
        self
    }

    /// The same sink for items with errors in their place between them.
    #[must_use]
    pub fn signals(self) -> ChannelSignals<T> {
        ChannelSignals(self)
    }

    /// Publishes an error in its place between the items (nothing in bare mode).
    ///
    /// # Cancel safety
    ///
    /// The error is queued at the first poll and published with the next items if the future is dropped.
    pub async fn send_error(&mut self, error: RemoteError) -> Result<(), Error> {
        self.queue_error(&error);
        self.flush().await
    }

    /// Its counters, which go on counting.
    #[must_use]
    pub fn stats(&self) -> SinkStats {
        self.stats.clone()
    }

    fn queue_item(&mut self, item: &T) {
        let json = if self.bare { serde_json::to_vec(item) } else { self.envelope(item) };
        match json {
            Ok(json) => self.queue(json),
            Err(error) => {
                self.stats.0.add(metered::REFUSED, 1);
                warn!(channel = %self.channel, %error, "an item of type {} cannot be published", type_name::<T>());
                self.queue_error(&RemoteError::new(format!("an item could not be written: {error}")));
            }
        }
    }

    /// The item in its envelope, with the span of its publication.
    fn envelope(&self, item: &T) -> Result<Vec<u8>, serde_json::Error> {
        let mut envelope = Envelope::now(EnvelopeKind::Next, Some(item), &self.src, self.epoch, self.seq + 1);
        envelope.trace = (self.trace)(item);
        let (json, context) = carried(|| serde_json::to_vec(&envelope));
        let context = context.or_else(TraceContext::current);
        let name = format_args!("publish {}", self.channel);
        let span = Span::begin(SpanKind::Producer, name, Parent::from(context));
        span.note("messaging.destination.name", &self.channel);
        match span.context() {
            Some(context) => Ok(super::envelope::stamped(json?, context)),
            None => json,
        }
    }

    fn queue_error(&mut self, error: &RemoteError) {
        self.queue_signal(EnvelopeKind::Error, Some(error));
    }

    fn queue_signal(&mut self, kind: EnvelopeKind, error: Option<&RemoteError>) {
        if self.bare {
            return;
        }
        match serde_json::to_vec(&Envelope::now(kind, error, &self.src, self.epoch, self.seq + 1)) {
            Ok(json) => self.queue(json),
            Err(error) => warn!(channel = %self.channel, %error, "a signal cannot be published"),
        }
    }

    fn queue(&mut self, json: Vec<u8>) {
        self.seq += 1;
        if self.waiting.len() >= self.capacity {
            self.waiting.pop_front();
            self.stats.0.add(metered::DROPPED, 1);
        }
        self.waiting.push_back(json.into());
    }

    /// Publishes what waits; ready when nothing does any more.
    fn drive(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if let Some(publishing) = &mut self.publishing {
                let published = ready!(publishing.poll_unpin(cx));
                self.publishing = None;
                self.published(published);
            }
            if let Some(pause) = &mut self.pause {
                ready!(pause.poll_unpin(cx));
                self.pause = None;
            }
            if self.batch.is_empty() {
                let len = self.waiting.len().min(BATCH);
                self.batch.extend(self.waiting.drain(..len));
            }
            if self.batch.is_empty() {
                return Poll::Ready(());
            }
            self.since = meter::now();
            self.publishing = Some(self.pubsub.publish(&self.channel, &self.batch));
        }
    }

    fn published(&mut self, published: Result<u64, Error>) {
        let count = self.batch.len() as u64;
        self.stats.0.set(metered::WAITING, self.waiting.len() as f64);
        match published {
            Ok(_) => {
                self.stats.0.add(metered::PUBLISHED, count);
                if let Some(since) = self.since {
                    self.stats.0.record(since.elapsed());
                }
                self.batch.clear();
                self.failed = 0;
            }
            Err(error) => {
                self.stats.0.add(metered::FAILURES, 1);
                let wait = if error.is_retryable() { self.backoff.wait(self.failed) } else { None };
                if let Some(wait) = wait {
                    if self.failed == 0 {
                        warn!(channel = %self.channel, %error, "publishing failed; it is tried again");
                    }
                    self.failed += 1;
                    self.pause = Some(Box::pin(sleep(wait)));
                } else {
                    warn!(channel = %self.channel, %error, dropped = count, "publishing failed");
                    self.stats.0.add(metered::DROPPED, count);
                    self.batch.clear();
                    self.failed = 0;
                }
            }
        }
    }
}

impl<T: Serialize> Sink<T> for ChannelSink<T> {
    type Error = Error;

    /// Always ready: in an outage the oldest item gives way.
    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if self.waiting.len() >= BATCH {
            // Whether it has all gone or not, there is room.
            let _ = self.drive(cx);
        }
        Poll::Ready(Ok(()))
    }

    fn start_send(mut self: Pin<&mut Self>, item: T) -> Result<(), Error> {
        if self.closed {
            return Err(Error::Closed { channel: self.channel.clone() });
        }
        self.queue_item(&item);
        Ok(())
    }

    /// Ready when everything was published or given up.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.drive(cx).map(Ok)
    }

    /// Publishes the completion and waits as for a flush.
    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if !self.closed {
            self.closed = true;
            self.queue_signal(EnvelopeKind::Completed, None);
        }
        self.drive(cx).map(Ok)
    }
}

/// A [`ChannelSink`] that takes errors in their place between the items; see [`ChannelSink::signals`].
#[derive(Debug)]
pub struct ChannelSignals<T>(ChannelSink<T>);

impl<T: Serialize> Sink<Result<T, RemoteError>> for ChannelSignals<T> {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.0.poll_ready_unpin(cx)
    }

    fn start_send(mut self: Pin<&mut Self>, signal: Result<T, RemoteError>) -> Result<(), Error> {
        match signal {
            Ok(item) => self.0.start_send_unpin(item),
            Err(error) => {
                self.0.queue_error(&error);
                Ok(())
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.0.poll_flush_unpin(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.0.poll_close_unpin(cx)
    }
}

impl<T> fmt::Debug for ChannelSink<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChannelSink")
            .field("channel", &self.channel)
            .field("waiting", &self.waiting.len())
            .field("stats", &self.stats)
            .finish_non_exhaustive()
    }
}

/// The counters of a [`ChannelSink`]: what was put in is published, dropped or still waits; clones show the same.
#[derive(Clone, Debug)]
pub struct SinkStats(Arc<Meter>);

impl SinkStats {
    /// Items, errors and completions that the backend took.
    #[must_use]
    pub fn published(&self) -> u64 {
        self.0.counter(metered::PUBLISHED)
    }

    /// Those that gave way or were given up in an outage.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.0.counter(metered::DROPPED)
    }

    /// Items that could not be written as JSON.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.0.counter(metered::REFUSED)
    }

    /// Attempts to publish that failed.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.0.counter(metered::FAILURES)
    }
}
