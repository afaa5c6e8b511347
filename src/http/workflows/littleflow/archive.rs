//! Archives of runs.

use super::super::super::Context;
use super::super::answers;
use super::archives::Place;
use super::fault::{Body, Fault, Path, Success, runs, success};
use crate::workflow::RunId;
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Context> {
    OpenApiRouter::new().routes(routes!(archive, store))
}

/// A run with its whole history.
#[derive(ToSchema)]
#[schema(as = WorkflowArchive)]
#[expect(dead_code, reason = "it is only described")]
pub(super) struct Archive {
    /// Which step follows which.
    #[schema(rename = "F")]
    matrix: Vec<Vec<u8>>,
    /// The steps.
    #[schema(rename = "T")]
    steps: Vec<Vec<Value>>,
    /// The changes of what is active.
    #[schema(rename = "S")]
    active: Vec<Vec<Value>>,
    /// The changes of what has come to steps.
    #[schema(rename = "A")]
    activations: Vec<Vec<Value>>,
}

/// A run with its whole history, to be kept elsewhere. Beside littleflow's keys it has our own, with all that these leave
/// out.
#[utoipa::path(
    get, path = "/workflows/{id}/archive", tag = "littleflow", params(("id" = String, Path, description = "The run.")),
    responses(
        (status = 200, description = "The archive.", body = Archive,
         headers(("Content-Disposition" = String, description = "Under which name it is saved."))),
        answers::Faults, answers::Missing
    )
)]
async fn archive(State(context): State<Context>, Path(id): Path<String>) -> Result<Response, Fault> {
    let id = RunId::from(id);
    let archive = runs(&context)?.archive(&id).await.map_err(|error| Fault::about(&id, error))?;
    let name = format!("attachment; filename={}.json;", plain(&id));
    Ok(([(header::CONTENT_DISPOSITION, name)], Json(archive)).into_response())
}

/// An id as the name of a file.
fn plain(id: &RunId) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    id.short().chars().map(plain).collect()
}

/// Where an archive is to be.
#[derive(ToSchema)]
#[schema(as = StoreArchive)]
#[expect(dead_code, reason = "it is only described")]
struct Where {
    /// `file:NAME` in the directory of archives.
    uri: Option<String>,
    /// A bucket of S3, which is not built in.
    bucket: Option<String>,
}

/// Keeps an archive of a run where the body says.
#[utoipa::path(
    post, path = "/workflows/{id}/archive", tag = "littleflow", params(("id" = String, Path, description = "The run.")),
    request_body = Where,
    responses(
        (status = 200, description = "It is there.", body = Success,
         headers(("Location" = String, description = "Where it is."))),
        answers::Faults, answers::Missing, answers::Bodies
    )
)]
async fn store(
    State(context): State<Context>,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, Fault> {
    let id = RunId::from(id);
    // As there, what is not there is said first.
    runs(&context)?.status(&id).await.map_err(|error| Fault::about(&id, error))?;
    let json = body.json()?;
    let text = |name: &str| json.get(name).and_then(Value::as_str);
    let place = match (text("uri"), text("bucket")) {
        (Some("file:"), _) => Place::of(&context, &format!("file:{}.json", plain(&id)))?,
        (Some(uri), _) => Place::of(&context, uri)?,
        (None, Some(bucket)) => Place::of(&context, &format!("s3://{bucket}"))?,
        (None, None) => return Err(Fault::new("The uri or bucket must be specified.")),
    };
    let archive = runs(&context)?.archive(&id).await.map_err(|error| Fault::about(&id, error))?;
    place.write(archive.to_string()).await?;
    let uri = place.uri();
    let answer = success("Archive created", &[("uri", &uri)]);
    let location: String = uri.replace(' ', "%20");
    Ok(([(header::LOCATION, location)], Json(answer)).into_response())
}
