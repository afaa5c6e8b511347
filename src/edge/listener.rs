//! Who listens to an answer that goes on.

use super::answer::{body, detail, retry_after};
use super::client::said;
use super::lines::{Found, Lines};
use super::retry::Retry;
use super::sse::{Events, Told};
use super::{Client, Error, metered};
use crate::stream::meter::{self, Meter};
use futures::stream::{BoxStream, StreamExt};
use reqwest::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HeaderMap};
use reqwest::{Method, Response, StatusCode, Url};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// After how long without a byte a stream of events is given up: servers give a sign of life every 15 s or so.
const IDLE: Duration = Duration::from_mins(1);
/// What a server may ask one to wait before connecting again.
const SHORTEST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_hours(1);
/// What is read of an answer that is not what was asked for.
const EXPLANATION: usize = 64 * 1024;

pub(super) struct Listener {
    pub(super) url: Url,
    pub(super) shown: String,
    pub(super) client: Client,
    /// What is posted.
    pub(super) body: Option<Vec<u8>>,
    /// By what the other side knows that it is posted again.
    pub(super) key: u128,
    pub(super) longest: usize,
    pub(super) idle: Option<Duration>,
    /// It ends with the answer.
    pub(super) is_ending: bool,
    pub(super) retry: Retry,
    pub(super) meter: Arc<Meter>,
    /// Behind which event to go on.
    pub(super) id: String,
    pub(super) state: State,
    pub(super) ready: VecDeque<Result<Heard, Error>>,
}

pub(super) enum State {
    Waiting(Duration),
    Open(Box<Open>),
    Ended,
}

/// An answer that goes on.
pub(super) struct Open {
    pieces: BoxStream<'static, Result<Vec<u8>, String>>,
    form: Form,
    idle: Duration,
}

enum Form {
    Events(Events),
    Lines(Lines),
}

/// One item as it was sent.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) name: String,
    pub(super) id: String,
    pub(super) data: Vec<u8>,
}

/// Why there is no answer that goes on, and after how long to ask again at the earliest, if at all.
struct Failed {
    error: Error,
    again: Option<Duration>,
}

impl Listener {
    pub(super) async fn next(&mut self) -> Option<Result<Heard, Error>> {
        loop {
            if let Some(next) = self.ready.pop_front() {
                return Some(next);
            }
            match &mut self.state {
                State::Ended => return None,
                State::Waiting(wait) => {
                    sleep(*wait).await;
                    self.connect().await;
                }
                State::Open(open) => {
                    let piece = timeout(open.idle, open.pieces.next()).await;
                    let idle = open.idle;
                    match piece {
                        Ok(Some(Ok(piece))) => self.hear(&piece),
                        Ok(Some(Err(reason))) => self.broken(reason),
                        Ok(None) => self.ended(),
                        Err(_) => self.broken(format!("nothing came for {idle:?}")),
                    }
                }
            }
        }
    }

    async fn connect(&mut self) {
        let since = meter::now();
        match self.ask().await {
            Ok(open) => {
                if let Some(since) = since {
                    self.meter.record(since.elapsed());
                }
                self.retry.connected();
                self.state = State::Open(Box::new(open));
            }
            Err(Failed { error, again: None }) => {
                self.tell(error);
                self.state = State::Ended;
            }
            Err(Failed { error, again: Some(asked) }) => self.wait(error, Some(asked)),
        }
    }

    async fn ask(&mut self) -> Result<Open, Failed> {
        let method = if self.body.is_some() { Method::POST } else { Method::GET };
        let request = self.client.lasting_request(method, self.url.clone()).await;
        // Settings do not get better by waiting.
        let mut request = request.map_err(|error| Failed { error, again: None })?;
        request = request.header(ACCEPT, "text/event-stream, application/x-ndjson");
        request = request.header(CACHE_CONTROL, "no-store");
        // The value of a header is more limited than an id.
        if !self.id.is_empty() && !self.id.bytes().any(|byte| byte.is_ascii_control()) {
            request = request.header("Last-Event-ID", self.id.as_bytes());
        }
        if let Some(body) = &self.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.clone());
            request = request.header("Idempotency-Key", format!("{:032x}", self.key));
        }
        let response = self.client.begin(request, &self.shown).await;
        let response = response.map_err(|error| Failed { error, again: Some(Duration::ZERO) })?;
        if response.status() == StatusCode::OK {
            self.open(response)
        } else {
            Err(self.refused(response).await)
        }
    }

    fn open(&self, response: Response) -> Result<Open, Failed> {
        let kind = kind(response.headers());
        let (form, idle) = match kind.as_str() {
            "text/event-stream" => (Form::Events(Events::new(self.longest, self.id.clone())), IDLE),
            "application/x-ndjson"
            | "application/ndjson"
            | "application/jsonl"
            | "application/x-jsonlines"
            | "application/json"
            | "application/stream+json" => {
                // Lines have no signs of life.
                (Form::Lines(Lines::new(self.longest)), Duration::MAX)
            }
            _ => {
                let detail = format!(
                    "its type is `{kind}`, which is neither text/event-stream nor application/x-ndjson"
                );
                let error = Error::Answered { place: self.shown.clone(), status: 200, detail };
                return Err(Failed { error, again: None });
            }
        };
        let pieces = response.bytes_stream().map(|piece| piece.map(|bytes| bytes.to_vec()).map_err(said));
        Ok(Open { pieces: pieces.boxed(), form, idle: self.idle.unwrap_or(idle) })
    }

    /// What is not as it should be: what only the time can change is waited for.
    async fn refused(&mut self, response: Response) -> Failed {
        let status = response.status().as_u16();
        let asked = retry_after(response.headers());
        let is_passing = matches!(status, 408 | 425 | 429 | 500 | 502..=504 | 506..);
        let body = timeout(IDLE, body(response, EXPLANATION)).await;
        let body = body.ok().and_then(Result::ok).unwrap_or_default();
        let mut detail = detail(serde_json::from_slice(&body).ok().as_ref(), &body);
        if status == StatusCode::NO_CONTENT {
            "there is nothing more to come".clone_into(&mut detail);
        }
        let error = Error::Answered { place: self.shown.clone(), status, detail };
        Failed { error, again: is_passing.then(|| asked.unwrap_or_default()) }
    }

    /// Takes the next piece of the answer.
    fn hear(&mut self, piece: &[u8]) {
        let State::Open(open) = &mut self.state else { return };
        let (ready, place, longest) = (&mut self.ready, &self.shown, self.longest);
        let meter = &self.meter;
        let too_long = || {
            meter.add(metered::REFUSED, 1);
            Err(Error::ItemTooLong { place: place.clone(), longest })
        };
        match &mut open.form {
            Form::Lines(lines) => lines.split(piece, |found, _| match found {
                Found::Line(line) => ready.push_back(Ok(Heard::line(line.to_vec()))),
                Found::TooLong => ready.push_back(too_long()),
                Found::Skipped => {}
            }),
            Form::Events(events) => {
                let backoff = &mut self.retry.backoff;
                events.split(piece, |told| match told {
                    Told::Event(event) => {
                        let (name, id, data) = (event.name, event.id, event.data.into_bytes());
                        ready.push_back(Ok(Heard { name, id, data }));
                    }
                    Told::TooLong => ready.push_back(too_long()),
                    Told::Retry(wait) => {
                        backoff.initial = wait.clamp(SHORTEST, LONGEST);
                        backoff.ceiling = backoff.ceiling.max(backoff.initial);
                    }
                });
                events.id().clone_into(&mut self.id);
            }
        }
    }

    /// The answer has come to its end.
    fn ended(&mut self) {
        if let State::Open(open) = &mut self.state
            && let Form::Lines(lines) = &mut open.form
            && let Some(line) = lines.finish()
        {
            self.ready.push_back(Ok(Heard::line(line)));
        }
        if self.is_ending {
            self.state = State::Ended;
        } else {
            self.broken("the answer ended".to_owned());
        }
    }

    fn broken(&mut self, reason: String) {
        self.wait(Error::Interrupted { place: self.shown.clone(), reason }, None);
    }

    /// Waits before it asks again, unless it has asked too often.
    fn wait(&mut self, error: Error, asked: Option<Duration>) {
        let wait = self.retry.wait(asked);
        // That all is over is told in any case.
        let is_news = self.retry.is_news(&error) || wait.is_none();
        if is_news {
            self.tell(error);
        } else {
            self.meter.add(metered::counter(&error), 1);
        }
        self.state = wait.map_or(State::Ended, State::Waiting);
    }

    fn tell(&mut self, error: Error) {
        self.meter.add(metered::counter(&error), 1);
        self.ready.push_back(Err(error));
    }
}

impl Heard {
    fn line(data: Vec<u8>) -> Self {
        Self { name: "message".to_owned(), id: String::new(), data }
    }
}

/// The type of an answer, without what goes with it.
fn kind(headers: &HeaderMap) -> String {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}
