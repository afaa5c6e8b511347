//! Levels, loops and elements.

use super::Context;
use crate::app::App;
use axum::Router;
use utoipa_axum::router::OpenApiRouter;

pub(super) fn routes() -> OpenApiRouter<Context> {
    OpenApiRouter::new()
}

/// The routes for loops, without any guard, to be mounted in a server of one's own.
pub fn loops(app: &App) -> Router {
    routes().with_state(Context::alone(app, None)).into()
}
