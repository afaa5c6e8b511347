//! The command.

use super::super::service::{Service, ServiceArguments};
use super::super::{Global, Output, Usage};
use super::answers::Topology;
use super::{live, once};
use anyhow::{Context, Result};
use clap::Args;
use serde_json::Value;
use std::io::{IsTerminal, stdin, stdout};
use std::time::Duration;

#[derive(Debug, Args)]
#[command(after_help = "Keys: ? shows them. $NO_COLOR takes the colours away; signs say the same.")]
pub(crate) struct TopArguments {
    /// Write what there is now and end; with --json one document, for programs
    #[arg(long)]
    once: bool,
    /// How often the picture changes, in seconds; with --once for how long rates are measured
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = interval)]
    interval: Duration,
    #[command(flatten)]
    service: ServiceArguments,
}

/// Below that nobody reads, and above nobody waits.
fn interval(text: &str) -> Result<Duration, &'static str> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.1..=3600.0).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("give a number of seconds from 0.1 to 3600"),
    }
}

pub(crate) async fn run(global: &Global, arguments: &TopArguments, output: &mut Output) -> Result<()> {
    if !arguments.once {
        if global.json {
            return Err(Usage::error("--json is for one look: give --once, too"));
        }
        if !stdout().is_terminal() || !stdin().is_terminal() {
            return Err(Usage::error("a live view needs a terminal: --once writes what there is now"));
        }
    }
    let service = Service::of(global, &arguments.service)?;
    // Whether anybody is there is said before anything is drawn.
    let topology = topology(&service, service.json("/topology").await?)?;
    if arguments.once {
        once::run(&service, topology, arguments.interval, output).await
    } else {
        live::run(service, topology, arguments.interval).await
    }
}

/// What runs there, in a form that is known here.
pub(super) fn topology(service: &Service, json: Value) -> Result<Topology> {
    let known = json.get("levels").is_some_and(Value::is_array).then_some(json);
    known
        .and_then(|json| serde_json::from_value(json).ok())
        .with_context(|| format!("{} says what runs there in a way that is not known here", service.shown()))
}
