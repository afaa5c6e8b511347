//! Workflows: tasks that do jobs, and a task that adds them.

use super::done::Done;
use super::task::{Task, Work, working};
use super::{NewJob, Queues};
use crate::element::Emitter;
use crate::workflow::{self, Invocation, RunId, TaskError, duration};
use serde_json::{Value as Json, json};
use std::sync::Arc;
use std::time::Duration;

/// The function of an element that does jobs by a task of workflows: the data of a job is its input, its output the result.
///
/// A task that fails is a failed attempt; one that fails for good sends the job to the dead letters at once. `name` is what it
/// is called by, such as `request:post` for the task `request:*`.
///
/// ```
/// use mape::prelude::*;
/// use mape::queue::{NewJob, Queues, Settings, doing};
/// use mape::workflow::Task;
/// use serde_json::json;
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), BoxError> {
/// let app = App::new();
/// let teas = Queues::new(&app).open("tea", Settings::default()).await?;
/// let brew = Task::sync("brew", |order| Ok(json!({"tea": order.input()["kind"], "hot": true})));
/// let brewing = app.create_loop("queues")?.execute("tea").each_unordered(4, doing(&brew, "brew", json!({})));
/// let _worker = teas.work(&brewing.spawn()?).await?;
///
/// let outcome = teas.run(NewJob::new(json!({"kind": "green"}))).await?;
/// assert_eq!(outcome.result::<serde_json::Value>()?["tea"], "green");
/// # Ok(()) }
/// ```
pub fn doing(
    task: &workflow::Task,
    name: &str,
    parameters: Json,
) -> impl FnMut(Task<Json>, Emitter<Done<Task<Json>, Json>>) -> Work + Clone + Send + 'static {
    let name: Arc<str> = name.into();
    let task = task.clone();
    let parameters = if parameters.is_null() { json!({}) } else { parameters };
    working(move |job: Task<Json>| {
        let run = RunId::from(format!("{}.{}", job.queue(), job.id()));
        let invocation = Invocation::of_job(run, job.attempt(), &name, parameters.clone(), (*job).clone());
        let task = task.clone();
        async move {
            match task.attempt(invocation).await {
                Ok(output) => Ok(Arc::unwrap_or_clone(output)),
                Err(error) => {
                    if !error.may_be_tried_again() {
                        job.bury(error.reason());
                    }
                    Err(error.reason().to_owned())
                }
            }
        }
    })
}

/// The task that adds jobs.
const ADD: &str = "queue:add";

impl Queues {
    /// The task `queue:add`, which adds a job to the queue of that name: its input, or the parameter `data`. It may have a
    /// `delay`, a `priority` and a `key`; without a key the step adds one job, however often it is tried. Its output is
    /// `{"job", "is_new"}`; with the parameter `wait`, a length of time, what came out of the job.
    #[must_use]
    pub fn task(&self) -> workflow::Task {
        let queues = self.clone();
        workflow::Task::new(ADD, move |invocation: Invocation| {
            let queues = queues.clone();
            async move {
                tokio::select! {
                    biased;
                    () = invocation.cancelled() => Err(TaskError::new("it was told to stop")),
                    added = add(&queues, &invocation) => added,
                }
            }
        })
    }
}

async fn add(queues: &Queues, invocation: &Invocation) -> Result<Json, TaskError> {
    let wrong = |what: &str| TaskError::for_good(format!("`{ADD}` {what}"));
    let of = |name: &str| invocation.parameters().get(name);
    let time = |name: &str| match of(name) {
        Some(value) => duration(value).map(Some).ok_or_else(|| {
            wrong(&format!("has a parameter `{name}` that is no length of time, such as 30s"))
        }),
        None => Ok(None),
    };
    let name =
        of("queue").and_then(Json::as_str).ok_or_else(|| wrong("needs a parameter `queue`, its name"))?;
    let mut job = NewJob::new(of("data").unwrap_or(invocation.input()));
    job = job.delay(time("delay")?.unwrap_or(Duration::ZERO));
    if let Some(level) = of("priority") {
        let level = level.as_u64().and_then(|level| u8::try_from(level).ok());
        job = job
            .priority(level.ok_or_else(|| wrong("has a parameter `priority` that is no level, such as 2"))?);
    }
    job = match of("key") {
        Some(Json::String(key)) => job.key(key),
        Some(key) => job.key(key.to_string()),
        // The same for all attempts at this step.
        None => job.key(format!("{}@{}", invocation.key(), invocation.since().micros())),
    };
    let wait = time("wait")?;
    let queue = queues.get(name).await.map_err(failed)?;
    let Some(wait) = wait else {
        let added = queue.add_job(job).await.map_err(failed)?;
        return Ok(json!({"job": added.id, "is_new": added.is_new}));
    };
    let (added, outcome) = queue.add_and_wait(job).await.map_err(failed)?;
    match tokio::time::timeout(wait, outcome).await {
        Ok(outcome) => {
            outcome.map_err(failed)?.result().map_err(|error| TaskError::for_good(error.to_string()))
        }
        Err(_) => {
            Err(TaskError::new(format!("job {} of queue `{name}` is not over after {wait:?}", added.id)))
        }
    }
}

/// Another attempt may help with what the backend says, and with nothing else.
#[expect(clippy::needless_pass_by_value, reason = "it is handed over")]
fn failed(error: super::Error) -> TaskError {
    if error.is_retryable() {
        TaskError::new(error.to_string())
    } else {
        TaskError::for_good(error.to_string())
    }
}
