//! The queues themselves.

use super::super::extract::Path;
use super::super::{Context, Problem};
use super::answers;
use crate::queue::{Error, Queue, Settings, Stats};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use futures::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A task queue.
#[derive(PartialEq, Serialize, ToSchema)]
#[schema(as = Queue)]
pub(super) struct Shown {
    /// Its name.
    name: String,
    /// How it works; times are milliseconds.
    settings: Settings,
    /// How much there is.
    stats: Stats,
}

impl Shown {
    async fn of(queue: Queue) -> Result<Self, Error> {
        let (name, settings) = (queue.name().to_owned(), queue.settings().clone());
        Ok(Self { name, settings, stats: queue.stats().await? })
    }
}

#[derive(Deserialize)]
pub(super) struct Named {
    pub(super) queue: String,
}

/// How many queues are looked at at a time.
const AT_A_TIME: usize = 8;

/// All task queues, by name, with how much there is in them.
#[utoipa::path(
    get, path = "/queues", tag = "queues",
    responses((status = 200, description = "They.", body = Vec<Shown>), answers::Away)
)]
pub(super) async fn list(State(context): State<Context>) -> Result<Json<Vec<Shown>>, Problem> {
    Ok(Json(all(&context).await?))
}

pub(super) async fn all(context: &Context) -> Result<Vec<Shown>, Error> {
    let all = context.queues.list().await?;
    stream::iter(all).map(Shown::of).buffered(AT_A_TIME).try_collect().await
}

/// One task queue, with how much there is in it.
#[utoipa::path(
    get, path = "/queues/{queue}", tag = "queues", params(("queue" = String, Path, description = "The queue.")),
    responses((status = 200, description = "It.", body = Shown), answers::Unknown, answers::Away)
)]
pub(super) async fn get(
    State(context): State<Context>,
    Path(Named { queue }): Path<Named>,
) -> Result<Json<Shown>, Problem> {
    Ok(Json(Shown::of(context.queues.get(&queue).await?).await?))
}

/// Removes a queue with everything in it: jobs, outcomes, dead letters, schedules. One that a configuration declares is
/// there again, and empty, when that is read the next time.
#[utoipa::path(
    delete, path = "/queues/{queue}", tag = "queues", params(("queue" = String, Path, description = "The queue.")),
    responses((status = 204, description = "It is gone."), answers::Unknown, answers::Away)
)]
pub(super) async fn remove(
    State(context): State<Context>,
    Path(Named { queue }): Path<Named>,
) -> Result<StatusCode, Problem> {
    context.queues.remove(&queue).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Begins no more jobs, in all workers; what is under way goes on.
#[utoipa::path(
    post, path = "/queues/{queue}/pause", tag = "queues", params(("queue" = String, Path, description = "The queue.")),
    responses((status = 200, description = "It.", body = Shown), answers::Unknown, answers::Away)
)]
pub(super) async fn pause(
    State(context): State<Context>,
    Path(Named { queue }): Path<Named>,
) -> Result<Json<Shown>, Problem> {
    let queue = context.queues.get(&queue).await?;
    queue.pause().await?;
    Ok(Json(Shown::of(queue).await?))
}

/// Ends a pause.
#[utoipa::path(
    post, path = "/queues/{queue}/resume", tag = "queues", params(("queue" = String, Path, description = "The queue.")),
    responses((status = 200, description = "It.", body = Shown), answers::Unknown, answers::Away)
)]
pub(super) async fn resume(
    State(context): State<Context>,
    Path(Named { queue }): Path<Named>,
) -> Result<Json<Shown>, Problem> {
    let queue = context.queues.get(&queue).await?;
    queue.resume().await?;
    Ok(Json(Shown::of(queue).await?))
}
