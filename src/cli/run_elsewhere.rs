//! Runs of `mape run` that are left to engines elsewhere.

use super::builtin::builtin;
use super::run_flow::{line, show};
use super::signal::told_to_end;
use super::staying::Staying;
use super::workflow_arguments::RunArguments;
use super::{Global, Output, Usage, note};
use anyhow::{Result, bail};
use mape::flow::Workflow;
use mape::workflow::{Error, Inspected, Phase, Place, Progress, RunId, Tasks, Workflows};
use serde_json::{Value as Json, json};
use std::collections::HashSet;
use std::pin::pin;
use std::time::Duration;

/// What is said of a run on a server that no engine is on.
pub(super) const UNATTENDED: &str = "no engine is at work there now: `mape worker` goes on with it";
/// How often it is looked how far a run is.
const LOOK: Duration = Duration::from_secs(1);

/// Leaves a run to the engines on the backend, and waits for it if that is wanted.
pub(super) async fn leave(
    global: &Global,
    arguments: &RunArguments,
    staying: &Staying,
    id: RunId,
    text: Option<String>,
    input: Json,
    output: &mut Output,
) -> Result<()> {
    if staying.is_in_memory() {
        return Err(Usage::error("--detach needs a backend that others share, such as --backend file:DIR"));
    }
    let told = pin!(told_to_end()?);
    // Without secrets, as all may read what is written there.
    let on = staying.backend.url();
    let runs = Workflows::new(&staying.backend).named(global.names());
    let id = match text {
        Some(text) => {
            known(global, staying)?.define(Workflow::parse(text.as_str()).into_graph()?)?;
            runs.submit(Some(id), &text, input).await?
        }
        None if arguments.wait => {
            runs.status(&id).await?;
            id
        }
        None => return Err(Usage::error("--detach needs a file with a flow")),
    };
    let is_unattended = staying.is_on_a_server() && !runs.is_attended().await?;
    if is_unattended {
        note(global, "unattended", UNATTENDED);
    }
    if !arguments.wait {
        if !global.json && !is_unattended {
            note(global, "detached", "whatever engine runs on the backend, now or next, goes on with it");
        }
        // As littleflow says it; where scripts have long read the id alone, they still do.
        let text =
            if staying.is_on_a_server() { format!("workflow {id} is running") } else { id.to_string() };
        return output.write(text, &json!({"id": id.short(), "state": "RUNNING"}));
    }
    let what = if arguments.flow.is_some() { "is running" } else { "is" };
    note(global, "run", &format!("workflow {id} {what} on {on}"));
    let progress = tokio::select! {
        biased;
        () = told => bail!("told to end before the run {id} was over; it goes on, and `mape run --wait --id {id} --backend {on}` waits for it"),
        progress = watch(global, &runs, &id) => progress?,
    };
    show(global, &id, &progress, false, output)
}

/// What is known of the tasks elsewhere: which parameters built-in ones have, not what they may do there, and that there
/// may be others.
fn known(global: &Global, staying: &Staying) -> Result<Tasks> {
    let mut config = global.load()?;
    config.workflow.exec.enabled = false;
    config.workflow.redis.allow = vec!["*".to_owned()];
    Ok(Tasks::new().with_all(builtin(&config, &staying.backend, &global.stream, false)?.tasks()).and_others())
}

/// Waits until a run is over, whoever goes on with it, and tells what ends.
async fn watch(global: &Global, runs: &Workflows, id: &RunId) -> Result<Progress> {
    let mut told = HashSet::new();
    let mut over = Box::pin(runs.wait(id));
    let mut look = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            biased;
            progress = &mut over => {
                if progress.as_ref().is_err_and(is_away) {
                    tokio::time::sleep(LOOK).await;
                    over = Box::pin(runs.wait(id));
                    continue;
                }
                let progress = progress?;
                if let Ok(run) = runs.inspect(id).await {
                    tell_changes(global, &run.steps, &mut told);
                }
                return Ok(progress);
            }
            // Programs of other kinds tell nobody what they change.
            _ = look.tick() => {
                match runs.inspect(id).await {
                    // It is asked again when the server is back.
                    Err(error) if is_away(&error) => {}
                    run => tell_changes(global, &run?.steps, &mut told),
                }
            }
        }
    }
}

/// Whether the server cannot be reached now.
fn is_away(error: &Error) -> bool {
    matches!(error, Error::Knowledge(error) if error.is_retryable())
}

/// Tells which attempts have ended that are not told yet.
fn tell_changes(global: &Global, steps: &[Inspected], told: &mut HashSet<(Place, u32)>) {
    for step in steps.iter().filter(|step| step.task && !global.json) {
        let how = match (step.phase, &step.reason) {
            (Phase::Done, _) => "done".to_owned(),
            (Phase::Failed | Phase::BackingOff, reason) => {
                format!("failed: {}", reason.as_deref().unwrap_or("nobody says why"))
            }
            _ => continue,
        };
        let place = Place { node: step.index, part: step.part };
        if told.insert((place, step.attempt)) {
            line(global, &step.name, place.to_string().trim_start_matches('#'), step.attempt, &how);
        }
    }
}
