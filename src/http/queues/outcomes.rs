//! What became of jobs.

use super::super::extract::{Path, Query};
use super::super::streams::{Form, Part};
use super::super::{Context, Problem};
use super::answers;
use super::jobs::{checked, fifty};
use super::look::Named;
use crate::event::{EventId, NoEventId};
use crate::queue::Outcome;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use futures::StreamExt;
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;

/// How many are asked for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct HowMany {
    /// At most how many, up to 1,000.
    #[serde(default = "fifty")]
    #[param(default = 50, minimum = 1, maximum = 1000)]
    pub(super) count: usize,
}

/// The last outcomes, the newest first: progress, failures and ends.
#[utoipa::path(
    get, path = "/queues/{queue}/outcomes", tag = "queues",
    params(("queue" = String, Path, description = "The queue."), HowMany),
    responses(
        (status = 200, description = "The outcomes.", body = Vec<Outcome>),
        answers::Unknown, answers::Query, answers::Away
    )
)]
pub(super) async fn last(
    State(context): State<Context>,
    Path(Named { queue }): Path<Named>,
    Query(asked): Query<HowMany>,
) -> Result<Json<Vec<Outcome>>, Problem> {
    let count = checked(asked.count)?;
    Ok(Json(context.queues.get(&queue).await?.last_outcomes(count).await?))
}

/// From where on.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct From {
    /// Those behind this `place`, such as that of the last outcome that was seen; `0-0` is all that are kept. From now on
    /// unless it is said. `Last-Event-ID` says it, too, and counts more.
    #[serde(default)]
    after: Option<String>,
}

/// Outcomes as they come: progress, failures and ends.
///
/// Each is an item whose id as an event is its place, with which a browser comes back by itself. An event `error` says that
/// the backend could not be read.
#[utoipa::path(
    get, path = "/queues/{queue}/outcomes/stream", tag = "queues",
    params(("queue" = String, Path, description = "The queue."), From),
    responses(
        (status = 200, description = "The outcomes, for as long as the client is there.",
         content((Outcome = "application/x-ndjson"), (Outcome = "text/event-stream"))),
        answers::Unknown, answers::Query, answers::Away
    )
)]
pub(super) async fn stream(
    State(context): State<Context>,
    Path(Named { queue }): Path<Named>,
    Query(from): Query<From>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let queue = context.queues.get(&queue).await?;
    let wrong = |error: NoEventId| Problem::unprocessable(format!("`after`: {error}"));
    let last = headers.get("last-event-id").filter(|last| !last.is_empty());
    let after: EventId = match (last, &from.after) {
        (Some(last), _) => last.to_str().unwrap_or("?").parse().map_err(wrong)?,
        (None, Some(after)) => after.parse().map_err(wrong)?,
        (None, None) => EventId::MAX,
    };
    let told = queue.outcomes(after).map(|told| match told {
        Ok(outcome) => Part::item(json!(outcome).to_string()).at(&outcome.place),
        Err(error) => Part::event("error", &json!({"error": error.to_string()})),
    });
    Ok(Form::asked(&headers).answer(&context, told))
}
