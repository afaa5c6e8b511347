//! A process among others that work as one live server: it does jobs, has jobs done, or watches, wherever that is.
//!
//! ```text
//!   live_node --does orders ─┐                  ┌─ live_node --ask orders --input 6
//!                            ├── redis-server ──┤
//!   live_node --does orders ─┘                  └─ live_node --when '** contains joe@doe.com'
//! ```
//!
//! With a Redis server, each in a terminal of its own:
//!
//! ```text
//! cargo run --example live_node -- --does orders
//! cargo run --example live_node -- --when '** contains joe@doe.com'
//! cargo run --example live_node -- --ask orders --input 6
//! ```
//!
//! Nobody here knows where anything is done. With `--keep`, the server knows of orders their mails and ids alone; who
//! watches is given all of each by the process that has it. Kill one that works: who asked it is told within four seconds.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program says on the terminal how it is")]

use std::process::ExitCode;
use std::time::Duration;

use clap::{Arg, ArgMatches, Command};
use mape::backend::Backend;
use mape::condition::Condition;
use mape::live::{Client, Delivery, Extract, Interest, Live, Viewer, answering};
use mape::prelude::*;
use serde_json::{Value, json};

/// Between two orders.
const PACE: Duration = Duration::from_millis(20);

fn main() -> ExitCode {
    let given = Command::new("live_node")
        .about("A process among others that work as one live server")
        .arg(Arg::new("backend").long("backend").value_name("URL").default_value("redis://127.0.0.1:6379"))
        .arg(
            Arg::new("does")
                .long("does")
                .value_name("NAME")
                .help("Does jobs of this name: as many orders as their input says"),
        )
        .arg(
            Arg::new("keep")
                .long("keep")
                .action(clap::ArgAction::SetTrue)
                .help("Keeps them, and tells others mails and ids alone"),
        )
        .arg(
            Arg::new("ask")
                .long("ask")
                .value_name("NAME")
                .help("Has a job done, and ends behind its last part"),
        )
        .arg(Arg::new("input").long("input").value_name("JSON").default_value("null").help("With this input"))
        .arg(Arg::new("when").long("when").value_name("CONDITION").help("Watches all parts that fulfil this"))
        .arg(
            Arg::new("since")
                .long("since")
                .value_name("POSITION")
                .help("Begins behind this place, at whichever process it was"),
        )
        .get_matches();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    match runtime.map_err(anyhow::Error::from).and_then(|runtime| runtime.block_on(run(&given))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(given: &ArgMatches) -> anyhow::Result<()> {
    let text = |name: &str| given.get_one::<String>(name).map(String::as_str);
    let app = App::with_backend(Backend::open(text("backend").unwrap_or_default()).await?);
    // On a server it is one among all that are there.
    let live = Live::new(&app);
    if let Some(name) = text("does") {
        does(&app, &live, name)?;
        if given.get_flag("keep") {
            live.extract(name, Extract::paths(["id", "customer.mail"]));
        }
    }
    live.ready().await;
    let client = live.connect(Viewer::default());
    if let Some(condition) = text("when") {
        let since = text("since").map(str::parse).transpose()?;
        let stated = client.state("watched", Interest::when(Condition::parse(condition)?), since.as_ref())?;
        eprintln!("recovered: {:?}", stated.recovered);
    }
    // The place in the order of all; another process goes on from there with `--since`.
    eprintln!("ready: at {}", live.position());
    if let Some(name) = text("ask") {
        while let Err(error) =
            client.ask(name, serde_json::from_str::<Value>(text("input").unwrap_or_default())?)
        {
            eprintln!("waits: {error}");
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        if text("when").is_none() {
            client.close_when_done();
        }
    } else if text("when").is_none() {
        tokio::signal::ctrl_c().await?;
    }
    show(client).await;
    live.flush().await;
    live.close();
    Ok(())
}

/// Does jobs: orders, as many as their input says.
fn does(app: &App, live: &Live, name: &str) -> anyhow::Result<()> {
    let orders = answering(|job, parts| async move {
        for n in 0..job.input_as::<u64>()? {
            let mail = if n % 2 == 0 { "joe@doe.com" } else { "jane@doe.com" };
            let order = json!({"id": n, "customer": {"mail": mail}, "by": std::process::id(), "notes": "…"});
            parts.send(order).await?;
            tokio::time::sleep(PACE).await;
        }
        Ok::<(), BoxError>(())
    });
    let element = app.create_loop("shop")?.execute(name).each_unordered(64, orders).spawn()?;
    live.job(name, &element)?;
    Ok(())
}

/// Prints what the client is told, a line each.
async fn show(mut client: Client) {
    while let Some(told) = client.next().await {
        match told {
            Delivery::Part(part) => println!("{}", part.json()),
            Delivery::Ended { job, parts, .. } => {
                println!("{}", json!({"job": job, "end": true, "parts": parts}));
            }
            Delivery::Missed { count } => println!("{}", json!({"missed": count})),
            _ => {}
        }
    }
}
