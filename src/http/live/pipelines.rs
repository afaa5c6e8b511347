//! The declared pipelines: shown, replaced, taken back.

use super::server::Server;
use crate::http::Problem;
use crate::live::{Error, Pipelines};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, header};
use utoipa::ToSchema;

/// What happens to jobs before they are done, and to parts before they are handed out.
#[derive(ToSchema)]
#[schema(as = Pipelines, example = json!({
    "jobs": [{"names": ["customers"], "stages": ["dedup", {"batch": {"most": 100, "within": "1s"}}, {"parallel": 2}]}],
    "results": [{"names": ["price*"], "stages": [{"debounce": "100ms"}]}]
}))]
#[expect(dead_code, reason = "it describes what the live server reads, and says what is wrong with")]
pub(super) struct Declared {
    /// For jobs; one goes through the first that is for its name.
    #[schema(required = false)]
    jobs: Vec<Declaration>,
    /// For parts of results.
    #[schema(required = false)]
    results: Vec<Declaration>,
}

/// What happens to jobs, or parts, of some names.
#[derive(ToSchema)]
#[schema(as = Pipeline)]
#[expect(dead_code, reason = "as above")]
struct Declaration {
    /// Patterns of names; any, if there are none.
    #[schema(required = false)]
    names: Vec<String>,
    /// What happens, one after the other: `dedup`, `in_order`, or an object such as `{"debounce": "100ms"}`.
    #[schema(value_type = Vec<Object>)]
    stages: Vec<()>,
}

/// The pipelines that are in force.
///
/// They are those of the process that answers: each has its own.
#[utoipa::path(
    get, path = "/live/pipelines", tag = "live",
    responses(
        (status = 200, description = "What happens to jobs and parts.", body = Declared),
        (status = 404, description = "There is no live server.")
    )
)]
pub(super) async fn show(State(server): State<Server>) -> Result<Json<Pipelines>, Problem> {
    Ok(Json((*server.live()?.pipelines()).clone()))
}

/// Put other pipelines in force, as a whole, while jobs run.
///
/// JSON, or YAML with `Content-Type: application/yaml`. What is wrong is answered with `line`, `column` and `path`, and
/// changes nothing. Nothing is lost, nothing comes twice, and jobs that run go on.
#[utoipa::path(
    put, path = "/live/pipelines", tag = "live",
    request_body(content((Declared = "application/json"), (Declared = "application/yaml"))),
    responses(
        (status = 200, description = "They are in force.", body = Declared),
        (status = 404, description = "There is no live server."),
        (status = 422, description = "They are wrong; `line`, `column` and `path` say where.")
    )
)]
pub(super) async fn put(
    State(server): State<Server>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Pipelines>, Problem> {
    let (live, body) = (server.live()?, body?);
    let text = std::str::from_utf8(&body)
        .map_err(|error| Problem::unprocessable(format!("the body is no UTF-8: {error}")))?;
    let pipelines = if is_yaml(&headers) { Pipelines::from_yaml(text) } else { Pipelines::from_json(text) };
    live.set_pipelines(pipelines.map_err(Error::Pipelines)?)?;
    Ok(Json((*live.pipelines()).clone()))
}

/// Put the pipelines in force again that were before.
///
/// Once more takes that back.
#[utoipa::path(
    post, path = "/live/pipelines/rollback", tag = "live",
    responses(
        (status = 200, description = "What is in force now.", body = Declared),
        (status = 404, description = "There is no live server."),
        (status = 409, description = "No others were in force before.")
    )
)]
pub(super) async fn roll_back(State(server): State<Server>) -> Result<Json<Pipelines>, Problem> {
    Ok(Json((*server.live()?.roll_back()?).clone()))
}

fn is_yaml(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(&*kind, "application/yaml" | "application/x-yaml" | "text/yaml" | "text/x-yaml")
}
