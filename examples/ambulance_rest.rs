//! A car and an ambulance on two machines, with nothing between them: the car posts what it detects to the ambulance.
//!
//! ```text
//!     car_panda                                            ambulance, on port 6060
//!     detect ──▶ POST /loops/ambulance/elements/policy ──▶ policy ──▶ exec ──▶ speed, siren
//! ```
//!
//! The car knows where the ambulance is, and which of its ports is meant. They may be started in any order: what the car
//! detects waits until somebody takes it.
//!
//! ```text
//! cargo run --example ambulance_rest -- --role ambulance
//! cargo run --example ambulance_rest -- --role car_panda
//! cargo run --example ambulance_rest -- --demo      # both in this process
//! ```
//!
//! With the ambulance alone, anyone can be the car:
//! `curl -d true 'http://127.0.0.1:6060/loops/ambulance/elements/policy'`
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example shows what it does")]

use std::fmt::Display;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Arg, ArgAction, ArgMatches, value_parser};
use mape::edge::PostSink;
use mape::http::Serving;
use mape::prelude::*;
use serde::Serialize;

/// Where the ambulance is, unless somebody says otherwise.
const AMBULANCE: &str = "127.0.0.1:6060";
/// How long the ambulance may take to finish at the end.
const FAREWELL: Duration = Duration::from_secs(5);

/// What the plan asks of the ambulance; others can see it at its port.
#[derive(Clone, Serialize)]
enum Command {
    Speed(u32),
    Siren(bool),
}

fn main() -> ExitCode {
    let role = Arg::new("role").long("role").value_parser(["car_panda", "ambulance"]);
    let listen = Arg::new("listen").long("listen").value_name("HOST:PORT").default_value(AMBULANCE);
    let to = Arg::new("to").long("to").value_name("HOST:PORT").default_value(AMBULANCE);
    let seconds = Arg::new("seconds").long("seconds").value_name("N").default_value("60");
    let demo = Arg::new("demo").long("demo").action(ArgAction::SetTrue).conflicts_with("role");
    let given = clap::Command::new("ambulance_rest")
        .about("A car tells an ambulance of emergencies, over REST")
        .arg(role.required_unless_present("demo").help("Who this process is"))
        .arg(listen.help("Where the ambulance listens"))
        .arg(to.help("Where the car finds the ambulance"))
        .arg(seconds.value_parser(value_parser!(u64)).help("Give up if it is not at its end by then"))
        .arg(demo.help("Both roles in this process, on a free port"))
        .get_matches();
    match play(&given) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn play(given: &ArgMatches) -> anyhow::Result<()> {
    let text = |name| given.get_one::<String>(name).map_or("", String::as_str);
    let within = Duration::from_secs(given.get_one("seconds").copied().unwrap_or_default());
    let played = async {
        match text("role") {
            "ambulance" => {
                let ambulance = Ambulance::serve(text("listen")).await?;
                say("ambulance", format_args!("listens on {}", ambulance.serving.url()));
                ambulance.drive().await
            }
            "car_panda" => car_panda(text("to")).await,
            _ => {
                let ambulance = Ambulance::serve("127.0.0.1:0").await?;
                let url = ambulance.serving.url();
                tokio::try_join!(car_panda(&url), ambulance.drive()).map(drop)
            }
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        tokio::select! {
            played = played => played,
            _ = tokio::signal::ctrl_c() => Ok(()),
            () = tokio::time::sleep(within) => bail!("not at its end after {within:?}: is the other one there?"),
        }
    })
}

fn say(who: &str, what: impl Display) {
    println!("{who:<9}  {what}");
}

/// Tells what it detects.
async fn car_panda(ambulance: &str) -> anyhow::Result<()> {
    let app = App::new();
    let detect = app.create_loop("car_panda")?.monitor("detect").map(|emergency: bool| emergency).spawn()?;
    // The end of the car is posted, too.
    let sink = PostSink::new(ambulance, "ambulance.policy")?.completing();
    let stats = sink.stats();
    detect.link_sink(sink, LinkOptions::new())?;

    detect.start()?;
    for emergency in [false, false, true, true, false] {
        say("car_panda", if emergency { "emergency!" } else { "all quiet" });
        detect.push(emergency).await?;
        tokio::time::sleep(Duration::from_millis(250)).await;
        if let (Some(error), 1..) = (stats.last_error(), stats.queued()) {
            say("car_panda", format_args!("{} wait: {error}", stats.queued()));
        }
    }
    detect.complete();
    // What waits for the ambulance has as much time as the whole program, and more.
    finish(&app, Duration::from_hours(1)).await?;
    match stats.last_error() {
        Some(error) if stats.refused() > 0 => bail!("{} were refused: {error}", stats.refused()),
        _ => Ok(()),
    }
}

/// Drives as the car's emergencies ask it to.
struct Ambulance {
    app: App,
    serving: Serving,
    exec: Element<Command, ()>,
}

impl Ambulance {
    /// Makes its loop, and lets others push into its plan.
    async fn serve(address: &str) -> anyhow::Result<Self> {
        let app = App::new();
        let ambulance = app.create_loop("ambulance")?;

        // Only news is worth a plan.
        let emergency_speed = Parameter::new("emergency_speed", 180).within(80..=200);
        let policy = ambulance
            .plan("policy")
            .parameter(&emergency_speed)
            .ops_in(|emergencies| emergencies.distinct_until_changed())
            .each(move |emergency: bool, out| {
                out.emit(Command::Speed(if emergency { emergency_speed.get() } else { 80 }));
                out.emit(Command::Siren(emergency));
            })
            .spawn()?;
        let exec = ambulance
            .execute("exec")
            .act(|command: Command| match command {
                Command::Speed(kmh) => say("ambulance", format_args!("speed {kmh} km/h")),
                Command::Siren(on) => {
                    say("ambulance", format_args!("siren {}", if on { "ON" } else { "OFF" }));
                }
            })
            .spawn()?;
        policy.link(&exec)?;
        policy.expose();
        let serving = app.serve(address).await.with_context(|| format!("listening on {address}"))?;
        Ok(Self { app, serving, exec })
    }

    /// Until the car has ended. Of many cars, none would tell that it ends.
    async fn drive(self) -> anyhow::Result<()> {
        self.exec.subscribe().count().await;
        self.serving.close(FAREWELL).await;
        finish(&self.app, FAREWELL).await
    }
}

/// Lets the elements work off what they have, and their sinks post it.
async fn finish(app: &App, limit: Duration) -> anyhow::Result<()> {
    match app.shutdown(limit).await.unfinished.first() {
        Some(late) => bail!("{late}"),
        None => Ok(()),
    }
}
