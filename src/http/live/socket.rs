//! Clients on a WebSocket, which say and are told over the same connection.

use super::guest::Guest;
use super::query::Pairs;
use super::saying::{Said, answer_to};
use super::stream::{listen, stated_at};
use super::telling::{Hello, told};
use crate::http::Problem;
use crate::http::serving::Seat;
use crate::live::{Client, Closed, Delivery};
use axum::body::Bytes;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Extension, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use futures::{FutureExt, SinkExt, StreamExt};
use std::convert::Infallible;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

/// How much is read at a time. Messages are short, clients are many.
const READ: usize = 2 * 1024;
/// What is written in one piece.
const PIECE: usize = 8 * 1024;
/// How many messages that make no sense may come one after another.
const SENSELESS: u32 = 20;
/// After how many heartbeats in which nothing was heard a client is taken for dead.
const SILENT: u32 = 4;
/// How long a client may take to read what waits for it when the service closes.
const LAST: Duration = Duration::from_secs(5);
/// How long it may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(1);

/// A request that may become a WebSocket.
pub(super) struct Upgrade {
    asked: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    seat: Option<Seat>,
}

impl<S: Send + Sync> FromRequestParts<S> for Upgrade {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let seat = Extension::<Seat>::from_request_parts(parts, state).await.ok();
        let asked = WebSocketUpgrade::from_request_parts(parts, state).await;
        Ok(Self { asked, seat: seat.map(|Extension(seat)| seat) })
    }
}

impl Upgrade {
    pub(super) fn is_asked_for(&self) -> bool {
        self.asked.is_ok()
    }

    /// Goes on as a WebSocket, on which a client is told this first.
    pub(super) fn go_on(
        self,
        guest: Guest,
        client: Client,
        first: Option<String>,
    ) -> Result<Response, Problem> {
        let upgrade = self.asked.map_err(|rejection| {
            let detail = format!("this is for WebSockets: {}", rejection.body_text());
            Problem::new(StatusCode::UPGRADE_REQUIRED, detail)
        })?;
        let longest = guest.server.longest();
        let upgrade = upgrade.read_buffer_size(READ).write_buffer_size(PIECE);
        let seat = self.seat;
        Ok(upgrade.max_message_size(longest).max_frame_size(longest).on_upgrade(move |socket| async move {
            // It counts as a connection for as long as it lasts.
            let _seat = seat;
            let closing = guest.server.closing().clone();
            let mut talk = Talk { socket, client, guest, heard: Instant::now(), senseless: 0 };
            tokio::select! {
                () = talk.go_on(first) => {}
                () = async { closing.cancelled().await; sleep(LAST).await } => {}
            }
        }))
    }
}

/// A WebSocket: say what you want, and be told what comes.
///
/// The first message is `{"client", "member", "position"}`; then come messages as of `GET /live/stream`, and an answer to each message
/// that is sent: `{"id"?, "ok": true, …}` or `{"id"?, "error"}`, where `id` is whatever the message had. Messages are
/// `{"ask": {"name", "input"}}`, `{"cancel": JOB}`, `{"interest": {"name", "when"?, "names"?, "lifetime"?, "since"?}}`,
/// `{"withdraw": NAME}`, `{"join": {"group", "info"?, "presence"?, "since"?}}`, `{"leave": GROUP}`, `{"state": {"interests"?:
/// […], "groups"?: […], "since"?}}`, `{"publish": {"name", "data"}}` and `{"ping": ANYTHING}`.
#[utoipa::path(
    get, path = "/live/socket", tag = "live",
    responses(
        (status = 101, description = "It goes on as a WebSocket."), (status = 404, description = "There is no live server."),
        (status = 426, description = "It is no request for a WebSocket.")
    )
)]
pub(super) async fn socket(guest: Guest, upgrade: Upgrade) -> Result<Response, Problem> {
    let client = guest.connect();
    let hello = hello(&client, stated_at(guest.live.position()));
    upgrade.go_on(guest, client, Some(hello))
}

/// As `GET /live/stream`, on a WebSocket.
pub(super) fn stream(
    guest: Guest,
    upgrade: Upgrade,
    pairs: Pairs,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let (client, stated) = listen(&guest, pairs, headers)?;
    let hello = hello(&client, stated);
    upgrade.go_on(guest, client, Some(hello))
}

fn hello(client: &Client, stated: crate::live::Stated) -> String {
    serde_json::to_string(&Hello::new(client, stated)).unwrap_or_default()
}

/// A client on a WebSocket.
struct Talk {
    socket: WebSocket,
    client: Client,
    guest: Guest,
    /// When it was last heard of.
    heard: Instant,
    /// Messages one after another that made no sense.
    senseless: u32,
}

/// The connection is of no use any more.
struct Broken;

impl Talk {
    async fn go_on(&mut self, first: Option<String>) {
        let code = match self.talk(first).await {
            Ok(code) => code,
            Err(Broken) => return,
        };
        let frame = CloseFrame { code, reason: "".into() };
        let goodbye = async {
            if self.socket.send(Message::Close(Some(frame))).await.is_ok() {
                // What it still says is of no interest; but it has to be read, or the last that it is told may be lost.
                while let Some(Ok(_)) = self.socket.recv().await {}
            }
        };
        let _ = timeout(GOODBYE, goodbye).await;
    }

    /// Until one of both has nothing more to say; with which code that ends.
    async fn talk(&mut self, first: Option<String>) -> Result<u16, Broken> {
        let heartbeat = self.guest.server.heartbeat();
        let closing = self.guest.server.closing().clone();
        if let Some(first) = first {
            self.write(first).await?;
            self.flush().await?;
        }
        let mut beat = interval(heartbeat);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        beat.reset();
        let mut is_closing = false;
        let mut code = 1000;
        loop {
            tokio::select! {
                told = self.client.next() => match told {
                    Some(delivery) => code = self.tell(delivery).await?.unwrap_or(code),
                    None => return Ok(code),
                },
                said = self.socket.recv() => match said {
                    Some(Ok(message)) => {
                        self.heard = Instant::now();
                        if !self.hear(&message).await? {
                            return Ok(1008);
                        }
                    }
                    Some(Err(_)) | None => return Err(Broken),
                },
                _ = beat.tick() => {
                    if self.heard.elapsed() > heartbeat * SILENT {
                        return Err(Broken);
                    }
                    self.send(Message::Ping(Bytes::new())).await?;
                    self.flush().await?;
                }
                () = closing.cancelled(), if !is_closing => {
                    is_closing = true;
                    self.client.close(Some(Closed::ShuttingDown));
                }
            }
        }
    }

    /// Tells it what waits, in one go; with which code it is closed, if it is.
    async fn tell(&mut self, first: Delivery) -> Result<Option<u16>, Broken> {
        let (mut next, mut size, mut code) = (Some(first), 0, None);
        while let Some(delivery) = next {
            if let Delivery::Closed { reason } = &delivery {
                code = Some(if *reason == Closed::ShuttingDown { 1001 } else { 1008 });
            }
            let (_, json) = told(&delivery);
            size += json.len();
            self.write(json.into_owned()).await?;
            next = if size < 4 * PIECE { self.client.next().now_or_never().flatten() } else { None };
        }
        self.flush().await?;
        Ok(code)
    }

    /// Answers what it says; whether it is worth listening on.
    async fn hear(&mut self, message: &Message) -> Result<bool, Broken> {
        let mut said = match message {
            Message::Text(text) => Said::read(text.as_bytes()),
            Message::Binary(bytes) => Said::read(bytes),
            // A close is answered by itself, and then nothing more comes.
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) => return Ok(true),
        };
        self.senseless = if said.is_senseless() { self.senseless + 1 } else { 0 };
        if let Err(problem) = self.guest.may_say_more() {
            said.refuse(problem);
        }
        let answer = answer_to(said, &self.guest, &self.client);
        // It waits for its client to read it: whoever does not read is not listened to either.
        self.write(answer).await?;
        self.flush().await?;
        Ok(self.senseless < SENSELESS)
    }

    async fn write(&mut self, json: String) -> Result<(), Broken> {
        self.send(Message::Text(json.into())).await
    }

    async fn send(&mut self, message: Message) -> Result<(), Broken> {
        let patience = self.guest.server.heartbeat() * SILENT;
        timeout(patience, self.socket.feed(message)).await.map_err(|_| Broken)?.map_err(|_| Broken)
    }

    async fn flush(&mut self) -> Result<(), Broken> {
        let patience = self.guest.server.heartbeat() * SILENT;
        timeout(patience, self.socket.flush()).await.map_err(|_| Broken)?.map_err(|_| Broken)
    }
}
