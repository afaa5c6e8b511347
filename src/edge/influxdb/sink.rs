//! A sink that writes to InfluxDB.

use super::mapping::{Described, Mapping, Time, Unwritten};
use super::writer::Writer;
use super::{FieldValue, InfluxServer, InfluxStats, Pairs, Point, Precision};
use crate::edge::hand::Hand;
use crate::edge::outbox::{Batch, Emptying, Letter, Outbox};
use crate::edge::stats::{REFUSED, SKIPPED};
use crate::edge::target::Kind;
use crate::edge::{Error, Refusal};
use crate::element::Overflow;
use crate::stream::{Backoff, LossyReceiver, lossy};
use futures::Sink;
use serde::Serialize;
use serde_json::Value;
use std::any::type_name;
use std::fmt;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio::time::Instant;
use tracing::warn;

/// Writes the items of a stream to InfluxDB, or whatever has its interface; a [`Sink`].
///
/// ```no_run
/// use futures::SinkExt;
/// use mape::edge::{InfluxServer, InfluxSink};
///
/// #[derive(serde::Serialize)]
/// struct Flow {
///     value: f64,
///     sector: &'static str,
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), mape::edge::Error> {
/// let server = InfluxServer::new("http://localhost:8086")?.org("town").bucket("water").token("s3cret")?;
/// let mut flows = InfluxSink::new(&server);
/// flows.feed(Flow { value: 42.5, sector: "north" }).await?; // Flow,sector=north value=42.5 and the time
/// flows.close().await?; // all of it is written, or refused
/// assert_eq!((flows.stats().written(), flows.stats().refused()), (1, 0));
/// # Ok(()) }
/// ```
///
/// **What is written.** Unless told otherwise, the measurement is the name of the item's type; its tags are the scalar
/// attributes that serde tells of it, but for `value`, `time`, `timestamp`, and what is other each time (`id`, `uuid`, `trace`,
/// `trace_id`, `span_id`, `traceparent`, `hops`, `src`, `dst`); its field is `value`: the attribute of that name, or the item
/// itself if it is a number, truth value or text. The time is that of a [`Message`](crate::element::Message), which is
/// otherwise what it carries; or of the attribute `time` or `timestamp`; or now. [`measurement`](Self::measurement),
/// [`tags`](Self::tags), [`fields`](Self::fields), [`time`](Self::time) and [`time_attribute`](Self::time_attribute) say
/// otherwise; [`points`](Self::points) and [`raw`](Self::raw) take whole points.
///
/// An item without a field is skipped, and counted. What can't be written so that servers read what it is ([`Point::line`])
/// is refused with the reason: no text ever becomes another one, or another point.
///
/// **When.** Points go in batches: of 5,000, of 1 MiB, or of what has come within a second of the first. Flushing doesn't
/// wait for a batch; closing sends what is left and waits until it is written. With [`at_once`](Self::at_once) nothing waits for
/// others, and flushing waits until all is written. Bodies are compressed, a full batch while the one before it is under way.
/// Order is kept: one request is under way at a time.
///
/// **While the server is away** or busy (no answer, 408, 425, 429, 5xx), also at the start, points wait: 100,000 and 32 MiB
/// unless [`capacity`](Self::capacity) and [`capacity_bytes`](Self::capacity_bytes) say otherwise, besides a batch that is
/// under way. When there is no room, who feeds the sink waits, or something gives way ([`overflow`](Self::overflow)). It is
/// tried again with back-off, or after `Retry-After`, for ever unless [`give_up_after`](Self::give_up_after) or the
/// [`backoff`](Self::backoff) ends it.
///
/// **What is refused** for good is counted, logged, and told to [`refusals`](Self::refusals): a point that is wrong (400, 422)
/// without the others of its batch, which is divided until it is found; all of a batch if waiting doesn't mend it (401, 403,
/// 404, …). None of this ends the stream that feeds the sink; [`stats`](Self::stats) shows it.
///
/// The sink writes from a task of its own, from its first use on, which ends when the sink is dropped. What is not written by
/// then is lost, counted and logged.
///
/// Source: `InfluxObserver` of `PyMAPE`. That ignores the time of items, makes tags of hops and ids, and tells nobody what
/// could not be written.
///
/// # Delivery
///
/// At least once, in order. A point that is written twice is there once: its time is set before it is first sent.
///
/// # Cancel safety
///
/// What was put in is written, whether or not its sender waits for that: `send` and `flush` can be dropped.
#[doc(alias = "InfluxObserver")]
pub struct InfluxSink<T> {
    server: InfluxServer,
    mapping: Mapping<T>,
    /// The last line; kept for the next one.
    line: Vec<u8>,
    precision: Precision,
    gzip: bool,
    backoff: Backoff,
    give_up_after: Option<Duration>,
    outbox: Arc<Outbox>,
    /// What empties the outbox, from the first use on.
    task: Option<AbortHandle>,
    closed: bool,
}

impl<T: Serialize> InfluxSink<T> {
    /// Writes to this server.
    #[must_use]
    pub fn new(server: &InfluxServer) -> Self {
        Self::mapped(server, Mapping::Described(Box::new(Described::new())))
    }
}

impl<T> InfluxSink<T> {
    /// Writes the point that is made of each item.
    #[must_use]
    pub fn points(server: &InfluxServer, mut point: impl FnMut(T) -> Point + Send + 'static) -> Self {
        Self::mapped(server, Mapping::Made(Box::new(move |item| Ok(point(item)))))
    }

    /// Writes items that are points, or become such.
    #[must_use]
    pub fn raw(server: &InfluxServer) -> Self
    where
        T: TryInto<Point> + 'static,
        T::Error: fmt::Display,
    {
        let made = |item: T| item.try_into().map_err(|error| error.to_string());
        Self::mapped(server, Mapping::Made(Box::new(made)))
    }

    fn mapped(server: &InfluxServer, mapping: Mapping<T>) -> Self {
        let mut outbox = Outbox::new(server.name());
        outbox.capacity = 100_000;
        outbox.capacity_bytes = 32 * 1024 * 1024;
        outbox.batch = Batch { count: 5000, bytes: 1024 * 1024, wait: Duration::from_secs(1) };
        Self {
            server: server.clone(),
            mapping,
            line: Vec::new(),
            precision: Precision::default(),
            gzip: true,
            backoff: Backoff::exponential(Duration::from_millis(100), Duration::from_secs(10)).jitter(0.2),
            give_up_after: None,
            outbox: Arc::new(outbox),
            task: None,
            closed: false,
        }
    }

    /// The measurement. Default: the name of the items' type, without its path and arguments. Whole points have their own.
    #[must_use]
    pub fn measurement(mut self, name: impl Into<String>) -> Self {
        if let Mapping::Described(described) = &mut self.mapping {
            described.measurement = name.into();
        }
        self
    }

    /// The tags of an item, in place of its attributes: one pair or many. Empty ones are left out.
    #[must_use]
    pub fn tags<P: Pairs<FieldValue>>(mut self, tags: impl FnMut(&T) -> P + Send + 'static) -> Self {
        if let Mapping::Described(described) = &mut self.mapping {
            described.tags(tags);
        }
        self
    }

    /// The fields of an item, in place of `value`: one pair or many. Those that are nothing (`None`) are left out.
    #[must_use]
    pub fn fields<P: Pairs<FieldValue>>(mut self, fields: impl FnMut(&T) -> P + Send + 'static) -> Self {
        if let Mapping::Described(described) = &mut self.mapping {
            described.fields(fields);
        }
        self
    }

    /// When an item was.
    #[must_use]
    pub fn time(mut self, time: impl FnMut(&T) -> SystemTime + Send + 'static) -> Self {
        if let Mapping::Described(described) = &mut self.mapping {
            described.time = Time::Of(Box::new(time));
        }
        self
    }

    /// The attribute that says when an item was: a [`SystemTime`], a text in RFC 3339, or a number in the unit of
    /// [`precision`](Self::precision). An item without it is refused.
    #[must_use]
    pub fn time_attribute(mut self, name: impl Into<String>) -> Self {
        if let Mapping::Described(described) = &mut self.mapping {
            described.time = Time::Attribute(name.into());
        }
        self
    }

    /// The bucket, in place of the server's.
    #[must_use]
    pub fn bucket(mut self, bucket: impl Into<String>) -> Self {
        let server = self.server.clone().bucket(bucket);
        // Nobody else has it before the first use.
        if let Some(outbox) = Arc::get_mut(&mut self.outbox) {
            outbox.place = server.name();
            outbox.stats.0.rename(&outbox.place);
            self.server = server;
        }
        self
    }

    /// The unit of times. Default: nanoseconds.
    #[must_use]
    pub fn precision(mut self, precision: Precision) -> Self {
        self.precision = precision;
        self
    }

    /// Lets nothing wait for others; flushing waits until all is written. What is fed between two flushes still goes in one
    /// body.
    #[must_use]
    pub fn at_once(self) -> Self {
        self.batch_wait(Duration::ZERO)
    }

    /// A batch is sent when it has so many points. Default: 5,000.
    #[must_use]
    pub fn batch_points(mut self, points: NonZeroUsize) -> Self {
        self.change(|outbox| outbox.batch.count = points.get());
        self
    }

    /// A batch is sent when it has so many bytes before compression. Default: 1 MiB.
    #[must_use]
    pub fn batch_bytes(mut self, bytes: NonZeroUsize) -> Self {
        self.change(|outbox| outbox.batch.bytes = bytes.get());
        self
    }

    /// A batch is sent so long after its first point came. Default: 1 s. None at all is [`at_once`](Self::at_once).
    #[must_use]
    pub fn batch_wait(mut self, wait: Duration) -> Self {
        self.change(|outbox| outbox.batch.wait = wait);
        self
    }

    /// Whether bodies are compressed. Default: yes.
    #[must_use]
    pub fn gzip(mut self, gzip: bool) -> Self {
        self.gzip = gzip;
        self
    }

    /// How many points wait, besides those under way. Default: 100,000.
    #[must_use]
    pub fn capacity(mut self, points: NonZeroUsize) -> Self {
        self.change(|outbox| outbox.capacity = points.get());
        self
    }

    /// How many bytes of points wait, besides those under way and one point. Default: 32 MiB.
    #[must_use]
    pub fn capacity_bytes(mut self, bytes: NonZeroUsize) -> Self {
        self.change(|outbox| outbox.capacity_bytes = bytes.get());
        self
    }

    /// What happens when the queue is full. By default who feeds it waits; if points give way, nobody ever waits but who
    /// closes it.
    #[must_use]
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.change(|outbox| outbox.overflow = overflow);
        self
    }

    /// How long to wait before trying again: 100 ms, doubling up to 10 s, for ever, unless said. When its attempts are used
    /// up, what is under way is dropped and counted.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Drops and counts points when the server has taken nothing for this time: since the first request that failed, and
    /// since the point came, whichever is later. One that is slow, but takes them, loses none. By default nothing is given
    /// up.
    #[must_use]
    pub fn give_up_after(mut self, time: Duration) -> Self {
        self.give_up_after = Some(time);
        self
    }

    /// Its counters, which go on counting.
    #[must_use]
    pub fn stats(&self) -> InfluxStats {
        InfluxStats(self.outbox.stats.clone())
    }

    /// What is refused or given up from now on, with the reason; of 256 that nobody reads the oldest is lost. What gives way
    /// in a full queue is only counted.
    pub fn refusals(&mut self) -> LossyReceiver<Refusal> {
        let (sender, receiver) = lossy(NonZeroUsize::new(256).unwrap_or(NonZeroUsize::MIN));
        *self.outbox.refusals.lock() = Some(sender);
        receiver
    }

    fn change(&mut self, change: impl FnOnce(&mut Outbox)) {
        // Nobody else has it before the first use.
        if let Some(outbox) = Arc::get_mut(&mut self.outbox) {
            change(outbox);
        }
    }

    /// The outbox, with a task that empties it.
    fn outbox(&mut self) -> Result<&Outbox, Error> {
        let place = || self.outbox.place.clone();
        if self.closed {
            return Err(Error::Closed { place: place() });
        }
        if self.task.is_none() {
            let runtime = Handle::try_current().map_err(|_| Error::NoRuntime { place: place() })?;
            self.task = Some(runtime.spawn(self.writer().run()).abort_handle());
        }
        Ok(&self.outbox)
    }

    fn writer(&self) -> Writer {
        let says = |letter: &Letter| Value::String(String::from_utf8_lossy(&letter.body).into_owned());
        let mut hand = Hand::new(Emptying(self.outbox.clone()), self.outbox.batch.count, says);
        (hand.backoff, hand.give_up_after) = (self.backoff, self.give_up_after);
        Writer {
            hand,
            server: self.server.clone(),
            api: self.server.api(),
            precision: self.precision,
            gzip: self.gzip,
            is_influxdb: None,
            body: None,
            ahead: None,
        }
    }

    fn queue(&mut self, item: T) -> Result<(), Error> {
        self.outbox()?;
        let precision = self.precision;
        match self.mapping.write(item, precision, &mut self.line) {
            Ok(Some(ambiguous)) => {
                let body = self.line.clone();
                let letter =
                    Letter { kind: Kind::Next, body, ambiguous, since: Instant::now(), context: None };
                self.outbox.put_letter(letter);
            }
            Ok(None) => {
                let before = self.outbox.stats.0.add(SKIPPED, 1);
                if is_news(before) {
                    let (place, skipped) = (&self.outbox.place, before + 1);
                    warn!(place, skipped, "a {} has no field, so it is not written", type_name::<T>());
                }
            }
            Err(Unwritten { reason, point }) => {
                let place = self.outbox.place.clone();
                let error = Error::Encode { place, type_name: type_name::<T>(), reason };
                let before = self.outbox.stats.0.add(REFUSED, 1);
                if is_news(before) {
                    warn!(%error, refused = before + 1, "an item can't be written");
                }
                self.outbox.failed(&error);
                self.outbox.refuse(|| serde_json::to_value(point).unwrap_or_default(), false, error);
            }
        }
        Ok(())
    }
}

/// Whether one more is worth a line in the log, after so many.
fn is_news(before: u64) -> bool {
    (before + 1).is_power_of_two()
}

impl<T> Sink<T> for InfluxSink<T> {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        match self.outbox() {
            Ok(outbox) => outbox.poll_room(cx),
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    fn start_send(mut self: Pin<&mut Self>, item: T) -> Result<(), Error> {
        self.queue(item)
    }

    /// Ready at once, as points go with their batch; but [`at_once`](InfluxSink::at_once) when all was written, unless
    /// points give way in a full queue.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let outbox = match self.outbox() {
            Ok(outbox) => outbox,
            Err(error) => return Poll::Ready(Err(error)),
        };
        if !outbox.batch.wait.is_zero() {
            return Poll::Ready(Ok(()));
        }
        outbox.send();
        if outbox.overflow == Overflow::Wait { outbox.poll_empty(cx) } else { Poll::Ready(Ok(())) }
    }

    /// Ready when all was written, refused or given up.
    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if self.closed {
            return Poll::Ready(Ok(()));
        }
        if self.task.is_some() {
            self.outbox.send();
            match self.outbox.poll_empty(cx) {
                Poll::Ready(Ok(())) => {}
                other => return other,
            }
        }
        self.closed = true;
        Poll::Ready(Ok(()))
    }
}

// Items are handed over, never pinned.
impl<T> Unpin for InfluxSink<T> {}

impl<T> Drop for InfluxSink<T> {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
            // The task ends some time later; what it leaves is lost now.
            self.outbox.end();
        }
    }
}

impl<T> fmt::Debug for InfluxSink<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InfluxSink")
            .field("to", &self.outbox.place)
            .field("queued", &self.outbox.stats.queued())
            .finish_non_exhaustive()
    }
}
