//! `mape simulate`

use super::log_output::note_as;
use super::signal::told_to_end;
use super::{Global, backend, note};
use anyhow::Result;
use clap::Args;
use mape::app::App;
use mape::workflow::{Builtin, Invocation, Task, TaskError, Tasks, Worker};
use std::time::Duration;

#[derive(Debug, Args)]
pub(super) struct SimulateArguments {
    /// A task takes up to so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 3.0, value_parser = seconds)]
    wait_period: f64,
    /// So many of a hundred attempts fail
    #[arg(long, value_name = "PERCENT", default_value_t = 0.0, value_parser = percent)]
    failures: f64,
    /// What is decided by chance is the same for the same number: of each attempt at a step, whether it fails and how
    /// long it takes [default: another each time]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// The group, whose members share the tasks
    #[arg(long, value_name = "NAME", default_value = "starting")]
    group: String,
}

/// How many tasks are in work at a time: each is a timer.
const TOGETHER: usize = 10_000;
/// How long what is in work may take after a signal to end.
const FAREWELL: Duration = Duration::from_secs(10);

/// Carries out all tasks but the built-in ones until Ctrl-C or SIGTERM, by waiting.
pub(super) async fn run(global: &Global, arguments: &SimulateArguments) -> Result<()> {
    let backend = backend::on_redis(global).await?;
    // Not before: until there is something to let go of, a signal ends the program at once.
    let told = told_to_end()?;
    let seed = arguments.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    let worker = Worker::new(arguments.group.as_str(), tasks(arguments, seed, global.json))
        .log(global.stream.as_str());
    let app = App::with_backend(backend.clone());
    let worker = worker.receipts().concurrency(TOGETHER).start(&app).await?;
    let what = format!(
        "simulating tasks on {} with --seed {seed}; built-in ones are left to the engine; Ctrl-C ends it",
        backend.url()
    );
    note(global, "ready", &what);
    told.await;
    let left = worker.drain_within(FAREWELL).await;
    backend.close().await;
    let left = if left == 0 { String::new() } else { format!("; {left} tasks are left to others") };
    note(global, "ended", &format!("ended{left}"));
    Ok(())
}

fn tasks(arguments: &SimulateArguments, seed: u64, json: bool) -> Tasks {
    let (longest, failures) = (arguments.wait_period, arguments.failures);
    let any = Task::new("*", move |invocation: Invocation| async move {
        let mut chance = chance(seed, &invocation);
        let fails = chance.f64() * 100.0 < failures;
        let took = Duration::from_secs_f64(chance.f64() * longest);
        let tell = |how: &str| {
            let (name, key, attempt) = (invocation.name(), invocation.key(), invocation.attempt());
            let attempt = if attempt > 1 { format!(", attempt {attempt}") } else { String::new() };
            note_as(
                json,
                "task",
                &format!("  {name} ({key}{attempt}) {how} after {:.3} s", took.as_secs_f64()),
            );
        };
        tokio::select! {
            biased;
            () = invocation.cancelled() => {
                tell("was to end");
                return Err(TaskError::for_good("it was cancelled"));
            }
            () = tokio::time::sleep(took) => {}
        }
        if fails {
            tell("failed");
            return Err(TaskError::new(format!("a simulated failure (--seed {seed})")));
        }
        tell("done");
        Ok(invocation.shared_input())
    });
    Builtin::SPACES.iter().fold(Tasks::new().with(any), |tasks, space| tasks.leaving(space))
}

/// The chance of an attempt at a step, the same wherever it is made.
fn chance(seed: u64, invocation: &Invocation) -> fastrand::Rng {
    let text = format!("{seed}/{}/{}", invocation.key(), invocation.attempt());
    // FNV-1a, which is the same on every machine.
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    fastrand::Rng::with_seed(hash)
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..=31_536_000.0).contains(&seconds) => Ok(seconds),
        _ => Err("a number of seconds from 0 to a year".to_owned()),
    }
}

fn percent(text: &str) -> Result<f64, String> {
    match text.trim_end_matches('%').parse::<f64>() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(percent),
        _ => Err("a number from 0 to 100".to_owned()),
    }
}
