//! `mape run`

use super::builtin::builtin;
use super::workflow_arguments::{RunArguments, TaskSet};
use super::{Global, Output, Usage, backend, note};
use anyhow::{Result, bail};
use futures::StreamExt;
use futures::stream::{SelectAll, select_all};
use mape::app::App;
use mape::backend::{Backend, NotDone};
use mape::element::Subscription;
use mape::flow::{Graph, Workflow};
use mape::workflow::{
    Ended, Engine, Invocation, Outcome, Progress, Run, RunId, Status, Task, Tasks, Workflows,
};
use serde_json::{Value as Json, json};
use std::time::Duration;

/// How often it is asked whether whoever owns the directory is still there.
const LOOK: Duration = Duration::from_millis(300);

pub(super) async fn run(global: &Global, arguments: &RunArguments, output: &mut Output) -> Result<()> {
    let input =
        arguments.input.as_deref().map_or(Ok(Json::Null), |input| json_or_file("the input", input))?;
    let flow = arguments.flow.as_ref().map(|file| read_flow(file)).transpose()?;
    // Chosen once: it is the same run, however often it is gone on with.
    let name = flow.as_ref().and_then(|(_, graph)| graph.name());
    let id = arguments.id.clone().unwrap_or_else(|| RunId::random(name));
    let text = flow.map(|(text, _)| text);
    if arguments.detach {
        return detach(global, id, text, input, output).await;
    }
    loop {
        let backend = backend::hosted(global).await?;
        let done = host(global, arguments, &id, text.as_deref(), &input, &backend).await;
        backend.close().await;
        match done? {
            Some(progress) => return show(global, &id, &progress, output),
            None => note(global, "owner", "whoever owned the directory is gone; the run goes on here"),
        }
    }
}

/// Hosts an engine until the run is over, or whoever owns the directory is gone.
async fn host(
    global: &Global,
    arguments: &RunArguments,
    id: &RunId,
    text: Option<&str>,
    input: &Json,
    backend: &Backend,
) -> Result<Option<Progress>> {
    let app = App::with_backend(backend.clone());
    let mut tasks = tasks(global, arguments.tasks, backend)?;
    // What is on a server can be served by others.
    if !["memory:", "file:"].iter().any(|scheme| backend.url().starts_with(scheme)) {
        tasks = tasks.and_others();
    }
    let engine = Engine::start(&app, tasks).await?;
    // Before anything starts, so that nothing is missed.
    let ends = select_all(engine.elements().iter().map(|element| element.tap_out(1024)));
    let run = match text {
        Some(text) => engine.run_as(id.clone(), text, input.clone()).await?,
        None => engine.attach(id.clone()).await?,
    };
    if !global.json {
        note(global, "run", &format!("run {} on {}", run.id(), backend.url()));
    }
    let progress = follow(global, ends, &run, engine.workflows()).await?;
    // If the backend is gone, there is nothing to let go of.
    if let Err(error) = engine.close().await
        && progress.is_some()
    {
        return Err(error.into());
    }
    Ok(progress)
}

fn read_flow(file: &std::path::Path) -> Result<(String, Graph)> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Usage::error(format!("cannot read the flow {}: {error}", file.display())))?;
    let workflow = Workflow::parse(text.as_str());
    let Some(graph) = workflow.graph() else {
        let report = workflow.diagnostics().report(&file.display().to_string(), &text);
        bail!("the flow {} cannot be run\n\n{}", file.display(), report.trim_end());
    };
    let graph = graph.clone();
    Ok((text, graph))
}

/// A JSON text, or one in a file.
pub(super) fn json_or_file(what: &str, text: &str) -> Result<Json> {
    let Some(file) = text.strip_prefix('@') else { return Usage::json(what, text) };
    let text = std::fs::read_to_string(file)
        .map_err(|error| Usage::error(format!("cannot read {what} from {file}: {error}")))?;
    Usage::json(what, text.trim())
}

pub(super) fn tasks(global: &Global, set: Option<TaskSet>, backend: &Backend) -> Result<Tasks> {
    let builtin = builtin(&global.load()?, backend, set == Some(TaskSet::Exec))?;
    Ok(match set {
        Some(TaskSet::Echo) => Tasks::new().with(Task::echo("*")),
        Some(TaskSet::Simulate) => Tasks::new().with(Task::new("*", |invocation: Invocation| async move {
            tokio::time::sleep(Duration::from_millis(moment(&invocation))).await;
            Ok(invocation.shared_input())
        })),
        Some(TaskSet::Exec) | None => Tasks::new().with_all(builtin.tasks()),
    })
}

/// A tenth of a second to one, the same for the same step.
fn moment(invocation: &Invocation) -> u64 {
    100 + u64::from(invocation.index()) * 7919 % 900
}

/// Shows what ends, until the run is over; nothing if whoever owns the directory is gone.
async fn follow(
    global: &Global,
    mut ends: SelectAll<Subscription<Ended>>,
    run: &Run,
    runs: &Workflows,
) -> Result<Option<Progress>> {
    let over = run.wait();
    let mut look = tokio::time::interval(LOOK);
    tokio::pin!(over);
    loop {
        tokio::select! {
            biased;
            Some(ended) = ends.next() => {
                if !global.json && ended.invocation.workflow() == run.id() {
                    tell(global, &ended);
                }
            }
            progress = &mut over => match progress {
                Err(error) if is_not_done(&error) => return Ok(None),
                progress => return Ok(Some(progress?)),
            },
            _ = look.tick() => {
                if runs.status(run.id()).await.is_err_and(|error| is_not_done(&error)) {
                    return Ok(None);
                }
            }
        }
    }
}

/// Whether nobody owns the directory any more.
pub(super) fn is_not_done(error: &mape::workflow::Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if error.is::<NotDone>() {
            return true;
        }
        cause = error.source();
    }
    false
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
    id: RunId,
    text: Option<String>,
    input: Json,
    output: &mut Output,
) -> Result<()> {
    let text = text.ok_or_else(|| Usage::error("--detach needs a file with a flow"))?;
    let backend = backend::hosted(global).await?;
    if backend.url() == "memory:" {
        return Err(Usage::error("--detach needs a backend that others share, such as --backend file:DIR"));
    }
    let submitted = Workflows::new(&backend).submit(Some(id), &text, input).await;
    backend.close().await;
    let id = submitted?;
    if !global.json {
        note(global, "detached", "whatever engine runs on the backend, now or next, goes on with it");
    }
    output.write(id.short(), &json!({"id": id.short(), "state": "RUNNING"}))
}
