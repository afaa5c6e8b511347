//! Jobs: added, waited for, looked at, taken away.

use super::super::extract::{Path, Query};
use super::super::{Context, Problem};
use super::answers;
use super::look::Named;
use super::new_job::{Jobs, NewJobs};
use crate::queue::{Added, JobId, JobInfo, JobState, NewJob, Outcome, Queue};
use crate::workflow::duration;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;
use utoipa::{IntoParams, ToSchema};

/// Which jobs are asked for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// In which state: `waiting`, `running`, `delayed`, `done`, `dead`; `waiting` unless it is said.
    #[serde(default)]
    #[param(pattern = "^(waiting|running|delayed|done|dead)$")]
    state: Option<String>,
    /// At most how many, up to 1,000.
    #[serde(default = "fifty")]
    #[param(default = 50, minimum = 1, maximum = 1000)]
    count: usize,
}

pub(super) fn fifty() -> usize {
    50
}

pub(super) fn checked(count: usize) -> Result<usize, Problem> {
    if (1..=1000).contains(&count) {
        Ok(count)
    } else {
        Err(Problem::unprocessable("`count` is a number from 1 to 1000"))
    }
}

/// The first jobs in a state: of those that wait, run or are dead those of the highest priority first, of those that are not
/// due yet the next one, of those that are done the last one.
#[utoipa::path(
    get, path = "/queues/{queue}/jobs", tag = "queues",
    params(("queue" = String, Path, description = "The queue."), Which),
    responses(
        (status = 200, description = "The jobs.", body = Vec<JobInfo>),
        answers::Unknown, answers::Query, answers::Away
    )
)]
pub(super) async fn list(
    State(context): State<Context>,
    Path(Named { queue }): Path<Named>,
    Query(which): Query<Which>,
) -> Result<Json<Vec<JobInfo>>, Problem> {
    let state = which.state.as_deref().map_or(Ok(JobState::Waiting), str::parse)?;
    let count = checked(which.count)?;
    Ok(Json(context.queues.get(&queue).await?.jobs(state, count).await?))
}

/// How long it is waited for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Waiting {
    /// Answers when the job is done or dead, within this time, such as `30s`, and up to a minute; for a single job.
    #[serde(default)]
    wait: Option<String>,
}

/// The longest time that is waited for a job.
const LONGEST: Duration = Duration::from_mins(1);

/// Whatever was added.
#[derive(ToSchema)]
#[schema(as = AddedJobs)]
#[serde(untagged)]
#[expect(dead_code, reason = "it is only described")]
pub(super) enum AddedJobs {
    /// One.
    One(Added),
    /// Several, in their order.
    Several(Vec<Added>),
}

/// Adds a job, or a list of jobs.
///
/// When the answer is there, they are in the backend. One whose key a job had before is not added: it has the id of that
/// one, and `is_new` is false. Of a list, all are looked at before the first is added.
///
/// With `wait`, the answer is the last outcome of the job, `done` or `dead`, or that of the job that has its key.
#[utoipa::path(
    post, path = "/queues/{queue}/jobs", tag = "queues", request_body = NewJobs,
    params(("queue" = String, Path, description = "The queue."), Waiting),
    responses(
        (status = 200, description = "It is over: this became of it.", body = Outcome),
        (status = 202, description = "It is added, or was before.", body = AddedJobs),
        (status = 504, description = "It is added, and not over in time; its `id` stands beside."),
        answers::Unknown, answers::Body, answers::Away
    )
)]
pub(super) async fn add(
    State(context): State<Context>,
    Path(Named { queue }): Path<Named>,
    Query(Waiting { wait }): Query<Waiting>,
    jobs: Jobs,
) -> Result<Response, Problem> {
    let wait = match &wait {
        Some(text) => {
            let wait = duration(&Value::from(text.as_str())).filter(|wait| *wait <= LONGEST);
            Some(wait.ok_or_else(|| {
                Problem::unprocessable(format!(
                    "`wait`: `{text}` is no length of time up to a minute, such as 30s"
                ))
            })?)
        }
        None => None,
    };
    let queue = context.queues.get(&queue).await?;
    match (jobs, wait) {
        (Jobs::One(job), Some(wait)) => wait_for(&context, &queue, job, wait).await,
        (Jobs::One(job), None) => Ok((StatusCode::ACCEPTED, Json(queue.add_job(job).await?)).into_response()),
        (Jobs::Several(jobs), None) => {
            Ok((StatusCode::ACCEPTED, Json(queue.add_jobs(jobs).await?)).into_response())
        }
        (Jobs::Several(_), Some(_)) => Err(Problem::unprocessable(
            "`wait` is for a single job: add the list, and follow the outcomes of the queue",
        )),
    }
}

async fn wait_for(
    context: &Context,
    queue: &Queue,
    job: NewJob<Value>,
    wait: Duration,
) -> Result<Response, Problem> {
    let (Added { id, .. }, outcome) = queue.add_and_wait(job).await?;
    let later = |why: &str| {
        let detail = format!(
            "job {id} is added, and {why}; GET /queues/{}/jobs/{id} says what becomes of it",
            queue.name()
        );
        Err(Problem::new(StatusCode::GATEWAY_TIMEOUT, detail).with("id", id.as_str()))
    };
    tokio::select! {
        biased;
        outcome = outcome => match outcome {
            Ok(outcome) => Ok(Json(outcome).into_response()),
            // It is added, so whoever is told to try again must know its id.
            Err(error) => later(&format!("what becomes of it cannot be read now ({error})")),
        },
        () = tokio::time::sleep(wait) => later(&format!("was not over after {wait:?}")),
        () = context.closing.cancelled() => later("this service ends"),
    }
}

#[derive(Deserialize)]
pub(super) struct OneJob {
    queue: String,
    job: JobId,
}

fn nowhere(queue: &Queue, job: &JobId) -> Problem {
    let detail = format!(
        "queue `{}` has no job `{job}`; of those that are done, the last {} are known",
        queue.name(),
        queue.settings().keep
    );
    Problem::not_found(detail)
}

/// A job, wherever it is: waiting, running, not due yet, done or dead.
#[utoipa::path(
    get, path = "/queues/{queue}/jobs/{job}", tag = "queues",
    params(
        ("queue" = String, Path, description = "The queue."),
        ("job" = String, Path, description = "The job.")
    ),
    responses((status = 200, description = "It.", body = JobInfo), answers::Unknown, answers::Away)
)]
pub(super) async fn get(
    State(context): State<Context>,
    Path(OneJob { queue, job }): Path<OneJob>,
) -> Result<Json<JobInfo>, Problem> {
    let queue = context.queues.get(&queue).await?;
    queue.find(&job).await?.map(Json).ok_or_else(|| nowhere(&queue, &job))
}

/// Takes away a job that is not due yet.
#[utoipa::path(
    delete, path = "/queues/{queue}/jobs/{job}", tag = "queues",
    params(
        ("queue" = String, Path, description = "The queue."),
        ("job" = String, Path, description = "The job.")
    ),
    responses(
        (status = 204, description = "It is gone."), answers::Unknown, answers::Conflict, answers::Away
    )
)]
pub(super) async fn cancel(
    State(context): State<Context>,
    Path(OneJob { queue, job }): Path<OneJob>,
) -> Result<StatusCode, Problem> {
    let queue = context.queues.get(&queue).await?;
    if queue.cancel_delayed(&job).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    match queue.find(&job).await? {
        Some(found) => Err(Problem::conflict(format!(
            "job `{job}` is {}: only one that is not due yet can be taken away{}",
            found.state,
            if found.state == JobState::Dead { "; what is dead is discarded" } else { "" }
        ))),
        None => Err(nowhere(&queue, &job)),
    }
}
