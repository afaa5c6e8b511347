//! Where the worker programs stand: their arguments, the backend, and the signals that end them.
#![allow(clippy::print_stderr, reason = "a program says on the terminal how it is")]
#![allow(unreachable_pub, reason = "an example has no outside; what its modules share is `pub`")]

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::{Arg, ArgMatches, Command, value_parser};
use mape::backend::{Backend, Options};
use mape::config::{Config, Server};
use mape::prelude::*;
use mape::workflow::Worker;

/// Where a server is unless somebody says otherwise.
const BACKEND: &str = "redis://127.0.0.1:6379";
/// How long what is in work may take after a signal to end.
const FAREWELL: Duration = Duration::from_secs(30);

/// Adds the arguments that all of them have.
pub fn arguments(command: Command) -> Command {
    let backend = Arg::new("backend").long("backend").value_name("URL");
    let concurrency = Arg::new("concurrency").long("concurrency").value_name("N").default_value("4");
    command
        .arg(backend.help(format!("Where the runs are [default: $REDIS_HOST and its like, else {BACKEND}]")))
        .arg(concurrency.value_parser(value_parser!(usize)).help("How many tasks it works on at a time"))
}

/// Works until Ctrl-C or SIGTERM; then finishes what is in work, and leaves the rest to others.
///
/// Exit codes: 0 when it was told to end, 1 if it could not begin, 2 for wrong arguments.
pub fn run(given: &ArgMatches, worker: Worker) -> ExitCode {
    end(runtime(work(given, worker)))
}

/// The exit code of a program that has come to this end.
pub fn end(ended: anyhow::Result<()>) -> ExitCode {
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs a program to its end.
pub fn runtime<R>(program: impl Future<Output = anyhow::Result<R>>) -> anyhow::Result<R> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(program)
}

async fn work(given: &ArgMatches, worker: Worker) -> anyhow::Result<()> {
    // Heard from now on, so that none is lost.
    let told_to_end = told_to_end()?;
    let app = App::with_backend(backend(given.get_one::<String>("backend")).await?);
    let concurrency = given.get_one("concurrency").copied().unwrap_or(1);
    let worker = worker.concurrency(concurrency).start(&app).await?;
    let (group, log) = (worker.group().name(), worker.group().log().name());
    let tasks: Vec<_> = worker.tasks().iter().map(|task| task.name()).collect();
    eprintln!("ready: group `{group}` of `{log}`, tasks {}", tasks.join(", "));
    told_to_end.await;
    eprintln!("ending: {} in work", worker.in_hand());
    match worker.drain_within(FAREWELL).await {
        0 => eprintln!("ended"),
        left => eprintln!("ended; {left} left to others after {FAREWELL:?}"),
    }
    Ok(())
}

/// The backend as the options, the environment and `config.yaml` name it.
async fn backend(url: Option<&String>) -> anyhow::Result<Backend> {
    let builder = Config::builder().server(Server::default());
    let builder = match url {
        Some(url) => builder.option("--backend", "backend.url", url),
        None => builder,
    };
    let config = builder.build()?;
    let url = config.backend.url.as_ref().map_or(BACKEND, |url| url.expose());
    let mut options = Options::default();
    options.username.clone_from(&config.backend.username);
    options.password = config.backend.password.as_ref().map(|password| password.expose().to_owned());
    options.ca_file.clone_from(&config.backend.ca_file);
    options.prefix.clone_from(&config.backend.prefix);
    Ok(Backend::open_with(url, options).await?)
}

fn told_to_end() -> anyhow::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    let mut term = {
        use tokio::signal::unix::{SignalKind, signal};
        signal(SignalKind::terminate()).context("listening to signals")?
    };
    Ok(async move {
        #[cfg(unix)]
        tokio::select! {
            _ = term.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
    })
}
