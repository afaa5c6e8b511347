//! Two cars keep their speeds; a loop above them decides which.
//!
//! ```text
//!   level convoy            convoy: schedule the lead's speed, keep the follower's gap
//!                          ╱                    ╲  calls of `cruise_control`
//!   level cars         lead                   follower
//!                 speed, error, pid, throttle around a simulated car
//! ```
//!
//! Every element here could drive a real car in real time: it waits for ticks of tokio's clock. The program pauses that
//! clock (`start_paused`, tokio's feature `test-util`), so that time passes only when every element has done its work
//! and waits. Three minutes of driving then take a moment, and every run is the same. The other way, items that say
//! "a tick has passed", would put the simulation into every element.
//!
//! ```text
//! cargo run --example cruise_control                  # drives, prints figures, draws a chart
//! cargo run --example cruise_control -- --topology    # also shows the loops as they were at the end
//! ```
#![allow(unreachable_pub, reason = "an example has no outside; what its modules share is `pub`")]

mod car;
mod chart;
mod convoy;
mod cruise;
mod pid;
mod report;
mod road;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use mape::app::{Finding, Shutdown, Topology};
use mape::prelude::*;

use crate::car::Car;
use crate::cruise::Cruise;
use crate::report::{Record, Report};

const DRIVE: Duration = Duration::from_mins(3);

/// Drives two simulated cars for three minutes and draws how.
#[derive(Debug, Parser)]
#[command(name = "cruise_control")]
struct Args {
    /// Where to write the chart
    #[arg(long, value_name = "FILE", default_value = "target/cruise_control.svg")]
    out: PathBuf,

    /// Also print the loops, elements and links, with what they counted
    #[arg(long)]
    topology: bool,
}

/// All there is to tell of a drive.
#[derive(Debug)]
struct Driven {
    record: Record,
    findings: Vec<Finding>,
    topology: Topology,
    shutdown: Shutdown,
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let driven = drive(DRIVE).await?;
    let mut out = io::stdout().lock();
    if args.topology {
        writeln!(out, "{}", driven.topology)?;
    }
    writeln!(out, "{}", Report::of(&driven.record))?;
    for finding in &driven.findings {
        writeln!(out, "  wiring    {finding}")?;
    }
    for late in &driven.shutdown.unfinished {
        writeln!(out, "  at the end {late}")?;
    }
    save(&args.out, &chart::svg(&driven.record))
        .with_context(|| format!("writing the chart to {}", args.out.display()))?;
    writeln!(out, "  chart     {}", args.out.display())?;
    Ok(())
}

fn save(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, text)
}

/// Makes the three loops, lets them drive for a while, and takes down what happens.
async fn drive(during: Duration) -> anyhow::Result<Driven> {
    let app = App::new();
    let cars = app.level("cars")?;
    let lead = Cruise::new(&cars, "lead", Car::parked_at(9.5))?;
    let follower = Cruise::new(&cars, "follower", Car::parked_at(0.0))?;
    convoy::supervise(&app.level("convoy")?, &lead, &follower)?;

    let findings = app.check();
    let (on_lead, on_follower) = (lead.error.subscribe(), follower.error.subscribe());
    lead.start().await?;
    follower.start().await?;

    let end = async {
        tokio::time::sleep(during).await;
        let topology = app.topology();
        (topology, app.shutdown(Duration::from_secs(1)).await)
    };
    let ((topology, shutdown), lead, follower) = tokio::join!(end, on_lead.collect(), on_follower.collect());
    Ok(Driven { record: Record { lead, follower }, findings, topology, shutdown })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn every_run_is_the_same() {
        let first = drive(DRIVE).await.unwrap().record;
        let second = drive(DRIVE).await.unwrap().record;
        assert_eq!(first.lead.len(), 1800);
        assert_eq!(first, second);
    }

    #[tokio::test(start_paused = true)]
    async fn every_speed_is_reached_soon_and_hardly_overshot() {
        let report = Report::of(&drive(DRIVE).await.unwrap().record);
        assert_eq!(report.steps.len(), 4);
        for step in &report.steps {
            assert!(step.settled_after_s.is_some_and(|after| after < 15.0), "{step:?}");
            assert!(step.overshoot_kmh < 2.5, "{step:?}");
        }
        assert!(report.on_slopes_kmh < 2.0, "{report}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_follower_keeps_its_gap() {
        let report = Report::of(&drive(DRIVE).await.unwrap().record);
        assert!(report.closest_m > 4.0, "{report}");
        assert!(report.gap_error_m < 4.0, "{report}");
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_wrong_with_the_wiring_and_nothing_is_lost_on_the_way() {
        let driven = drive(DRIVE).await.unwrap();
        assert_eq!(driven.findings, []);
        assert!(driven.shutdown.is_clean(), "{:?}", driven.shutdown);
        for element in driven.topology.elements() {
            assert_eq!((element.info.errors, element.info.input.dropped), (0, 0), "{element}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_speed_that_no_car_may_have_is_refused_and_the_old_one_stays() {
        let app = App::new();
        let cruise = Cruise::new(&app.level("cars").unwrap(), "lead", Car::parked_at(0.0)).unwrap();
        cruise.error.call::<()>("cruise_control", 50.0).await.unwrap();
        assert!(cruise.error.call::<()>("cruise_control", 500.0).await.is_err());
        let target_kmh: f64 = app.get("lead.error").unwrap().get_parameter("target_kmh").unwrap();
        assert!((target_kmh - 50.0).abs() < 1e-9);
    }

    #[tokio::test(start_paused = true)]
    async fn the_chart_has_every_line() {
        let chart = chart::svg(&drive(DRIVE).await.unwrap().record);
        assert_eq!((chart.matches("<polyline").count(), chart.matches("<polygon").count()), (10, 1));
        assert!(chart.ends_with("</svg>\n") && !chart.contains("NaN"));
    }
}
