//! Runs of workflows: littleflow's routes as its clients know them, and our own.

pub(super) mod answers;
mod approvals;
mod begin;
mod callbacks;
mod changes;
mod check;
mod control;
mod events;
mod flows;
mod littleflow;
mod problems;
mod run;
mod runs;
mod schedules;
mod step_ends;

use super::Context;
use crate::app::App;
use crate::workflow::Workflows;
use axum::Router;
use utoipa_axum::router::OpenApiRouter;

pub(super) use changes::Hub;
pub(super) use littleflow::{described, version};

pub(super) fn routes() -> OpenApiRouter<Context> {
    OpenApiRouter::new()
        .merge(littleflow::routes())
        .merge(runs::routes())
        .merge(run::routes())
        .merge(begin::routes())
        .merge(control::routes())
        .merge(step_ends::routes())
        .merge(approvals::routes())
        .merge(check::routes())
        .merge(flows::routes())
        .merge(events::routes())
        .merge(schedules::routes())
        .merge(callbacks::routes())
}

/// The routes for runs of workflows, without any guard, to be mounted in a server of one's own.
pub fn workflows(app: &App, workflows: &Workflows) -> Router {
    routes().with_state(Context::alone(app, Some(workflows.clone()))).into()
}
