//! A source that listens to an answer that goes on.

use super::listener::{Heard, Listener, State};
use super::retry::Retry;
use super::target::place;
use super::{Client, Error, decode, metered};
use crate::stream::Backoff;
use crate::stream::meter::Meter;
use futures::stream::{BoxStream, Stream, StreamExt, unfold};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::any::type_name;
use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::runtime::Handle;

/// What a server sends as it happens, in an answer that goes on: events (SSE) or JSON, a value a line (NDJSON); a
/// [`Stream`].
///
/// ```no_run
/// use futures::StreamExt;
/// use mape::edge::StreamSource;
/// use mape::stream::Operators;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), mape::edge::Error> {
/// let speeds = StreamSource::<f64>::new("127.0.0.1:6060/loops/car/elements/speed/stream")?;
/// let mut speeds = speeds.skip_errors(|error| eprintln!("{error}"));
/// while let Some(speed) = speeds.next().await {
///     println!("{speed} km/h");
/// }
/// # Ok(()) }
/// ```
///
/// Which of the two it is, the answer's `Content-Type` says. Events are as the WHATWG specifies them; their data are JSON.
/// Empty lines and empty events are left out. Whatever comes waits until the item before it was taken; then the other
/// side waits, too.
///
/// When the connection breaks, is silent for too long, or the answer ends, that is an item ([`Error::Interrupted`]), and it
/// connects again with back-off, or after what the server says in `retry`; with the id of the last event, if there was
/// one, so that a server that can goes on behind it. So it does when there is no answer, or one that time can change
/// (408, 425, 429 and most of 5xx; `Retry-After` is heeded), which is told once. With any other answer (401, 403, 404, a
/// redirect, another type, and 204, by which a server says that there is no more) the stream ends, after the error.
///
/// # Delivery
///
/// What is sent while there is no connection is lost, unless the server goes on behind the last id. Of a line that was
/// begun when the connection broke, nothing is emitted.
///
/// # Cancel safety
///
/// Waiting for the next item is cancel safe: what was begun goes on with the next call.
#[doc(alias = "EventSource")]
#[doc(alias = "sse")]
pub struct StreamSource<T> {
    shown: String,
    /// As long as it was not asked for an item.
    listener: Option<Listener>,
    heard: Option<BoxStream<'static, Result<Heard, Error>>>,
    read: fn(&Heard) -> Result<Option<T>, String>,
    meter: Arc<Meter>,
}

/// An item with what its server says of it; see [`StreamSource::events`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamEvent<T> {
    /// What kind of event it is: `message` unless the server says otherwise, and for each line.
    pub name: String,
    /// The last id that the server said; empty if it said none.
    pub id: String,
    /// The item.
    pub item: T,
}

impl<T: DeserializeOwned> StreamSource<T> {
    /// Asks this URL, `http://`, `https://` or neither before `HOST:PORT/PATH`.
    ///
    /// # Errors
    /// [`Error::Target`].
    pub fn new(url: &str) -> Result<Self, Error> {
        let (url, shown) = place(url)?;
        let meter = Meter::new(&metered::SOURCE, shown.as_str());
        let listener = Listener {
            url,
            shown: shown.clone(),
            client: Client::new(),
            body: None,
            key: fastrand::u128(..),
            longest: 1024 * 1024,
            idle: None,
            is_ending: false,
            retry: Retry::new(Backoff::default()),
            meter: meter.clone(),
            id: String::new(),
            state: State::Waiting(Duration::ZERO),
            ready: VecDeque::new(),
        };
        Ok(Self { shown, listener: Some(listener), heard: None, read: read_item, meter })
    }

    /// With their names and ids, of all events.
    ///
    /// ```no_run
    /// use mape::edge::{StreamEvent, StreamSource};
    /// use serde_json::Value;
    ///
    /// # fn main() -> Result<(), mape::edge::Error> {
    /// let changes: StreamSource<StreamEvent<Value>> = StreamSource::new("https://feed.example/changes")?.events();
    /// # drop(changes); Ok(()) }
    /// ```
    #[must_use]
    pub fn events(self) -> StreamSource<StreamEvent<T>> {
        let Self { shown, listener, heard, meter, .. } = self;
        StreamSource { shown, listener, heard, read: read_event, meter }
    }
}

impl<T> StreamSource<T> {
    /// Posts this, as JSON, instead of just asking. It ends with the answer, unless [`ends`](Self::ends) says otherwise.
    /// If the connection breaks, it is posted again, with the same `Idempotency-Key`; with
    /// [`Backoff::max_attempts`] of 0 it is not, and the stream ends.
    ///
    /// # Errors
    /// [`Error::Encode`].
    pub fn post<B: Serialize>(mut self, body: &B) -> Result<Self, Error> {
        let body = serde_json::to_vec(body).map_err(|error| Error::Encode {
            place: self.shown.clone(),
            type_name: type_name::<B>(),
            reason: error.to_string(),
        })?;
        self.set(|listener| (listener.body, listener.is_ending) = (Some(body), true));
        Ok(self)
    }

    /// Whether it ends when the answer comes to a proper end, or asks again. Default: only if it was posted.
    #[must_use]
    pub fn ends(mut self, ends: bool) -> Self {
        self.set(|listener| listener.is_ending = ends);
        self
    }

    /// With these headers, token and times: that of the client is how long to wait for the beginning of the answer.
    #[must_use]
    pub fn client(mut self, client: &Client) -> Self {
        self.set(|listener| listener.client = client.clone());
        self
    }

    /// The longest line, or event, that is read, in bytes. Default: 1 MiB. A longer one is an error in its place.
    #[must_use]
    pub fn longest(mut self, bytes: usize) -> Self {
        self.set(|listener| listener.longest = bytes);
        self
    }

    /// After how long without a byte the connection is given up. Default: a minute for events, as their servers give signs
    /// of life, such as ours every 15 s; never for lines.
    #[must_use]
    pub fn idle(mut self, at_most: Duration) -> Self {
        self.set(|listener| listener.idle = Some(at_most));
        self
    }

    /// How long to wait before connecting again: 100 ms, doubling up to 30 s, for ever, unless said. What a server says in
    /// `retry` takes the place of the first wait. When the attempts are used up, the stream ends after the error.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.set(|listener| listener.retry = Retry::new(backoff));
        self
    }

    fn set(&mut self, set: impl FnOnce(&mut Listener)) {
        if let Some(listener) = &mut self.listener {
            set(listener);
        }
    }
}

fn read_item<T: DeserializeOwned>(heard: &Heard) -> Result<Option<T>, String> {
    decode::json_line(&heard.data)
}

fn read_event<T: DeserializeOwned>(heard: &Heard) -> Result<Option<StreamEvent<T>>, String> {
    let item: Option<T> = decode::json_line(&heard.data)?;
    Ok(item.map(|item| StreamEvent { name: heard.name.clone(), id: heard.id.clone(), item }))
}

impl<T> Stream for StreamSource<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if let Some(listener) = this.listener.take() {
            if Handle::try_current().is_err() {
                return Poll::Ready(Some(Err(Error::NoRuntime { place: this.shown.clone() })));
            }
            let heard = unfold(listener, async |mut listener| {
                let next = listener.next().await?;
                Some((next, listener))
            });
            this.heard = Some(heard.boxed());
        }
        let Some(heard) = &mut this.heard else { return Poll::Ready(None) };
        loop {
            let Some(next) = ready!(heard.poll_next_unpin(cx)) else {
                this.heard = None;
                return Poll::Ready(None);
            };
            let read = match next {
                Ok(heard) => (this.read)(&heard),
                Err(error) => return Poll::Ready(Some(Err(error))),
            };
            let item = read.map_err(|reason| Error::Decode {
                place: this.shown.clone(),
                type_name: type_name::<T>(),
                reason,
            });
            if let Some(item) = item.transpose() {
                this.meter.add(if item.is_ok() { metered::ITEMS } else { metered::REFUSED }, 1);
                return Poll::Ready(Some(item));
            }
        }
    }
}

impl<T> fmt::Debug for StreamSource<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_begun = self.listener.is_none();
        f.debug_struct("StreamSource")
            .field("place", &self.shown)
            .field("is_begun", &is_begun)
            .finish_non_exhaustive()
    }
}
