//! Writes points from a file to InfluxDB, or whatever has its interface.
//!
//! A line of the file is a point: `{"measurement": "water", "tags": {"sector": "north"}, "fields": {"flow": 42.5}, "time":
//! 1700000000000000000}`, its time in nanoseconds since 1970. Lines are read as they are written, so a file may be of any
//! size. It ends with 0 when all points are stored, else tells what was refused or lost and ends with 1. Points in which
//! all fields are null are left out, and counted.
//!
//! ```text
//! cargo run --example influx_write -- --url http://localhost:8086 --org town --bucket water --token T --items points.jsonl
//! ```

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use futures::{SinkExt, StreamExt};
use mape::edge::influxdb::Point;
use mape::edge::{Error, InfluxServer, InfluxSink, Refusal};
use mape::stream::{Lossy, LossyReceiver};

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

/// The longest line that is read.
const LONGEST: u64 = 16 * 1024 * 1024;
/// So many refusals are told one by one.
const TOLD: usize = 20;

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

/// Writes all points; whether all of them are stored.
async fn write(args: Args) -> anyhow::Result<bool> {
    let give_up_after = Duration::try_from_secs_f64(args.give_up_after).context("--give-up-after")?;
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
    let mut sink = InfluxSink::<Point>::raw(&server).give_up_after(give_up_after);
    let mut told = Told { refusals: sink.refusals(), count: 0, is_hopeless: false };
    let stats = sink.stats();

    let mut lines = Lines::open(&args.items)?;
    let mut bad = 0_u64;
    while let Some(line) = lines.next()? {
        match line.and_then(|line| serde_json::from_slice::<Point>(&line).map_err(|error| error.to_string()))
        {
            Ok(point) => sink.feed(point).await?,
            Err(reason) => {
                bad += 1;
                told.say(&format!("{}:{}: this is no point: {reason}", args.items.display(), lines.number))?;
            }
        }
        told.hear()?;
        if told.is_hopeless {
            break;
        }
    }
    if told.is_hopeless {
        writeln!(io::stderr(), "it is no use to go on: the rest was not tried")?;
    } else {
        sink.close().await?;
        told.hear()?;
    }

    let (written, refused, lost, skipped) =
        (stats.written(), stats.refused(), stats.dropped(), stats.skipped());
    let rest = stats.queued();
    let (all, said) = (
        refused + lost + bad + rest as u64 == 0 && !told.is_hopeless,
        format!(
            "{written} points written, {refused} refused, {lost} lost, {rest} not tried; {skipped} had no field, {bad} lines are no points"
        ),
    );
    writeln!(io::stdout(), "{said}")?;
    Ok(all)
}

/// What is told of what goes wrong.
struct Told {
    refusals: LossyReceiver<Refusal>,
    count: usize,
    /// The server wants none of it, or is not there.
    is_hopeless: bool,
}

impl Told {
    fn hear(&mut self) -> io::Result<()> {
        while let Some(Some(next)) = futures::FutureExt::now_or_never(self.refusals.next()) {
            let refusal = match next {
                Lossy::Item(refusal) => refusal,
                Lossy::Missed(count) => {
                    self.say(&format!("{count} more"))?;
                    continue;
                }
            };
            let for_all = matches!(refusal.error, Error::Answered { status: 401 | 403 | 404, .. });
            self.is_hopeless |= for_all || matches!(refusal.error, Error::Expired { .. });
            self.say(&format!("{}: {}", refusal.error, refusal.value))?;
        }
        Ok(())
    }

    fn say(&mut self, what: &str) -> io::Result<()> {
        self.count += 1;
        match self.count {
            ..=TOLD => writeln!(io::stderr(), "{what}"),
            count if count == TOLD + 1 => writeln!(io::stderr(), "and more, which are only counted"),
            _ => Ok(()),
        }
    }
}

/// The lines of a file that aren't empty, none longer than it may be.
struct Lines {
    reader: Box<dyn BufRead>,
    number: u64,
}

impl Lines {
    fn open(path: &PathBuf) -> anyhow::Result<Self> {
        let reader: Box<dyn BufRead> = if path.as_os_str() == "-" {
            Box::new(BufReader::new(io::stdin()))
        } else {
            let file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
            Box::new(BufReader::with_capacity(256 * 1024, file))
        };
        Ok(Self { reader, number: 0 })
    }

    /// The next line, or why it can't be one.
    fn next(&mut self) -> io::Result<Option<Result<Vec<u8>, String>>> {
        loop {
            let mut line = Vec::new();
            if (&mut self.reader).take(LONGEST).read_until(b'\n', &mut line)? == 0 {
                return Ok(None);
            }
            self.number += 1;
            if line.len() as u64 == LONGEST && !line.ends_with(b"\n") {
                self.reader.skip_until(b'\n')?;
                return Ok(Some(Err(format!("it is longer than {LONGEST} bytes"))));
            }
            if !line.trim_ascii().is_empty() {
                return Ok(Some(Ok(line)));
            }
        }
    }
}
