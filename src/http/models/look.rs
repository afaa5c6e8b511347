//! Models, as they are.

use super::super::extract::Path;
use super::super::streams::{Form, Part};
use super::super::{Context, Problem};
use super::answers;
use crate::infer::{Disagreement, Listed};
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use futures::StreamExt;
use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Named {
    pub(super) model: String,
}

/// All models, by name, with their versions.
#[utoipa::path(
    get, path = "/models", tag = "models",
    responses((status = 200, description = "They.", body = Vec<Listed>))
)]
pub(super) async fn list(State(context): State<Context>) -> Json<Vec<Listed>> {
    Json(context.models.models.list())
}

/// A model: its versions, what they take and give, the version that is tried beside, and what was counted.
#[utoipa::path(
    get, path = "/models/{model}", tag = "models",
    params(("model" = String, Path, description = "The model.")),
    responses((status = 200, description = "It.", body = Listed), answers::Unknown)
)]
pub(super) async fn get(
    State(context): State<Context>,
    Path(Named { model }): Path<Named>,
) -> Result<Json<Listed>, Problem> {
    Ok(Json(context.models.models.get(&model)?))
}

/// What the version that is tried beside a model judges differently, as it happens.
///
/// Nothing waits for who reads slowly: 1,024 of them are kept, and then the oldest are lost, and counted.
#[utoipa::path(
    get, path = "/models/{model}/disagreements/stream", tag = "models",
    params(("model" = String, Path, description = "The model.")),
    responses(
        (status = 200, description = "Rows that are judged differently, until the model is removed.", content((Disagreement = "application/x-ndjson"), (String = "text/event-stream"))),
        answers::Unknown
    )
)]
pub(super) async fn disagreements(
    State(context): State<Context>,
    Path(Named { model }): Path<Named>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let heard = context.models.models.disagreements(&model)?;
    let parts = heard.map(|one| Part::item(serde_json::to_vec(&one).unwrap_or_default()));
    Ok(Form::asked(&headers).answer(&context, parts))
}
