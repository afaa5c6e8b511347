//! `mape run`

use super::builtin::builtin;
use super::log_output::observe;
use super::served_models::ServedModels;
use super::signal::told_to_end;
use super::staying::Staying;
use super::usage::excerpt;
use super::workflow_arguments::{RunArguments, TaskSet};
use super::{Global, Output, Usage, note, run_elsewhere};
use anyhow::{Result, anyhow, bail};
use futures::StreamExt;
use futures::stream::{SelectAll, select_all};
use mape::app::App;
use mape::backend::{Backend, NotDone};
use mape::element::Subscription;
use mape::flow::{Graph, Workflow};
use mape::queue::Queues;
use mape::workflow::{
    Ended, Engine, Error, Inspected, Invocation, Outcome, Phase, Place, Progress, Run, RunId, Status, Task,
    Tasks, Workflows,
};
use serde_json::{Value as Json, json};
use std::collections::HashSet;
use std::pin::pin;
use std::time::Duration;

/// How often it is asked whether whoever owns the directory is still there.
const LOOK: Duration = Duration::from_millis(300);
/// After how many looks it is asked whether anybody has the run in hand.
const ABANDONED: u32 = 15;

pub(super) async fn run(global: &Global, arguments: &RunArguments, output: &mut Output) -> Result<()> {
    let input =
        arguments.input.as_deref().map_or(Ok(Json::Null), |input| json_or_file("the input", input))?;
    if !(input.is_null() || input.is_object() || input.is_array()) {
        return Err(Usage::error(format!(
            "the input of a flow has to be an object or a list, and is {}",
            excerpt(&input.to_string())
        )));
    }
    let Some(file) = &arguments.flow else {
        if arguments.input.is_some() {
            return Err(Usage::error(
                "a run that exists has its input; give --input with the file of a flow",
            ));
        }
        return go_on(global, arguments, None, input, output).await;
    };
    let flow = read_flow(file)?;
    go_on(global, arguments, Some(flow), input, output).await
}

async fn go_on(
    global: &Global,
    arguments: &RunArguments,
    flow: Option<(String, Graph)>,
    input: Json,
    output: &mut Output,
) -> Result<()> {
    // Chosen once: it is the same run, however often it is gone on with.
    let name = flow.as_ref().and_then(|(_, graph)| graph.name());
    let id = arguments.id.clone().unwrap_or_else(|| RunId::random(name));
    let text = flow.map(|(text, _)| text);
    let mut staying = Staying::hosted(global).await?;
    let elsewhere =
        staying.is_on_a_server() && arguments.tasks.is_none() && (text.is_some() || arguments.wait);
    let done = if arguments.detach || elsewhere {
        run_elsewhere::leave(global, arguments, &staying, id, text, input, output).await
    } else {
        match host(global, arguments, &id, text.as_deref(), input, &mut staying).await {
            Ok(progress) => show(global, &id, &progress, staying.is_in_memory(), output),
            Err(error) => Err(error),
        }
    };
    staying.close().await;
    done
}

/// Hosts an engine until the run is over.
async fn host(
    global: &Global,
    arguments: &RunArguments,
    id: &RunId,
    text: Option<&str>,
    input: Json,
    staying: &mut Staying,
) -> Result<Progress> {
    let app = App::with_backend(staying.backend.clone());
    observe(&app);
    let mut tasks = tasks(global, arguments.tasks, &staying.backend)?;
    tasks = ServedModels::load(&global.load()?).await?.add_task(arguments.tasks, tasks);
    // What is on a server can be served by others.
    if staying.is_on_a_server() {
        tasks = tasks.and_others();
    }
    let engine = Engine::with(tasks).named(global.names()).start(&app).await?;
    let progress = through(global, &engine, id, text, input, staying).await;
    if let Err(error) = engine.close().await {
        tracing::debug!(%error, "others go on with the runs a little later");
    }
    progress.map_err(|error| with_hint(error, arguments.tasks, staying.is_in_memory()))
}

async fn through(
    global: &Global,
    engine: &Engine,
    id: &RunId,
    text: Option<&str>,
    input: Json,
    staying: &mut Staying,
) -> Result<Progress> {
    let told = pin!(told_to_end()?);
    // Before anything starts, so that nothing is missed.
    let ends = select_all(engine.elements().iter().map(|element| element.tap_out(1024)));
    let run = match text {
        Some(text) => engine.run_as(id.clone(), text, input).await?,
        None => engine.attach(id.clone()).await?,
    };
    if !global.json {
        note(global, "run", &format!("run {} on {}", run.id(), staying.backend.url()));
    }
    // Without secrets, as all may read what is written there.
    let on = staying.backend.url().to_owned();
    tokio::select! {
        progress = follow(global, ends, &run, engine, staying) => progress,
        () = told => {
            if on == "memory:" {
                bail!("told to end before the run {id} was over; it was in memory only, and is gone");
            }
            bail!("told to end before the run {id} was over; `mape run --id {id} --backend {on}` goes on with it")
        }
    }
}

/// What to do about tasks that are missing.
fn with_hint(error: anyhow::Error, set: Option<TaskSet>, is_in_memory: bool) -> anyhow::Error {
    let Some(Error::UnknownTask { missing, .. }) = error.downcast_ref() else { return error };
    if set != Some(TaskSet::Exec) && missing.iter().any(|name| name.starts_with("exec:")) {
        return anyhow!("{error}; programs are run with --tasks exec, if workflow.exec.allow names them");
    }
    if is_in_memory {
        return anyhow!("{error}; workers elsewhere have tasks on a server, which --host or --backend names");
    }
    error
}

pub(super) fn read_flow(file: &std::path::Path) -> Result<(String, Graph)> {
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
    serde_json::from_str(&text).map_err(|error| Usage::error(format!("{what} in {file} is no JSON: {error}")))
}

pub(super) fn tasks(global: &Global, set: Option<TaskSet>, backend: &Backend) -> Result<Tasks> {
    let builtin = builtin(&global.load()?, backend, &global.stream, set == Some(TaskSet::Exec))?;
    Ok(match set {
        Some(TaskSet::Echo) => Tasks::new().with(Task::echo("*")),
        Some(TaskSet::Simulate) => Tasks::new().with(Task::new("*", |invocation: Invocation| async move {
            tokio::time::sleep(Duration::from_millis(moment(&invocation))).await;
            Ok(invocation.shared_input())
        })),
        Some(TaskSet::Exec) | None => Tasks::new().with_all(builtin.tasks()).with(Queues::of(backend).task()),
    })
}

/// A tenth of a second to one, the same for the same step.
fn moment(invocation: &Invocation) -> u64 {
    100 + u64::from(invocation.index()) * 7919 % 900
}

/// Shows what ends, until the run is over.
async fn follow(
    global: &Global,
    mut ends: SelectAll<Subscription<Ended>>,
    run: &Run,
    engine: &Engine,
    staying: &mut Staying,
) -> Result<Progress> {
    let runs = engine.workflows();
    let mut over = Box::pin(run.wait());
    let mut look = tokio::time::interval(LOOK);
    let (mut looked, mut told) = (0_u32, HashSet::new());
    loop {
        tokio::select! {
            biased;
            Some(ended) = ends.next() => {
                if !global.json && ended.invocation.workflow() == run.id() {
                    tell(global, runs, &ended, &mut told).await;
                }
            }
            progress = &mut over => match progress {
                Err(error) if is_not_done(&error) => {
                    staying.regain(global).await?;
                    tokio::time::sleep(LOOK).await;
                    over = Box::pin(run.wait());
                }
                progress => {
                    let progress = progress?;
                    if !global.json && progress.status == Status::Failed {
                        tell_of_others(global, runs, run, &told).await;
                    }
                    return Ok(progress);
                }
            },
            _ = look.tick() => {
                looked += 1;
                let status = runs.status(run.id()).await;
                if status.is_err_and(|error| is_not_done(&error)) {
                    staying.regain(global).await?;
                } else if looked.is_multiple_of(ABANDONED) {
                    // Perhaps nobody goes on with it, and this engine cannot.
                    let attached = engine.attach(run.id().clone()).await;
                    // If the backend is away, it is asked again.
                    if let Err(error @ Error::UnknownTask { .. }) = attached {
                        return Err(error.into());
                    }
                }
            }
        }
    }
}

/// Whether nobody owns the directory any more.
pub(super) fn is_not_done(error: &Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if error.is::<NotDone>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Tells how an attempt has ended, and notes that of which step.
async fn tell(global: &Global, runs: &Workflows, ended: &Ended, told: &mut HashSet<Place>) {
    let how = match &ended.outcome {
        Some(Outcome::Output(_)) => "done".to_owned(),
        Some(Outcome::Failed(failed)) => format!("failed: {}", failed.reason),
        None => without_its_task(runs, &ended.invocation).await,
    };
    let invocation = &ended.invocation;
    told.insert(invocation.place());
    line(global, invocation.name(), &invocation.step(), invocation.attempt(), &how);
}

pub(super) fn line(global: &Global, name: &str, step: &str, attempt: u32, how: &str) {
    let attempt = match attempt {
        0 | 1 => String::new(),
        attempt => format!(", attempt {attempt}"),
    };
    note(global, "task", &format!("  {name} (#{step}{attempt}) {how}"));
}

/// How an attempt has ended whose task was told to stop.
async fn without_its_task(runs: &Workflows, invocation: &Invocation) -> String {
    let steps = runs.inspect(invocation.workflow()).await.map_or(Vec::new(), |run| run.steps);
    let is_it =
        |step: &&Inspected| (step.index, step.part) == (invocation.place().node, invocation.place().part);
    let step = steps.iter().find(is_it);
    let is_last = step.is_some_and(|step| step.attempt == invocation.attempt());
    match step.map(|step| (step.phase, step.reason.as_deref())) {
        Some((Phase::Done, _)) if is_last => "done by an answer from outside".to_owned(),
        Some((Phase::Failed | Phase::BackingOff, Some(reason))) => format!("failed: {reason}"),
        // It has been begun again since.
        Some((_, Some(reason))) if !is_last => format!("failed: {reason}"),
        _ => "cancelled".to_owned(),
    }
}

/// Tells of the steps that failed while their tasks have not stopped yet, as a program that took too long.
async fn tell_of_others(global: &Global, runs: &Workflows, run: &Run, told: &HashSet<Place>) {
    let steps = runs.inspect(run.id()).await.map_or(Vec::new(), |run| run.steps);
    for step in steps.iter().filter(|step| step.task && step.phase == Phase::Failed) {
        let place = Place { node: step.index, part: step.part };
        if !told.contains(&place) {
            let how = format!("failed: {}", step.reason.as_deref().unwrap_or("nobody says why"));
            line(global, &step.name, place.to_string().trim_start_matches('#'), step.attempt, &how);
        }
    }
}

pub(super) fn show(
    global: &Global,
    id: &RunId,
    progress: &Progress,
    is_gone: bool,
    output: &mut Output,
) -> Result<()> {
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
        let hint =
            if is_gone { String::new() } else { format!("; `mape restart {id}` begins it again there") };
        bail!("the run {id} has failed: {}{hint}", failures.join("; "));
    }
    bail!("the run {id} is {}; `mape restart {id}` lets it go on", progress.status)
}
