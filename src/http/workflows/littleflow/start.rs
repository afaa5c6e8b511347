//! Runs that begin.

use super::super::super::Context;
use super::super::answers;
use super::super::begin::Input;
use super::fault::{Body, Fault, Success, success};
use crate::workflow::RunId;
use axum::Json;
use axum::extract::State;
use axum::extract::multipart::{Multipart, MultipartError, MultipartRejection};
use axum::http::StatusCode;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Context> {
    OpenApiRouter::new().routes(routes!(start)).routes(routes!(upload))
}

/// A run that is to begin.
#[derive(ToSchema)]
#[schema(as = StartWorkflow)]
#[expect(dead_code, reason = "it is only described")]
struct Start {
    /// The text of its flow.
    #[schema(min_length = 1, example = "A → B")]
    workflow: String,
    /// Its input: an object or a list.
    input: Option<Input>,
}

/// Begins a run: of the flow in `{"workflow": TEXT, "input": …}`, or of the text that the body is.
///
/// The answer has its id in the full form.
#[utoipa::path(
    post, path = "/workflows/start", tag = "littleflow",
    request_body(content((Start = "application/json"), (String = "text/plain", example = "A → B"))),
    responses((status = 200, description = "It has begun.", body = Success), answers::Faults, answers::Bodies)
)]
async fn start(State(context): State<Context>, body: Body) -> Result<Json<Value>, Fault> {
    let (flow, input) = if body.is_json() {
        let json = body.json()?;
        let flow = match json.get("workflow") {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(_) => return Err(Fault::new("The workflow is no text")),
        };
        (flow, json.get("input").cloned().unwrap_or_default())
    } else {
        let kind = body.kind.as_str();
        if !(kind.is_empty() || kind.starts_with("text/") || kind == "application/octet-stream") {
            return Err(Fault::wrong_type(kind, "application/json or text/plain"));
        }
        (text(&body.bytes)?, Value::Null)
    };
    let id = begin(&context, &flow, input).await?;
    Ok(Json(success(&format!("Workflow restored as {}", id.full()), &[("workflow", id.full())])))
}

fn text(bytes: &[u8]) -> Result<String, Fault> {
    String::from_utf8(bytes.to_vec())
        .map_err(|_| Fault::new("Cannot compile workflow due to: it is no UTF-8"))
}

async fn begin(context: &Context, flow: &str, input: Value) -> Result<RunId, Fault> {
    if flow.is_empty() {
        return Err(Fault::new("No workflow was provided"));
    }
    let begun = context.begin(None, flow, input).await;
    begun.map_err(|error| Fault::behind("Cannot compile workflow due to: ", error))
}

/// A run that is to begin.
#[derive(ToSchema)]
#[schema(as = UploadWorkflow)]
#[expect(dead_code, reason = "it is only described")]
struct Upload {
    /// The text of its flow, as a file or as a text.
    #[schema(min_length = 1)]
    workflow: String,
    /// Its input, as a text in JSON.
    input: Option<String>,
}

/// Begins a run of a flow in a form, as a page sends it. The answer has its id in the short form.
#[utoipa::path(
    post, path = "/workflows/start/upload", tag = "littleflow",
    request_body(content = Upload, content_type = "multipart/form-data"),
    responses((status = 200, description = "It has begun.", body = Success), answers::Faults, answers::Bodies)
)]
async fn upload(
    State(context): State<Context>,
    form: Result<Multipart, MultipartRejection>,
) -> Result<Json<Value>, Fault> {
    let mut form = form.map_err(|_| Fault::new("The workflow was not attached."))?;
    let refused = |error: MultipartError| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Fault::too_large(&context),
        _ => Fault::new(error.body_text()),
    };
    let (mut flow, mut input) = (None, Value::Null);
    while let Some(field) = form.next_field().await.map_err(refused)? {
        let name = field.name().map(str::to_owned);
        let bytes = field.bytes().await.map_err(refused)?;
        match name.as_deref() {
            Some("workflow") => flow = Some(text(&bytes)?),
            Some("input") if !bytes.trim_ascii().is_empty() => {
                input = serde_json::from_slice(&bytes)
                    .map_err(|error| Fault::new(format!("The input is no JSON: {error}")))?;
            }
            _ => {}
        }
    }
    let flow = flow.ok_or_else(|| Fault::new("The workflow was not attached."))?;
    let id = begin(&context, &flow, input).await?;
    Ok(Json(success(&format!("Workflow restored as {id}"), &[("workflow", id.short())])))
}
