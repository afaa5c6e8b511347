//! `mape schedule`

use super::run_flow::{json_or_file, read_flow};
use super::{Global, Output, Usage, backend, note};
use anyhow::Result;
use clap::{Subcommand, ValueEnum};
use mape::workflow::{Cron, Error, Missed, Schedule, Schedules, Time, Workflows};
use serde_json::{Value as Json, json};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(super) enum ScheduleCommand {
    /// Begin a flow again and again; `mape serve` and `mape worker` make the runs
    Add {
        /// The name, with which the ids of the runs begin
        name: String,
        /// Minute, hour, day of the month, month and day of the week, such as '30 2 * * MON-FRI'; six fields have the
        /// second first; also @hourly, @daily, @weekly, @monthly, @yearly
        cron: String,
        /// The file with the flow
        flow: PathBuf,
        /// The input of each run, as a JSON object or array, or @FILE
        #[arg(long, short, value_name = "JSON")]
        input: Option<String>,
        /// What becomes of times that nobody was there for, or at which a run of the same key was not over
        #[arg(long, value_enum, default_value_t = WhatOfMissed::Skip)]
        missed: WhatOfMissed,
        /// Of the runs that schedules with this key make, one is under way at a time
        #[arg(long)]
        key: Option<String>,
        /// The time zone, such as Europe/Berlin [default: UTC]
        #[arg(long, value_name = "ZONE")]
        tz: Option<String>,
    },
    /// List schedules with their next times
    List,
    /// Take a schedule away; its runs stay
    Remove {
        /// The schedule
        name: String,
    },
    /// Let a schedule make no runs
    Pause {
        /// The schedule
        name: String,
    },
    /// Let a paused schedule make runs again
    Resume {
        /// The schedule
        name: String,
    },
    /// Show the next times of a schedule
    Next {
        /// The schedule
        name: String,
        /// How many
        #[arg(short = 'n', long, value_name = "N", default_value_t = 5)]
        count: usize,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum WhatOfMissed {
    /// Nothing
    Skip,
    /// One run for all of them
    RunOnce,
    /// A run for each, of a hundred at most
    RunAll,
}

pub(super) async fn run(global: &Global, command: &ScheduleCommand, output: &mut Output) -> Result<()> {
    // What is wrong with it shows before a backend is opened.
    let schedule = match command {
        ScheduleCommand::Add { name, cron, flow, input, missed, key, tz } => {
            let input = input.as_deref().map_or(Ok(Json::Null), |input| json_or_file("the input", input))?;
            let schedule = Schedule::new(name, parsed(cron, tz.as_deref())?, &read_flow(flow)?.0);
            let schedule = schedule.input(input).missed(match missed {
                WhatOfMissed::Skip => Missed::Skip,
                WhatOfMissed::RunOnce => Missed::RunOnce,
                WhatOfMissed::RunAll => Missed::RunAll,
            });
            Some(match key {
                Some(key) => schedule.key(key),
                None => schedule,
            })
        }
        _ => None,
    };
    let backend = backend::shared(global).await?;
    let schedules = Schedules::of(&Workflows::new(&backend).named(global.names()));
    let done = match (command, schedule) {
        (ScheduleCommand::Add { name, .. }, Some(schedule)) => match schedules.add(schedule).await {
            Err(error @ Error::Schedule { .. }) => Err(Usage::error(error.to_string())),
            Err(error) => Err(error.into()),
            Ok(()) => say(&schedules.get(name).await?, output),
        },
        (command, _) => on(global, &schedules, command, output).await,
    };
    backend.close().await;
    done
}

async fn on(
    global: &Global,
    schedules: &Schedules,
    command: &ScheduleCommand,
    output: &mut Output,
) -> Result<()> {
    match command {
        ScheduleCommand::Add { .. } => Ok(()),
        ScheduleCommand::List => {
            let all = schedules.list().await?;
            if all.is_empty() {
                note(global, "empty", "there are no schedules");
            }
            all.iter().try_for_each(|schedule| say(schedule, output))
        }
        ScheduleCommand::Remove { name } => {
            schedules.remove(name).await?;
            output.write(format!("{name} is removed"), &json!({"name": name, "removed": true}))
        }
        ScheduleCommand::Pause { name } => {
            schedules.pause(name).await?;
            say(&schedules.get(name).await?, output)
        }
        ScheduleCommand::Resume { name } => {
            schedules.resume(name).await?;
            say(&schedules.get(name).await?, output)
        }
        ScheduleCommand::Next { name, count } => {
            let schedule = schedules.get(name).await?;
            let cron = schedule.cron();
            let times = std::iter::successors(cron.next(Time::now()), |at| cron.next(*at));
            for at in times.take(*count) {
                output.write(cron.shown(at), &json!({"name": name, "at": cron.shown(at)}))?;
            }
            if schedule.is_paused() {
                note(
                    global,
                    "paused",
                    &format!("{name} is paused; `mape schedule resume {name}` lets it go on"),
                );
            }
            Ok(())
        }
    }
}

fn parsed(cron: &str, zone: Option<&str>) -> Result<Cron> {
    let wrong = |what: &str, error: mape::workflow::NoCron| Usage::error(format!("{what}: {error}"));
    let parsed: Cron = cron.parse().map_err(|error| wrong("the times", error))?;
    match zone {
        Some(zone) => parsed.in_zone(zone).map_err(|error| wrong("--tz", error)),
        None => Ok(parsed),
    }
}

fn say(schedule: &Schedule, output: &mut Output) -> Result<()> {
    let (name, cron) = (schedule.name(), schedule.cron());
    let next = schedule.next().map(|at| cron.shown(at));
    let state = match &next {
        None if schedule.is_paused() => "paused".to_owned(),
        None => "no more times".to_owned(),
        Some(next) => format!("next {next}"),
    };
    let zone = cron.zone().map_or_else(String::new, |zone| format!(" ({zone})"));
    let failed = schedule.error().map(|error| format!("\n  the last run could not be made: {error}"));
    let text = format!("{name:<20} {}{zone}  {state}{}", cron.text(), failed.unwrap_or_default());
    let last = schedule.last().map(mape::workflow::RunId::short);
    let line = json!({
        "name": name, "cron": cron.text(), "tz": cron.zone().unwrap_or("UTC"), "paused": schedule.is_paused(),
        "next": next, "last": last, "error": schedule.error(),
    });
    output.write(text, &line)
}
