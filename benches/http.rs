//! The HTTP service beside bare axum handlers: items for ports, one by one and in lines; what everything is shown by.
//!
//! `cargo bench -p mape-benches --bench http`, with `-- --json` for a line of JSON a case, a word to choose cases,
//! `--seconds N` to measure each for longer. Servers are on a thread of their own and the load on another, over loopback.
//! What each case does and how to read it is in docs/performance.md.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on has to stop")]
#![allow(clippy::indexing_slicing, reason = "an answer of another form stops the benchmark")]

#[path = "http/half_load.rs"]
mod half_load;
#[path = "http/load.rs"]
mod load;
#[path = "http/metrics.rs"]
mod metrics;
#[path = "http/servers.rs"]
mod servers;
#[path = "http/topology.rs"]
mod topology;

use load::{Connection, flood};
use mape_benches::Comparison;
use servers::{Servers, lines_of_numbers, lines_of_readings};

/// How many connections the load has.
const CONNECTIONS: usize = 32;
/// How many requests a run has.
const REQUESTS: u64 = 20_000;
/// How many bodies of lines a run has.
const BODIES: u64 = 60;

fn main() {
    let mut comparison = Comparison::new("http");
    let servers = Servers::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        if comparison.selects(&["post_item"]) {
            let request = |port| {
                Connection::post(port, "readings", "application/json", br#"{"sensor":"north","value":20.5}"#)
            };
            let (ours, bare) = (request(servers.ours), request(servers.bare));
            let aim = "0.9";
            comparison
                .rates(
                    "post_item",
                    aim,
                    async || flood(servers.ours, &ours, CONNECTIONS, REQUESTS, 1).await,
                    async || flood(servers.bare, &bare, CONNECTIONS, REQUESTS, 1).await,
                )
                .await;
        }
        for (case, element, (body, items)) in [
            ("lines_of_numbers", "numbers", lines_of_numbers()),
            ("lines_of_readings", "readings", lines_of_readings()),
        ] {
            if comparison.selects(&[case]) {
                let request = |port| Connection::post(port, element, "application/x-ndjson", &body);
                let (ours, bare) = (request(servers.ours), request(servers.bare));
                let aim = if element == "numbers" { "0.8; 2,000,000/s" } else { "0.8" };
                comparison
                    .rates(
                        case,
                        aim,
                        async || flood(servers.ours, &ours, 4, BODIES, items).await,
                        async || flood(servers.bare, &bare, 4, BODIES, items).await,
                    )
                    .await;
            }
        }
        topology::all(&servers, &mut comparison).await;
        metrics::all(&servers, &mut comparison).await;
        half_load::all(&servers, &mut comparison).await;
    });
}
