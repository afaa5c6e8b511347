//! A loop that watches a town's water.
//!
//! Real hourly readings of a flow meter stream through Monitor, Analyze, Plan and Execute; the network they
//! act on is simulated.
//!
//! ```text
//! cargo run --example water_network                 # watch it
//! cargo run --example water_network -- --json       # only the summary, for programs
//! ```
#![allow(unreachable_pub, reason = "an example has no outside; what its modules share is `pub`")]

mod analyze;
mod args;
mod chart;
mod clean;
mod data;
mod detect;
mod expect;
mod hour;
mod network;
mod page;
mod paint;
mod plan;
mod screen;
mod sector;
mod summary;

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use clap::Parser;
use tokio::time::Instant;

use crate::analyze::Analyst;
use crate::args::Args;
use crate::clean::Cleaner;
use crate::detect::Limits;
use crate::network::{Network, Status};
use crate::paint::Paint;
use crate::plan::Planner;
use crate::screen::Screen;
use crate::summary::Summary;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let mut stdout = io::stdout();
    let watched = stdout.is_terminal() && !args.json;
    let started = Instant::now();
    let rows: Vec<_> = data::rows(&args.data)?.collect();
    let mut screen = watched.then(|| Screen::new(io::stdout(), rows.len()));
    let mut beat =
        args.pace(watched).map(|speed| tokio::time::interval(Duration::from_secs_f64(1.0 / speed)));

    let (mut cleaner, mut analyst, mut planner, mut network) =
        (Cleaner::default(), Analyst::default(), Planner::default(), Network::default());
    let mut summary = Summary::default();
    let mut status = Status::default();
    for row in rows {
        if let Some(beat) = &mut beat {
            beat.tick().await;
        }
        summary.sent += 1;
        match cleaner.check(row, status) {
            Ok(observation) => {
                let assessment = analyst.assess(observation, Limits::default());
                let outcome = network.execute(planner.decide(assessment, 6));
                status = outcome.status;
                summary.record(outcome);
            }
            Err(why) => summary.refuse(why),
        }
        if let Some(screen) = &mut screen {
            screen.show(&summary)?;
        }
    }
    summary.end();
    if let Some(screen) = &mut screen {
        screen.draw(&summary)?;
    }
    if args.json {
        writeln!(stdout, "{}", summary.json(started.elapsed())?)?;
    } else {
        let paint = Paint { colours: watched };
        write!(stdout, "{}", page::page(&summary, started.elapsed(), paint))?;
    }
    Ok(())
}
