//! One command, from arguments to exit code.

use super::arguments::{Command, ConfigCommand};
use super::output::ReaderGone;
use super::{Arguments, Output, config_check, config_explain, report, version};
use mape::config;
use std::io::Write;
use std::process::ExitCode;

/// Runs the command and reports what went wrong on standard error.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let Arguments { global, command } = arguments;
    let mut output = Output::new(global.json);
    let outcome = match command {
        Command::Config(ConfigCommand::Explain) => config_explain::run(global, &mut output),
        Command::Config(ConfigCommand::Check) => config_check::run(global, &mut output),
        Command::Version => version::run(&mut output),
    };
    let Err(error) = outcome else { return ExitCode::SUCCESS };
    if error.is::<ReaderGone>() {
        return ExitCode::SUCCESS;
    }
    let report = if global.json { report::json(&error) } else { report::text(&error) };
    // Nobody is left to tell if this cannot be written.
    drop(writeln!(std::io::stderr(), "{report}"));
    if error.is::<config::Error>() { ExitCode::from(2) } else { ExitCode::FAILURE }
}
