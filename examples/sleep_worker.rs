//! A worker for tasks `sleep` and `sleep:…`: each takes as long as its parameter `for` says, in seconds.
//!
//! ```text
//!   start-task  sleep (- for: 2 -) ──▶ group `sleeping` ──▶ two seconds later ──▶ end-task
//! ```
//!
//! With a Redis server, as many of these as there is work for, on any machines:
//!
//! ```text
//! cargo run --example sleep_worker
//! cargo run --example sleep_worker -- --backend redis://db:6379 --concurrency 100
//! ```
//!
//! It is the worker that littleflow's description has in Python, without its mistakes: it takes what is its own and
//! nothing else; the receipt comes with the end, not before the work; a sleep of an hour is not begun a second time; one
//! whose worker is killed begins elsewhere within five seconds; it wakes when it is told to stop.
#![allow(clippy::print_stderr, reason = "a program says on the terminal how it is")]

#[path = "workers/station.rs"]
mod station;

use std::process::ExitCode;
use std::time::Duration;

use mape::workflow::{Invocation, Task, TaskError, Tasks, Worker};

fn main() -> ExitCode {
    let command = clap::Command::new("sleep_worker").about("Carries out tasks `sleep` and `sleep:…`");
    let given = station::arguments(command).get_matches();
    let sleeps = || [sleep("sleep"), sleep("sleep:*")];
    station::run(&given, Worker::new("sleeping", Tasks::new().with_all(sleeps())).receipts())
}

fn sleep(name: &str) -> Task {
    Task::new(name, |invocation: Invocation| async move {
        let duration = duration(&invocation)?;
        eprintln!("{}: sleeps {duration:?}", invocation.key());
        tokio::select! {
            () = tokio::time::sleep(duration) => eprintln!("{}: slept", invocation.key()),
            () = invocation.cancelled() => eprintln!("{}: woken", invocation.key()),
        }
        Ok(invocation.shared_input())
    })
}

/// A minute unless it says something else.
fn duration(invocation: &Invocation) -> Result<Duration, TaskError> {
    let seconds = match invocation.parameters().get("for") {
        None => Some(60.0),
        Some(seconds) => seconds.as_f64(),
    };
    let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration.ok_or_else(|| TaskError::for_good("`for` is a number of seconds"))
}
