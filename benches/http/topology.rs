//! A snapshot of 500 elements, asked for over HTTP.

use super::load::Connection;
use super::servers::{ELEMENTS, Servers};
use mape_benches::{Comparison, Figure, median};
use serde_json::Value;
use std::time::Instant;

const ASKED: usize = 200;

/// The median time of an answer, beside that of an answer that says nothing.
pub(super) async fn all(servers: &Servers, comparison: &mut Comparison) {
    if !comparison.selects(&["topology"]) {
        return;
    }
    let port = servers.ours;
    let (snapshot, nothing) = (time(port, "/topology").await, time(port, "/health").await);
    let mut connection = Connection::open(port).await;
    let body: Value = serde_json::from_slice(connection.ask(&get(port, "/topology")).await).unwrap();
    let levels = body["levels"].as_array().unwrap();
    let loops = levels.iter().flat_map(|level| level["loops"].as_array().unwrap());
    let shown: usize = loops.map(|one| one["elements"].as_array().unwrap().len()).sum();
    assert!(shown >= ELEMENTS, "{shown} elements are shown");
    comparison.write(&Figure {
        case: "topology",
        value: snapshot,
        unit: "ms",
        baseline: nothing,
        ratio: snapshot / nothing,
        cpu_ratio: None,
        aim: "5 ms",
    });
}

pub(super) fn get(port: u16, path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n\r\n").into_bytes()
}

pub(super) async fn time(port: u16, path: &str) -> f64 {
    let (mut connection, request) = (Connection::open(port).await, get(port, path));
    let mut times = Vec::with_capacity(ASKED);
    for _ in 0..ASKED {
        let clock = Instant::now();
        connection.ask(&request).await;
        times.push(clock.elapsed().as_secs_f64() * 1e3);
    }
    median(times)
}
