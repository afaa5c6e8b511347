//! `mape list`, `inspect` and the other commands about runs.

use super::run_flow::json_or_file;
use super::workflow_arguments::WorkflowCommand;
use super::{Global, Output, Usage, backend, note, run_elsewhere, run_flow, serve};
use anyhow::{Context, Result, bail};
use mape::backend::Backend;
use mape::workflow::{Error, Inspected, Inspection, Phase, Place, RunId, Status, Workflows};
use serde_json::{Value as Json, json};
use std::collections::HashMap;

pub(super) async fn run(global: &Global, command: &WorkflowCommand, output: &mut Output) -> Result<()> {
    if let WorkflowCommand::Run(arguments) = command {
        return run_flow::run(global, arguments, output).await;
    }
    if let WorkflowCommand::Serve(arguments) = command {
        return serve::run(global, arguments).await;
    }
    if !matches!(command, WorkflowCommand::Restore { .. } | WorkflowCommand::Event { .. }) {
        backend::exists(global)?;
    }
    let backend = backend::shared(global).await?;
    let runs = Workflows::new(&backend).named(global.names());
    let done = on(global, &backend, &runs, command, output).await;
    backend.close().await;
    done
}

async fn on(
    global: &Global,
    backend: &Backend,
    runs: &Workflows,
    command: &WorkflowCommand,
    output: &mut Output,
) -> Result<()> {
    match command {
        WorkflowCommand::Run(_) | WorkflowCommand::Serve(_) => Ok(()),
        WorkflowCommand::List { count, skip } => {
            let listed = runs.list(*skip, *count).await?;
            for (id, status) in &listed {
                output.write(
                    format!("{:<12} {id}", status.word()),
                    &json!({"id": id.short(), "state": status}),
                )?;
            }
            if listed.is_empty() {
                note(global, "empty", "there are no runs");
            }
            Ok(())
        }
        WorkflowCommand::Inspect { id, all } => inspect(global, runs, (id, *all), output).await,
        WorkflowCommand::Terminate { id } => match runs.terminate(id).await {
            // It was asked for before, perhaps by this command, whose answer did not arrive.
            Err(Error::Unchanged { .. }) if runs.status(id).await? == Status::Terminated => {
                say(id, Status::Terminated, output)
            }
            done => say(id, done?, output),
        },
        WorkflowCommand::Delete { id } => {
            runs.delete(id).await?;
            output.write(format!("{id} is deleted"), &json!({"id": id.short(), "deleted": true}))
        }
        WorkflowCommand::Pause { id } => {
            let status = runs.pause(id).await?;
            let text = format!("{:<12} {id}, paused", status.word());
            output.write(text, &json!({"id": id.short(), "state": status}))
        }
        WorkflowCommand::Resume { id } => say(id, runs.resume(id).await?, output),
        WorkflowCommand::Restart { id, from } => {
            let from = match from {
                Some(task) => Some(index(runs, id, task).await?),
                None => None,
            };
            say(id, runs.restart(id, from).await?, output)?;
            tell_if_it_waits(global, backend, runs, id).await
        }
        WorkflowCommand::Archive { id, to } => {
            let archive = runs.archive(id).await?;
            let Some(file) = to else { return output.write(&archive, &archive) };
            std::fs::write(file, archive.to_string())
                .with_context(|| format!("cannot write {}", file.display()))?;
            output.write(format!("{id} is in {}", file.display()), &json!({"id": id.short(), "file": file}))
        }
        WorkflowCommand::Restore { file } => {
            let text = std::fs::read_to_string(file).map_err(|error| {
                Usage::error(format!("cannot read the archive {}: {error}", file.display()))
            })?;
            let archive: Json = serde_json::from_str(&text).map_err(|error| {
                Usage::error(format!("{} is no archive of a run, for it is no JSON: {error}", file.display()))
            })?;
            let id = runs.restore(&archive).await?;
            say(&id, runs.status(&id).await?, output)
        }
        WorkflowCommand::Fork { id } => {
            let copy = runs.fork(id).await?;
            say(&copy, runs.status(&copy).await?, output)
        }
        WorkflowCommand::Event { kind, data } => {
            if kind.is_empty() {
                return Err(Usage::error("an event has a kind, such as paid, and this one's is empty"));
            }
            let data = data.as_deref().map_or(Ok(json!({})), |data| json_or_file("the data", data))?;
            if !data.is_object() {
                return Err(Usage::error("the data of an event are its fields: write {\"NAME\": VALUE, …}"));
            }
            let id = runs.event(kind, &data).await?;
            output.write(id, &json!({"event": id}))
        }
        WorkflowCommand::End { id, name, index, output: given, failure } => {
            let given = given.as_deref().map(|given| json_or_file("the output", given)).transpose()?;
            let outcome = failure.clone().map_or(Ok(given), Err);
            can_end(runs, id, name, *index).await?;
            let event = match runs.end(id, name, *index, outcome).await {
                Err(error @ Error::Answer { .. }) => return Err(Usage::error(error.to_string())),
                ended => ended?,
            };
            output.write(event, &json!({"event": event}))
        }
    }
}

fn say(id: &RunId, status: Status, output: &mut Output) -> Result<()> {
    output.write(format!("{:<12} {id}", status.word()), &json!({"id": id.short(), "state": status}))
}

/// The index of a task that is named, or its index itself.
async fn index(runs: &Workflows, id: &RunId, task: &str) -> Result<u32> {
    if let Ok(index) = task.parse() {
        return Ok(index);
    }
    let steps = runs.inspect(id).await?.steps;
    let named: Vec<&Inspected> =
        steps.iter().filter(|step| step.items.is_empty() && step.name == task).collect();
    match named[..] {
        [step] => Ok(step.index),
        [] => Err(Usage::error(format!("the run {id} has no task {task}; `mape inspect {id}` shows them"))),
        _ => {
            let indices: Vec<String> = named.iter().map(|step| step.index.to_string()).collect();
            Err(Usage::error(format!(
                "the run {id} has {task} at {}: say which by its index",
                indices.join(", ")
            )))
        }
    }
}

/// Refuses to end what is not there, or does not run.
async fn can_end(runs: &Workflows, id: &RunId, name: &str, at: Place) -> Result<()> {
    let run = runs.inspect(id).await?;
    let step = run.steps.iter().find(|step| (step.index, step.part) == (at.node, at.part) && step.task);
    match step {
        Some(step) if step.name != name => {
            Err(Usage::error(format!("the task of the run {id} at {at} is {}, not {name}", step.name)))
        }
        Some(step) if step.phase == Phase::Active => Ok(()),
        Some(step) => {
            let phase = format!("{:?}", step.phase).to_lowercase();
            bail!("{name} ({at}) of the run {id} is {phase}: only what runs can be ended")
        }
        None => {
            Err(Usage::error(format!("the run {id} has no task at {at}; `mape inspect {id}` shows them")))
        }
    }
}

async fn inspect(
    global: &Global,
    runs: &Workflows,
    (id, all): (&RunId, bool),
    output: &mut Output,
) -> Result<()> {
    let (inspection, after) = (runs.inspect(id).await?, global.load()?.workflow.untaken_after);
    let untaken = runs.untaken(&inspection, after).await?;
    output.write(table(&inspection, all, &untaken), &inspection)
}

/// Tells who would go on with a run, if nobody does.
async fn tell_if_it_waits(global: &Global, backend: &Backend, runs: &Workflows, id: &RunId) -> Result<()> {
    if !backend.url().starts_with("file:") {
        if !runs.is_attended().await? {
            note(global, "waits", run_elsewhere::UNATTENDED);
        }
    } else if !runs.inspect(id).await?.in_hand {
        let who = format!("nobody has it in hand: `mape run --id {id}` or `mape serve` goes on with it");
        note(global, "waits", &who);
    }
    Ok(())
}

fn place(step: &Inspected) -> Place {
    Place { node: step.index, part: step.part }
}

fn table(run: &Inspection, all: bool, untaken: &HashMap<Place, String>) -> String {
    let paused = if run.paused { ", paused" } else { "" };
    let abandoned = if run.in_hand || run.status.is_over() { "" } else { ", in nobody's hands" };
    let mut lines = vec![format!("{} is {}{paused}{abandoned}", run.id, run.status)];
    let time = |what: &str, at: &Option<String>| at.as_ref().map(|at| format!("{what} {at}"));
    lines.extend(time("began", &run.began).into_iter().chain(time("ended", &run.ended)));
    for step in run.steps.iter().filter(|step| all || (step.task && step.phase != Phase::Idle)) {
        lines.push(row(step, all));
        lines.extend(untaken.get(&place(step)).map(|untaken| format!("         {untaken}")));
    }
    lines.extend(run.failures.iter().map(|failure| format!("{failure}")));
    if let Some(output) = &run.output {
        lines.push(format!("output {output}"));
    }
    lines.join("\n")
}

fn row(step: &Inspected, all: bool) -> String {
    let items: Vec<String> = step.items.iter().map(u32::to_string).collect();
    let item = if items.is_empty() { String::new() } else { format!(" item {}", items.join(".")) };
    let phase = format!("{:?}", step.phase).to_lowercase();
    let place = place(step).to_string();
    let mut row = format!("  {place:<6} {phase:<12} attempt {}  {}{item}", step.attempt, step.name);
    if let Some(waiting) = &step.waiting {
        row = format!("{row}  {waiting}");
    }
    if let Some(reason) = &step.reason {
        let before = if step.phase == Phase::Done { "failed before: " } else { "" };
        row = format!("{row}  ({before}{reason})");
    }
    if all && let Some(output) = &step.output {
        row = format!("{row}  {output}");
    }
    row
}
