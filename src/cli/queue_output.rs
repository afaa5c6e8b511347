//! How queues and jobs are written.

use super::Output;
use super::usage::excerpt;
use anyhow::Result;
use mape::queue::{Ending, JobInfo, Outcome, Queue, Rate, Schedule, Settings, Stats};
use mape::workflow::Time;
use serde_json::{Value as Json, json};
use std::time::Duration;

/// All queues, as a table; for programs a line each.
pub(super) fn list(all: &[(Queue, Stats)], output: &mut Output) -> Result<()> {
    let heading = ["queue", "state", "waiting", "running", "delayed", "dead", "outcomes", "workers"];
    let mut rows = vec![heading.map(String::from).to_vec()];
    for (queue, stats) in all {
        let waiting: u64 = stats.waiting.iter().sum();
        let counts = [waiting, stats.running, stats.delayed, stats.dead, stats.outcomes, stats.workers];
        let mut row = vec![queue.name().to_owned(), state(stats).to_owned()];
        row.extend(counts.map(|count| count.to_string()));
        rows.push(row);
    }
    let json: Vec<Json> = all.iter().map(|(queue, stats)| value(queue, stats)).collect();
    write(&rows, 2, &json, output)
}

/// A table, or its values, a line each.
fn write(rows: &[Vec<String>], words: usize, values: &[Json], output: &mut Output) -> Result<()> {
    if output.is_json() {
        return values.iter().try_for_each(|value| output.write("", value));
    }
    output.line(&table(rows, words))
}

/// Rows in columns, of which the first ones are words and the others numbers.
fn table(rows: &[Vec<String>], words: usize) -> String {
    let mut widths: Vec<usize> = Vec::new();
    for row in rows {
        widths.resize(widths.len().max(row.len()), 0);
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate();
        let cells =
            cells.map(
                |(column, (cell, &width))| {
                    if column < words { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
                },
            );
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn state(stats: &Stats) -> &'static str {
    match stats {
        Stats { paused: true, .. } => "paused",
        Stats { workers: 0, .. } => "no worker",
        _ => "works",
    }
}

fn value(queue: &Queue, stats: &Stats) -> Json {
    json!({"name": queue.name(), "settings": queue.settings(), "stats": stats})
}

/// One queue.
pub(super) fn show(queue: &Queue, stats: &Stats, output: &mut Output) -> Result<()> {
    let waiting: u64 = stats.waiting.iter().sum();
    let levels =
        stats.waiting.iter().enumerate().rev().map(|(level, count)| format!("{count} of priority {level}"));
    let levels = if stats.waiting.len() > 1 {
        format!(" ({})", levels.collect::<Vec<_>>().join(", "))
    } else {
        String::new()
    };
    let lines = [
        format!("{}: {}", queue.name(), state(stats)),
        format!("  waiting   {waiting}{levels}"),
        format!("  running   {}", stats.running),
        format!("  delayed   {}", stats.delayed),
        format!("  dead      {}", stats.dead),
        format!("  outcomes  {}", stats.outcomes),
        format!("  workers   {}", stats.workers),
        format!("  settings  {}", settings(queue.settings())),
    ];
    output.write(lines.join("\n"), &value(queue, stats))
}

/// In the words of the configuration.
fn settings(settings: &Settings) -> String {
    let Settings { concurrency, priorities, rate, attempts, .. } = settings;
    let mut all = vec![format!("concurrency {concurrency}"), format!("priorities {priorities}")];
    if let Some(Rate { jobs, per }) = rate {
        all.push(format!("rate {jobs}/{per:?}"));
    }
    let retry = format!("{:?} up to {:?}", settings.retry_after, settings.retry_at_most);
    all.push(format!("attempts {attempts}"));
    all.push(format!("retry_after {retry}"));
    if let Some(timeout) = settings.timeout {
        all.push(format!("timeout {timeout:?}"));
    }
    let (unique_for, lease) = (settings.unique_for, settings.lease);
    all.push(format!("unique_for {unique_for:?}"));
    all.push(format!("lease {lease:?}"));
    all.push(format!("keep {}", settings.keep));
    all.push(format!("max_bytes {}", settings.max_bytes));
    all.join(", ")
}

/// Jobs, as a table; for programs a line each.
pub(super) fn jobs(all: &[JobInfo], output: &mut Output) -> Result<()> {
    let mut rows = vec![["job", "state", "at", "attempt", "priority", ""].map(String::from).to_vec()];
    for job in all {
        let said =
            job.error.clone().or_else(|| job.result.as_ref().or(job.data.as_ref()).map(Json::to_string));
        rows.push(vec![
            job.job.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string),
            job.state.to_string(),
            at(job.at),
            job.attempt.to_string(),
            job.priority.map(|level| level.to_string()).unwrap_or_default(),
            excerpt(&said.unwrap_or_default()),
        ]);
    }
    let values: Vec<Json> = all.iter().map(|job| json!(job)).collect();
    write(&rows, 6, &values, output)
}

/// All that is known of one.
pub(super) fn job(job: &JobInfo, output: &mut Output) -> Result<()> {
    let mut lines = vec![format!(
        "{}: {}",
        job.job.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string),
        job.state
    )];
    let mut say = |name: &str, text: Option<String>| {
        lines.extend(text.map(|text| format!("  {name:<9} {text}")));
    };
    say("at", Some(at(job.at)));
    say("attempt", Some(job.attempt.to_string()));
    say("priority", job.priority.map(|level| level.to_string()));
    say("key", job.key.clone());
    say("schedule", job.schedule.clone());
    say("data", job.data.as_ref().map(Json::to_string));
    say("error", job.error.clone());
    say("result", job.result.as_ref().map(Json::to_string));
    say("took", job.took.map(|took| format!("{:?}", Duration::from_secs_f64(took / 1e3))));
    output.write(lines.join("\n"), job)
}

/// What was told of a job.
pub(super) fn outcome(told: &Outcome, output: &mut Output) -> Result<()> {
    let said = match &told.ending {
        Ending::Done { result } => format!("done: {result}"),
        Ending::Failed { error, retry_at } => format!("failed, tried again at {}: {error}", at(*retry_at)),
        Ending::Dead { error } => format!("dead: {error}"),
        Ending::Progress { progress } => format!("under way: {progress}"),
        _ => String::new(),
    };
    output.write(format!("{}  {}  attempt {}  {said}", at(told.place.millis), told.job, told.attempt), told)
}

/// A schedule with its next time.
pub(super) fn schedule(schedule: &Schedule, output: &mut Output) -> Result<()> {
    let Schedule { name, cron, data, priority } = schedule;
    let next = cron.next(Time::now()).map(|next| cron.shown(next));
    let zone = cron.zone().map_or_else(String::new, |zone| format!(" ({zone})"));
    let told = next.clone().unwrap_or_else(|| "no more times".to_owned());
    let json = json!({
        "name": name, "cron": cron.text(), "zone": cron.zone().unwrap_or("UTC"), "data": data, "priority": priority,
        "next": next,
    });
    output.write(
        format!("{name:<20} {}{zone}  next {told}  {}", cron.text(), excerpt(&data.to_string())),
        &json,
    )
}

fn at(millis: u64) -> String {
    let at = i64::try_from(millis).ok().and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok());
    at.map(|at| at.strftime("%Y-%m-%d %H:%M:%S").to_string()).unwrap_or_default()
}
