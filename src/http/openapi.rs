//! The description of the API.

use super::{Context, loops, workflows};
use axum::Router;
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;
use utoipa_axum::router::OpenApiRouter;

/// What the description begins with.
#[derive(OpenApi)]
#[openapi(info(
    title = "mape",
    description = "Loops of Monitor, Analyze, Plan and Execute elements, and workflows: look at them, push items into \
                   their ports, steer them."
))]
struct Head;

/// The routes that programs use, and their description.
pub(super) fn routes() -> (Router<Context>, Document) {
    OpenApiRouter::<Context>::with_openapi(Head::openapi())
        .merge(super::health::routes())
        .merge(loops::routes())
        .merge(super::knowledge::routes())
        .merge(super::channels::routes())
        .merge(workflows::routes())
        .split_for_parts()
}
