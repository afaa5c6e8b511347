//! Who listens to a WebSocket.

use super::answer::{body, detail, retry_after};
use super::client::said;
use super::retry::Retry;
use super::{Client, Error, metered};
use crate::stream::meter::{self, Meter};
use futures::{SinkExt, StreamExt};
use reqwest::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use reqwest::{Method, Response, StatusCode, Upgraded, Url};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::Sender;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::{client::generate_key, derive_accept_key};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error as Broken, Message};

/// What is read of an answer that is no WebSocket, and for how long.
const EXPLANATION: (usize, Duration) = (64 * 1024, Duration::from_secs(10));
/// How long it may take to say that one has heard of the end.
const FAREWELL: Duration = Duration::from_secs(1);

/// A message with an item.
#[derive(Debug)]
pub(super) enum Heard {
    Text(String),
    Binary(Vec<u8>),
}

/// Connects, and listens, for as long as somebody wants what it hears.
pub(super) struct Listening {
    pub(super) url: Url,
    pub(super) shown: String,
    pub(super) client: Client,
    /// What is said first.
    pub(super) first: Vec<String>,
    /// How long the other side may be silent before it is asked for a sign of life, and how long that may take.
    pub(super) heartbeat: (Duration, Duration),
    pub(super) longest: usize,
    pub(super) retry: Retry,
    pub(super) meter: Arc<Meter>,
    pub(super) heard: Sender<Result<Heard, Error>>,
}

/// Nobody wants more.
struct Unwanted;

type Socket = WebSocketStream<Upgraded>;

impl Listening {
    pub(super) async fn run(mut self) {
        while self.once().await.is_ok() {}
    }

    /// Connects, listens until it breaks, and waits.
    async fn once(&mut self) -> Result<(), Unwanted> {
        let since = meter::now();
        let connected = self.connect().await;
        let (error, asked) = match connected {
            Ok(mut socket) => {
                if let Some(since) = since {
                    self.meter.record(since.elapsed());
                }
                self.retry.connected();
                (self.listen(&mut socket).await?, None)
            }
            Err((error, asked)) => (error, asked),
        };
        if self.retry.is_news(&error) {
            self.tell(Err(error)).await?;
        } else {
            self.meter.add(metered::counter(&error), 1);
        }
        // Without a limit there is always another attempt.
        let wait = self.retry.wait(asked).unwrap_or(self.retry.backoff.ceiling);
        tokio::select! {
            () = sleep(wait) => Ok(()),
            () = self.heard.closed() => Err(Unwanted),
        }
    }

    async fn connect(&self) -> Result<Socket, (Error, Option<Duration>)> {
        let key = generate_key();
        let request = self.client.lasting_request(Method::GET, self.url.clone()).await;
        let request = request.map_err(|error| (error, None))?;
        let request = request
            .header(CONNECTION, "Upgrade")
            .header(UPGRADE, "websocket")
            .header(SEC_WEBSOCKET_VERSION, "13")
            .header(SEC_WEBSOCKET_KEY, &key);
        let response = self.client.begin(request, &self.shown).await.map_err(|error| (error, None))?;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Err(self.refused(response).await);
        }
        let failed = |reason| (Error::NoAnswer { place: self.shown.clone(), reason }, None);
        let accept = response.headers().get(SEC_WEBSOCKET_ACCEPT).map(|accept| accept.as_bytes());
        if accept != Some(derive_accept_key(key.as_bytes()).as_bytes()) {
            return Err(failed("it does not know WebSockets".to_owned()));
        }
        let connection = response.upgrade().await.map_err(|error| failed(said(error)))?;
        let mut config = WebSocketConfig::default();
        (config.max_message_size, config.max_frame_size) = (Some(self.longest), Some(self.longest));
        Ok(WebSocketStream::from_raw_socket(connection, Role::Client, Some(config)).await)
    }

    async fn refused(&self, response: Response) -> (Error, Option<Duration>) {
        let (status, asked) = (response.status().as_u16(), retry_after(response.headers()));
        let (longest, patience) = EXPLANATION;
        let body = timeout(patience, body(response, longest)).await;
        let body = body.ok().and_then(Result::ok).unwrap_or_default();
        let detail = detail(serde_json::from_slice(&body).ok().as_ref(), &body);
        (Error::Answered { place: self.shown.clone(), status, detail }, asked)
    }

    /// Why it came to an end.
    async fn listen(&self, socket: &mut Socket) -> Result<Error, Unwanted> {
        let (every, within) = self.heartbeat;
        for text in &self.first {
            if let Err(error) = self.say(socket, Message::text(text.as_str())).await {
                return Ok(error);
            }
        }
        let (mut last, mut asked) = (Instant::now(), Instant::now());
        loop {
            let silent = last + every + within;
            let next = tokio::select! {
                biased;
                next = socket.next() => next,
                () = self.heard.closed() => return Err(Unwanted),
                () = sleep_until(silent.min(asked + every)) => {
                    if silent <= Instant::now() {
                        return Ok(self.interrupted(format!("nothing was heard for {:?}", every + within)));
                    }
                    asked = Instant::now();
                    match self.say(socket, Message::Ping(Vec::new().into())).await {
                        Ok(()) => continue,
                        Err(error) => return Ok(error),
                    }
                }
            };
            match next {
                Some(Ok(Message::Text(text))) => self.tell(Ok(Heard::Text(text.as_str().to_owned()))).await?,
                Some(Ok(Message::Binary(bytes))) => self.tell(Ok(Heard::Binary(bytes.to_vec()))).await?,
                Some(Ok(Message::Close(frame))) => {
                    // Whatever becomes of it, the other side wants no more.
                    let _ = timeout(FAREWELL, socket.close(None)).await;
                    return Ok(self.closed(frame));
                }
                Some(Ok(_)) => {}
                Some(Err(Broken::Capacity(_))) => {
                    let (place, longest) = (self.shown.clone(), self.longest);
                    self.tell(Err(Error::ItemTooLong { place, longest })).await?;
                    // Its rest can't be told from what comes behind it.
                    return Ok(self.interrupted("it sent a message that is too long".to_owned()));
                }
                Some(Err(error)) => return Ok(self.interrupted(error.to_string())),
                None => return Ok(self.interrupted("the other side ended it".to_owned())),
            }
            // Not what it took to hand it on.
            last = Instant::now();
        }
    }

    async fn say(&self, socket: &mut Socket, message: Message) -> Result<(), Error> {
        let (_, within) = self.heartbeat;
        match timeout(within, socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.interrupted(error.to_string())),
            Err(_) => Err(self.interrupted(format!("it took nothing for {within:?}"))),
        }
    }

    fn interrupted(&self, reason: String) -> Error {
        Error::Interrupted { place: self.shown.clone(), reason }
    }

    fn closed(&self, frame: Option<CloseFrame>) -> Error {
        let place = self.shown.clone();
        match frame {
            Some(frame) => {
                Error::Disconnected { place, code: frame.code.into(), reason: frame.reason.to_string() }
            }
            None => self.interrupted("the other side closed it".to_owned()),
        }
    }

    async fn tell(&self, next: Result<Heard, Error>) -> Result<(), Unwanted> {
        if let Err(error) = &next {
            self.meter.add(metered::counter(error), 1);
        }
        self.heard.send(next).await.map_err(|_| Unwanted)
    }
}
