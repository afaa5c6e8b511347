//! Steps that are ended by whoever does their work.

use super::super::access::Caller;
use super::super::extract::{self, Path};
use super::super::{Context, Problem};
use super::answers;
use crate::workflow::{Phase, Place, RunId};
use axum::extract::State;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Context> {
    OpenApiRouter::new().routes(routes!(end))
}

/// How a step has ended: with an output, or by a failure.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = StepEnd)]
#[serde(deny_unknown_fields, default)]
pub(super) struct End {
    /// Its output: an object or a list. To the question of `human:approve`, `{"approved": true}`, true or false alone, or
    /// nothing at all, which approves.
    output: Option<Value>,
    /// Why it failed.
    failure: Option<String>,
}

impl End {
    pub(super) fn outcome(self) -> Result<Result<Option<Value>, String>, Problem> {
        match (self.output, self.failure) {
            (Some(_), Some(_)) => {
                Err(Problem::unprocessable("a step ends with `output` or by `failure`, not by both"))
            }
            (output, None) => Ok(Ok(output)),
            (None, Some(reason)) => Ok(Err(reason)),
        }
    }
}

/// An event that was sent.
#[derive(Serialize, ToSchema)]
#[schema(as = SentEvent)]
pub(super) struct Sent {
    /// Its place in the log.
    pub(super) event: String,
}

/// Says that a step has ended, for tasks whose work is done elsewhere, and for questions to people.
///
/// It is worked on a moment later. The event in the log says whose token it was. One that comes too late changes nothing.
#[utoipa::path(
    post, path = "/runs/{id}/steps/{step}/end", tag = "runs",
    params(
        ("id" = String, Path, description = "The run."),
        ("step" = String, Path, description = "The index of the step; `3.2` in part 2 of an iteration.")
    ),
    request_body = End,
    responses(
        (status = 202, description = "It is told.", body = Sent),
        answers::Unknown, answers::Body, answers::Conflict, answers::Away
    )
)]
async fn end(
    State(context): State<Context>,
    Path((id, step)): Path<(String, String)>,
    caller: Option<Extension<Caller>>,
    extract::Json(end): extract::Json<End>,
) -> Result<(axum::http::StatusCode, Json<Sent>), Problem> {
    let (runs, id) = (context.runs()?, RunId::from(id));
    let outcome = end.outcome()?;
    let run = runs.inspect(&id).await?;
    let at: Option<Place> = step.parse().ok();
    let found = run.steps.iter().find(|step| at == Some(Place { node: step.index, part: step.part }));
    let (Some(at), Some(found)) = (at, found.filter(|step| step.task)) else {
        return Err(Problem::not_found(format!(
            "the run {id} has no task at `{step}`; GET /runs/{id} has all"
        )));
    };
    if found.phase != Phase::Active {
        let phase = serde_json::to_value(found.phase).unwrap_or_default();
        let phase = phase.as_str().unwrap_or_default().replace('_', " ");
        return Err(Problem::conflict(format!(
            "{} ({at}) of the run {id} is {phase}: only what runs can be ended",
            found.name
        )));
    }
    let name = caller.and_then(|Extension(caller)| caller.name);
    let who = name.as_deref().unwrap_or("anyone");
    let event = runs.end_as(who, &id, &found.name, at, outcome).await?;
    tracing::info!(workflow = %id, step = %at, %who, "a step was ended by hand");
    Ok((axum::http::StatusCode::ACCEPTED, Json(Sent { event: event.to_string() })))
}
