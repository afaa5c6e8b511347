//! What the library reports while a command runs.

use super::Global;
use anyhow::Result;
use mape::app::App;
use mape::config::{Config, LogFormat};
use mape::telemetry::{Error, Reporting, Reports};
use serde_json::json;
use std::io::{Write, stderr};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// What the command reports, for as long as it runs.
static REPORTS: OnceLock<Reports> = OnceLock::new();

/// The log is for programs, so that nothing else may stand between its lines.
static FOR_PROGRAMS: AtomicBool = AtomicBool::new(false);

/// Shows the library's warnings on standard error, and sends traces and metrics to a collector, as the configuration says.
pub(super) fn install(config: &Config) -> Result<()> {
    let mut reporting = Reporting::configured(&config.telemetry)?;
    if config.debug {
        reporting = reporting.filter("debug");
    }
    let started = match reporting.clone().start() {
        // What is no filter is no reason not to run; the default is as good.
        Err(error @ Error::Filter { .. }) => {
            let started = reporting.filter("info").start();
            tracing::warn!(%error, "the log is that of `info`");
            started
        }
        started => started,
    };
    match started {
        // Only the first one of a process counts.
        Ok(reports) => drop(REPORTS.set(reports)),
        Err(Error::Taken) => {}
        Err(error) => return Err(error.into()),
    }
    FOR_PROGRAMS.store(config.telemetry.log_format == LogFormat::Json, Ordering::Relaxed);
    Ok(())
}

/// Whether all that is said on standard error is for programs.
pub(super) fn is_for_programs() -> bool {
    FOR_PROGRAMS.load(Ordering::Relaxed)
}

/// Sends the metrics of this app, too.
pub(super) fn observe(app: &App) {
    if let Some(reports) = REPORTS.get() {
        reports.observe(app);
    }
}

/// Sends what is left to be told, before the program ends.
pub(super) async fn flush() {
    if let Some(reports) = REPORTS.get() {
        reports.close().await;
    }
}

/// Tells the person at the terminal something that is no result; where the log is for programs, it is part of it.
pub(super) fn note(global: &Global, signal: &str, text: &str) {
    note_as(global.json, signal, text);
}

/// The same where what all commands know is not at hand.
pub(super) fn note_as(json: bool, signal: &str, text: &str) {
    if is_for_programs() && !json {
        tracing::info!(signal, "{}", text.trim());
        return;
    }
    let line = if json { json!({"signal": signal, "message": text}).to_string() } else { text.to_owned() };
    // Nobody is left to tell if this cannot be written.
    drop(writeln!(stderr(), "{line}"));
}
