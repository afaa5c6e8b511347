//! A sink that posts.

use super::hand::Hand;
use super::outbox::{Emptying, Letter, Outbox};
use super::poster::{MOST, Poster};
use super::stats::REFUSED;
use super::target::{Kind, Target};
use super::verdict::Way;
use super::{Client, Error, PostStats, Refusal};
use crate::element::{ElementError, Overflow};
use crate::stream::trace::{TraceContext, carried};
use crate::stream::{Backoff, LossyReceiver, lossy};
use futures::{Sink, SinkExt};
use serde::Serialize;
use serde_json::{Value, json};
use std::any::type_name;
use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tracing::warn;

/// Posts the items of a stream to a port of an element elsewhere, or to any URL; a [`Sink`].
///
/// ```no_run
/// use futures::SinkExt;
/// use mape::edge::{Client, PostSink};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), mape::edge::Error> {
/// # let token = "";
/// let mut speeds = PostSink::<f64>::new("127.0.0.1:6060", "ambulance.policy")?.client(&Client::new().token(token)?);
/// speeds.send(42.5).await?;
/// assert_eq!((speeds.stats().sent(), speeds.stats().queued()), (1, 0));
/// # Ok(()) }
/// ```
///
/// Items keep their order, and one request is under way at a time. Where the other side can (a service of mape says so),
/// what is queued goes in one body, a line of JSON each; any other is sent one item a request. Errors go in their place
/// between the items with [`signals`](Self::signals), the end with [`completing`](Self::completing).
///
/// While the other side is away, busy, or its element is stopped, items wait in a bounded queue: 1,024 unless
/// [`capacity`](Self::capacity) says otherwise, besides what is under way. When it is full, who feeds the sink waits, or
/// something gives way ([`overflow`](Self::overflow)). The same is posted again with back-off, or when the other side
/// says, for ever unless [`give_up_after`](Self::give_up_after) or the [`backoff`](Self::backoff) ends it.
///
/// What is refused for good does not hold up what comes after it. It is counted, logged, and told to
/// [`refusals`](Self::refusals): a single item for what is wrong with it (400, 406, 413, 415, 422), all that is in the
/// body for anything else that waiting doesn't mend (a wrong token, a path that isn't there, a redirect: those are not
/// followed). None of this ends the stream that feeds the sink; [`stats`](Self::stats) shows it.
///
/// If requests are traced, each is a span, and the other side is told by `traceparent` and `tracestate`: of a single
/// [`Message`](crate::element::Message) it belongs to the trace of that, of several to none of theirs, as each carries its
/// own.
///
/// The sink posts from a task of its own, from its first use on, which ends when the sink is dropped. What is not posted
/// by then is lost, counted and logged; closing waits for it.
///
/// Source: `POSTObserver` of `PyMAPE`, whose paths these are. That posts each item from a task of its own: without order,
/// bound or another attempt. Ours sends JSON and never pickle.
///
/// # Delivery
///
/// At least once, in order; exactly once to a service of mape that lives on, as what it has by its number it does not
/// take again, also if a connection broke before its answer. To others, single items carry an `Idempotency-Key` that is
/// the same each time; errors, the end, and `MessagePack` may come twice.
///
/// # Cancel safety
///
/// What was put in is posted, whether or not its sender waits for that: `send` and `flush` can be dropped.
#[doc(alias = "POSTObserver")]
pub struct PostSink<T> {
    target: Target,
    client: Client,
    format: PostFormat,
    backoff: Backoff,
    give_up_after: Option<Duration>,
    completing: bool,
    outbox: Arc<Outbox>,
    /// What empties the outbox, from the first use on.
    task: Option<AbortHandle>,
    closed: bool,
    item: PhantomData<fn(T)>,
}

/// Which port of an element is posted to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PostPort {
    /// The element takes the items.
    #[default]
    In,
    /// The element emits them, as if they were its own.
    Out,
}

/// How items are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PostFormat {
    /// JSON: many items in one body where the other side can.
    #[default]
    Json,
    /// `MessagePack`: one item a request. Errors are JSON still.
    MessagePack,
}

impl<T: Serialize> PostSink<T> {
    /// Posts to a service, `HOST:PORT` with or without `http://` or `https://`, and a path there: `loop.element`,
    /// `level.loop.element`, or `/any/path`, which gets the items as it is, and what errors and the end are as
    /// `?notification=error` and `=completed`.
    ///
    /// # Errors
    /// [`Error::Target`].
    pub fn new(service: &str, path: &str) -> Result<Self, Error> {
        let target = Target::parse(service, path)?;
        Ok(Self {
            outbox: Arc::new(Outbox::new(target.shown.clone())),
            task: None,
            target,
            client: Client::new(),
            format: PostFormat::Json,
            backoff: Backoff::exponential(Duration::from_millis(100), Duration::from_secs(10)).jitter(0.2),
            give_up_after: None,
            completing: false,
            closed: false,
            item: PhantomData,
        })
    }

    /// To which port of the element; its in-port unless said. A foreign path has none.
    #[must_use]
    pub fn port(mut self, port: PostPort) -> Self {
        self.target.port = port;
        self
    }

    /// How items are written: JSON unless said.
    #[must_use]
    pub fn format(mut self, format: PostFormat) -> Self {
        self.format = format;
        self
    }

    /// With these headers, token and times, and on its connections.
    #[must_use]
    pub fn client(mut self, client: &Client) -> Self {
        self.client = client.clone();
        self
    }

    /// How many items wait, besides those under way. Default: 1,024.
    #[must_use]
    pub fn capacity(mut self, capacity: NonZeroUsize) -> Self {
        if let Some(outbox) = Arc::get_mut(&mut self.outbox) {
            outbox.capacity = capacity.get();
        }
        self
    }

    /// What happens when the queue is full. By default who feeds it waits, and flushing waits for all to be posted; if
    /// items give way, nobody ever waits but who closes it.
    #[must_use]
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        if let Some(outbox) = Arc::get_mut(&mut self.outbox) {
            outbox.overflow = overflow;
        }
        self
    }

    /// How long to wait before trying again: 100 ms, doubling up to 10 s, for ever, unless said. When its attempts are
    /// used up, what is under way is dropped and counted.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Drops and counts items when the other side has taken nothing for this time: since the first request that failed, and
    /// since the item came, whichever is later. One that is slow, but takes them, loses none. By default nothing is given up.
    #[must_use]
    pub fn give_up_after(mut self, time: Duration) -> Self {
        self.give_up_after = Some(time);
        self
    }

    /// Posts the end, too, when the sink is closed: it completes what is pushed into the element, by whomever.
    #[must_use]
    pub fn completing(mut self) -> Self {
        self.completing = true;
        self
    }

    /// The same sink for items with errors in their place between them, for `element.link_signals`. An error is
    /// `{"message": …, "path": "loop.element"}`.
    #[must_use]
    pub fn signals(self) -> PostSignals<T> {
        PostSignals(self)
    }

    /// Its counters, which go on counting.
    #[must_use]
    pub fn stats(&self) -> PostStats {
        self.outbox.stats.clone()
    }

    /// What is refused or given up from now on, with the reason, for a dead letter queue; of 256 that nobody reads the
    /// oldest is lost. What gives way in a full queue is only counted.
    pub fn refusals(&mut self) -> LossyReceiver<Refusal> {
        let (sender, receiver) = lossy(NonZeroUsize::new(256).unwrap_or(NonZeroUsize::MIN));
        *self.outbox.refusals.lock() = Some(sender);
        receiver
    }

    /// The outbox, with a task that empties it.
    fn outbox(&mut self) -> Result<&Outbox, Error> {
        let place = || self.target.shown.clone();
        if self.closed {
            return Err(Error::Closed { place: place() });
        }
        if self.task.is_none() {
            let runtime = Handle::try_current().map_err(|_| Error::NoRuntime { place: place() })?;
            self.task = Some(runtime.spawn(self.poster().run()).abort_handle());
        }
        Ok(&self.outbox)
    }

    fn poster(&self) -> Poster {
        let says: fn(&Letter) -> Value = match self.format {
            PostFormat::Json => |letter| letter.value(PostFormat::Json),
            PostFormat::MessagePack => |letter| letter.value(PostFormat::MessagePack),
        };
        let mut hand = Hand::new(Emptying(self.outbox.clone()), MOST, says);
        (hand.backoff, hand.give_up_after) = (self.backoff, self.give_up_after);
        Poster {
            hand,
            target: self.target.clone(),
            client: self.client.clone(),
            format: self.format,
            way: if self.format == PostFormat::Json { Way::Unknown } else { Way::Single },
            sender: format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..)),
            number: 0,
        }
    }

    fn queue_item(&mut self, item: &T) -> Result<(), Error> {
        let format = self.format;
        let outbox = self.outbox()?;
        let (written, context) = carried(|| write(item, format));
        match written {
            Ok(body) => outbox.put(Kind::Next, body, context.or_else(TraceContext::current)),
            Err(reason) => {
                let error =
                    Error::Encode { place: outbox.place.clone(), type_name: type_name::<T>(), reason };
                warn!(%error, "an item can't be posted");
                outbox.stats.0.add(REFUSED, 1);
                outbox.failed(&error);
                outbox.refuse(|| Value::Null, false, error);
            }
        }
        Ok(())
    }

    fn queue_error(&mut self, error: &ElementError) -> Result<(), Error> {
        let said = json!({"message": error.kind.to_string(), "path": error.path.to_string()});
        self.outbox()?.put(Kind::Error, said.to_string().into_bytes(), TraceContext::current());
        Ok(())
    }
}

fn write<T: Serialize>(item: &T, format: PostFormat) -> Result<Vec<u8>, String> {
    if format == PostFormat::MessagePack {
        return rmp_serde::to_vec_named(item).map_err(|error| error.to_string());
    }
    let mut json = serde_json::to_vec(item).map_err(|error| error.to_string())?;
    // An item is a line. What is kept as text may have some between its values; in a string there are none.
    for byte in json.iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')) {
        *byte = b' ';
    }
    Ok(json)
}

impl<T: Serialize> Sink<T> for PostSink<T> {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        match self.outbox() {
            Ok(outbox) => outbox.poll_room(cx),
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    fn start_send(mut self: Pin<&mut Self>, item: T) -> Result<(), Error> {
        self.queue_item(&item)
    }

    /// Ready when all was posted, or at once if the oldest or newest item gives way in a full queue.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let outbox = match self.outbox() {
            Ok(outbox) => outbox,
            Err(error) => return Poll::Ready(Err(error)),
        };
        outbox.send();
        if outbox.overflow == Overflow::Wait { outbox.poll_empty(cx) } else { Poll::Ready(Ok(())) }
    }

    /// Ready when all was posted, and the end with it, if that is asked for.
    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if self.closed {
            return Poll::Ready(Ok(()));
        }
        if self.task.is_some() || self.completing {
            let completes = std::mem::take(&mut self.completing);
            let outbox = match self.outbox() {
                Ok(outbox) => outbox,
                Err(error) => return Poll::Ready(Err(error)),
            };
            if completes {
                outbox.put(Kind::Completed, Vec::new(), None);
            }
            outbox.send();
            match outbox.poll_empty(cx) {
                Poll::Ready(Ok(())) => {}
                other => return other,
            }
        }
        self.closed = true;
        Poll::Ready(Ok(()))
    }
}

impl<T> Drop for PostSink<T> {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
            // The task ends some time later; what it leaves is lost now.
            self.outbox.end();
        }
    }
}

impl<T> fmt::Debug for PostSink<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let queued = self.outbox.stats.queued();
        f.debug_struct("PostSink")
            .field("to", &self.target.shown)
            .field("queued", &queued)
            .finish_non_exhaustive()
    }
}

/// A [`PostSink`] that takes errors in their place between the items; see [`PostSink::signals`].
#[derive(Debug)]
pub struct PostSignals<T>(PostSink<T>);

impl<T: Serialize> Sink<Result<T, Arc<ElementError>>> for PostSignals<T> {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.0.poll_ready_unpin(cx)
    }

    fn start_send(mut self: Pin<&mut Self>, signal: Result<T, Arc<ElementError>>) -> Result<(), Error> {
        match signal {
            Ok(item) => self.0.queue_item(&item),
            Err(error) => self.0.queue_error(&error),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.0.poll_flush_unpin(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.0.poll_close_unpin(cx)
    }
}
