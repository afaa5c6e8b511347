//! One run.

use super::super::extract::{Path, Query};
use super::super::{Context, Problem};
use super::answers;
use crate::flow::Diagram;
use crate::workflow::{Inspection, RunId, Why};
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Context> {
    OpenApiRouter::new()
        .routes(routes!(inspect, delete))
        .routes(routes!(flow))
        .routes(routes!(picture))
        .routes(routes!(why))
}

/// All there is to know of a run.
#[utoipa::path(
    get, path = "/runs/{id}", tag = "runs",
    params(("id" = String, Path, description = "The run, in the short or the full form.")),
    responses((status = 200, description = "The run.", body = Inspection), answers::Unknown, answers::Away)
)]
async fn inspect(
    State(context): State<Context>,
    Path(id): Path<String>,
) -> Result<Json<Inspection>, Problem> {
    Ok(Json(context.runs()?.inspect(&RunId::from(id)).await?))
}

/// Deletes a run that is over, with all that is kept of it.
#[utoipa::path(
    delete, path = "/runs/{id}", tag = "runs", params(("id" = String, Path, description = "The run.")),
    responses((status = 204, description = "It is gone."), answers::Unknown, answers::Conflict, answers::Away)
)]
async fn delete(State(context): State<Context>, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    context.runs()?.delete(&RunId::from(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The flow of a run.
#[derive(Serialize, ToSchema)]
#[schema(as = RunFlow)]
struct Flow {
    /// What it is called.
    name: Option<String>,
    /// Its text, if the run was begun by that.
    text: Option<String>,
    /// The compiled flow: its nodes and edges.
    graph: Value,
    /// The same in littleflow's form, as far as that can say it.
    definition: Value,
}

/// The flow of a run: its text if that is kept, and what it was compiled to.
#[utoipa::path(
    get, path = "/runs/{id}/flow", tag = "runs", params(("id" = String, Path, description = "The run.")),
    responses((status = 200, description = "The flow.", body = Flow), answers::Unknown, answers::Away)
)]
async fn flow(State(context): State<Context>, Path(id): Path<String>) -> Result<Json<Flow>, Problem> {
    let (definition, text) = context.runs()?.flow(&RunId::from(id)).await?;
    let graph = definition.graph();
    Ok(Json(Flow {
        name: graph.name().map(str::to_owned),
        text: text.as_deref().map(str::to_owned),
        graph: json!(graph.outline()),
        definition: graph.to_python_as_far_as_possible().0,
    }))
}

/// How a picture is drawn.
#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[schema(as = PictureOrientation)]
#[serde(rename_all = "lowercase")]
enum Orientation {
    /// From left to right.
    #[default]
    Horizontal,
    /// From top to bottom.
    Vertical,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Drawn {
    /// From left to right, or from top to bottom.
    #[serde(default)]
    #[param(inline)]
    orientation: Orientation,
}

/// A picture of the flow of a run; it needs nothing else to be shown.
#[utoipa::path(
    get, path = "/runs/{id}/graph.svg", tag = "runs",
    params(("id" = String, Path, description = "The run."), Drawn),
    responses(
        (status = 200, description = "The picture.", body = String, content_type = "image/svg+xml"),
        answers::Unknown, answers::Query, answers::Away
    )
)]
async fn picture(
    State(context): State<Context>,
    Path(id): Path<String>,
    Query(drawn): Query<Drawn>,
) -> Result<Response, Problem> {
    let (definition, _) = context.runs()?.flow(&RunId::from(id)).await?;
    let diagram =
        Diagram::new(definition.graph()).vertical(matches!(drawn.orientation, Orientation::Vertical));
    let svg = diagram.svg().map_err(Problem::unprocessable)?;
    // Opened by itself, it runs nothing and loads nothing.
    let policy = (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'");
    Ok(([(header::CONTENT_TYPE, "image/svg+xml"), policy], svg).into_response())
}

/// Why a run does not go on: what it waits for, and each step of it, in sentences and as values.
#[utoipa::path(
    get, path = "/runs/{id}/why", tag = "runs", params(("id" = String, Path, description = "The run.")),
    responses((status = 200, description = "What it waits for.", body = Why), answers::Unknown, answers::Away)
)]
async fn why(State(context): State<Context>, Path(id): Path<String>) -> Result<Json<Why>, Problem> {
    Ok(Json(context.runs()?.why(&RunId::from(id)).await?))
}
