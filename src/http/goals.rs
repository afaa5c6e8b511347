//! Goals: what is wanted, and whether it is so.

use super::Context;
use super::streams::{Form, Part};
use crate::app::{App, GoalStatus};
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use futures::{StreamExt, stream};
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// How often those who watch are told, at most.
const PERIOD: Duration = Duration::from_secs(1);
/// How long the backend may take to say what other apps have.
const WAIT: Duration = Duration::from_secs(2);

pub(super) fn routes() -> OpenApiRouter<Context> {
    OpenApiRouter::new().routes(routes!(goals)).routes(routes!(stream))
}

/// The goals of all apps on the backend; while that does not answer, those of this app.
pub(super) async fn known(app: &App) -> Vec<GoalStatus> {
    match tokio::time::timeout(WAIT, app.all_goals()).await {
        Ok(Ok(all)) => return all,
        Ok(Err(error)) => tracing::warn!(%error, "the goals of other apps are not shown"),
        Err(_) => tracing::warn!("the goals of other apps are not shown: the backend does not answer"),
    }
    let mut here = app.goals();
    here.sort_by(|one, other| one.verdict.goal.cmp(&other.verdict.goal));
    here
}

/// The goals of all apps on the backend, by name: state, margin and why.
///
/// While the backend does not answer, these are the goals of this app.
#[utoipa::path(
    get, path = "/goals", tag = "goals",
    responses((status = 200, description = "What each of them comes to.", body = Vec<GoalStatus>))
)]
async fn goals(State(app): State<App>) -> Json<Vec<GoalStatus>> {
    Json(known(&app).await)
}

/// The goals, as they change, at most once a second.
///
/// Events: `goals`, all of them, at first and whenever one of them has changed.
#[utoipa::path(
    get, path = "/goals/stream", tag = "goals",
    responses((status = 200, description = "Events, until the service ends.", content((String = "text/event-stream"))))
)]
async fn stream(State(context): State<Context>) -> Response {
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let state = (context.app.clone(), ticks, None);
    let parts = stream::unfold(state, |(app, mut ticks, told)| async move {
        loop {
            ticks.tick().await;
            let all = known(&app).await;
            let verdicts: Vec<_> = all.iter().map(|status| status.verdict.clone()).collect();
            if told.as_ref() != Some(&verdicts) {
                return Some((Part::event("goals", &all), (app, ticks, Some(verdicts))));
            }
        }
    });
    Form::Events.answer(&context, parts.boxed())
}
