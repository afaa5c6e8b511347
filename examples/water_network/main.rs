//! A loop that watches a town's water and acts on its network.
//!
//! Real hourly readings of a flow meter stream through four elements; the network they act on is simulated.
//!
//! ```text
//!            Monitor ──▶ Analyze ──▶ Plan ──▶ Execute
//!            clean.rs    detect.rs   plan.rs  network.rs
//!              ▲           ▲  │                  │
//!   data.rs ───┤           │  ▼                  │
//!              │     knowledge: expect.rs        │
//!              └─────── what the network reports ┘
//! ```
//!
//! Analyze learns what to expect of each hour, and finds spells of loss and surplus without being told of any; Plan
//! answers them, but not twice; `water_loop.rs` joins it all. With `influxdb.url` in the configuration, what it measures,
//! plans and does is written there: `metering.rs`.
//!
//! ```text
//! cargo run --example water_network                 # watch two months in 35 seconds, also in a browser
//! cargo run --example water_network -- --stay --speed 5    # more slowly, and the browser's page stays
//! cargo run --example water_network -- --json       # only the summary, as one line for programs
//! ```
#![allow(unreachable_pub, reason = "an example has no outside; what its modules share is `pub`")]

mod analyze;
mod args;
mod chart;
mod clean;
mod data;
mod detect;
mod expect;
mod goals;
mod hour;
mod metering;
mod network;
mod page;
mod paint;
mod plan;
mod screen;
mod sector;
mod summary;
mod water_loop;

use std::future::pending;
use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;
use std::time::Duration;

use clap::Parser;
use mape::config::Config;
use mape::element::Signals;
use mape::http::{Error, Serving};
use mape::prelude::*;
use tokio::time::Instant;

use crate::args::Args;
use crate::metering::Metering;
use crate::network::Outcome;
use crate::paint::Paint;
use crate::screen::Screen;
use crate::summary::Summary;
use crate::water_loop::WaterLoop;

/// How long the elements may take to finish what they have after Ctrl-C.
const FINISH_WITHIN: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let watched = io::stdout().is_terminal() && !args.json;
    let rows: Vec<_> = data::rows(&args.data)?.collect();
    let mut screen = watched.then(|| Screen::new(io::stdout(), rows.len()));

    let started = Instant::now();
    let app = App::new();
    let water = WaterLoop::new(&app)?;
    let console = serve(&app, args.listen.as_deref()).await?;
    writeln!(io::stderr(), "the console is at {}", console.url())?;
    let results = water.results();
    let (verdicts, goals) = goals::watch(&app, water.outcomes())?;
    let mut metering = Metering::configured(Config::load()?.get("influxdb")?)?;
    if let Some(metering) = &mut metering {
        metering.follow(&water)?;
        metering.follow_goals(&goals)?;
    }
    water.feed(rows, args.pace(watched))?;
    // Of the data; who stays to look at the console does so for as long as they like.
    let took = OnceLock::new();
    let end = async {
        water.ended().await;
        took.get_or_init(|| started.elapsed());
        if args.stay {
            let _ = writeln!(io::stderr(), "all readings are in; the console stays until Ctrl-C");
            pending::<()>().await;
        }
    };
    let (shutdown, summary, goals) = tokio::join!(
        app.run_until(end, FINISH_WITHIN),
        follow(results, screen.as_mut()),
        goals::follow(verdicts)
    );
    let took = *took.get_or_init(|| started.elapsed());
    console.close(FINISH_WITHIN).await;

    if let Some(metering) = metering {
        writeln!(io::stderr(), "{}", metering.summary())?;
    }
    let mut summary = summary?.end(water.sent());
    summary.learnt = water.learnt().await?;
    summary.goals = goals;
    for late in &shutdown.unfinished {
        writeln!(io::stderr(), "{late}")?;
    }
    if args.json {
        for why in &summary.refused {
            writeln!(io::stderr(), "{why}")?;
        }
        writeln!(io::stdout(), "{}", summary.json(took)?)?;
    } else {
        let page = page::page(&summary, took, Paint { colours: watched });
        write!(io::stdout(), "{page}")?;
    }
    Ok(())
}

/// Serves the console and the API; where nobody has said it, on another port if the usual one is taken.
async fn serve(app: &App, address: Option<&str>) -> anyhow::Result<Serving> {
    match app.serve(address.unwrap_or("127.0.0.1:6060")).await {
        Err(Error::Listen { .. }) if address.is_none() => Ok(app.serve("127.0.0.1:0").await?),
        served => Ok(served?),
    }
}

/// Takes down what comes of the rows, and shows it to whoever watches.
async fn follow(
    mut results: Signals<Outcome>,
    mut screen: Option<&mut Screen<io::Stdout>>,
) -> anyhow::Result<Summary> {
    let mut summary = Summary::default();
    while let Some(result) = results.next().await {
        match result {
            Ok(outcome) => summary.record(outcome),
            Err(error) => summary.refuse(error.to_string()),
        }
        if let Some(screen) = &mut screen {
            screen.show(&summary)?;
        }
    }
    if let Some(screen) = screen {
        screen.draw(&summary)?;
    }
    Ok(summary)
}
