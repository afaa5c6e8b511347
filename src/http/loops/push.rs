//! Items from outside.

use super::at::{AtElement, ports};
use crate::element::AnyElement;
use crate::element::ports::{Format, Ports, Refusal, Side};
use crate::http::extract::{Path, Query};
use crate::http::{Context, Problem};
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use futures::StreamExt;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use memchr::{memchr_iter, memrchr};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::atomic::{AtomicU64, Ordering};
use utoipa::{IntoParams, ToSchema};

/// Where an item goes, and what it is.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Aim {
    /// The port: `in` is the default; `out` emits on the element's behalf.
    #[serde(default)]
    #[param(inline)]
    port: Port,
    /// What the body is: the next item, an error that passes the element by, or nothing, for there will be no more.
    #[serde(default)]
    #[param(inline)]
    notification: Kind,
}

#[derive(Clone, Copy, Default, Deserialize, PartialEq, Eq, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Port {
    #[default]
    In,
    Out,
}

impl Port {
    pub(super) fn side(self) -> Side {
        match self {
            Self::In => Side::In,
            Self::Out => Side::Out,
        }
    }
}

#[derive(Clone, Copy, Default, Deserialize, PartialEq, Eq, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Kind {
    #[default]
    Next,
    Error,
    Completed,
}

/// What was taken.
#[derive(Serialize, ToSchema)]
pub(super) struct Accepted {
    /// How many items.
    accepted: u64,
    /// Of one item: its number among those that came in here since the program started.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
}

/// Push one item or many into a port.
///
/// The body is one JSON value; with `application/x-ndjson` an item a line, with `application/msgpack` one item in
/// `MessagePack`. The port is given a second to make room.
///
/// A sender that numbers its items, from 0 on, with the headers `Mape-Sender` (a random text, another one with each start)
/// and `Mape-First` (the number of the body's first item) may send again what it got no answer for: what was taken
/// is not taken again, and counts as accepted.
#[utoipa::path(
    post, path = "/loops/{loop}/elements/{element}", tag = "loops",
    params(("loop" = String, Path, description = "The loop's uid."), ("element" = String, Path, description = "The element's uid."), Aim),
    request_body(description = "An item or many.", content((Value = "application/json"), (String = "application/x-ndjson"), (String = "application/msgpack"))),
    responses(
        (status = 200, description = "Taken.", body = Accepted),
        (status = 400, description = "The body broke off, or a header is no good."),
        (status = 403, description = "The element is not exposed, or not to that side."),
        (status = 404, description = "There is none at that path."),
        (status = 408, description = "The body did not come in time."),
        (status = 409, description = "The element is not running."),
        (status = 413, description = "The body is too long."),
        (status = 422, description = "The item has the wrong shape; of many, `accepted` came before the one in `line`."),
        (status = 429, description = "There is no room; of many, `accepted` were taken. `Retry-After` says when to go on.")
    )
)]
pub(super) async fn push(
    State(context): State<Context>,
    Path(at): Path<AtElement>,
    Query(aim): Query<Aim>,
    request: Request,
) -> Result<Json<Accepted>, Problem> {
    let (Parts { headers, .. }, body) = request.into_parts();
    let element = at.find(&context.app)?;
    let door = ports(&element)?;
    let door = Push { door: &*door, element: &element, side: aim.port.side(), context: &context };
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let lines = ["application/x-ndjson", "application/ndjson", "application/jsonl"];
    if kind.contains("pickle") {
        return Err(no_pickle());
    }
    match aim.notification {
        Kind::Next if lines.contains(&kind.as_str()) => door.many(&headers, body).await,
        Kind::Next => {
            let packed = kind == "application/msgpack" || kind == "application/x-msgpack";
            door.one(&headers, if packed { Format::MessagePack } else { Format::Json }, body).await
        }
        Kind::Error => door.error(body).await,
        Kind::Completed => {
            door.whole(body).await?;
            door.door.complete(door.side).map_err(|refusal| door.problem(&refusal))?;
            Ok(Json(Accepted { accepted: 0, id: None }))
        }
    }
}

struct Push<'a> {
    door: &'a dyn Ports,
    element: &'a AnyElement,
    side: Side,
    context: &'a Context,
}

impl Push<'_> {
    async fn one(&self, headers: &HeaderMap, format: Format, body: Body) -> Result<Json<Accepted>, Problem> {
        let text = self.whole(body).await?;
        let Some(Numbered { sender, first }) = Numbered::of(headers)? else {
            return self.push_one(format, &text).await;
        };
        let next = self.context.ledger.of(self.element.path().as_str(), &sender);
        let mut next = next.lock().await;
        if first < *next {
            return Ok(Json(Accepted { accepted: 1, id: None }));
        }
        follows(first, &mut next)?;
        let accepted = self.push_one(format, &text).await?;
        *next = first.saturating_add(1);
        Ok(accepted)
    }

    async fn push_one(&self, format: Format, text: &[u8]) -> Result<Json<Accepted>, Problem> {
        let pushed = self.door.push_one(self.side, format, text, self.context.push_wait).await;
        let id = pushed.map_err(|refusal| match refusal {
            Refusal::Shape { .. } if is_pickle(text) => no_pickle(),
            Refusal::Shape { reason, .. } => {
                Problem::unprocessable(format!("the body is no item of `{}`: {reason}", self.element.path()))
            }
            other => self.problem(&other),
        })?;
        Ok(Json(Accepted { accepted: 1, id: Some(id) }))
    }

    async fn error(&self, body: Body) -> Result<Json<Accepted>, Problem> {
        let text = self.whole(body).await?;
        // A text that is no JSON says what is wrong as well as one that is.
        let value = match serde_json::from_slice(&text) {
            Ok(value) => value,
            Err(_) if is_pickle(&text) => return Err(no_pickle()),
            Err(_) => Value::from(String::from_utf8_lossy(&text)),
        };
        self.door.push_error(self.side, value).map_err(|refusal| self.problem(&refusal))?;
        Ok(Json(Accepted { accepted: 1, id: None }))
    }

    async fn many(&self, headers: &HeaderMap, body: Body) -> Result<Json<Accepted>, Problem> {
        let numbered = Numbered::of(headers)?;
        let Some(Numbered { sender, first }) = numbered else {
            let taken = AtomicU64::new(0);
            let done = self.lines(body, 0, &taken).await;
            return answer(done, taken.load(Ordering::Relaxed));
        };
        let next = self.context.ledger.of(self.element.path().as_str(), &sender);
        // Waits until an earlier request of that sender, which may have lost its answer, has ended.
        let mut next = next.lock().await;
        follows(first, &mut next)?;
        let taken = AtomicU64::new(0);
        let done = {
            // Counts also what was taken before the sender went away.
            let counts = Counts { next: &mut next, first, taken: &taken };
            let skip = counts.next.saturating_sub(first);
            let done = self.lines(body, skip, &taken).await;
            drop(counts);
            done
        };
        answer(done, taken.load(Ordering::Relaxed))
    }

    /// Pushes what the body has, line by line, as it comes.
    async fn lines(&self, body: Body, skip: u64, taken: &AtomicU64) -> Result<(), Problem> {
        let limit = self.context.body_limit;
        let (mut chunks, mut rest, mut size, mut before) = (body.into_data_stream(), Vec::new(), 0, 0);
        loop {
            let chunk = chunks.next().await;
            let is_last = chunk.is_none();
            let chunk = chunk.unwrap_or_else(|| Ok(Bytes::new()));
            let chunk = chunk.map_err(|error| Problem::of_body(&error))?;
            size += chunk.len();
            if size > limit {
                return Err(Problem::too_large(limit));
            }
            // Whole lines only, and all in one go.
            let whole = match memrchr(b'\n', &chunk) {
                _ if is_last => std::mem::take(&mut rest),
                None => {
                    rest.extend_from_slice(&chunk);
                    continue;
                }
                Some(end) => {
                    let (head, tail) = chunk.split_at(end + 1);
                    let mut whole = std::mem::replace(&mut rest, tail.to_vec());
                    whole.extend_from_slice(head);
                    whole
                }
            };
            let left = skip.saturating_sub(taken.load(Ordering::Relaxed));
            let pushed = self.door.push_lines(self.side, &whole, left, taken, self.context.push_wait).await;
            pushed.map_err(|refusal| match refusal {
                Refusal::Shape { line, reason } => self.bad_line(&whole, line, before + line, &reason),
                other => self.problem(&other),
            })?;
            if is_last {
                return Ok(());
            }
            before += memchr_iter(b'\n', &whole).count();
        }
    }

    fn bad_line(&self, lines: &[u8], line: usize, number: usize, reason: &str) -> Problem {
        let text = lines.split(|byte| *byte == b'\n').nth(line - 1).unwrap_or_default();
        if is_pickle(text) {
            return no_pickle();
        }
        let shown: String = String::from_utf8_lossy(text).chars().take(80).collect();
        let detail =
            format!("line {number} is no item of `{}`: {reason}; it is: {shown}", self.element.path());
        Problem::unprocessable(detail).with("line", number)
    }

    /// The whole body, within limits.
    async fn whole(&self, body: Body) -> Result<Bytes, Problem> {
        let limit = self.context.body_limit;
        match Limited::new(body, limit).collect().await {
            Ok(collected) => Ok(collected.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => Err(Problem::too_large(limit)),
            Err(error) => Err(Problem::of_body(&*error)),
        }
    }

    fn problem(&self, refusal: &Refusal) -> Problem {
        let path = self.element.path();
        match refusal {
            Refusal::Shape { reason, .. } => Problem::unprocessable(reason),
            Refusal::Full => {
                let detail =
                    format!("`{path}` has had no room for {:?}: it is held up", self.context.push_wait);
                Problem::new(StatusCode::TOO_MANY_REQUESTS, detail).retry_after(1)
            }
            Refusal::NotRunning(state) => Problem::conflict(format!("`{path}` is {state}: start it first")),
            Refusal::Gone => Problem::not_found(format!("`{path}` was disposed of")),
            Refusal::OneWay => {
                let detail =
                    format!("`{path}` is not exposed that way: its program has to call `expose_fully()`");
                Problem::new(StatusCode::FORBIDDEN, detail)
            }
        }
    }
}

/// Refuses what leaves a gap; whoever starts with another number has sent the others to a program that was here before.
fn follows(first: u64, next: &mut u64) -> Result<(), Problem> {
    if first > *next && *next > 0 {
        let detail = format!("the items from number {next} on are missing: the body begins with {first}");
        return Err(Problem::conflict(detail).with("next", *next));
    }
    if first > *next {
        *next = first;
    }
    Ok(())
}

fn answer(done: Result<(), Problem>, accepted: u64) -> Result<Json<Accepted>, Problem> {
    match done {
        Ok(()) => Ok(Json(Accepted { accepted, id: None })),
        Err(problem) => Err(problem.with("accepted", accepted)),
    }
}

/// What a sender that numbers its items says.
struct Numbered {
    sender: String,
    first: u64,
}

/// The longest name of a sender.
const LONGEST_SENDER: usize = 128;

impl Numbered {
    fn of(headers: &HeaderMap) -> Result<Option<Self>, Problem> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let Some(sender) = text("mape-sender") else { return Ok(None) };
        let first = text("mape-first").and_then(|first| first.parse().ok());
        match first {
            Some(first) if sender.len() <= LONGEST_SENDER => {
                Ok(Some(Self { sender: sender.to_owned(), first }))
            }
            _ => Err(Problem::bad_request(
                "with Mape-Sender, of at most 128 bytes, there has to be Mape-First: the number of the first item",
            )),
        }
    }
}

/// Enters what was taken, whether or not the request came to its end.
struct Counts<'a> {
    next: &'a mut u64,
    first: u64,
    taken: &'a AtomicU64,
}

impl Drop for Counts<'_> {
    fn drop(&mut self) {
        let end = self.first.saturating_add(self.taken.load(Ordering::Relaxed));
        *self.next = (*self.next).max(end);
    }
}

/// Python's pickle, version 2 or later.
fn is_pickle(body: &[u8]) -> bool {
    matches!(body, [0x80, 2..=5, ..])
}

fn no_pickle() -> Problem {
    Problem::unprocessable(
        "this is a pickle, which would be a program to be run here: set a JSON serializer at the sender, \
         such as POSTObserver(…, serializer=json.dumps)",
    )
}
