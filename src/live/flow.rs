//! Workflows: runs that do jobs, and tasks that publish.

use super::job::Unfinished;
use super::{Job, Live, Part};
use crate::element::{BoxError, Emitter};
use crate::flow::Workflow;
use crate::workflow::{Inspection, RunId, Status, Task, TaskError, Workflows};
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::sleep;

/// How long is waited for a change of a run before it is looked at anyway.
const LOOK: Duration = Duration::from_secs(5);
/// How long is waited before a backend that has failed is asked again.
const PAUSE: Duration = Duration::from_secs(1);
/// How often a run that nobody wants is terminated at most, while the backend fails.
const ATTEMPTS: u32 = 60;
/// The task that publishes.
const PUBLISH: &str = "live:publish";

/// A function of an element that does jobs by runs of a flow: the input of a job is that of its run.
///
/// Each step that begins, ends or fails is a part, `{"run": ID, "step": {"name", "index", "phase", "output"?, …}}`; the
/// last one is `{"run": ID, "state": "FINISHED", "output": …}`, or an error that says what failed. A run that nobody
/// wants any more is terminated. Some engine has to be there that has the tasks of the flow.
///
/// ```
/// use mape::live::{Live, running};
/// use mape::prelude::*;
/// use mape::workflow::{Engine, Task, Tasks};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// let app = App::new();
/// let engine = Engine::with(Tasks::new().with(Task::echo("brew"))).start(&app).await?;
/// let live = Live::new(&app);
/// let tea = running(engine.workflows(), "brew");
/// live.job("tea", &app.create_loop("jobs")?.execute("tea").each_unordered(16, tea).spawn()?)?;
/// # Ok(()) }
/// ```
pub fn running(
    workflows: &Workflows,
    flow: impl Into<Arc<str>>,
) -> impl FnMut(Job, Emitter<Part>) -> BoxFuture<'static, Result<(), BoxError>> + Clone + Send + 'static {
    let (workflows, flow) = (workflows.clone(), flow.into());
    move |job, out| {
        let (workflows, flow) = (workflows.clone(), flow.clone());
        let unfinished = Unfinished::begin(std::slice::from_ref(&job));
        async move {
            let done = run(workflows, &flow, &job, &out).await;
            let failed = done.as_ref().err().and_then(|error| job.fail(error));
            unfinished.finish();
            if let Some(part) = failed {
                out.emit(part).await;
            }
            done
        }
        .boxed()
    }
}

/// A run that has begun, and is terminated unless it is over when this is dropped.
struct Begun {
    workflows: Workflows,
    id: RunId,
    is_over: bool,
}

impl Drop for Begun {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let Ok(runtime) = Handle::try_current() else {
            tracing::warn!(run = %self.id, "a run that nobody wants goes on: there is no runtime to terminate it");
            return;
        };
        // It owns itself, and ends.
        drop(runtime.spawn(terminate(self.workflows.clone(), self.id.clone())));
    }
}

/// Terminates a run; tries again while the backend is away.
async fn terminate(workflows: Workflows, id: RunId) {
    for attempt in 1.. {
        let Err(error) = workflows.terminate(&id).await else { return };
        if !error.is_retryable() {
            tracing::debug!(run = %id, %error, "a run that nobody wants is not terminated");
            return;
        }
        if attempt >= ATTEMPTS {
            tracing::warn!(run = %id, %error, "a run that nobody wants goes on: it can't be terminated");
            return;
        }
        sleep(PAUSE).await;
    }
}

async fn run(workflows: Workflows, flow: &str, job: &Job, out: &Emitter<Part>) -> Result<(), BoxError> {
    // Before the run begins, so that no change is missed.
    let mut changes = pin!(workflows.changes().await?.fuse());
    let graph = Workflow::parse(flow).into_graph()?;
    let id = RunId::random(graph.name());
    // From here on, for whoever is dropped while it asks does not know whether the run has begun.
    let mut begun = Begun { workflows, id: id.clone(), is_over: false };
    begun.workflows.submit(Some(id.clone()), flow, Value::clone(job.input())).await?;
    let mut told = HashMap::new();
    loop {
        match begun.workflows.inspect(&id).await {
            Ok(run) => {
                for step in &run.steps {
                    let now = (step.phase, step.attempt);
                    if told.insert((step.index, step.part, step.items.clone()), now) != Some(now) {
                        out.emit(job.part(json!({"run": id.to_string(), "step": step}))).await;
                    }
                }
                if run.status.is_over() {
                    begun.is_over = true;
                    return finish(&id, &run, job, out).await;
                }
            }
            Err(error) if error.is_retryable() => {
                tracing::debug!(run = %id, %error, "a run is looked at again");
                tokio::select! {
                    biased;
                    () = job.cancelled() => return Ok(()),
                    () = sleep(PAUSE) => continue,
                }
            }
            Err(error) => return Err(error.into()),
        }
        let look = sleep(LOOK);
        tokio::pin!(look);
        loop {
            tokio::select! {
                biased;
                () = job.cancelled() => return Ok(()),
                () = &mut look => break,
                // When there are no more, it is looked at from time to time.
                Some(change) = changes.next() => match change {
                    crate::knowledge::Notice::Change(change) if change.id != id => {}
                    _ => break,
                },
            }
        }
    }
}

async fn finish(id: &RunId, run: &Inspection, job: &Job, out: &Emitter<Part>) -> Result<(), BoxError> {
    if run.status == Status::Finished {
        let output = json!({"run": id.to_string(), "state": run.status, "output": run.output});
        out.emit(job.part(output)).await;
        return Ok(());
    }
    let why: Vec<_> =
        run.failures.iter().map(|failure| format!("{}: {}", failure.step, failure.reason)).collect();
    let why = if why.is_empty() { String::new() } else { format!(": {}", why.join("; ")) };
    Err(format!("the run {id} is {}{why}", run.status.word()).into())
}

impl Live {
    /// The task `live:publish`: publishes its input, or what its parameter `data` is, under the name that its parameter
    /// `name` is, and gives its input as output.
    #[must_use]
    pub fn task(&self) -> Task {
        let live = self.clone();
        Task::sync(PUBLISH, move |invocation| {
            let name = invocation.parameters().get("name").and_then(Value::as_str);
            let name = name.ok_or_else(|| TaskError::for_good("`live:publish` needs a parameter `name`"))?;
            let data = invocation.parameters().get("data").unwrap_or(invocation.input());
            live.publish(name, data.clone()).map_err(|error| TaskError::for_good(error.to_string()))?;
            Ok(invocation.shared_input())
        })
    }
}
