//! `mape queue`

use super::push::standard_input;
use super::queue_arguments::{AddArguments, QueueCommand, RunArguments, WhichDead};
use super::run_flow::json_or_file;
use super::{Global, Output, Usage, backend, note, queue_output};
use anyhow::{Result, bail};
use futures::StreamExt;
use mape::event::EventId;
use mape::queue::{Declared, Ending, Error, JobState, Queue, Queues, Schedule};
use mape::workflow::{Cron, NoCron};
use serde_json::{Value as Json, json};
use std::pin::pin;

/// Jobs of standard input that are added at a time.
const AT_A_TIME: usize = 512;
/// Outcomes that are shown unless another number is asked for.
const SHOWN: usize = 50;

pub(super) async fn run(global: &Global, command: &QueueCommand, output: &mut Output) -> Result<()> {
    // What is wrong with it shows before a backend is opened.
    let data = match command {
        QueueCommand::Add(AddArguments { data, how, .. }) if data == "-" => {
            if how.has_key() {
                return Err(Usage::error(
                    "--key is for one job: of the lines of standard input only the first would be added",
                ));
            }
            Json::Null
        }
        QueueCommand::Add(AddArguments { data, .. })
        | QueueCommand::Run(RunArguments { data, .. })
        | QueueCommand::Schedule { data, .. } => json_or_file("the job", data)?,
        _ => Json::Null,
    };
    let schedule = match command {
        QueueCommand::Schedule { name, cron, priority, tz, .. } => {
            let (name, priority) = (name.clone(), *priority);
            Some(Schedule { name, cron: parsed(cron, tz.as_deref())?, data: data.clone(), priority })
        }
        _ => None,
    };
    backend::exists(global)?;
    let backend = backend::shared(global).await?;
    let queues = Queues::of(&backend);
    let done = match command.queue() {
        None => list(global, &queues, output).await,
        Some(name) => match find(global, &queues, command, name).await {
            Ok(queue) => on(global, &queue, command, (data, schedule), output).await,
            Err(error) => Err(error),
        },
    };
    backend.close().await;
    done
}

/// A queue of the backend; or, for who puts something in it, one that the configuration declares.
async fn find(global: &Global, queues: &Queues, command: &QueueCommand, name: &str) -> Result<Queue> {
    let adds = matches!(command, QueueCommand::Add(_) | QueueCommand::Run(_) | QueueCommand::Schedule { .. });
    match queues.get(name).await {
        Err(error @ Error::NoQueue { .. }) => {
            let declared = Declared::configured(&global.load()?)?;
            match declared.iter().find(|declared| declared.name == name) {
                Some(declared) if adds => Ok(queues.declare(declared).await?),
                Some(_) => bail!(
                    "queue `{name}` is declared here, and was never opened on this backend: `mape serve` opens it, or \
                     the first `mape queue add {name} …`"
                ),
                None => Err(error.into()),
            }
        }
        found => Ok(found?),
    }
}

async fn list(global: &Global, queues: &Queues, output: &mut Output) -> Result<()> {
    let mut all = Vec::new();
    for queue in queues.list().await? {
        let stats = queue.stats().await?;
        all.push((queue, stats));
    }
    if all.is_empty() {
        note(
            global,
            "empty",
            "there are no queues; config.yaml declares them in the section `queues`, and programs open them",
        );
        return Ok(());
    }
    queue_output::list(&all, output)
}

async fn on(
    global: &Global,
    queue: &Queue,
    command: &QueueCommand,
    (data, schedule): (Json, Option<Schedule>),
    output: &mut Output,
) -> Result<()> {
    match command {
        QueueCommand::List => Ok(()),
        QueueCommand::Show { .. } => queue_output::show(queue, &queue.stats().await?, output),
        QueueCommand::Add(arguments) => add(queue, arguments, data, output).await,
        QueueCommand::Run(arguments) => wait_for(global, queue, arguments, data, output).await,
        QueueCommand::Jobs { job: Some(job), .. } => match queue.find(job).await? {
            Some(found) => queue_output::job(&found, output),
            None => bail!("queue `{}` has no job `{job}`, or knows it no more", queue.name()),
        },
        QueueCommand::Jobs { state, count, .. } => jobs(global, queue, *state, *count, output).await,
        QueueCommand::Dead { count, .. } => jobs(global, queue, JobState::Dead, *count, output).await,
        QueueCommand::Cancel { job, .. } => {
            if !queue.cancel_delayed(job).await? {
                bail!("queue `{}` has no job `{job}` that is not due yet", queue.name());
            }
            output.write(format!("{job} is gone"), &json!({"job": job, "cancelled": true}))
        }
        QueueCommand::Replay(which) => {
            let count = each_dead(queue, which, true).await?;
            output.write(format!("{count} queued again"), &json!({"replayed": count}))
        }
        QueueCommand::Discard(which) => {
            let count = each_dead(queue, which, false).await?;
            output.write(format!("{count} taken away"), &json!({"discarded": count}))
        }
        QueueCommand::Pause { .. } => {
            queue.pause().await?;
            queue_output::show(queue, &queue.stats().await?, output)
        }
        QueueCommand::Resume { .. } => {
            queue.resume().await?;
            queue_output::show(queue, &queue.stats().await?, output)
        }
        QueueCommand::Outcomes { follow, after, count, .. } => {
            if *follow || after.is_some() {
                return follow_outcomes(global, queue, (*follow, *after, *count), output).await;
            }
            let last = queue.last_outcomes(count.unwrap_or(SHOWN)).await?;
            last.iter().rev().try_for_each(|told| queue_output::outcome(told, output))
        }
        QueueCommand::Schedules { .. } => {
            let all = queue.schedules().await?;
            if all.is_empty() {
                note(global, "empty", "it has no schedules");
            }
            all.iter().try_for_each(|schedule| queue_output::schedule(schedule, output))
        }
        QueueCommand::Schedule { .. } => match schedule {
            Some(schedule) => {
                queue.schedule(&schedule).await?;
                queue_output::schedule(&schedule, output)
            }
            None => Ok(()),
        },
        QueueCommand::Unschedule { name, .. } => {
            if !queue.unschedule(name).await? {
                bail!("queue `{}` has no schedule `{name}`", queue.name());
            }
            output.write(format!("{name} is gone"), &json!({"schedule": name, "removed": true}))
        }
        QueueCommand::Remove { .. } => {
            queue.remove().await?;
            output.write(
                format!("{} is removed", queue.name()),
                &json!({"queue": queue.name(), "removed": true}),
            )
        }
    }
}

async fn add(queue: &Queue, arguments: &AddArguments, data: Json, output: &mut Output) -> Result<()> {
    if arguments.data != "-" {
        let added = queue.add_job(arguments.how.job(data)).await?;
        let what = if added.is_new { "" } else { " has its key; nothing is added" };
        return output.write(format!("{}{what}", added.id), &added);
    }
    let mut lines = standard_input()?;
    let mut next = lines.recv().await;
    while next.is_some() {
        let (mut jobs, mut wrong) = (Vec::new(), None);
        // What is there already is added together.
        while let Some(line) = next.take() {
            match line {
                Ok(data) => jobs.push(arguments.how.job(data)),
                Err(error) => wrong = Some(error),
            }
            next = if jobs.len() < AT_A_TIME { lines.try_recv().ok() } else { None };
        }
        for added in queue.add_jobs(jobs).await? {
            output.write(&added.id, &added)?;
        }
        if let Some(error) = wrong {
            return Err(error);
        }
        next = lines.recv().await;
    }
    Ok(())
}

async fn wait_for(
    global: &Global,
    queue: &Queue,
    arguments: &RunArguments,
    data: Json,
    output: &mut Output,
) -> Result<()> {
    let (added, outcome) = queue.add_and_wait(arguments.how.job(data)).await?;
    note(
        global,
        "added",
        &format!("job {} {}", added.id, if added.is_new { "is added" } else { "has its key" }),
    );
    let outcome = match arguments.wait {
        Some(wait) => match tokio::time::timeout(wait, outcome).await {
            Ok(outcome) => outcome?,
            Err(_) => bail!("job {} is not over after {wait:?}; it goes on", added.id),
        },
        None => outcome.await?,
    };
    match &outcome.ending {
        Ending::Done { result } => output.write(result, &outcome),
        Ending::Dead { error } => {
            if global.json {
                output.write("", &outcome)?;
            }
            bail!("job {} failed for good: {error}", added.id)
        }
        _ => bail!("job {} is not over", added.id),
    }
}

async fn jobs(
    global: &Global,
    queue: &Queue,
    state: JobState,
    count: usize,
    output: &mut Output,
) -> Result<()> {
    let all = queue.jobs(state, count).await?;
    if all.is_empty() {
        note(global, "empty", &format!("no job is {state}"));
        return Ok(());
    }
    queue_output::jobs(&all, output)
}

/// Replays or discards dead jobs; how many.
async fn each_dead(queue: &Queue, which: &WhichDead, replayed: bool) -> Result<u64> {
    if which.all {
        return Ok(if replayed { queue.replay_all().await? } else { queue.discard_all().await? });
    }
    for job in &which.jobs {
        if replayed { queue.replay(job).await? } else { queue.discard(job).await? }
    }
    Ok(which.jobs.len() as u64)
}

async fn follow_outcomes(
    global: &Global,
    queue: &Queue,
    (follow, after, count): (bool, Option<EventId>, Option<usize>),
    output: &mut Output,
) -> Result<()> {
    let mut left = count.unwrap_or(if follow { usize::MAX } else { SHOWN });
    // Of those that are there, the last one ends it.
    let end = if follow { None } else { Some(queue.last_outcomes(1).await?.first().map(|told| told.place)) };
    let after = after.unwrap_or(EventId::MAX);
    if end.is_some_and(|end| end.is_none_or(|end| end <= after)) {
        return Ok(());
    }
    if follow {
        note(global, "following", &format!("following what becomes of the jobs of {}", queue.name()));
    }
    let mut told = pin!(queue.outcomes(after));
    while left > 0 {
        let Some(outcome) = told.next().await else { break };
        let outcome = outcome?;
        queue_output::outcome(&outcome, output)?;
        left -= 1;
        if end.flatten().is_some_and(|end| outcome.place >= end) {
            break;
        }
    }
    Ok(())
}

fn parsed(cron: &str, zone: Option<&str>) -> Result<Cron> {
    let wrong = |what: &str, error: NoCron| Usage::error(format!("{what}: {error}"));
    let parsed: Cron = cron.parse().map_err(|error| wrong("the times", error))?;
    match zone {
        Some(zone) => parsed.in_zone(zone).map_err(|error| wrong("--tz", error)),
        None => Ok(parsed),
    }
}
