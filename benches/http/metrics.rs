//! All that is counted, asked for as Prometheus does.

use super::load::Connection;
use super::servers::Servers;
use super::topology::{get, time};
use mape::stream::meter::{Kind, Meter};
use mape_benches::{Comparison, Figure};
use std::time::Duration;

const SERIES: usize = 10_000;

static KIND: Kind = Kind {
    name: "bench",
    label: "bench",
    counters: &[("made", "Things made."), ("lost", "Things lost.")],
    gauges: &[("waiting", "Things that wait.")],
    latency: Some(("making", "How long one takes.")),
};

/// The median time of an answer with 10,000 series, beside that of an answer that says nothing.
pub(super) async fn all(servers: &Servers, comparison: &mut Comparison) {
    if !comparison.selects(&["metrics"]) {
        return;
    }
    let port = servers.ours;
    let mut meters = Vec::new();
    while series(port).await < SERIES {
        for _ in 0..50 {
            let meter = Meter::new(&KIND, format!("thing {}", meters.len()));
            meter.record(Duration::from_millis(3));
            meters.push(meter);
        }
    }
    let (all, nothing) = (time(port, "/metrics").await, time(port, "/health").await);
    comparison.write(&Figure {
        case: "metrics",
        value: all,
        unit: "ms",
        baseline: nothing,
        ratio: all / nothing,
        cpu_ratio: None,
        aim: "50 ms",
    });
}

async fn series(port: u16) -> usize {
    let mut connection = Connection::open(port).await;
    let body = connection.ask(&get(port, "/metrics")).await;
    String::from_utf8_lossy(body).lines().filter(|line| !line.starts_with('#')).count()
}
