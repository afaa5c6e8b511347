//! What the library reports while a command runs.

use super::Global;
use mape::config::{Config, LogFormat};
use serde_json::json;
use std::io::{IsTerminal, Write, stderr};
use tracing_subscriber::EnvFilter;

/// Shows the library's warnings on standard error, as the configuration says.
pub(super) fn install(config: &Config) {
    let directives = if config.debug { "debug" } else { config.telemetry.log.as_str() };
    // What is no filter is no reason not to run; the default is as good.
    let filter = EnvFilter::try_new(directives).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    // Only the first one of a process counts.
    let _ = match config.telemetry.log_format {
        LogFormat::Json => builder.json().try_init(),
        _ => builder.without_time().with_target(false).with_ansi(stderr().is_terminal()).try_init(),
    };
}

/// Tells the person at the terminal something that is no result.
pub(super) fn note(global: &Global, signal: &str, text: &str) {
    note_as(global.json, signal, text);
}

/// The same where what all commands know is not at hand.
pub(super) fn note_as(json: bool, signal: &str, text: &str) {
    let line = if json { json!({"signal": signal, "message": text}).to_string() } else { text.to_owned() };
    // Nobody is left to tell if this cannot be written.
    drop(writeln!(stderr(), "{line}"));
}
