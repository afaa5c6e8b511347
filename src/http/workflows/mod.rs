//! Runs of workflows.

use super::Context;
use crate::app::App;
use crate::workflow::Workflows;
use axum::Router;
use utoipa_axum::router::OpenApiRouter;

pub(super) fn routes() -> OpenApiRouter<Context> {
    OpenApiRouter::new()
}

/// The routes for runs of workflows, without any guard, to be mounted in a server of one's own.
pub fn workflows(app: &App, workflows: &Workflows) -> Router {
    routes().with_state(Context::alone(app, Some(workflows.clone()))).into()
}
