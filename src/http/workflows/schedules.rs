//! What begins by the clock.

use super::super::extract::{self, Path, Query};
use super::super::{Context, Problem};
use super::answers;
use crate::workflow::{Cron, Missed, Schedule, Schedules, Time};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Context> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(get, remove))
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(next))
}

/// A flow that is to begin again and again.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewSchedule)]
#[serde(deny_unknown_fields)]
struct New {
    /// Its name, with which the ids of its runs begin: letters, digits, `-`, `_` and `.`.
    #[schema(example = "report", max_length = 100, min_length = 1)]
    name: String,
    /// When: minute, hour, day of the month, month and day of the week; six fields have the second first; also `@daily`
    /// and the like.
    #[schema(example = "30 2 * * MON-FRI")]
    cron: String,
    /// The time zone, such as `Europe/Berlin`; UTC unless it is said.
    #[serde(default)]
    tz: Option<String>,
    /// The text of the flow.
    #[schema(example = "collect → send")]
    flow: String,
    /// The input of its runs: an object or a list; none unless it is given.
    #[serde(default)]
    input: Value,
    /// What becomes of times that nobody was there for, or at which a run of the same key was not over: `skip`, `run-once`
    /// or `run-all`.
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^(skip|run-once|run-all)$")]
    missed: Option<Missed>,
    /// Of the runs that schedules with this key make, one is under way at a time.
    #[serde(default)]
    key: Option<String>,
}

/// A schedule.
#[derive(Serialize, ToSchema)]
#[schema(as = Schedule)]
struct Shown {
    /// Its name.
    name: String,
    /// When.
    cron: String,
    /// The time zone of that.
    tz: String,
    /// The text of the flow.
    flow: Value,
    /// The input of its runs.
    input: Value,
    /// What becomes of times that nobody was there for.
    missed: Value,
    /// The key of which one run is under way at a time.
    key: Value,
    /// Whether it makes no runs at the moment.
    paused: bool,
    /// The time of its next run.
    next: Option<String>,
    /// The run that it made last.
    last: Option<String>,
    /// Why the last run could not be made.
    error: Option<String>,
}

impl Shown {
    fn of(schedule: &Schedule) -> Self {
        let mut kept = serde_json::to_value(schedule).unwrap_or_default();
        let mut take = |name: &str| kept.get_mut(name).map(Value::take).unwrap_or_default();
        let cron = schedule.cron();
        Self {
            name: schedule.name().to_owned(),
            cron: cron.text().to_owned(),
            tz: cron.zone().unwrap_or("UTC").to_owned(),
            flow: take("flow"),
            input: take("input"),
            missed: take("missed"),
            key: take("key"),
            paused: schedule.is_paused(),
            next: schedule.next().map(|at| cron.shown(at)),
            last: schedule.last().map(|id| id.short().to_owned()),
            error: schedule.error().map(str::to_owned),
        }
    }
}

impl Context {
    fn schedules(&self) -> Result<Schedules, Problem> {
        Ok(Schedules::of(self.runs()?))
    }
}

/// All schedules, by name.
#[utoipa::path(
    get, path = "/schedules", tag = "schedules",
    responses((status = 200, description = "They.", body = Vec<Shown>), answers::Away)
)]
async fn list(State(context): State<Context>) -> Result<Json<Vec<Shown>>, Problem> {
    Ok(Json(context.schedules()?.list().await?.iter().map(Shown::of).collect()))
}

/// Lets a flow begin again and again. Somebody has to serve schedules, such as `mape serve`.
#[utoipa::path(
    post, path = "/schedules", tag = "schedules", request_body = New,
    responses(
        (status = 201, description = "It is kept.", body = Shown), answers::Body, answers::Conflict, answers::Away
    )
)]
async fn add(
    State(context): State<Context>,
    extract::Json(new): extract::Json<New>,
) -> Result<(StatusCode, Json<Shown>), Problem> {
    let wrong =
        |field: &str, error: crate::workflow::NoCron| Problem::unprocessable(format!("`{field}`: {error}"));
    let mut cron: Cron = new.cron.parse().map_err(|error| wrong("cron", error))?;
    if let Some(zone) = &new.tz {
        cron = cron.in_zone(zone).map_err(|error| wrong("tz", error))?;
    }
    let mut schedule =
        Schedule::new(&new.name, cron, &new.flow).input(new.input).missed(new.missed.unwrap_or_default());
    if let Some(key) = &new.key {
        schedule = schedule.key(key);
    }
    let schedules = context.schedules()?;
    schedules.add(schedule).await?;
    let kept = schedules.get(&new.name).await?;
    Ok((StatusCode::CREATED, Json(Shown::of(&kept))))
}

/// One schedule.
#[utoipa::path(
    get, path = "/schedules/{name}", tag = "schedules", params(("name" = String, Path, description = "The schedule.")),
    responses((status = 200, description = "It.", body = Shown), answers::Unknown, answers::Away)
)]
async fn get(State(context): State<Context>, Path(name): Path<String>) -> Result<Json<Shown>, Problem> {
    Ok(Json(Shown::of(&context.schedules()?.get(&name).await?)))
}

/// Takes a schedule away; its runs stay.
#[utoipa::path(
    delete, path = "/schedules/{name}", tag = "schedules",
    params(("name" = String, Path, description = "The schedule.")),
    responses((status = 204, description = "It is gone."), answers::Unknown, answers::Away)
)]
async fn remove(State(context): State<Context>, Path(name): Path<String>) -> Result<StatusCode, Problem> {
    context.schedules()?.remove(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lets a schedule make no runs.
#[utoipa::path(
    post, path = "/schedules/{name}/pause", tag = "schedules",
    params(("name" = String, Path, description = "The schedule.")),
    responses((status = 200, description = "It.", body = Shown), answers::Unknown, answers::Conflict, answers::Away)
)]
async fn pause(State(context): State<Context>, Path(name): Path<String>) -> Result<Json<Shown>, Problem> {
    let schedules = context.schedules()?;
    schedules.pause(&name).await?;
    Ok(Json(Shown::of(&schedules.get(&name).await?)))
}

/// Lets a paused schedule make runs again; the times of the pause do not count as missed.
#[utoipa::path(
    post, path = "/schedules/{name}/resume", tag = "schedules",
    params(("name" = String, Path, description = "The schedule.")),
    responses((status = 200, description = "It.", body = Shown), answers::Unknown, answers::Conflict, answers::Away)
)]
async fn resume(State(context): State<Context>, Path(name): Path<String>) -> Result<Json<Shown>, Problem> {
    let schedules = context.schedules()?;
    schedules.resume(&name).await?;
    Ok(Json(Shown::of(&schedules.get(&name).await?)))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct HowMany {
    /// How many times, up to 1,000.
    #[serde(default = "five")]
    #[param(default = 5, minimum = 1, maximum = 1000)]
    count: usize,
}

fn five() -> usize {
    5
}

/// The next times of a schedule, paused or not, on the clocks of its zone.
#[utoipa::path(
    get, path = "/schedules/{name}/next", tag = "schedules",
    params(("name" = String, Path, description = "The schedule."), HowMany),
    responses(
        (status = 200, description = "The times.", body = Vec<String>),
        answers::Unknown, answers::Query, answers::Away
    )
)]
async fn next(
    State(context): State<Context>,
    Path(name): Path<String>,
    Query(asked): Query<HowMany>,
) -> Result<Json<Vec<String>>, Problem> {
    if !(1..=1000).contains(&asked.count) {
        return Err(Problem::unprocessable("`count` is a number from 1 to 1000"));
    }
    let schedule = context.schedules()?.get(&name).await?;
    let cron = schedule.cron();
    let times = std::iter::successors(cron.next(Time::now()), |at| cron.next(*at));
    Ok(Json(times.take(asked.count).map(|at| cron.shown(at)).collect()))
}
