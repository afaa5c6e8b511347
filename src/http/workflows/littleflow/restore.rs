//! Runs that come back from an archive.

use super::super::super::Context;
use super::super::answers;
use super::super::problems::new_id;
use super::archive::Archive;
use super::archives::Place;
use super::fault::{Body, Fault, Query, Success, runs, success};
use crate::workflow::Error;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Context> {
    OpenApiRouter::new().routes(routes!(restore, restore_by_get))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct As {
    /// The id of the run that it becomes; a new one unless it is given.
    workflow: Option<String>,
}

/// An archive, or where one is.
#[derive(ToSchema)]
#[schema(as = RestoreArchive)]
#[serde(untagged)]
#[expect(dead_code, reason = "it is only described")]
enum Given {
    Archive(Archive),
    Uri {
        /// `file:NAME` in the directory of archives.
        #[schema(pattern = "^file:.")]
        uri: String,
    },
}

/// Makes a run of an archive, of ours or of littleflow's: the body is one, or says where one is.
#[utoipa::path(
    post, path = "/workflows/restore", tag = "littleflow", params(As),
    request_body(content = Given, content_type = "application/json"),
    responses((status = 200, description = "It is there.", body = Success), answers::Faults, answers::Bodies)
)]
async fn restore(
    State(context): State<Context>,
    Query(asked): Query<As>,
    body: Body,
) -> Result<Json<Value>, Fault> {
    let given = body.json()?;
    match given.get("uri").and_then(Value::as_str) {
        Some(uri) => {
            let archive = read(&context, uri).await?;
            restored(&context, asked.workflow, &archive).await
        }
        None => restored(&context, asked.workflow, &given).await,
    }
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct From {
    /// Where the archive is: `file:NAME` in the directory of archives.
    #[param(required = true, pattern = "^file:.+$")]
    uri: Option<String>,
    /// The id of the run that it becomes; a new one unless it is given.
    workflow: Option<String>,
}

/// Makes a run of the archive at a URI; as `POST` does, which is the better one, for this changes something.
#[utoipa::path(
    get, path = "/workflows/restore", tag = "littleflow", params(From),
    responses((status = 200, description = "It is there.", body = Success), answers::Faults)
)]
async fn restore_by_get(
    State(context): State<Context>,
    Query(asked): Query<From>,
) -> Result<Json<Value>, Fault> {
    let uri = asked.uri.ok_or_else(|| Fault::new("The uri parameter is missing"))?;
    let archive = read(&context, &uri).await?;
    restored(&context, asked.workflow, &archive).await
}

async fn read(context: &Context, uri: &str) -> Result<Value, Fault> {
    let bytes = Place::of(context, uri)?.read().await?;
    serde_json::from_slice(&bytes).map_err(|error| Fault::new(format!("Error reading archive: {error}")))
}

async fn restored(context: &Context, id: Option<String>, archive: &Value) -> Result<Json<Value>, Fault> {
    if !archive.is_object() {
        return Err(Fault::new("Archive type is not an object"));
    }
    // One of ours that is older has no matrix.
    if archive.get("steps").is_none()
        && let Some(missing) = ["F", "T", "A", "S"].into_iter().find(|key| archive.get(key).is_none())
    {
        return Err(Fault::new(format!("Archive is missing key {missing}")));
    }
    let id = id.as_deref().map(new_id).transpose().map_err(Fault::new)?;
    let runs = runs(context)?;
    let restored = match id {
        Some(id) => runs.restore_as(id, archive).await,
        None => runs.restore(archive).await,
    };
    match restored {
        Ok(id) => Ok(Json(success(&format!("Workflow restored as {id}"), &[("workflow", id.short())]))),
        Err(Error::Exists { id }) => Err(Fault::new(format!("Workflow {id} already exists"))),
        Err(error) => Err(Fault::behind("", error)),
    }
}
