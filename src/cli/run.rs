//! One command, from arguments to exit code.

use super::arguments::{Command, ConfigCommand};
use super::output::ReaderGone;
use super::{
    Arguments, Global, Output, Usage, channel, config_check, config_explain, flow, knowledge, log,
    log_output, report, version,
};
use anyhow::{Context, Result};
use mape::{backend, config};
use std::io::Write;
use std::process::ExitCode;

/// Runs the command and reports what went wrong on standard error.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let Arguments { global, command } = arguments;
    let mut output = Output::new(global.json);
    let outcome = match command {
        Command::Config(ConfigCommand::Explain) => config_explain::run(global, &mut output),
        Command::Config(ConfigCommand::Check) => config_check::run(global, &mut output),
        Command::Flow(command) => flow::run(global, command, &mut output),
        Command::Version => version::run(&mut output),
        Command::Channel(command) => wait(global, channel::run(global, command, &mut output)),
        Command::Knowledge(command) => wait(global, knowledge::run(global, command, &mut output)),
        Command::Log(command) => wait(global, log::run(global, command, &mut output)),
    };
    let Err(error) = outcome else { return ExitCode::SUCCESS };
    if error.is::<ReaderGone>() {
        return ExitCode::SUCCESS;
    }
    let report = if global.json { report::json(&error) } else { report::text(&error) };
    // Nobody is left to tell if this cannot be written.
    drop(writeln!(std::io::stderr(), "{report}"));
    if exits_with_2(&error) { ExitCode::from(2) } else { ExitCode::FAILURE }
}

/// Carries out a command that talks to others.
fn wait(global: &Global, command: impl Future<Output = Result<()>>) -> Result<()> {
    log_output::install(&global.load()?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("cannot start the runtime")?.block_on(command)
}

fn exits_with_2(error: &anyhow::Error) -> bool {
    let wrong_backend = error.downcast_ref::<backend::Error>().is_some_and(backend::Error::is_usage);
    error.is::<config::Error>() || error.is::<Usage>() || wrong_backend
}
