//! What the library reports while a command runs.

use super::Global;
use anyhow::Result;
use mape::app::App;
use mape::config::Config;
use mape::telemetry::{Error, Reporting, Reports};
use serde_json::json;
use std::io::{Write, stderr};
use std::sync::OnceLock;

/// What the command reports, for as long as it runs.
static REPORTS: OnceLock<Reports> = OnceLock::new();

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
    Ok(())
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
