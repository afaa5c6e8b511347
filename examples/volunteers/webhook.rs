//! What the network tells of by itself: checked, read, and in the queue before it is answered.
//!
//! ```text
//!   GET  /webhook?hub.mode=subscribe&hub.verify_token=…&hub.challenge=…   the challenge, if the token is ours
//!   POST /webhook   X-Hub-Signature-256: sha256=…                         200 when all of it is in the queue
//! ```
//!
//! What is told again is in the queue once: the id of a comment is the key of its job.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use mape::edge::Signature;
use mape::event::Event;
use mape::queue::NewJob;
use mape::stream::meter::{Kind, Meter};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::comment::{Comment, Via};
use crate::shared::Shared;

/// How the network calls our page.
pub const PAGE: &str = "page";
/// The most that one webhook may tell of.
const MOST: usize = 1000;
/// The longest id; it is the key of a job, and part of a path.
const LONGEST_ID: usize = 100;
/// What is kept of a body that makes no sense.
const KEPT: usize = 2000;

/// The webhook's handler.
#[derive(Clone)]
pub struct Webhook {
    shared: Shared,
    signature: Signature,
    meter: Arc<Meter>,
}

/// What came in so far; at `/metrics` it is `mape_webhook_…_total`.
static WEBHOOK: Kind = Kind {
    name: "webhook",
    label: "path",
    counters: &[
        ("new", "Comments and messages that were told, and are in the queue now."),
        ("again", "Comments and messages that were told, and in the queue before."),
        ("unsigned", "Requests that are not from the network: 403, and not kept."),
        ("senseless", "Requests from the network that make no sense: 400, and in the dead letters."),
        ("too_large", "Requests with a body that is too long to be read: 413."),
    ],
    gauges: &[],
    latency: None,
};
const NEW: usize = 0;
const AGAIN: usize = 1;
const UNSIGNED: usize = 2;
const SENSELESS: usize = 3;
const TOO_LARGE: usize = 4;

/// What the network asks before it tells anything.
#[derive(Deserialize)]
pub struct Asked {
    #[serde(rename = "hub.mode", default)]
    mode: String,
    #[serde(rename = "hub.verify_token", default)]
    verify_token: String,
    #[serde(rename = "hub.challenge", default)]
    challenge: String,
}

impl Webhook {
    pub fn new(shared: &Shared) -> Self {
        let signature = Signature::github(shared.settings.network.secret.expose());
        Self { shared: shared.clone(), signature, meter: Meter::new(&WEBHOOK, "/webhook") }
    }

    /// What was counted, by its name.
    pub fn counted(&self) -> BTreeMap<&'static str, u64> {
        let counters = WEBHOOK.counters.iter().enumerate();
        counters.map(|(n, (name, _))| (*name, self.meter.counter(n))).collect()
    }

    /// Puts into the queue what was told; how much of it is new.
    async fn take(&self, told: Vec<Comment>) -> Result<(u64, u64), mape::queue::Error> {
        let (mut new, mut again) = (0, 0);
        for comment in told {
            let key = comment.id.clone();
            let added = self.shared.queues.preprocessing.add_job(NewJob::new(comment).key(key)).await?;
            *if added.is_new { &mut new } else { &mut again } += 1;
        }
        self.meter.add(NEW, new);
        self.meter.add(AGAIN, again);
        Ok((new, again))
    }

    /// Keeps what the network has signed and nobody understands.
    async fn keep(&self, body: &[u8], reason: &str) {
        self.meter.add(SENSELESS, 1);
        tracing::warn!(reason, bytes = body.len(), "a webhook makes no sense");
        let text: String = String::from_utf8_lossy(body).chars().take(KEPT).collect();
        let letter =
            Event::new("webhook").with("body", text).with("dead", json!({"reason": reason})).stamped();
        if let Err(error) = self.shared.senseless_webhooks().append(letter).await {
            tracing::error!(%error, "a webhook that makes no sense could not be kept");
        }
    }
}

/// `GET /webhook`
pub async fn prove(State(webhook): State<Webhook>, Query(asked): Query<Asked>) -> Response {
    let token = webhook.shared.settings.network.verify_token.expose();
    // Its hash is compared, in a time that tells nothing.
    let proof = Signature::new("", token);
    if asked.mode == "subscribe"
        && proof.verify(Some(&proof.sign(token.as_bytes())), asked.verify_token.as_bytes()).is_ok()
    {
        let kind = [(header::CONTENT_TYPE, "text/plain"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
        return (kind, asked.challenge).into_response();
    }
    refusal(StatusCode::FORBIDDEN, "this needs `hub.mode=subscribe` and the token that was agreed on")
}

/// `POST /webhook`
pub async fn take(
    State(webhook): State<Webhook>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let body = match body {
        Ok(body) => body,
        Err(rejection) => {
            let is_large = rejection.status() == StatusCode::PAYLOAD_TOO_LARGE;
            webhook.meter.add(TOO_LARGE, is_large.into());
            return refusal(rejection.status(), &rejection.body_text());
        }
    };
    let given = headers.get(webhook.signature.header()).and_then(|value| value.to_str().ok());
    if let Err(unsigned) = webhook.signature.verify(given, &body) {
        webhook.meter.add(UNSIGNED, 1);
        return refusal(StatusCode::FORBIDDEN, &unsigned.to_string());
    }
    let told = match read(&body) {
        Ok(told) => told,
        Err(reason) => {
            webhook.keep(&body, &reason).await;
            return refusal(StatusCode::BAD_REQUEST, &reason);
        }
    };
    match webhook.take(told).await {
        Ok((new, again)) => Json(json!({"new": new, "again": again})).into_response(),
        // The network tells it again.
        Err(error) => {
            tracing::warn!(%error, "a webhook could not be taken");
            refusal(StatusCode::SERVICE_UNAVAILABLE, "try again later")
        }
    }
}

fn refusal(status: StatusCode, reason: &str) -> Response {
    (status, Json(json!({"detail": reason}))).into_response()
}

/// What a body tells of, in its order; what is of no interest here is left out.
fn read(body: &[u8]) -> Result<Vec<Comment>, String> {
    #[derive(Deserialize)]
    struct Body {
        object: String,
        entry: Vec<Entry>,
    }
    #[derive(Deserialize)]
    struct Entry {
        #[serde(default)]
        changes: Vec<Change>,
        #[serde(default)]
        messaging: Vec<Value>,
    }
    #[derive(Deserialize)]
    struct Change {
        field: String,
        value: Value,
    }
    let Body { object, entry } =
        serde_json::from_slice(body).map_err(|error| format!("it is no webhook: {error}"))?;
    if object != "page" {
        return Err("`object` is not `page`".to_owned());
    }
    let mut told = Vec::new();
    for Entry { changes, messaging } in entry {
        let changes =
            changes.iter().filter(|change| change.field == "feed" && is(&change.value, "/item", "comment"));
        for value in changes.map(|change| &change.value).filter(|value| is(value, "/verb", "add")) {
            told.extend(ours(comment(value).ok_or("a comment has no id, post, author or text")?)?);
        }
        for value in
            messaging.iter().filter(|value| value.pointer("/message/is_echo") != Some(&Value::Bool(true)))
        {
            told.extend(ours(message(value).ok_or("a message has no id, author or text")?)?);
        }
        if told.len() > MOST {
            return Err(format!("it tells of more than {MOST} comments at once"));
        }
    }
    Ok(told)
}

/// Whether this text is there.
fn is(value: &Value, pointer: &str, text: &str) -> bool {
    value.pointer(pointer).is_some_and(|found| found == text)
}

/// Nothing of what the page says itself.
fn ours(comment: Comment) -> Result<Option<Comment>, String> {
    let is_id = |id: &str| {
        id.len() <= LONGEST_ID && id.chars().all(|c| c.is_ascii_alphanumeric() || "_-.:".contains(c))
    };
    let Comment { id, place, person, .. } = &comment;
    if id.is_empty() || person.is_empty() || ![id, place, person].into_iter().all(|id| is_id(id)) {
        return Err("an id is empty, too long, or has other signs than letters, digits and `_-.:`".to_owned());
    }
    Ok((comment.person != PAGE).then_some(comment))
}

/// A comment that was fetched, if it is one and somebody else's; who is refused would be again with each fetching.
pub fn fetched(value: &Value) -> Option<Comment> {
    let read = comment(value).ok_or_else(|| "it has no id, post, author or text".to_owned());
    read.and_then(ours).unwrap_or_else(|reason| {
        tracing::warn!(reason, "a comment that was fetched makes no sense");
        None
    })
}

/// A comment as the network writes it.
fn comment(value: &Value) -> Option<Comment> {
    let text = |pointer: &str| Some(value.pointer(pointer)?.as_str()?.to_owned());
    Some(Comment {
        id: text("/comment_id")?,
        place: text("/post_id")?,
        person: text("/from/id")?,
        name: text("/from/name")?,
        text: text("/message")?,
        via: Via::Comment,
        said: value.get("created_time")?.as_i64()?,
    })
}

fn message(value: &Value) -> Option<Comment> {
    let text = |pointer: &str| Some(value.pointer(pointer)?.as_str()?.to_owned());
    Some(Comment {
        id: text("/message/mid")?,
        place: String::new(),
        person: text("/sender/id")?,
        name: text("/sender/name").unwrap_or_else(|| "Somebody".to_owned()),
        text: text("/message/text")?,
        via: Via::Message,
        said: value.get("timestamp")?.as_i64()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comment(id: &str, person: &str) -> Value {
        json!({"item": "comment", "verb": "add", "comment_id": id, "post_id": "post_1", "message": "me too",
            "from": {"id": person, "name": "Joe"}, "created_time": 1})
    }

    fn told(entry: &Value) -> Result<Vec<Comment>, String> {
        read(json!({"object": "page", "entry": entry}).to_string().as_bytes())
    }

    #[test]
    fn comments_and_messages_are_read_and_all_else_is_left_out() {
        let feed = |value: Value| json!({"field": "feed", "value": value});
        let message =
            json!({"sender": {"id": "joe"}, "timestamp": 2, "message": {"mid": "m.1", "text": "Sunday"}});
        let echo = json!({"sender": {"id": "page"}, "timestamp": 2, "message": {"mid": "m.2", "text": "ok", "is_echo": true}});
        let told = told(&json!([
            {"changes": [feed(comment("c_1", "joe")), feed(comment("c_2", PAGE)), feed(json!({"item": "like"}))]},
            {"messaging": [message, echo]}, {"changes": [{"field": "name", "value": {}}]}
        ]));
        let told: Vec<_> = told.unwrap().into_iter().map(|comment| (comment.id, comment.via)).collect();
        assert_eq!(told, [("c_1".to_owned(), Via::Comment), ("m.1".to_owned(), Via::Message)]);
    }

    #[test]
    fn what_is_fetched_is_looked_at_as_what_is_told() {
        let id = |value: &Value| fetched(value).map(|comment| comment.id);
        assert_eq!(id(&comment("c_1", "joe")).as_deref(), Some("c_1"));
        for left_out in [comment("c_2", PAGE), comment("../records", "joe"), comment("", "joe"), Value::Null]
        {
            assert_eq!(id(&left_out), None, "{left_out}");
        }
    }

    #[test]
    fn what_makes_no_sense_says_why() {
        for body in [
            "",
            "null",
            "{}",
            "[1]",
            r#"{"object": "page"}"#,
            r#"{"object":"page","entry":[{"changes":[NaN]}]}"#,
            "\u{0}",
        ] {
            assert!(read(body.as_bytes()).unwrap_err().contains("it is no webhook"), "{body}");
        }
        assert!(read(br#"{"object": "user", "entry": []}"#).unwrap_err().contains("`object`"));
        let entry = |comment: Value| json!([{"changes": [{"field": "feed", "value": comment}]}]);
        for wrong in ["", "../records", "a b", &"x".repeat(101)] {
            assert!(told(&entry(comment(wrong, "joe"))).unwrap_err().contains("an id"), "{wrong}");
        }
        let mut without = comment("c_1", "joe");
        without["message"] = Value::Null;
        assert!(told(&entry(without)).unwrap_err().contains("no id, post, author or text"));
    }
}
