//! One loop with one Execute element, which appends what is posted to it to a file: an item a line, as JSON; an error as
//! a line with `error` in it.
//!
//! ```text
//! cargo run --example port_to_file -- --listen 127.0.0.1:6060 --loop store --element append --out items.ndjson
//! curl -d '{"speed": 42}' http://127.0.0.1:6060/loops/store/elements/append
//! curl -d '"flat tyre"' 'http://127.0.0.1:6060/loops/store/elements/append?notification=error'
//! ```
//!
//! It ends with Ctrl-C or SIGTERM; what was accepted is in the file by then.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program says on the terminal how it is")]

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Arg, ArgMatches, value_parser};
use mape::element::{ElementError, ErrorKind, Event, ReportedValue};
use mape::prelude::*;
use serde_json::{Value, json};

/// How long what is under way may take after a signal to end.
const FAREWELL: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    let argument = |name: &'static str, value: &'static str| Arg::new(name).long(name).value_name(value);
    let given = clap::Command::new("port_to_file")
        .about("Appends what is posted to an element to a file")
        .arg(argument("listen", "HOST:PORT").default_value("127.0.0.1:6060").help("Where to listen"))
        .arg(argument("loop", "UID").default_value("store").help("The loop"))
        .arg(argument("element", "UID").default_value("append").help("Its element"))
        .arg(argument("out", "FILE").required(true).value_parser(value_parser!(PathBuf)).help("The file"))
        .get_matches();
    match run(&given) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(given: &ArgMatches) -> anyhow::Result<()> {
    let text = |name| given.get_one::<String>(name).map_or("", String::as_str);
    let out = given.get_one::<PathBuf>("out").context("--out is missing")?;
    let file = OpenOptions::new().create(true).append(true).open(out);
    let file = file.with_context(|| format!("opening {}", out.display()))?;

    let app = App::new();
    let append = app.create_loop(text("loop"))?.execute(text("element")).map(|item: Value| item).spawn()?;
    // Items and errors in the order in which they came.
    append.link_signals(lines_of(file), LinkOptions::new())?;
    append.expose();
    let mut events = app.events();

    let serving = app.serve(text("listen")).await?;
    println!("{}/loops/{}/elements/{}", serving.url(), text("loop"), text("element"));
    let ended = tokio::select! {
        () = told_to_end() => Ok(()),
        lost = lost(&mut events, &append) => Err(lost),
    };
    // Whoever was told that his item is accepted finds it in the file: first no more come in, then all are worked off.
    serving.close(FAREWELL).await;
    match app.shutdown(FAREWELL).await.unfinished.first() {
        Some(late) => bail!("not all is in the file: {late}"),
        None => ended.map_err(|error| anyhow::anyhow!("{}: {error}", out.display())),
    }
}

/// Writes each signal as a line, at once.
fn lines_of(file: File) -> impl futures::Sink<Result<Value, Arc<ElementError>>, Error = std::io::Error> {
    futures::sink::unfold(file, |mut file, signal: Result<Value, Arc<ElementError>>| async move {
        let line = match signal {
            Ok(item) => item,
            Err(error) => json!({"error": reported(&error)}),
        };
        file.write_all(format!("{line}\n").as_bytes())?;
        file.flush()?;
        Ok(file)
    })
}

/// What was posted as an error.
fn reported(error: &ElementError) -> Value {
    match &error.kind {
        ErrorKind::Reported(reported) => match reported.downcast_ref::<ReportedValue>() {
            Some(posted) => posted.value().clone(),
            None => reported.to_string().into(),
        },
        other => other.to_string().into(),
    }
}

/// Waits until the file can't be written any more.
async fn lost(
    events: &mut (impl futures::Stream<Item = Event> + Unpin),
    append: &Element<Value, Value>,
) -> Arc<ElementError> {
    loop {
        match events.next().await {
            Some(Event::Error(error)) if matches!(error.kind, ErrorKind::SinkLost(_)) => return error,
            // The file is closed then: nothing may be accepted any more, also after another start.
            Some(Event::State { path, state: State::Completed }) if path == append.path() => append.dispose(),
            Some(_) => {}
            None => std::future::pending().await,
        }
    }
}

async fn told_to_end() {
    #[cfg(unix)]
    if let Ok(mut term) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        tokio::select! {
            _ = term.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        return;
    }
    let _ = tokio::signal::ctrl_c().await;
}
