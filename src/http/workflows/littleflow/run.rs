//! One run: its definition, its state, its changes, its picture.

use super::super::super::Context;
use super::super::answers;
use super::fault::{Fault, Path, Query, Success, runs, success};
use crate::flow::Diagram;
use crate::workflow::{Error, RunId};
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Context> {
    OpenApiRouter::new()
        .routes(routes!(definition, delete))
        .routes(routes!(state))
        .routes(routes!(trace))
        .routes(routes!(graph))
}

/// A flow as littleflow has it.
#[derive(ToSchema)]
#[schema(as = WorkflowDefinition)]
#[expect(dead_code, reason = "it is only described")]
struct Definition {
    /// Which step follows which: 1 in the row of the one and the column of the other.
    #[schema(rename = "F")]
    matrix: Vec<Vec<u8>>,
    /// The steps, each as its kind and what belongs to that.
    #[schema(rename = "T")]
    steps: Vec<Vec<Value>>,
}

/// The definition of a run.
#[utoipa::path(
    get, path = "/workflows/{id}", tag = "littleflow",
    params(("id" = String, Path, description = "The run, in the short or the full form.")),
    responses((status = 200, description = "The definition.", body = Definition), answers::Faults, answers::Missing)
)]
async fn definition(State(context): State<Context>, Path(id): Path<String>) -> Result<Json<Value>, Fault> {
    let id = RunId::from(id);
    let (definition, _) = runs(&context)?.flow(&id).await.map_err(|error| Fault::about(&id, error))?;
    Ok(Json(definition.graph().to_python_as_far_as_possible().0))
}

/// Deletes a run that is over, with all that is kept of it.
#[utoipa::path(
    delete, path = "/workflows/{id}", tag = "littleflow", params(("id" = String, Path, description = "The run.")),
    responses((status = 200, description = "It is gone.", body = Success), answers::Faults, answers::Missing)
)]
async fn delete(State(context): State<Context>, Path(id): Path<String>) -> Result<Json<Value>, Fault> {
    let id = RunId::from(id);
    match runs(&context)?.delete(&id).await {
        Ok(()) => Ok(Json(success(&format!("Workflow {id} has been deleted"), &[]))),
        Err(Error::NotOver { .. }) => {
            Err(Fault::new(format!("Workflow {id} is running and cannot be deleted.")))
        }
        Err(error) => Err(Fault::about(&id, error)),
    }
}

/// How far a run is.
#[derive(ToSchema)]
#[schema(as = WorkflowState)]
#[expect(dead_code, reason = "it is only described")]
struct Standing {
    /// What has come to each step.
    #[schema(rename = "A")]
    activations: Vec<i64>,
    /// 1 where a step is active.
    #[schema(rename = "S")]
    active: Vec<i64>,
    /// 1 where a step has failed; only if any has.
    failures: Option<Vec<u8>>,
    /// The outputs of the steps; `{}` where there is none.
    output: Vec<Value>,
    /// How far it is; `UNKNOWN` if that is not known.
    state: String,
}

/// How far a run is.
#[utoipa::path(
    get, path = "/workflows/{id}/state", tag = "littleflow", params(("id" = String, Path, description = "The run.")),
    responses((status = 200, description = "How far it is.", body = Standing), answers::Faults, answers::Missing)
)]
async fn state(State(context): State<Context>, Path(id): Path<String>) -> Result<Json<Value>, Fault> {
    let id = RunId::from(id);
    let form = runs(&context)?.python_form(&id).await.map_err(|error| Fault::about(&id, error))?;
    let outputs: Vec<Value> =
        form.outputs.iter().map(|output| output.as_deref().cloned().unwrap_or_else(|| json!({}))).collect();
    let mut state = json!({
        "A": form.activations, "S": form.active, "output": outputs,
        "state": form.status.map_or("UNKNOWN", |status| status.word()),
    });
    if let (false, Some(state)) = (form.failed.is_empty(), state.as_object_mut()) {
        state.insert("failures".to_owned(), json!(form.failed));
    }
    Ok(Json(state))
}

/// Which changes.
#[derive(ToSchema)]
#[schema(as = TraceKind)]
#[expect(dead_code, reason = "it is only described")]
enum Kind {
    S,
    A,
}

/// The changes of what is active (`S`) or of what has come to steps (`A`), newest first.
#[utoipa::path(
    get, path = "/workflows/{id}/trace/{kind}", tag = "littleflow",
    params(("id" = String, Path, description = "The run."), ("kind" = inline(Kind), Path, description = "`S` or `A`.")),
    responses(
        (status = 200, description = "Pairs of a time and a number a step.", body = Vec<Vec<Value>>),
        answers::Faults, answers::Missing
    )
)]
async fn trace(
    State(context): State<Context>,
    Path((id, kind)): Path<(String, String)>,
) -> Result<Json<Value>, Fault> {
    if !matches!(&*kind, "S" | "A") {
        return Err(Fault::new(format!("Unrecognized trace {kind}")));
    }
    let id = RunId::from(id);
    let form = runs(&context)?.python_form(&id).await.map_err(|error| Fault::about(&id, error))?;
    Ok(Json(json!(if kind == "S" { form.active_trace } else { form.activations_trace })))
}

/// How a picture is drawn.
#[derive(Deserialize, ToSchema)]
#[schema(as = GraphOrientation)]
#[serde(rename_all = "lowercase")]
enum Orientation {
    /// From left to right.
    Horizontal,
    /// From top to bottom.
    Vertical,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Drawn {
    /// From left to right unless it is said.
    #[param(inline)]
    orientation: Option<Orientation>,
}

/// A picture of the flow of a run, as a state diagram of mermaid.
#[utoipa::path(
    get, path = "/workflows/{id}/graph", tag = "littleflow",
    params(("id" = String, Path, description = "The run."), Drawn),
    responses(
        (status = 200, description = "The diagram.", body = String, content_type = "text/plain"),
        answers::Faults, answers::Missing
    )
)]
async fn graph(
    State(context): State<Context>,
    Path(id): Path<String>,
    Query(drawn): Query<Drawn>,
) -> Result<Response, Fault> {
    let id = RunId::from(id);
    let (definition, _) = runs(&context)?.flow(&id).await.map_err(|error| Fault::about(&id, error))?;
    let vertical = matches!(drawn.orientation, Some(Orientation::Vertical));
    let text = Diagram::new(definition.graph()).vertical(vertical).docs(false).mermaid();
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=UTF-8")], text).into_response())
}
