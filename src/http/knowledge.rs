//! Knowledge: what is kept under the keys of the scopes, `k.…`.

use super::extract::{Path, Query};
use super::streams::{Form, Part};
use super::{Context, Problem};
use crate::channel::Pattern;
use crate::knowledge::{
    self, Cursor, Data, Filter, Key, KeyCommand, Kind, Notice, Operation, Reply, Store, ValueCommand,
};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use futures::StreamExt;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Context> {
    OpenApiRouter::new().routes(routes!(keys)).routes(routes!(get, set, delete)).routes(routes!(stream))
}

/// What all keys of knowledge begin with.
const PREFIX: &str = "k.";
/// The signs of life of other apps, which are no knowledge.
const PEERS: &str = "k.peer.";
/// How many keys a page has, unless it is asked for more or fewer, and at most.
const PAGE: usize = 200;
const LONGEST_PAGE: usize = 10_000;

/// Which keys.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Names, in which `*`, `?` and `[…]` stand for others, such as `k.loop.car.*`.
    #[serde(default = "all")]
    pattern: String,
    /// Where to go on: `next` of the page before.
    #[param(pattern = r"^[0-9]+\.[0-9]+$")]
    cursor: Option<String>,
    /// How many keys at least, as far as there are.
    count: Option<usize>,
}

fn all() -> String {
    "*".to_owned()
}

/// A page of keys.
#[derive(Serialize, ToSchema)]
#[schema(as = KeyPage)]
struct Page {
    keys: Vec<Listed>,
    /// Where to go on; `null` after the last page.
    next: Option<String>,
}

/// A key and what it holds: `string`, `hash`, `set`, `list` or `zset`.
#[derive(Serialize, ToSchema)]
#[schema(as = ListedKey)]
struct Listed {
    key: String,
    #[schema(value_type = String)]
    kind: Kind,
}

/// A key with all it holds.
#[derive(Serialize, ToSchema)]
struct Held {
    key: String,
    #[schema(value_type = String)]
    kind: Kind,
    value: Value,
}

#[derive(Deserialize)]
struct Named {
    key: String,
}

/// The keys that match, a page at a time; one may be on two pages.
#[utoipa::path(
    get, path = "/knowledge/keys", tag = "knowledge", params(Which),
    responses(
        (status = 200, description = "A page of them.", body = Page),
        (status = 422, description = "A parameter of the query is no good."),
        (status = 503, description = "The backend does not answer.")
    )
)]
async fn keys(
    State(context): State<Context>,
    Query(which): Query<Which>,
) -> Result<axum::Json<Page>, Problem> {
    let store = context.app.backend().store();
    let pattern = within(&which.pattern);
    let wanted = which.count.unwrap_or(PAGE).clamp(1, LONGEST_PAGE);
    let mut next = Some(match &which.cursor {
        None => Cursor::default(),
        Some(text) => cursor(text).ok_or_else(|| Problem::unprocessable(format!("`{text}` is no cursor")))?,
    });
    let mut keys = Vec::new();
    while keys.len() < wanted
        && let Some(from) = next
    {
        let page = store.scan(&pattern, from).await.map_err(refused)?;
        for key in page.keys.into_iter().filter(is_knowledge) {
            if let Reply::Kind(kind) = store.run(&key, KeyCommand::Kind.into()).await.map_err(refused)? {
                keys.push(Listed { key: key.as_str().to_owned(), kind });
            }
        }
        next = page.next;
    }
    keys.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(axum::Json(Page { keys, next: next.map(|next| format!("{}.{}", next.part, next.place)) }))
}

/// What a key holds.
#[utoipa::path(
    get, path = "/knowledge/keys/{key}", tag = "knowledge", params(("key" = String, Path, description = "Such as `k.app.speed`; `speed` is the same.")),
    responses(
        (status = 200, description = "All of it.", body = Held), (status = 404, description = "There is nothing."),
        (status = 503, description = "The backend does not answer.")
    )
)]
async fn get(State(context): State<Context>, Path(named): Path<Named>) -> Result<axum::Json<Held>, Problem> {
    let (store, key) = (context.app.backend().store(), named.key());
    let Reply::Kind(kind) = store.run(&key, KeyCommand::Kind.into()).await.map_err(refused)? else {
        return Err(nothing(&key));
    };
    let all = kind.read_all().ok_or_else(|| nothing(&key))?;
    let value = store.run(&key, all).await.map_err(refused)?.to_json();
    Ok(axum::Json(Held { key: key.as_str().to_owned(), kind, value }))
}

/// Set a value, whatever kind was there.
#[utoipa::path(
    put, path = "/knowledge/keys/{key}", tag = "knowledge", params(("key" = String, Path, description = "Such as `k.app.speed`; `speed` is the same.")),
    request_body = Value,
    responses(
        (status = 204, description = "Set."), (status = 413, description = "The body is too long."), (status = 422, description = "The body is no JSON."),
        (status = 503, description = "The backend does not answer.")
    )
)]
async fn set(
    State(context): State<Context>,
    Path(named): Path<Named>,
    super::extract::Json(value): super::extract::Json<Value>,
) -> Result<StatusCode, Problem> {
    let (store, key) = (context.app.backend().store(), named.key());
    let command = ValueCommand::Set { value: Data::from(value.to_string()), expiry: None };
    store.run(&key, command.into()).await.and_then(|reply| reply.done(&key)).map_err(refused)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Delete what a key holds.
#[utoipa::path(
    delete, path = "/knowledge/keys/{key}", tag = "knowledge", params(("key" = String, Path, description = "Such as `k.app.speed`; `speed` is the same.")),
    responses(
        (status = 204, description = "Deleted."), (status = 404, description = "There was nothing."),
        (status = 503, description = "The backend does not answer.")
    )
)]
async fn delete(State(context): State<Context>, Path(named): Path<Named>) -> Result<StatusCode, Problem> {
    let (store, key) = (context.app.backend().store(), named.key());
    let deleted = store.run(&key, KeyCommand::Delete.into()).await.and_then(|reply| reply.flag(&key));
    if deleted.map_err(refused)? { Ok(StatusCode::NO_CONTENT) } else { Err(nothing(&key)) }
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Watched {
    /// Names, in which `*`, `?` and `[…]` stand for others.
    #[serde(default = "all")]
    pattern: String,
}

/// Every change of the matching keys from now on, whoever makes it.
///
/// The data of an event are `key`, `operation` (as Redis calls it, such as `set` or `hdel`), `field`, `old` and `new`.
/// Events `missed` and `interrupted` tell of changes that may be missing before what follows.
#[utoipa::path(
    get, path = "/knowledge/stream", tag = "knowledge", params(Watched),
    responses(
        (status = 200, description = "The changes, until the service ends.", content((String = "text/event-stream"))),
        (status = 422, description = "A parameter of the query is no good."), (status = 503, description = "The backend does not answer.")
    )
)]
async fn stream(State(context): State<Context>, Query(watched): Query<Watched>) -> Result<Response, Problem> {
    let store: Arc<dyn Store> = context.app.backend().store();
    let changes = store.watch(Filter::glob(within(&watched.pattern))).await.map_err(refused)?;
    let parts = changes.filter_map(|notice| {
        std::future::ready(match notice {
            Notice::Change(change) if is_knowledge(&change.key) => Some(changed(&change)),
            Notice::Change(_) => None,
            Notice::Missed(count) => Some(Part::event("missed", &json!({"missed": count}))),
            Notice::Interrupted => Some(Part::event("interrupted", &json!({}))),
        })
    });
    Ok(Form::Events.answer(&context, parts))
}

fn changed(change: &knowledge::Change) -> Part {
    let of = |data: &Option<Data>| data.as_ref().map(Data::to_json);
    let operation: Operation = change.operation;
    let value = json!({
        "key": change.key, "operation": operation.name(),
        "field": of(&change.field), "old": of(&change.old), "new": of(&change.new),
    });
    Part::item(value.to_string())
}

impl Named {
    /// The full name: one that is not in a scope is the app's.
    fn key(&self) -> Key {
        let name = &self.key;
        if name.starts_with(PREFIX) { name.as_str().into() } else { format!("{PREFIX}app.{name}").into() }
    }
}

/// The pattern, kept to keys of knowledge.
pub(super) fn within(pattern: &str) -> Pattern {
    if pattern.starts_with(PREFIX) {
        Pattern::new(pattern)
    } else {
        Pattern::new(&format!("{PREFIX}*{pattern}"))
    }
}

pub(super) fn is_knowledge(key: &Key) -> bool {
    key.starts_with(PREFIX) && !key.starts_with(PEERS)
}

fn cursor(text: &str) -> Option<Cursor> {
    let (part, place) = text.split_once('.')?;
    Some(Cursor { part: part.parse().ok()?, place: place.parse().ok()? })
}

fn nothing(key: &Key) -> Problem {
    Problem::not_found(format!("there is nothing under `{key}`"))
}

fn refused(error: knowledge::Error) -> Problem {
    Problem::unavailable(error).retry_after(1)
}
