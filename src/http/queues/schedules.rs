//! Jobs that are added again and again.

use super::super::extract::{self, Path};
use super::super::{Context, Problem};
use super::answers;
use super::look::Named;
use crate::queue::{Queue, Schedule};
use crate::workflow::{Cron, NoCron, Time};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// When a job is added, and which.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewJobSchedule)]
#[serde(deny_unknown_fields)]
pub(super) struct New {
    /// Minute, hour, day of the month, month and day of the week; six fields have the second first; also `@daily` and the
    /// like.
    #[schema(example = "30 2 * * MON-FRI")]
    cron: String,
    /// The time zone, such as `Europe/Berlin`; UTC unless it is said.
    #[serde(default)]
    zone: Option<String>,
    /// What is to be done: any JSON.
    #[serde(default)]
    data: Value,
    /// The level of priority of its jobs.
    #[serde(default)]
    #[schema(maximum = 7)]
    priority: u8,
}

/// A schedule of a queue.
#[derive(Serialize, ToSchema)]
#[schema(as = JobSchedule)]
pub(super) struct Shown {
    /// Its name, with which the ids of its jobs begin.
    name: String,
    /// When a job is added.
    cron: String,
    /// The time zone of that.
    zone: String,
    /// What is to be done.
    data: Value,
    /// The level of priority of its jobs.
    priority: u8,
    /// The next time.
    next: Option<String>,
}

impl Shown {
    fn of(schedule: Schedule) -> Self {
        let Schedule { name, cron, data, priority } = schedule;
        let zone = cron.zone().unwrap_or("UTC").to_owned();
        let next = cron.next(Time::now()).map(|next| cron.shown(next));
        Self { name, cron: cron.text().to_owned(), zone, data, priority, next }
    }
}

async fn find(queue: &Queue, name: &str) -> Result<Schedule, Problem> {
    let found = queue.schedules().await?.into_iter().find(|schedule| schedule.name == name);
    found.ok_or_else(|| unknown(queue, name))
}

fn unknown(queue: &Queue, name: &str) -> Problem {
    let queue = queue.name();
    Problem::not_found(format!(
        "queue `{queue}` has no schedule `{name}`; GET /queues/{queue}/schedules has all of them"
    ))
}

#[derive(Deserialize)]
pub(super) struct One {
    queue: String,
    schedule: String,
}

/// The schedules of a queue, the next one first.
#[utoipa::path(
    get, path = "/queues/{queue}/schedules", tag = "queues",
    params(("queue" = String, Path, description = "The queue.")),
    responses((status = 200, description = "They.", body = Vec<Shown>), answers::Unknown, answers::Away)
)]
pub(super) async fn list(
    State(context): State<Context>,
    Path(Named { queue }): Path<Named>,
) -> Result<Json<Vec<Shown>>, Problem> {
    let all = context.queues.get(&queue).await?.schedules().await?;
    Ok(Json(all.into_iter().map(Shown::of).collect()))
}

/// One schedule of a queue.
#[utoipa::path(
    get, path = "/queues/{queue}/schedules/{schedule}", tag = "queues",
    params(
        ("queue" = String, Path, description = "The queue."),
        ("schedule" = String, Path, description = "The schedule.")
    ),
    responses((status = 200, description = "It.", body = Shown), answers::Unknown, answers::Away)
)]
pub(super) async fn get(
    State(context): State<Context>,
    Path(One { queue, schedule }): Path<One>,
) -> Result<Json<Shown>, Problem> {
    let queue = context.queues.get(&queue).await?;
    Ok(Json(Shown::of(find(&queue, &schedule).await?)))
}

/// Adds a job again and again, in place of a schedule of that name. Whoever works on the queue serves its schedules.
#[utoipa::path(
    put, path = "/queues/{queue}/schedules/{schedule}", tag = "queues", request_body = New,
    params(
        ("queue" = String, Path, description = "The queue."),
        ("schedule" = String, Path, description = "The schedule.")
    ),
    responses(
        (status = 200, description = "It is kept.", body = Shown), answers::Unknown, answers::Body, answers::Away
    )
)]
pub(super) async fn put(
    State(context): State<Context>,
    Path(One { queue, schedule }): Path<One>,
    extract::Json(new): extract::Json<New>,
) -> Result<Json<Shown>, Problem> {
    let wrong = |field: &str, error: NoCron| Problem::unprocessable(format!("`{field}`: {error}"));
    let queue = context.queues.get(&queue).await?;
    let mut cron: Cron = new.cron.parse().map_err(|error| wrong("cron", error))?;
    if let Some(zone) = &new.zone {
        cron = cron.in_zone(zone).map_err(|error| wrong("zone", error))?;
    }
    let kept = Schedule { name: schedule, cron, data: new.data, priority: new.priority };
    queue.schedule(&kept).await?;
    Ok(Json(Shown::of(kept)))
}

/// Takes a schedule away; jobs that it has added stay.
#[utoipa::path(
    delete, path = "/queues/{queue}/schedules/{schedule}", tag = "queues",
    params(
        ("queue" = String, Path, description = "The queue."),
        ("schedule" = String, Path, description = "The schedule.")
    ),
    responses((status = 204, description = "It is gone."), answers::Unknown, answers::Away)
)]
pub(super) async fn remove(
    State(context): State<Context>,
    Path(One { queue, schedule }): Path<One>,
) -> Result<StatusCode, Problem> {
    let queue = context.queues.get(&queue).await?;
    if queue.unschedule(&schedule).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(unknown(&queue, &schedule))
    }
}
