//! What can be written on the command line.

use clap::{Args, Parser, Subcommand};
use mape::config::{Config, Error};
use std::path::PathBuf;
use std::process::ExitCode;

const BACKEND: &str = "Where channels, knowledge and events live: memory:, file:DIR, redis://HOST:PORT/DB";

/// Systems that watch and adapt themselves.
#[derive(Debug, Parser)]
#[command(name = "mape", version, max_term_width = 100, arg_required_else_help = true)]
#[command(after_help = "Exit codes: 0 done, 1 failed, 2 wrong arguments or configuration.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
pub(super) struct Global {
    /// Read this file in place of config.yaml in the working directory
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[arg(long, global = true, value_name = "URL", help = BACKEND)]
    backend: Option<String>,
    /// Write JSON, for programs
    #[arg(long, global = true)]
    pub(super) json: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show or check the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Show the version
    Version,
}

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Show every value and where it comes from, without secrets
    Explain,
    /// Say everything that is wrong with the configuration; exits with 2 if anything is
    Check,
}

impl Arguments {
    /// Reads the arguments of the process; where there is nothing to run, help or a usage error is shown.
    pub(crate) fn read() -> Result<Self, ExitCode> {
        Self::try_parse().map_err(|answer| {
            // Nobody is left to tell if this cannot be written.
            drop(answer.print());
            if answer.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS }
        })
    }
}

impl Global {
    /// The configuration with these options laid over it.
    pub(super) fn load(&self) -> Result<Config, Error> {
        let mut builder = Config::builder();
        if let Some(file) = &self.config {
            builder = builder.file(file);
        }
        if let Some(url) = &self.backend {
            builder = builder.option("--backend", "backend.url", url);
        }
        builder.build()
    }
}
