//! Which version of a model judges, and which is tried beside it.

use super::super::extract::{Json as Body, Path};
use super::super::{Context, Problem};
use super::answers;
use super::look::Named;
use crate::infer::Listed;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

/// Which version.
#[derive(Deserialize, ToSchema)]
#[schema(as = SwapModel)]
#[serde(deny_unknown_fields)]
pub(super) struct Swap {
    /// Its name.
    version: String,
}

/// Makes a version live: batches from now on are judged by it, those under way end on the one that they began with.
#[utoipa::path(
    post, path = "/models/{model}/swap", tag = "models", request_body = Swap,
    params(("model" = String, Path, description = "The model.")),
    responses((status = 200, description = "It is live.", body = Listed), answers::Unknown, answers::Body)
)]
pub(super) async fn swap(
    State(context): State<Context>,
    Path(Named { model }): Path<Named>,
    Body(Swap { version }): Body<Swap>,
) -> Result<Json<Listed>, Problem> {
    let models = &context.models.models;
    models.swap(&model, &version)?;
    Ok(Json(models.get(&model)?))
}

/// Makes the version live again that was before.
#[utoipa::path(
    post, path = "/models/{model}/rollback", tag = "models",
    params(("model" = String, Path, description = "The model.")),
    responses(
        (status = 200, description = "It is live.", body = Listed), answers::Unknown, answers::Conflict
    )
)]
pub(super) async fn roll_back(
    State(context): State<Context>,
    Path(Named { model }): Path<Named>,
) -> Result<Json<Listed>, Problem> {
    let models = &context.models.models;
    models.roll_back(&model)?;
    Ok(Json(models.get(&model)?))
}

/// Which version is tried.
#[derive(Deserialize, ToSchema)]
#[schema(as = TryModel)]
#[serde(deny_unknown_fields)]
pub(super) struct Beside {
    /// Its name.
    version: String,
    /// How much scores may differ; classes alone are compared unless it is said.
    #[serde(default)]
    #[schema(minimum = 0)]
    tolerance: Option<f64>,
}

/// Tries a version beside the live one: it judges the same batches, and nobody waits for it.
#[utoipa::path(
    put, path = "/models/{model}/shadow", tag = "models", request_body = Beside,
    params(("model" = String, Path, description = "The model.")),
    responses(
        (status = 200, description = "It is tried.", body = Listed),
        answers::Unknown, answers::Body, answers::Conflict
    )
)]
pub(super) async fn try_beside(
    State(context): State<Context>,
    Path(Named { model }): Path<Named>,
    Body(Beside { version, tolerance }): Body<Beside>,
) -> Result<Json<Listed>, Problem> {
    let models = &context.models.models;
    models.shadow(&model, Some(&version), tolerance)?;
    Ok(Json(models.get(&model)?))
}

/// Tries no version any more.
#[utoipa::path(
    delete, path = "/models/{model}/shadow", tag = "models",
    params(("model" = String, Path, description = "The model.")),
    responses((status = 204, description = "None is tried."), answers::Unknown)
)]
pub(super) async fn try_no_more(
    State(context): State<Context>,
    Path(Named { model }): Path<Named>,
) -> Result<StatusCode, Problem> {
    context.models.models.shadow(&model, None, None)?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
pub(super) struct OneVersion {
    model: String,
    version: String,
}

/// Removes a version that is neither live nor tried.
#[utoipa::path(
    delete, path = "/models/{model}/versions/{version}", tag = "models",
    params(
        ("model" = String, Path, description = "The model."),
        ("version" = String, Path, description = "The version.")
    ),
    responses((status = 204, description = "It is gone."), answers::Unknown, answers::Conflict)
)]
pub(super) async fn retire(
    State(context): State<Context>,
    Path(OneVersion { model, version }): Path<OneVersion>,
) -> Result<StatusCode, Problem> {
    context.models.models.retire(&model, &version)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes a model with all its versions. One that a configuration names is there again when that is read the next time.
#[utoipa::path(
    delete, path = "/models/{model}", tag = "models",
    params(("model" = String, Path, description = "The model.")),
    responses((status = 204, description = "It is gone."), answers::Unknown)
)]
pub(super) async fn remove(
    State(context): State<Context>,
    Path(Named { model }): Path<Named>,
) -> Result<StatusCode, Problem> {
    context.models.models.remove(&model)?;
    Ok(StatusCode::NO_CONTENT)
}
