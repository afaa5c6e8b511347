//! A source that listens to a WebSocket.

use super::retry::Retry;
use super::socket::{Heard, Listening};
use super::target::place;
use super::{Client, Error, PostFormat, decode, metered};
use crate::stream::Backoff;
use crate::stream::meter::Meter;
use futures::Stream;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::any::type_name;
use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::task::AbortHandle;

/// What a server sends over a WebSocket; a [`Stream`].
///
/// ```no_run
/// use futures::StreamExt;
/// use mape::edge::{Client, WebSocketSource};
/// use mape::stream::Operators;
/// use serde_json::{Value, json};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), mape::edge::Error> {
/// # let token = "";
/// let quotes = WebSocketSource::<Value>::new("wss://quotes.example/feed")?
///     .client(&Client::new().token(token)?)
///     .first(&json!({"subscribe": ["MAPE"]}))?;
/// let mut quotes = quotes.skip_errors(|error| eprintln!("{error}"));
/// while let Some(quote) = quotes.next().await {
///     println!("{quote}");
/// }
/// # Ok(()) }
/// ```
///
/// A message is an item: in JSON if it is text, and in JSON or `MessagePack` if it is binary ([`binary`](Self::binary)). A
/// message that is none is an error in its place ([`Error::Decode`]).
///
/// It connects when the first item is asked for, says what is to be said [first](Self::first), and answers pings while
/// there is room; a few messages wait for whoever reads them ([`capacity`](Self::capacity)), and after that the other side
/// waits. One that was silent is pinged, and given up if it stays so ([`heartbeat`](Self::heartbeat)).
///
/// When the connection breaks, that is an item ([`Error::Interrupted`]; [`Error::Disconnected`] with the code by which the
/// other side closed it), and it connects again with back-off, for ever. Failures to connect are items, too; the same
/// again and again is told once. It never ends by itself.
///
/// # Delivery
///
/// What is sent while there is no connection is lost. A message that is too long costs the connection.
///
/// # Cancel safety
///
/// Waiting for the next item is cancel safe.
#[doc(alias = "websocket")]
pub struct WebSocketSource<T> {
    shown: String,
    capacity: NonZeroUsize,
    binary: PostFormat,
    /// As long as it was not asked for an item.
    waiting: Option<Settings>,
    heard: Option<Receiver<Result<Heard, Error>>>,
    task: Option<AbortHandle>,
    meter: Arc<Meter>,
    item: PhantomData<fn() -> T>,
}

/// How it listens.
struct Settings {
    url: reqwest::Url,
    client: Client,
    first: Vec<String>,
    heartbeat: (Duration, Duration),
    longest: usize,
    backoff: Backoff,
}

impl<T: DeserializeOwned> WebSocketSource<T> {
    /// Listens at this URL, `ws://`, `wss://` or neither before `HOST:PORT/PATH`.
    ///
    /// # Errors
    /// [`Error::Target`].
    pub fn new(url: &str) -> Result<Self, Error> {
        // A WebSocket begins as a request of HTTP.
        let given = match url.split_once("://") {
            Some(("ws", rest)) => format!("http://{rest}"),
            Some(("wss", rest)) => format!("https://{rest}"),
            _ => url.to_owned(),
        };
        let (url, shown) = place(&given)?;
        let shown = shown.replacen("http", "ws", 1);
        let meter = Meter::new(&metered::SOURCE, shown.as_str());
        let settings = Settings {
            url,
            client: Client::new(),
            first: Vec::new(),
            heartbeat: (Duration::from_secs(20), Duration::from_secs(10)),
            longest: 256 * 1024,
            backoff: Backoff::default(),
        };
        Ok(Self {
            shown,
            capacity: NonZeroUsize::new(256).unwrap_or(NonZeroUsize::MIN),
            binary: PostFormat::Json,
            waiting: Some(settings),
            heard: None,
            task: None,
            meter,
            item: PhantomData,
        })
    }
}

impl<T> WebSocketSource<T> {
    /// Says this, as JSON, after each connecting, behind what was given before: a subscription.
    ///
    /// # Errors
    /// [`Error::Encode`].
    pub fn first<M: Serialize>(mut self, message: &M) -> Result<Self, Error> {
        let text = serde_json::to_string(message).map_err(|error| Error::Encode {
            place: self.shown.clone(),
            type_name: type_name::<M>(),
            reason: error.to_string(),
        })?;
        self.set(|settings| settings.first.push(text));
        Ok(self)
    }

    /// With these headers, token and times.
    #[must_use]
    pub fn client(mut self, client: &Client) -> Self {
        self.set(|settings| settings.client = client.clone());
        self
    }

    /// What is in binary messages. Default: JSON.
    #[must_use]
    pub fn binary(mut self, format: PostFormat) -> Self {
        self.binary = format;
        self
    }

    /// How long the other side may be silent before it is pinged, and how long it has to answer. Default: 20 s and 10 s.
    #[must_use]
    pub fn heartbeat(mut self, every: Duration, within: Duration) -> Self {
        self.set(|settings| settings.heartbeat = (every, within));
        self
    }

    /// The longest message that is read, in bytes. Default: 256 KiB.
    #[must_use]
    pub fn longest(mut self, bytes: usize) -> Self {
        self.set(|settings| settings.longest = bytes);
        self
    }

    /// How many messages may wait for whoever reads the source. Default: 256.
    #[must_use]
    pub fn capacity(mut self, capacity: NonZeroUsize) -> Self {
        self.capacity = capacity;
        self
    }

    /// How long to wait before connecting again: 100 ms, doubling up to 30 s, unless said. It never gives up: when the
    /// attempts are used up, it waits as for the longest.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.set(|settings| settings.backoff = backoff);
        self
    }

    fn set(&mut self, set: impl FnOnce(&mut Settings)) {
        if let Some(settings) = &mut self.waiting {
            set(settings);
        }
    }

    fn begin(&mut self, runtime: &Handle, settings: Settings) {
        let Settings { url, client, first, heartbeat, longest, backoff } = settings;
        let (sender, receiver) = channel(self.capacity.get());
        let listening = Listening {
            url,
            shown: self.shown.clone(),
            client,
            first,
            heartbeat,
            longest,
            retry: Retry::new(backoff),
            meter: self.meter.clone(),
            heard: sender,
        };
        self.task = Some(runtime.spawn(listening.run()).abort_handle());
        self.heard = Some(receiver);
    }
}

impl<T: DeserializeOwned> WebSocketSource<T> {
    fn read(&self, heard: &Heard) -> Result<T, Error> {
        let item = match (heard, self.binary) {
            (Heard::Text(text), _) => decode::json(text.as_bytes()),
            (Heard::Binary(bytes), PostFormat::Json) => decode::json(bytes),
            (Heard::Binary(bytes), PostFormat::MessagePack) => decode::message_pack(bytes),
        };
        self.meter.add(if item.is_ok() { metered::ITEMS } else { metered::REFUSED }, 1);
        item.map_err(|reason| Error::Decode {
            place: self.shown.clone(),
            type_name: type_name::<T>(),
            reason,
        })
    }
}

impl<T: DeserializeOwned> Stream for WebSocketSource<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(settings) = self.waiting.take() {
            let Ok(runtime) = Handle::try_current() else {
                return Poll::Ready(Some(Err(Error::NoRuntime { place: self.shown.clone() })));
            };
            self.begin(&runtime, settings);
        }
        let Some(heard) = &mut self.heard else { return Poll::Ready(None) };
        let next = ready!(heard.poll_recv(cx));
        Poll::Ready(next.map(|next| next.and_then(|heard| self.read(&heard))))
    }
}

impl<T> Drop for WebSocketSource<T> {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl<T> fmt::Debug for WebSocketSource<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = self.heard.as_ref().map_or(0, Receiver::len);
        f.debug_struct("WebSocketSource")
            .field("place", &self.shown)
            .field("waiting", &waiting)
            .finish_non_exhaustive()
    }
}
