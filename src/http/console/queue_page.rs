//! One task queue.

use super::super::Context;
use super::super::extract::{Path, Query};
use super::page::{Trouble, page};
use super::query::InState;
use super::queues::Row;
use super::shell::Shell;
use super::words;
use crate::queue::{Ending, Error, JobInfo, JobState, Outcome, Queue, Rate, Schedule, Settings};
use crate::workflow::Time;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use std::time::Duration;

/// How many jobs of a state are shown.
const SHOWN: usize = 25;
/// The longest value of which all is shown.
const LONGEST: usize = 160;

/// States by which jobs are chosen.
const STATES: [JobState; 4] = [JobState::Waiting, JobState::Running, JobState::Delayed, JobState::Done];

#[derive(Template)]
#[template(path = "queue.html")]
struct Page {
    shell: Shell,
    queue: Row,
    choices: Vec<Choice>,
    state: &'static str,
    jobs: Vec<Job>,
    dead: Vec<Job>,
    told: Vec<Told>,
    schedules: Vec<Planned>,
    settings: Vec<(&'static str, String)>,
    priorities: u8,
}

struct Choice {
    name: &'static str,
    address: String,
    is_chosen: bool,
}

/// A job in a table.
struct Job {
    id: String,
    at: String,
    attempt: u64,
    priority: String,
    /// What is to be done, or what came out.
    value: String,
    error: String,
    /// Where it is taken away, if it can be.
    api: Option<String>,
}

/// What was told of a job.
struct Told {
    id: String,
    at: String,
    class: &'static str,
    words: &'static str,
    text: String,
    took: String,
}

/// A schedule.
struct Planned {
    name: String,
    cron: String,
    next: String,
    data: String,
    api: String,
}

pub(super) async fn show(
    State(context): State<Context>,
    shell: Shell,
    Path(name): Path<String>,
    Query(InState { state }): Query<InState>,
) -> Response {
    let shell = shell.at("queues");
    let queue = match context.queues.get(&name).await {
        Ok(queue) => queue,
        Err(error @ Error::NoQueue { .. }) => return Trouble::not_found(shell, error).into_response(),
        Err(error) => return Trouble::new(shell, StatusCode::SERVICE_UNAVAILABLE, error).into_response(),
    };
    let state = state.parse().ok().filter(|state| STATES.contains(state)).unwrap_or(JobState::Waiting);
    match read(shell.clone().titled(queue.name()), queue, state).await {
        Ok(read) => page(&read),
        Err(error) => Trouble::new(shell, StatusCode::SERVICE_UNAVAILABLE, error).into_response(),
    }
}

async fn read(shell: Shell, queue: Queue, state: JobState) -> Result<Page, Error> {
    let row = Row::of(queue.clone()).await?;
    let job = |info: JobInfo| Job::of(info, &row.api);
    let jobs = queue.jobs(state, SHOWN).await?.into_iter().map(job).collect();
    let dead = queue.jobs(JobState::Dead, SHOWN).await?.into_iter().map(job).collect();
    let told = queue.last_outcomes(SHOWN).await?.into_iter().map(Told::of).collect();
    let schedules = queue.schedules().await?;
    let choices = STATES.iter().map(|one| Choice {
        name: one.as_str(),
        address: format!("{}?state={one}", row.address),
        is_chosen: *one == state,
    });
    Ok(Page {
        shell,
        choices: choices.collect(),
        state: state.as_str(),
        jobs,
        dead,
        told,
        schedules: schedules.into_iter().map(|schedule| Planned::of(schedule, &row.api)).collect(),
        settings: settings(queue.settings()),
        priorities: queue.settings().priorities,
        queue: row,
    })
}

impl Job {
    fn of(info: JobInfo, queue: &str) -> Self {
        let id = info.job.as_ref().map(ToString::to_string).unwrap_or_default();
        let below = match info.state {
            JobState::Delayed if info.schedule.is_none() => Some("jobs"),
            JobState::Dead => Some("dead"),
            _ => None,
        };
        let api = below.filter(|_| !id.is_empty());
        let api = api.map(|below| format!("{queue}/{below}/{}", words::encoded(&id)));
        let value = info.result.as_ref().or(info.data.as_ref());
        Self {
            at: at(info.at),
            attempt: info.attempt,
            priority: info.priority.map(|level| level.to_string()).unwrap_or_default(),
            value: value.map(|value| words::value(value, LONGEST)).unwrap_or_default(),
            error: info.error.unwrap_or_default(),
            api,
            id,
        }
    }
}

impl Told {
    fn of(outcome: Outcome) -> Self {
        let Outcome { place, job, took, ending, .. } = outcome;
        let (class, says, text) = match ending {
            Ending::Done { result } => ("done", "done", said(&result)),
            Ending::Failed { error, .. } => ("restarting", "failed, goes on", error),
            Ending::Dead { error } => ("failed", "dead", error),
            Ending::Progress { progress } => ("active", "under way", said(&progress)),
        };
        let took = took.map(|took| words::long(took / 1e3)).unwrap_or_default();
        Self { id: job.to_string(), at: at(place.millis), class, words: says, text, took }
    }
}

fn said(value: &Value) -> String {
    if value.is_null() { String::new() } else { words::value(value, LONGEST) }
}

impl Planned {
    fn of(schedule: Schedule, queue: &str) -> Self {
        let Schedule { name, cron, data, .. } = schedule;
        let next = cron.next(Time::now()).map(|next| cron.shown(next)).unwrap_or_default();
        let zone = cron.zone().map(|zone| format!(" ({zone})")).unwrap_or_default();
        let api = format!("{queue}/schedules/{}", words::encoded(&name));
        Self { cron: format!("{}{zone}", cron.text()), next, data: words::value(&data, LONGEST), api, name }
    }
}

/// A moment, given in milliseconds since 1970.
fn at(millis: u64) -> String {
    let at = i64::try_from(millis).ok().and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok());
    at.map(|at| words::time(&at.to_string())).unwrap_or_default()
}

/// In the words of the configuration.
fn settings(settings: &Settings) -> Vec<(&'static str, String)> {
    let time = |time: Duration| format!("{time:?}");
    let mut all = vec![
        ("concurrency", settings.concurrency.to_string()),
        ("priorities", settings.priorities.to_string()),
        ("attempts", settings.attempts.to_string()),
        ("retry_after", time(settings.retry_after)),
        ("retry_at_most", time(settings.retry_at_most)),
        ("unique_for", time(settings.unique_for)),
        ("lease", time(settings.lease)),
        ("keep", settings.keep.to_string()),
        ("max_bytes", settings.max_bytes.to_string()),
    ];
    if let Some(Rate { jobs, per }) = settings.rate {
        all.insert(2, ("rate", format!("{jobs} in {per:?}")));
    }
    all.extend(settings.timeout.map(|timeout| ("timeout", time(timeout))));
    all
}
