//! Points to InfluxDB's interface beside bare requests with the same batches.
//!
//! `cargo bench -p mape-benches --bench influxdb`, with `-- --json` for a line of JSON a case, a word to choose cases,
//! `--seconds N` to measure each for longer. What each case does and how to read it is in docs/performance.md.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on has to stop")]

#[path = "influxdb/counting.rs"]
mod counting;

use counting::Counting;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::SinkExt;
use mape::edge::{InfluxServer, InfluxSink};
use mape_benches::{Comparison, Run, VictoriaMetrics};
use serde::Serialize;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, SystemTime};

/// Points of a run.
const POINTS: u64 = 200_000;
/// Points of a batch.
const BATCH: usize = 5_000;
/// When the first one was, in milliseconds since 1970.
const BEGIN: u64 = 1_700_000_000_000;

/// What a sensor of a town's water says.
#[derive(Clone, Debug, Serialize)]
struct Reading {
    value: f64,
    sector: &'static str,
    sensor: u32,
    time: SystemTime,
}

fn reading(number: u64) -> Reading {
    let sectors = ["mills", "harbour", "old town", "hospital"];
    Reading {
        value: (number % 1000) as f64 / 8.0,
        sector: sectors.get((number % 4) as usize).copied().unwrap_or_default(),
        sensor: (number % 100) as u32,
        time: SystemTime::UNIX_EPOCH + Duration::from_millis(BEGIN + number),
    }
}

/// The same as one would write it by hand, where nothing needs to be escaped.
fn line(lines: &mut String, number: u64) {
    let Reading { value, sector, sensor, .. } = reading(number);
    let sector = sector.replace(' ', "\\ ");
    let nanoseconds = (BEGIN + number) * 1_000_000;
    writeln!(lines, "Reading,sector={sector},sensor={sensor} value={value:?} {nanoseconds}").unwrap();
}

fn batch(first: u64) -> Vec<u8> {
    let mut lines = String::new();
    (first..first + BATCH as u64).for_each(|number| line(&mut lines, number));
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(lines.as_bytes()).unwrap();
    packed.finish().unwrap()
}

/// Feeds items to a sink, which makes points, lines and batches of them.
async fn ours(url: &str) -> Run {
    let server = InfluxServer::new(url).unwrap().bucket("b");
    let mut sink = InfluxSink::new(&server);
    Run::of(POINTS, async move {
        for number in 0..POINTS {
            sink.feed(reading(number)).await.unwrap();
        }
        sink.close().await.unwrap();
        assert_eq!(sink.stats().written(), POINTS);
    })
    .await
    .wall_only()
}

/// Posts batches, one after the other.
async fn hand(
    url: &str,
    client: &reqwest::Client,
    batches: impl Iterator<Item = Vec<u8>> + Send + 'static,
) -> Run {
    let (url, client) = (format!("{url}/api/v2/write?bucket=b&precision=ns"), client.clone());
    Run::of(POINTS, async move {
        for body in batches {
            let request = client.post(&url).header("content-encoding", "gzip").body(body);
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 204);
        }
    })
    .await
    .wall_only()
}

fn main() {
    let mut comparison = Comparison::new("influxdb");
    // Both clients could do TLS, and want to know by whom, though nothing is encrypted here.
    rustls::crypto::ring::default_provider().install_default().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let firsts = || (0..POINTS).step_by(BATCH);
        if comparison.selects(&["victoria_metrics"]) {
            let server = VictoriaMetrics::start();
            let ready: Vec<_> = firsts().map(batch).collect();
            let url = server.url();
            let bare = async || hand(&url, &client, ready.clone().into_iter()).await;
            comparison.rates("victoria_metrics", "0.8", async || ours(&url).await, bare).await;
        }
        if comparison.selects(&["counting"]) {
            let server = Counting::start();
            let bare = async || hand(&server.url, &client, firsts().map(batch)).await;
            comparison.rates("counting", "0.8; 320,000/s", async || ours(&server.url).await, bare).await;
            assert_eq!(server.points.load(Relaxed) % POINTS, 0);
        }
    });
}
