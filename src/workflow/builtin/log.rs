//! `log:…`

use super::super::{Task, TaskError};
use super::known::{Known, text};
use super::parameters::{Parameters, wrong};

const KNOWN: [Known; 1] = [Known::may("message", text)];
const LEVELS: &str = "the levels are log:error, log:warn, log:info and log:debug";

/// Writes its input to the log; the output is the input.
pub(in super::super) fn task() -> Task {
    let task = Task::sync("log:*", |invocation| {
        let message = Parameters::of(invocation, &KNOWN)?.text("message")?;
        let message = message.unwrap_or_else(|| invocation.input().to_string());
        let (workflow, step, input) = (invocation.workflow(), invocation.step(), invocation.input());
        match level(invocation.base())? {
            tracing::Level::ERROR => tracing::error!(%workflow, step, %input, "{message}"),
            tracing::Level::WARN => tracing::warn!(%workflow, step, %input, "{message}"),
            tracing::Level::DEBUG => tracing::debug!(%workflow, step, %input, "{message}"),
            _ => tracing::info!(%workflow, step, %input, "{message}"),
        }
        Ok(invocation.shared_input())
    });
    task.with_known(&KNOWN, |name, _| level(name).err().map(|error| format!(": {}", error.reason())))
}

/// The level that the name of a task says.
fn level(name: &str) -> Result<tracing::Level, TaskError> {
    match name.strip_prefix("log:") {
        Some("error") => Ok(tracing::Level::ERROR),
        Some("warn") => Ok(tracing::Level::WARN),
        Some("info") => Ok(tracing::Level::INFO),
        Some("debug") => Ok(tracing::Level::DEBUG),
        _ => Err(wrong(LEVELS)),
    }
}
