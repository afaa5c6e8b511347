//! Writes points from a file to InfluxDB, or whatever has its interface.
//!
//! A line of the file is a point: `{"measurement": "water", "tags": {"sector": "north"}, "fields": {"flow": 42.5}, "time":
//! 1700000000000000000}`, its time in nanoseconds since 1970. Lines are read as they are written, so a file may be of any
//! size. It ends with 0 when the server has taken all points, else tells what was refused or lost, with its line, and ends
//! with 1. Points in which all fields are null are left out, and counted. Where everything is refused, or the server stays
//! away, the rest of the file is not read.
//!
//! ```text
//! cargo run --example influx_write -- --url http://localhost:8086 --org town --bucket water --token T --items points.jsonl
//! ```
#![allow(unreachable_pub, reason = "an example has no outside; what its modules share is `pub`")]

#[path = "influx_write/lines.rs"]
mod lines;
#[path = "influx_write/told.rs"]
mod told;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use futures::{FutureExt, SinkExt};
use mape::edge::influxdb::{Point, Precision};
use mape::edge::{InfluxServer, InfluxSink};

use crate::lines::{Lines, point};
use crate::told::Told;

/// Writes points from a file of JSON lines to InfluxDB 1.x, 2 or 3, or what has its interface.
#[derive(Parser)]
struct Args {
    /// The server, `HOST:PORT` or a URL.
    #[arg(long)]
    url: String,
    /// The organisation (InfluxDB 2).
    #[arg(long)]
    org: Option<String>,
    /// The bucket, or the database of an InfluxDB 1.x.
    #[arg(long)]
    bucket: Option<String>,
    /// The token (InfluxDB 2 and 3).
    #[arg(long)]
    token: Option<String>,
    /// The user (InfluxDB 1.x).
    #[arg(long)]
    username: Option<String>,
    /// The user's password.
    #[arg(long)]
    password: Option<String>,
    /// The file, a point a line; `-` is standard input.
    #[arg(long)]
    items: PathBuf,
    /// For how many seconds a server that is away or busy is asked again; one that is slow has all the time.
    #[arg(long, default_value_t = 60.0)]
    give_up_after: f64,
}

/// So many lines are read before others have their turn.
const TURN: u64 = 500;

#[tokio::main]
async fn main() -> ExitCode {
    match write(Args::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// What was read of the file.
#[derive(Debug, Default)]
struct Read {
    /// All of it was.
    whole: bool,
    empty: u64,
    /// Lines that are no points.
    bad: u64,
    points: u64,
    /// Points that no server would read as what they are.
    unwritable: u64,
}

/// Writes all points; whether all of them are stored.
async fn write(args: Args) -> anyhow::Result<bool> {
    let give_up_after = Duration::try_from_secs_f64(args.give_up_after).context("--give-up-after")?;
    let has_bucket = args.bucket.is_some();
    let name = args.items.display().to_string();
    let mut lines = Lines::open(&args.items)?;
    let mut sink = InfluxSink::<Point>::raw(&server(args)?).give_up_after(give_up_after);
    let stats = sink.stats();
    let told = Told::new(name, has_bucket, give_up_after);
    let (mut refusals, mut read) = (sink.refusals(), Read::default());
    let hopeless = tokio::select! {
        written = feed(&mut lines, &mut sink, &told, &mut read) => {
            written?;
            // What was refused last may not have been heard yet.
            told.hear(&mut refusals, &stats).now_or_never().transpose()?.is_some()
        }
        heard = told.hear(&mut refusals, &stats) => {
            heard?;
            true
        }
    };
    told.close()?;

    let lost = stats.dropped();
    // From now on nothing is written any more, and the other figures stay.
    drop(sink);
    let (written, skipped) = (stats.written(), stats.skipped());
    let refused = stats.refused() + read.unwritable;
    let rest = read.points.saturating_sub(written + refused + lost + skipped);
    let Read { empty, bad, .. } = read;
    let more = if read.whole { "" } else { "; the rest of the file was not read" };
    writeln!(
        io::stdout(),
        "{written} points written, {refused} refused, {lost} lost, {rest} not tried; {skipped} had no field, {bad} lines \
         are no points, {empty} are empty: {} lines{more}",
        lines.number
    )?;
    Ok(!hopeless && refused + lost + rest + bad == 0)
}

fn server(args: Args) -> anyhow::Result<InfluxServer> {
    let mut server = InfluxServer::new(&args.url)?;
    if let Some(org) = args.org {
        server = server.org(org);
    }
    if let Some(bucket) = args.bucket {
        server = server.bucket(bucket);
    }
    if let Some(token) = args.token {
        server = server.token(&token)?;
    }
    if let Some(username) = args.username {
        server = server.login(&username, &args.password.unwrap_or_default());
    }
    Ok(server)
}

/// Hands the points of the file on, and waits until they are written, refused or given up.
async fn feed(
    lines: &mut Lines,
    sink: &mut InfluxSink<Point>,
    told: &Told,
    read: &mut Read,
) -> anyhow::Result<()> {
    while let Some(line) = lines.next()? {
        let number = lines.number;
        if number.is_multiple_of(TURN) {
            tokio::task::yield_now().await;
        }
        let made = match line {
            Ok(line) if line.trim_ascii().is_empty() => {
                read.empty += 1;
                continue;
            }
            Ok(line) => point(&line),
            Err(reason) => Err(reason),
        };
        let point = match made {
            Ok(point) => point,
            Err(reason) => {
                read.bad += 1;
                told.say(number, &format!("this is no point: {reason}"))?;
                continue;
            }
        };
        read.points += 1;
        match point.line(Precision::Nanoseconds) {
            Ok(written) => {
                // To be found again should it be refused.
                told.remember(number, written.unwrap_or_default().as_bytes());
                sink.feed(point).await?;
            }
            Err(reason) => {
                read.unwritable += 1;
                told.say(number, &format!("refused: {reason}"))?;
            }
        }
    }
    read.whole = true;
    Ok(sink.close().await?)
}
