//! Runs that are restarted and terminated.

use super::super::super::Context;
use super::super::answers;
use super::super::control::terminated;
use super::fault::{Body, Fault, Path, Success, runs, success};
use crate::workflow::{Error, RunId, Status, Unchanged};
use axum::Json;
use axum::extract::State;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Context> {
    OpenApiRouter::new()
        .routes(routes!(restart, restart_by_get))
        .routes(routes!(terminate))
        .routes(routes!(terminate_named))
}

/// Restarts a run that has failed or was terminated.
#[utoipa::path(
    post, path = "/workflows/{id}/restart", tag = "littleflow", params(("id" = String, Path, description = "The run.")),
    responses((status = 200, description = "It goes on.", body = Success), answers::Faults, answers::Missing)
)]
async fn restart(State(context): State<Context>, Path(id): Path<String>) -> Result<Json<Value>, Fault> {
    restarted(&context, &RunId::from(id)).await
}

/// Restarts a run that has failed or was terminated; as `POST` does, which is the better one, for this changes something.
#[utoipa::path(
    get, path = "/workflows/{id}/restart", tag = "littleflow", params(("id" = String, Path, description = "The run.")),
    responses((status = 200, description = "It goes on.", body = Success), answers::Faults, answers::Missing)
)]
async fn restart_by_get(
    State(context): State<Context>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Fault> {
    restarted(&context, &RunId::from(id)).await
}

async fn restarted(context: &Context, id: &RunId) -> Result<Json<Value>, Fault> {
    match runs(context)?.restart(id, None).await {
        Ok(_) => Ok(Json(success(&format!("Restarted workflow {id}"), &[("workflow", id.short())]))),
        Err(Error::Unchanged { why: Unchanged::Status { status, .. }, .. }) => {
            Err(Fault::new(format!("Workflow {id} cannot be restarted from current state {status}")))
        }
        Err(Error::Unchanged { why: Unchanged::NothingToRestart, .. }) => {
            Err(Fault::new(format!("Restarting workflow {id} had no tasks to resume")))
        }
        Err(error) => Err(Fault::about(id, error)),
    }
}

/// Terminates a run. A second time does not wait for its tasks.
#[utoipa::path(
    post, path = "/workflows/{id}/terminate", tag = "littleflow", params(("id" = String, Path, description = "The run.")),
    responses((status = 200, description = "It ends.", body = Success), answers::Faults, answers::Missing)
)]
async fn terminate(State(context): State<Context>, Path(id): Path<String>) -> Result<Json<Value>, Fault> {
    terminates(&context, &RunId::from(id)).await
}

/// Which run it is about.
#[derive(ToSchema)]
#[schema(as = NamedWorkflow)]
#[expect(dead_code, reason = "it is only described")]
struct Named {
    /// Its id.
    #[schema(min_length = 1)]
    workflow: String,
}

/// Terminates the run that the body names.
#[utoipa::path(
    post, path = "/workflows/terminate", tag = "littleflow", request_body = Named,
    responses((status = 200, description = "It ends.", body = Success), answers::Faults, answers::Missing, answers::Bodies)
)]
async fn terminate_named(State(context): State<Context>, body: Body) -> Result<Json<Value>, Fault> {
    let json = body.json()?;
    let id = json.get("workflow").and_then(Value::as_str).filter(|id| !id.is_empty());
    let id = id.ok_or_else(|| Fault::new("No workflow was provided"))?;
    terminates(&context, &id.into()).await
}

async fn terminates(context: &Context, id: &RunId) -> Result<Json<Value>, Fault> {
    match terminated(runs(context)?, id).await {
        Ok(Status::Terminated) => Ok(Json(success(&format!("Workflow {id} is terminated"), &[]))),
        Ok(_) => Ok(Json(success(&format!("Workflow {id} is terminating"), &[]))),
        Err(Error::Unchanged { why: Unchanged::Status { status, .. }, .. }) => {
            Err(Fault::new(format!("Workflow {id} cannot be terminated from current state {status}")))
        }
        Err(error) => Err(Fault::about(id, error)),
    }
}
