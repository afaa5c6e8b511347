//! The `mape` program: reads the arguments, runs one command, and exits with its code.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::Arguments::read() {
        Ok(arguments) => cli::run(&arguments),
        Err(answer) => answer,
    }
}
