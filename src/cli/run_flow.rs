//! `mape run`

use super::builtin::builtin;
use super::workflow_arguments::{RunArguments, TaskSet};
use super::{Global, Output, Usage, backend, note};
use anyhow::{Context, Result, bail};
use futures::StreamExt;
use futures::stream::{SelectAll, select_all};
use mape::app::App;
use mape::backend::Backend;
use mape::element::Subscription;
use mape::flow::Workflow;
use mape::workflow::{
    Ended, Engine, Invocation, Outcome, Progress, Run, RunId, Status, Task, Tasks, Workflows,
};
use serde_json::{Value as Json, json};
use std::time::Duration;

pub(super) async fn run(global: &Global, arguments: &RunArguments, output: &mut Output) -> Result<()> {
    let input =
        arguments.input.as_deref().map_or(Ok(Json::Null), |input| json_or_file("the input", input))?;
    let text = arguments.flow.as_ref().map(|file| read_flow(file)).transpose()?;
    let backend = backend::hosted(global).await?;
    let app = App::with_backend(backend.clone());
    if arguments.detach {
        return detach(global, arguments, text, input, &backend, output).await;
    }
    let engine = Engine::start(&app, tasks(global, arguments.tasks, &backend)?).await?;
    // Before anything starts, so that nothing is missed.
    let ends = select_all(engine.elements().iter().map(|element| element.tap_out(1024)));
    let run = match (&arguments.id, &text) {
        (Some(id), Some(text)) => engine.run_as(id.clone(), text, input).await?,
        (Some(id), None) => engine.attach(id.clone()).await?,
        (None, Some(text)) => engine.run(text, input).await?,
        (None, None) => return Err(Usage::error("give a file with a flow, or --id of a run that exists")),
    };
    if !global.json {
        note(global, "run", &format!("run {} on {}", run.id(), backend.url()));
    }
    let progress = follow(global, ends, &run).await?;
    let id = run.id().clone();
    engine.close().await?;
    drop(app);
    backend.close().await;
    show(global, &id, &progress, output)
}

fn read_flow(file: &std::path::Path) -> Result<String> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Usage::error(format!("cannot read the flow {}: {error}", file.display())))?;
    let workflow = Workflow::parse(text.as_str());
    if workflow.graph().is_none() {
        let report = workflow.diagnostics().report(&file.display().to_string(), &text);
        bail!("the flow {} cannot be run\n\n{}", file.display(), report.trim_end());
    }
    Ok(text)
}

/// A JSON text, or one in a file.
pub(super) fn json_or_file(what: &str, text: &str) -> Result<Json> {
    let Some(file) = text.strip_prefix('@') else { return Usage::json(what, text) };
    let text = std::fs::read_to_string(file)
        .map_err(|error| Usage::error(format!("cannot read {what} from {file}: {error}")))?;
    Usage::json(what, text.trim())
}

fn tasks(global: &Global, set: Option<TaskSet>, backend: &Backend) -> Result<Tasks> {
    let builtin = builtin(&global.load()?, backend, set == Some(TaskSet::Exec))?;
    Ok(match set {
        Some(TaskSet::Echo) => Tasks::new().with(Task::echo("*")),
        Some(TaskSet::Simulate) => {
            Tasks::new().with_all(builtin.tasks()).with(Task::new("*", |invocation: Invocation| async move {
                tokio::time::sleep(Duration::from_millis(moment(&invocation))).await;
                Ok(invocation.shared_input())
            }))
        }
        Some(TaskSet::Exec) | None => Tasks::new().with_all(builtin.tasks()),
    })
}

/// A tenth of a second to one, the same for the same step.
fn moment(invocation: &Invocation) -> u64 {
    100 + u64::from(invocation.index()) * 7919 % 900
}

/// Shows what ends, until the run is over.
async fn follow(global: &Global, mut ends: SelectAll<Subscription<Ended>>, run: &Run) -> Result<Progress> {
    let over = run.wait();
    tokio::pin!(over);
    loop {
        tokio::select! {
            biased;
            Some(ended) = ends.next() => {
                if !global.json && ended.invocation.workflow() == run.id() {
                    tell(global, &ended);
                }
            }
            progress = &mut over => return Ok(progress?),
        }
    }
}

fn tell(global: &Global, ended: &Ended) {
    let how = match &ended.outcome {
        Some(Outcome::Output(_)) => "done".to_owned(),
        Some(Outcome::Failed(failed)) => format!("failed: {}", failed.reason),
        None => "cancelled".to_owned(),
    };
    let invocation = &ended.invocation;
    let attempt = match invocation.attempt() {
        1 => String::new(),
        attempt => format!(", attempt {attempt}"),
    };
    note(global, "task", &format!("  {} (#{}{attempt}) {how}", invocation.name(), invocation.step()));
}

fn show(global: &Global, id: &RunId, progress: &Progress, output: &mut Output) -> Result<()> {
    let failures: Vec<String> = progress.failures.iter().map(ToString::to_string).collect();
    let state = progress.status.word();
    if let Some(given) = &progress.output {
        let line = json!({"id": id.short(), "state": state, "output": given});
        return output.write(serde_json::to_string_pretty(&**given)?, &line);
    }
    if global.json {
        output.write("", &json!({"id": id.short(), "state": state, "failures": progress.failures}))?;
    }
    if progress.status == Status::Failed {
        bail!("the run {id} has failed: {}", failures.join("; "));
    }
    bail!("the run {id} is {}", progress.status)
}

async fn detach(
    global: &Global,
    arguments: &RunArguments,
    text: Option<String>,
    input: Json,
    backend: &Backend,
    output: &mut Output,
) -> Result<()> {
    let text = text.context(Usage::error("--detach needs a file with a flow"))?;
    if backend.url() == "memory:" {
        return Err(Usage::error("--detach needs a backend that others share, such as --backend file:DIR"));
    }
    let id = Workflows::new(backend).submit(arguments.id.clone(), &text, input).await?;
    backend.clone().close().await;
    if !global.json {
        note(global, "detached", "whatever engine runs on the backend, now or next, goes on with it");
    }
    output.write(id.short(), &json!({"id": id.short(), "state": "RUNNING"}))
}
