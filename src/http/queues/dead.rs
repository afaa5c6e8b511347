//! Jobs that failed for good.

use super::super::extract::{self, Path, Query};
use super::super::{Context, Problem};
use super::answers;
use super::jobs::checked;
use super::look::Named;
use super::outcomes::HowMany;
use crate::queue::{JobId, JobInfo, JobState};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The first jobs in the dead letters, those of the highest priority first, of each the oldest first.
#[utoipa::path(
    get, path = "/queues/{queue}/dead", tag = "queues",
    params(("queue" = String, Path, description = "The queue."), HowMany),
    responses(
        (status = 200, description = "The jobs, each with the reason as its `error`.", body = Vec<JobInfo>),
        answers::Unknown, answers::Query, answers::Away
    )
)]
pub(super) async fn list(
    State(context): State<Context>,
    Path(Named { queue }): Path<Named>,
    Query(asked): Query<HowMany>,
) -> Result<Json<Vec<JobInfo>>, Problem> {
    let count = checked(asked.count)?;
    Ok(Json(context.queues.get(&queue).await?.jobs(JobState::Dead, count).await?))
}

/// Which dead jobs are replayed.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = WhichDead)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    /// Their ids; all, unless it is said.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    jobs: Option<Vec<JobId>>,
}

/// How many were queued again.
#[derive(Serialize, ToSchema)]
#[schema(as = ReplayedJobs)]
pub(super) struct Replayed {
    /// So many.
    replayed: u64,
}

/// Queues dead jobs again, as if they had just been added: all, or some.
///
/// Of some, those before the first that is not there are queued.
#[utoipa::path(
    post, path = "/queues/{queue}/dead/replay", tag = "queues", request_body = Which,
    params(("queue" = String, Path, description = "The queue.")),
    responses(
        (status = 200, description = "They are queued.", body = Replayed),
        answers::Unknown, answers::Body, answers::Away
    )
)]
pub(super) async fn replay(
    State(context): State<Context>,
    Path(Named { queue }): Path<Named>,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Result<Json<Replayed>, Problem> {
    let body = body?;
    let which: Which = if body.is_empty() { Which::default() } else { extract::json(&body)? };
    let queue = context.queues.get(&queue).await?;
    let Some(jobs) = which.jobs else {
        return Ok(Json(Replayed { replayed: queue.replay_all().await? }));
    };
    let mut replayed = 0;
    for job in &jobs {
        queue.replay(job).await?;
        replayed += 1;
    }
    Ok(Json(Replayed { replayed }))
}

/// How many were taken away.
#[derive(Serialize, ToSchema)]
#[schema(as = DiscardedJobs)]
pub(super) struct Discarded {
    /// So many.
    discarded: u64,
}

/// Takes all dead jobs away.
#[utoipa::path(
    delete, path = "/queues/{queue}/dead", tag = "queues", params(("queue" = String, Path, description = "The queue.")),
    responses((status = 200, description = "They are gone.", body = Discarded), answers::Unknown, answers::Away)
)]
pub(super) async fn discard_all(
    State(context): State<Context>,
    Path(Named { queue }): Path<Named>,
) -> Result<Json<Discarded>, Problem> {
    Ok(Json(Discarded { discarded: context.queues.get(&queue).await?.discard_all().await? }))
}

#[derive(Deserialize)]
pub(super) struct OneJob {
    queue: String,
    job: JobId,
}

/// Takes a dead job away.
#[utoipa::path(
    delete, path = "/queues/{queue}/dead/{job}", tag = "queues",
    params(
        ("queue" = String, Path, description = "The queue."),
        ("job" = String, Path, description = "The job.")
    ),
    responses((status = 204, description = "It is gone."), answers::Unknown, answers::Away)
)]
pub(super) async fn discard(
    State(context): State<Context>,
    Path(OneJob { queue, job }): Path<OneJob>,
) -> Result<StatusCode, Problem> {
    context.queues.get(&queue).await?.discard(&job).await?;
    Ok(StatusCode::NO_CONTENT)
}
