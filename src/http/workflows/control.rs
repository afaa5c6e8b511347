//! Runs that are told what to do.

use super::super::extract::Path;
use super::super::{Context, Problem};
use super::answers;
use super::begin::Standing;
use crate::workflow::{Error, RunId, Status, Workflows};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Context> {
    OpenApiRouter::new()
        .routes(routes!(terminate))
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(restart))
}

type Told = Result<Json<Standing>, Problem>;

/// Ends a run: its tasks are cancelled, and it is `TERMINATED` when they have ended. A second time does not wait for them.
#[utoipa::path(
    post, path = "/runs/{id}/terminate", tag = "runs", params(("id" = String, Path, description = "The run.")),
    responses((status = 200, description = "How far it is.", body = Standing), answers::Unknown, answers::Conflict, answers::Away)
)]
async fn terminate(State(context): State<Context>, Path(id): Path<String>) -> Told {
    let (runs, id) = (context.runs()?, RunId::from(id));
    let status = terminated(runs, &id).await?;
    Ok(Standing::of(&id, status))
}

/// Terminates a run; one that was terminated before is.
pub(super) async fn terminated(runs: &Workflows, id: &RunId) -> Result<Status, Error> {
    match runs.terminate(id).await {
        Err(Error::Unchanged { .. }) if runs.status(id).await? == Status::Terminated => {
            Ok(Status::Terminated)
        }
        done => done,
    }
}

/// Lets nothing start in a run any more; what runs goes on.
#[utoipa::path(
    post, path = "/runs/{id}/pause", tag = "runs", params(("id" = String, Path, description = "The run.")),
    responses((status = 200, description = "How far it is.", body = Standing), answers::Unknown, answers::Conflict, answers::Away)
)]
async fn pause(State(context): State<Context>, Path(id): Path<String>) -> Told {
    let id = RunId::from(id);
    let status = context.runs()?.pause(&id).await?;
    Ok(Standing::of(&id, status))
}

/// Lets things start again after a pause.
#[utoipa::path(
    post, path = "/runs/{id}/resume", tag = "runs", params(("id" = String, Path, description = "The run.")),
    responses((status = 200, description = "How far it is.", body = Standing), answers::Unknown, answers::Conflict, answers::Away)
)]
async fn resume(State(context): State<Context>, Path(id): Path<String>) -> Told {
    let id = RunId::from(id);
    let status = context.runs()?.resume(&id).await?;
    Ok(Standing::of(&id, status))
}

/// From where a run goes on.
#[derive(Deserialize, ToSchema)]
#[schema(as = RestartRun)]
#[serde(deny_unknown_fields)]
struct Restart {
    /// The step to do again, with all that follows from it: its index, or its name if it is the only one of that.
    from: Option<From>,
}

/// A step of a run.
#[derive(Deserialize, ToSchema)]
#[schema(as = RestartFrom)]
#[serde(untagged)]
enum From {
    Index(u32),
    Name(String),
}

/// Lets a run go on: after a failure or a termination what failed or was cancelled, or any run that is over from a step
/// that it has been at. The body may be left out.
#[utoipa::path(
    post, path = "/runs/{id}/restart", tag = "runs", params(("id" = String, Path, description = "The run.")),
    request_body(content = Option<Restart>, content_type = "application/json"),
    responses(
        (status = 200, description = "How far it is.", body = Standing),
        answers::Unknown, answers::Body, answers::Conflict, answers::Away
    )
)]
async fn restart(
    State(context): State<Context>,
    Path(id): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Told {
    let (runs, id, body) = (context.runs()?, RunId::from(id), body?);
    let restart: Option<Restart> = if body.is_empty() {
        None
    } else {
        serde_json::from_slice(&body).map_err(|error| {
            Problem::unprocessable(format!("the body is `{{\"from\": STEP}}`, or nothing: {error}"))
        })?
    };
    let from = match restart.and_then(|restart| restart.from) {
        Some(From::Index(index)) => Some(index),
        Some(From::Name(name)) => Some(step_of(runs, &id, &name).await?),
        None => None,
    };
    let status = runs.restart(&id, from).await?;
    Ok(Standing::of(&id, status))
}

/// The index of a task.
async fn step_of(runs: &Workflows, id: &RunId, name: &str) -> Result<u32, Problem> {
    let steps = runs.inspect(id).await?.steps;
    let mut named = steps.iter().filter(|step| step.items.is_empty() && step.name == name);
    match (named.next(), named.next()) {
        (Some(step), None) => Ok(step.index),
        (None, _) => Err(Problem::unprocessable(format!("the run {id} has no step `{name}`"))),
        (Some(one), Some(other)) => Err(Problem::unprocessable(format!(
            "the run {id} has `{name}` at {} and {}: say which by its index",
            one.index, other.index
        ))),
    }
}
