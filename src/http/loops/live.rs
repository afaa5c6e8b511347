//! Everything that runs, now and as it changes.

use crate::app::{App, Topology};
use crate::http::Context;
use crate::http::streams::Form;
use axum::Json;
use axum::extract::State;
use axum::response::Response;

/// Everything that runs: levels, loops, elements, links, rates, errors.
#[utoipa::path(
    get, path = "/topology", tag = "loops",
    responses((status = 200, description = "All of it at one moment.", body = Topology))
)]
pub(super) async fn topology(State(app): State<App>) -> Json<Topology> {
    Json(app.topology())
}

/// Everything that runs, as it changes, twice a second.
///
/// Events: `topology`, everything, at first and whenever elements or links come or go; `counters`, by the path of each
/// element that has changed its state, counters, rates, errors, latency and the fill of its links; `event`, what happened to an
/// element: `state`, `error`, `escalated`, `parameter`; `missed`, how many such events went by too fast.
#[utoipa::path(
    get, path = "/topology/stream", tag = "loops",
    responses((status = 200, description = "Events, until the service ends.", content((String = "text/event-stream"))))
)]
pub(super) async fn stream(State(context): State<Context>) -> Response {
    Form::Events.answer(&context, context.tickers.watch(&context.app))
}
