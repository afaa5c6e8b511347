//! An own endpoint as a source.

use super::endpoint::{Receipt, Refused};
use super::seen::{Seen, Who, who};
use super::{Endpoint, Endpoints, Signature};
use futures::Stream;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{Instant, timeout_at};

/// What others post to an own endpoint, a [`Stream`]; made by [`Endpoints::source`].
///
/// ```no_run
/// use mape::edge::{DedupKey, Endpoints, PostOptions, Signature};
/// use mape::http::Service;
/// use mape::prelude::*;
///
/// #[derive(Clone, Debug, serde::Deserialize)]
/// struct Push {
///     repository: String,
/// }
///
/// # #[tokio::main] async fn main() -> Result<(), BoxError> {
/// # let secret = "";
/// let app = App::new();
/// let builds = app.create_loop("builds")?.monitor("pushes").map(|push: Push| push.repository).spawn()?;
/// let endpoints = Endpoints::new();
/// let serving = Service::new(&app).endpoints(&endpoints).listen("127.0.0.1:6060").await?;
///
/// let options = PostOptions::new().signed(Signature::github(secret)).once_by(DedupKey::header("X-GitHub-Delivery"));
/// builds.feed(endpoints.source("/hooks/github", options)?);
/// # serving.close(std::time::Duration::ZERO).await;
/// # Ok(()) }
/// ```
///
/// A body is an item in JSON; a line each with `application/x-ndjson`; one in `MessagePack` with `application/msgpack`.
/// The answer is 200 with `{"accepted": n}`, and `"duplicate": true` if all was there before; 401 without the right
/// signature; 422 for what is no item, with the field; 413; 429 with `Retry-After` if there is no room for longer than
/// the service's `push_wait`. `accepted` says in each how many items are taken.
///
/// On a service with tokens, an endpoint that is not signed needs one like any other path.
///
/// # Delivery
///
/// What is accepted is in memory, in the order in which it came. An item that is sent twice is emitted once, if the
/// endpoint knows it again: by its key, or by its number, if a [`PostSink`](super::PostSink) sends it.
///
/// # Cancel safety
///
/// Waiting for the next item is cancel safe.
///
/// Source: what `PyMAPE` calls `PostObservable`, which never worked; keys and signatures are those of webhooks.
pub struct PostSource<T> {
    items: Receiver<T>,
    endpoints: Endpoints,
    endpoint: Arc<Endpoint>,
}

/// How an endpoint takes what it is sent.
#[derive(Clone, Debug)]
#[must_use]
pub struct PostOptions {
    pub(super) signature: Option<Signature>,
    pub(super) key: Option<DedupKey>,
    pub(super) remembered: (usize, Duration),
    pub(super) capacity: NonZeroUsize,
}

/// What is the same when the same is sent twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DedupKey(Place);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Header(String),
    Pointer(String),
}

impl DedupKey {
    /// A header of the request, such as `Idempotency-Key` or `X-GitHub-Delivery`.
    #[must_use]
    pub fn header(name: &str) -> Self {
        Self(Place::Header(name.to_owned()))
    }

    /// A value of each item, by a JSON pointer (RFC 6901), such as `/order/id`.
    #[must_use]
    pub fn pointer(pointer: &str) -> Self {
        Self(Place::Pointer(pointer.to_owned()))
    }
}

impl Default for PostOptions {
    fn default() -> Self {
        Self {
            signature: None,
            key: None,
            remembered: (10_000, Duration::from_hours(24)),
            capacity: NonZeroUsize::new(1024).unwrap_or(NonZeroUsize::MIN),
        }
    }
}

impl PostOptions {
    /// Anyone whom the service lets in may post, and everything is taken.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only what is signed so is taken; no token is needed.
    pub fn signed(mut self, signature: Signature) -> Self {
        self.signature = Some(signature);
        self
    }

    /// What has the same key is taken once. What has none is refused.
    pub fn once_by(mut self, key: DedupKey) -> Self {
        self.key = Some(key);
        self
    }

    /// How many keys and senders are remembered, and for how long: 10,000 for a day unless said. Each takes about 150
    /// bytes.
    pub fn remember(mut self, at_most: NonZeroUsize, within: Duration) -> Self {
        self.remembered = (at_most.get(), within);
        self
    }

    /// How many items may wait for whoever reads the source. Default: 1,024.
    pub fn capacity(mut self, capacity: NonZeroUsize) -> Self {
        self.capacity = capacity;
        self
    }
}

impl<T> PostSource<T> {
    pub(super) fn new(items: Receiver<T>, endpoints: Endpoints, endpoint: Arc<Endpoint>) -> Self {
        Self { items, endpoints, endpoint }
    }

    /// The path of its endpoint.
    #[must_use]
    pub fn path(&self) -> &str {
        self.endpoint.path()
    }
}

impl<T> Stream for PostSource<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.items.poll_recv(cx)
    }
}

impl<T> Drop for PostSource<T> {
    fn drop(&mut self) {
        self.endpoints.remove(&self.endpoint);
    }
}

impl<T> fmt::Debug for PostSource<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = self.items.len();
        f.debug_struct("PostSource")
            .field("path", &self.path())
            .field("waiting", &waiting)
            .finish_non_exhaustive()
    }
}

/// Where an endpoint puts what it is sent.
pub(super) trait Inbox: Send + Sync {
    fn take<'a>(
        &'a self,
        headers: &'a HeaderMap,
        body: &'a [u8],
        wait: Duration,
    ) -> BoxFuture<'a, Result<Receipt, Refused>>;
}

pub(super) fn inbox<T>(options: &PostOptions) -> (Box<dyn Inbox>, Receiver<T>)
where
    T: DeserializeOwned + Send + 'static,
{
    let (sender, items) = channel(options.capacity.get());
    let (at_most, within) = options.remembered;
    let seen = Mutex::new(Seen::new(at_most, within));
    (Box::new(Typed { sender, seen, key: options.key.clone() }), items)
}

struct Typed<T> {
    sender: Sender<T>,
    seen: Mutex<Seen>,
    key: Option<DedupKey>,
}

/// By what an item is known again.
type Number = Option<(Who, u64)>;

impl<T: DeserializeOwned + Send + 'static> Inbox for Typed<T> {
    fn take<'a>(
        &'a self,
        headers: &'a HeaderMap,
        body: &'a [u8],
        wait: Duration,
    ) -> BoxFuture<'a, Result<Receipt, Refused>> {
        Box::pin(async move {
            let deadline = Instant::now() + wait;
            let first = self.first(headers)?;
            let (mut accepted, mut fresh) = (0, 0);
            for (line, item) in Body::of(headers, body) {
                let shape = |(detail, field)| Refused::Shape { detail, field, line, accepted };
                let number = match self.pointer() {
                    Some(pointer) if first.is_none() => Some(item.key(pointer).map_err(shape)?),
                    _ => first.map(|(who, first)| (who, first.saturating_add(accepted as u64))),
                };
                // What was taken before need not be read.
                if number.is_none_or(|(who, number)| self.seen.lock().next(&who) <= number) {
                    let item = item.read().map_err(shape)?;
                    fresh += usize::from(self.put(item, number, deadline, accepted).await?);
                }
                accepted += 1;
            }
            Ok(Receipt { accepted, duplicate: accepted > 0 && fresh == 0 })
        })
    }
}

impl<T> Typed<T> {
    fn pointer(&self) -> Option<&str> {
        match &self.key {
            Some(DedupKey(Place::Pointer(pointer))) => Some(pointer),
            _ => None,
        }
    }

    /// By what the first item of a request is known again, if the request says that.
    fn first(&self, headers: &HeaderMap) -> Result<Number, Refused> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        // Where a key says it, it says it alone: numbers are not signed, and another start has others.
        if let (None, Some(sender), Some(Ok(first))) =
            (&self.key, text("mape-sender"), text("mape-first").map(str::parse))
        {
            return Ok(Some((who("sender", sender.as_bytes()), first)));
        }
        let Some(DedupKey(Place::Header(name))) = &self.key else { return Ok(None) };
        if let Some(key) = headers.get(name) {
            return Ok(Some((who("key", key.as_bytes()), 0)));
        }
        let detail = format!("the header `{name}` is missing, by which it is known whether this came before");
        Err(Refused::Shape { detail, field: Some(name.clone()), line: None, accepted: 0 })
    }

    /// Puts an item in as soon as there is room; whether it was not there before.
    async fn put(
        &self,
        item: T,
        number: Number,
        deadline: Instant,
        accepted: usize,
    ) -> Result<bool, Refused> {
        let room = timeout_at(deadline, self.sender.reserve()).await;
        let room = room.map_err(|_| Refused::Full { accepted })?.map_err(|_| Refused::Gone)?;
        if let Some((who, number)) = number {
            let mut seen = self.seen.lock();
            // Another request may have brought it meanwhile.
            if seen.next(&who) > number {
                return Ok(false);
            }
            seen.took(who, number.saturating_add(1));
        }
        room.send(item);
        Ok(true)
    }
}

/// What is wrong with an item, and with which field.
type Misshapen = (String, Option<String>);

/// One item as it was sent.
#[derive(Clone, Copy)]
enum Body<'a> {
    Json(&'a [u8]),
    MessagePack(&'a [u8]),
}

impl<'a> Body<'a> {
    /// The items of a body, with their lines, if it has some.
    fn of(
        headers: &HeaderMap,
        body: &'a [u8],
    ) -> Box<dyn Iterator<Item = (Option<usize>, Self)> + Send + 'a> {
        let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        match kind.split(';').next().unwrap_or_default().trim() {
            "application/x-ndjson" | "application/jsonl" => {
                let lines = body.split(|byte| *byte == b'\n').enumerate();
                let items = lines.filter(|(_, line)| !line.iter().all(u8::is_ascii_whitespace));
                Box::new(items.map(|(line, item)| (Some(line + 1), Self::Json(item))))
            }
            "application/msgpack" | "application/x-msgpack" | "application/vnd.msgpack" => {
                Box::new(std::iter::once((None, Self::MessagePack(body))))
            }
            _ => Box::new(std::iter::once((None, Self::Json(body)))),
        }
    }

    fn read<T: DeserializeOwned>(self) -> Result<T, Misshapen> {
        match self {
            Self::Json(bytes) => {
                let mut reader = serde_json::Deserializer::from_slice(bytes);
                let item = serde_path_to_error::deserialize(&mut reader).map_err(|e| misshapen(&e, bytes))?;
                reader.end().map_err(|error| (format!("more than one JSON value: {error}"), None))?;
                Ok(item)
            }
            Self::MessagePack(bytes) => {
                let mut reader = rmp_serde::Deserializer::from_read_ref(bytes);
                serde_path_to_error::deserialize(&mut reader).map_err(|error| misshapen(&error, &[]))
            }
        }
    }

    /// By what it is known again.
    fn key(self, pointer: &str) -> Result<(Who, u64), Misshapen> {
        let value: Value = self.read()?;
        let missing = || {
            let detail =
                format!("there is nothing at `{pointer}`, by which it is known whether this came before");
            (detail, Some(pointer.trim_start_matches('/').replace('/', ".")))
        };
        let key = value.pointer(pointer).filter(|key| !key.is_null()).ok_or_else(missing)?;
        Ok((who("key", key.to_string().as_bytes()), 0))
    }
}

fn misshapen<E: fmt::Display>(error: &serde_path_to_error::Error<E>, bytes: &[u8]) -> Misshapen {
    let field = error.path().to_string();
    let field = (field != ".").then_some(field);
    let detail = match &field {
        Some(field) => format!("`{field}`: {}", error.inner()),
        None if bytes.first() == Some(&0x80) => "this is pickle, which runs code: send JSON".to_owned(),
        None => error.inner().to_string(),
    };
    (detail, field)
}
