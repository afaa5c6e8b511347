//! One command, from arguments to exit code.

use super::arguments::{Command, ConfigCommand};
use super::output::ReaderGone;
use super::{
    Arguments, Global, Output, Usage, channel, config_check, config_explain, flow, infer, knowledge, live,
    log, log_output, loops, model, push, queue, receipts, report, schedule, simulate, tap, top, version,
    worker, workflow,
};
use anyhow::{Context, Result};
use mape::backend::NotDone;
use mape::{backend, config};
use std::io::Write;
use std::process::ExitCode;

/// Runs the command and reports what went wrong on standard error.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let Arguments { global, command } = arguments;
    let mut output = Output::new(global.json);
    let outcome = match command {
        Command::Config(ConfigCommand::Explain) => config_explain::run(global, &mut output),
        Command::Config(ConfigCommand::Check { file }) => {
            config_check::run(global, file.as_deref(), &mut output)
        }
        Command::Flow(command) => flow::run(global, command, &mut output),
        Command::Version => version::run(&mut output),
        Command::Loops(arguments) => wait(global, async || loops::run(global, arguments, &mut output).await),
        Command::Live(command) => wait(global, async || live::run(global, command, &mut output).await),
        Command::Tap(arguments) => wait(global, async || tap::run(global, arguments, &mut output).await),
        Command::Push(arguments) => wait(global, async || push::run(global, arguments, &mut output).await),
        Command::Top(arguments) => wait(global, async || top::run(global, arguments, &mut output).await),
        Command::Channel(command) => wait(global, async || channel::run(global, command, &mut output).await),
        Command::Infer(arguments) => wait(global, async || infer::run(global, arguments, &mut output).await),
        Command::Model(command) => wait(global, async || model::run(global, command, &mut output).await),
        Command::Queue(command) => wait(global, async || queue::run(global, command, &mut output).await),
        Command::Knowledge(command) => {
            wait(global, async || knowledge::run(global, command, &mut output).await)
        }
        Command::Workflow(command) => {
            wait(global, async || workflow::run(global, command, &mut output).await)
        }
        Command::Simulate(arguments) => wait(global, async || simulate::run(global, arguments).await),
        Command::Worker(arguments) => wait(global, async || worker::run(global, arguments).await),
        Command::Schedule(command) => {
            wait(global, async || schedule::run(global, command, &mut output).await)
        }
        Command::Receipts(arguments) => {
            wait(global, async || receipts::run(global, arguments, &mut output).await)
        }
        Command::Log(command) => wait(global, async || log::run(global, command, &mut output).await),
    };
    let Err(error) = outcome else { return ExitCode::SUCCESS };
    if error.is::<ReaderGone>() {
        return ExitCode::SUCCESS;
    }
    let is_for_programs = global.json || global.has_json_log() || log_output::is_for_programs();
    let report = if is_for_programs { report::json(&error) } else { report::text(&error) };
    // Nobody is left to tell if this cannot be written.
    drop(writeln!(std::io::stderr(), "{report}"));
    if exits_with_2(&error) { ExitCode::from(2) } else { ExitCode::FAILURE }
}

/// How many times a command is begun anew when the backend went away before it was done.
const ANEW: usize = 5;

/// Carries out a command that talks to others. If whom it talked to ended before anything was done (as the owner of a
/// directory does, when its own command is done), it begins anew.
fn wait(global: &Global, mut command: impl AsyncFnMut() -> Result<()>) -> Result<()> {
    let config = global.load()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("cannot start the runtime")?.block_on(async {
        log_output::install(&config)?;
        let done = again(&mut command).await;
        log_output::flush().await;
        done
    })
}

async fn again(command: &mut impl AsyncFnMut() -> Result<()>) -> Result<()> {
    for _ in 1..ANEW {
        match command().await {
            Err(error) if error.chain().any(|cause| cause.is::<NotDone>()) => {
                tracing::debug!(%error, "the command begins anew");
            }
            done => return done,
        }
    }
    command().await
}

fn exits_with_2(error: &anyhow::Error) -> bool {
    let wrong_backend = error.downcast_ref::<backend::Error>().is_some_and(backend::Error::is_usage);
    error.is::<config::Error>() || error.is::<Usage>() || wrong_backend
}
