//! What is said on the console: when, on whose behalf, by which kind of jobs, what.
//!
//! `tracing` and `mape::telemetry` do it: milliseconds since the start, `[S]` for the server or the client, who has the same
//! colour in every line, the task, the text.

use std::fmt;

use mape::live::Job;

/// Says something about a job.
pub fn say(job: &Job, text: fmt::Arguments<'_>) {
    tracing::debug!(client = %job.asked_by(), task = &**job.name(), "{text}");
}
