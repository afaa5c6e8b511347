//! Events: those that flows wait for, and changes of runs as they happen.

use super::super::extract::{self, Query};
use super::super::{Context, Problem};
use super::answers;
use super::changes::Told;
use super::step_ends::Sent;
use crate::workflow::{RunChange, RunId};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::{Stream, StreamExt, future, stream};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::convert::Infallible;
use std::time::Duration;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Context> {
    OpenApiRouter::new().routes(routes!(changes, send))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Only the changes of this run; the first event says how far it is.
    #[serde(default)]
    run: Option<String>,
}

/// How often a client is told that the service is there.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Changes of runs as they happen, whoever makes them, as `text/event-stream`.
///
/// An event `run` has `{"id", "state", "causes", "steps"}`: how far the run is, `null` if it is gone, what has happened to
/// it (`begin`, `ended`, `timed_out`, `due`, `lost`, `cancelled`, `terminate`, `pause`, `resume`, `restart`, `found`, `event`),
/// and to which steps. Changes of a run that come within a moment are one event. An event `missed` has
/// `{"missed": COUNT}`, or `null` for an unknown number: then, and whenever it connects, a client reads again what it shows.
/// Comments are signs of life.
#[utoipa::path(
    get, path = "/events", tag = "events", params(Asked),
    responses(
        (status = 200, description = "The changes, for as long as the client listens.", body = RunChange,
         content_type = "text/event-stream"),
        answers::Unknown, answers::Query, answers::Away
    )
)]
async fn changes(
    State(context): State<Context>,
    Query(asked): Query<Asked>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let runs = context.runs()?;
    let run = asked.run.map(RunId::from);
    let told = context.changes.listen(runs).await?;
    let first = match &run {
        Some(id) => {
            let status = runs.status(id).await?;
            let nothing: [&str; 0] = [];
            let standing = json!({"id": id.short(), "state": status, "causes": nothing, "steps": nothing});
            Event::default().event("run").data(standing.to_string())
        }
        None => Event::default().comment("changes of runs follow"),
    };
    let events = told.filter_map(move |told| {
        future::ready(match told {
            Told::Run(id, _) if run.as_ref().is_some_and(|run| *run != id) => None,
            Told::Run(_, change) => Some(Event::default().event("run").data(&*change)),
            Told::Missed(count) => {
                Some(Event::default().event("missed").data(json!({"missed": count}).to_string()))
            }
        })
    });
    let events = stream::iter([first]).chain(events).map(Ok);
    Ok(Sse::new(context.until_closing(events)).keep_alive(KeepAlive::new().interval(HEARTBEAT)))
}

/// An event that flows may wait for.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewEvent)]
#[serde(deny_unknown_fields)]
struct Happened {
    /// What kind of event it is.
    #[schema(min_length = 1, example = "paid")]
    kind: String,
    /// Its fields.
    #[serde(default)]
    #[schema(value_type = std::collections::HashMap<String, Value>)]
    data: Map<String, Value>,
}

/// What engines, workers and listeners say to each other.
const OWN: [&str; 11] = [
    "cancel-task",
    "control-workflow",
    "countdown-latch-zero",
    "end-task",
    "end-workflow",
    "failed-workflow",
    "receipt",
    "start-task",
    "start-workflow",
    "terminated-workflow",
    "wait-began",
];

/// Sends an event that flows may wait for (`wait:event`).
#[utoipa::path(
    post, path = "/events", tag = "events", request_body = Happened,
    responses((status = 202, description = "It is in the log.", body = Sent), answers::Body, answers::Away)
)]
async fn send(
    State(context): State<Context>,
    extract::Json(event): extract::Json<Happened>,
) -> Result<(StatusCode, Json<Sent>), Problem> {
    if event.kind.is_empty() {
        return Err(Problem::unprocessable(
            "`kind`: an event has one, such as `paid`, and this one's is empty",
        ));
    }
    if OWN.contains(&event.kind.as_str()) {
        return Err(Problem::unprocessable(format!(
            "`kind`: `{}` is what engines and workers say to each other; runs and steps have paths below /runs",
            event.kind
        )));
    }
    let id = context.runs()?.event(&event.kind, &Value::Object(event.data)).await?;
    Ok((StatusCode::ACCEPTED, Json(Sent { event: id.to_string() })))
}
