//! One trace from a sensor to an effector, through three processes.
//!
//! ```text
//!     sensor                         planner, on port 6070                effector
//!     speed ──▶ POST /loops/plan/elements/policy ──▶ policy ──▶ log `commands` ──▶ limit
//! ```
//!
//! What travels is a `Message`: it carries its trace, so that each step is a span behind the one before, wherever it is
//! done. With a collector of OpenTelemetry (such as Jaeger, `docker run -p 16686:16686 -p 4318:4318 jaegertracing/jaeger`)
//! and a Redis server:
//!
//! ```text
//! export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318
//! cargo run --features otel --example traced_pipeline -- --role effector
//! cargo run --features otel --example traced_pipeline -- --role planner
//! cargo run --features otel --example traced_pipeline -- --role sensor
//! cargo run --features otel --example traced_pipeline -- --demo      # all three in this process, in memory
//! ```
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example shows what it does")]

use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use clap::{Arg, ArgAction, ArgMatches, value_parser};
use futures::StreamExt;
use mape::backend::Backend;
use mape::config::Config;
use mape::edge::PostSink;
use mape::element::Message;
use mape::http::Serving;
use mape::prelude::*;
use mape::telemetry::Reporting;

/// What the sensor measures, in km/h.
const SPEEDS: [f64; 4] = [48.0, 63.5, 50.0, 91.0];
/// The log of commands.
const COMMANDS: &str = "commands";
/// How long those who are done may take to end.
const FAREWELL: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    let role = Arg::new("role").long("role").value_parser(["sensor", "planner", "effector"]);
    let backend = Arg::new("backend").long("backend").value_name("URL");
    let planner = Arg::new("planner").long("planner").value_name("HOST:PORT").default_value("127.0.0.1:6070");
    let seconds = Arg::new("seconds").long("seconds").value_name("N").default_value("60");
    let demo = Arg::new("demo").long("demo").action(ArgAction::SetTrue).conflicts_with("role");
    let given = clap::Command::new("traced_pipeline")
        .about("One trace from a sensor to an effector, through three processes")
        .arg(role.required_unless_present("demo").help("Who this process is"))
        .arg(backend.default_value("redis://127.0.0.1:6379").help("Where the commands are"))
        .arg(planner.help("Where the planner listens"))
        .arg(seconds.value_parser(value_parser!(u64)).help("Give up if it is not at its end by then"))
        .arg(demo.help("All roles in this process"))
        .get_matches();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    match runtime.block_on(play(&given)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {error:#}");
    ExitCode::FAILURE
}

async fn play(given: &ArgMatches) -> anyhow::Result<()> {
    let text = |name| given.get_one::<String>(name).map_or("", String::as_str);
    let within = Duration::from_secs(given.get_one("seconds").copied().unwrap_or_default());
    let (role, planner) = (text("role"), text("planner"));

    // The log, and where traces go: of the environment, such as OTEL_EXPORTER_OTLP_ENDPOINT.
    let mut config = Config::builder().without_file().build()?;
    if !role.is_empty() {
        config.set("telemetry.service_name", role)?;
    }
    let reports = Reporting::configured(&config.telemetry)?.start()?;

    let played = async {
        if role.is_empty() {
            let backend = Backend::open("memory:").await?;
            let listening = Planner::listen(&backend, "127.0.0.1:0").await?;
            let url = listening.serving.url();
            tokio::try_join!(effector(&backend), listening.plan(), sensor(&url)).map(drop)
        } else if role == "sensor" {
            sensor(planner).await
        } else {
            let backend = Backend::open(text("backend")).await?;
            match role {
                "planner" => Planner::listen(&backend, planner).await?.plan().await?,
                _ => effector(&backend).await?,
            }
            backend.close().await;
            Ok(())
        }
    };
    let done = tokio::select! {
        played = played => played,
        () = tokio::time::sleep(within) => bail!("not at its end after {within:?}: are the others there?"),
    };
    // What was recorded last is still to be sent.
    reports.close().await;
    done
}

/// Measures, and tells the planner.
async fn sensor(planner: &str) -> anyhow::Result<()> {
    let app = App::new();
    let speed = app.create_loop("car")?.monitor("speed").map_message(|kmh: &f64| *kmh).spawn()?;
    speed.link_sink(PostSink::new(planner, "plan.policy")?.completing(), LinkOptions::new())?;
    speed.start()?;
    for kmh in SPEEDS {
        println!("sensor     {kmh} km/h");
        speed.push(Message::new(kmh)).await?;
    }
    speed.complete();
    finish(&app).await
}

/// Decides what is to be done about a speed.
struct Planner {
    app: App,
    policy: Element<Message<f64>, Message<f64>>,
    serving: Serving,
}

impl Planner {
    async fn listen(backend: &Backend, address: &str) -> anyhow::Result<Self> {
        let app = App::with_backend(backend.clone());
        let policy =
            app.create_loop("plan")?.plan("policy").map_message(|kmh: &f64| kmh.min(50.0)).spawn()?;
        policy.expose();
        policy.link_sink(app.logs().log(COMMANDS).sink("limit"), LinkOptions::new())?;
        let serving = app.serve(address).await?;
        println!("planner    listens on {}", serving.url());
        Ok(Self { app, policy, serving })
    }

    /// Until the sensor has ended.
    async fn plan(self) -> anyhow::Result<()> {
        self.policy.subscribe().count().await;
        self.serving.close(FAREWELL).await;
        finish(&self.app).await
    }
}

/// Does what was decided.
async fn effector(backend: &Backend) -> anyhow::Result<()> {
    let app = App::with_backend(backend.clone());
    let limit = app
        .create_loop("engine")?
        .execute("limit")
        .map_message(|kmh: &f64| println!("effector   at most {kmh} km/h"))
        .spawn()?;
    let source = app.logs().log(COMMANDS).group("effectors").source::<Message<f64>>().await?;
    let left = source.left();
    let commands = source.take(SPEEDS.len()).filter_map(|delivery| async {
        let delivery = delivery.ok()?;
        delivery.acknowledge();
        // It goes on behind the span in which it came.
        Some(Message::clone(&delivery))
    });
    let mut done = limit.subscribe();
    limit.feed(commands);
    for _ in SPEEDS {
        done.next().await;
    }
    finish(&app).await?;
    left.await;
    Ok(())
}

async fn finish(app: &App) -> anyhow::Result<()> {
    match app.shutdown(FAREWELL).await.unfinished.first() {
        Some(late) => bail!("{late}"),
        None => Ok(()),
    }
}
