//! Our service, and bare handlers that parse the same.

use axum::Router;
use axum::body::Body;
use axum::response::Json;
use axum::routing::post;
use futures::StreamExt;
use mape::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::mpsc;
use std::time::Duration;

/// A small item.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Reading {
    sensor: String,
    value: f64,
}

/// The ports they listen on.
pub(super) struct Servers {
    /// Our service.
    pub(super) ours: u16,
    /// Bare axum.
    pub(super) bare: u16,
}

/// How many elements are shown.
pub(super) const ELEMENTS: usize = 500;

impl Servers {
    /// Starts both on a thread of their own, which ends with the process.
    pub(super) fn start() -> Self {
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let app = App::new();
                let _elements = elements(&app);
                let serving = app.serve("127.0.0.1:0").await.unwrap();
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                tell.send(Self {
                    ours: serving.address().port(),
                    bare: listener.local_addr().unwrap().port(),
                })
                .unwrap();
                let listener =
                    axum::serve::ListenerExt::tap_io(listener, |stream| _ = stream.set_nodelay(true));
                axum::serve(listener, bare()).await.unwrap();
            });
        });
        told.recv_timeout(Duration::from_secs(10)).unwrap()
    }
}

/// What is pushed into, and as many more as make [`ELEMENTS`], in chains of four.
fn elements(app: &App) -> Vec<Element<u64, u64>> {
    let load = app.create_loop("load").unwrap();
    load.execute("numbers").act(|_: u64| ()).spawn().unwrap().expose();
    load.execute("readings").act(|_: Reading| ()).spawn().unwrap().expose();
    let mut all: Vec<Element<u64, u64>> = Vec::new();
    for number in 0..ELEMENTS / 4 {
        let one = app.create_loop(&format!("loop_{number}")).unwrap();
        let sense = one.monitor("sense").map(|n: u64| n).spawn().unwrap();
        let judge = one.analyze("judge").map(|n: u64| n).spawn().unwrap();
        let plan = one.plan("plan").map(|n: u64| n).spawn().unwrap();
        let act = one.execute("act").map(|n: u64| n).spawn().unwrap();
        sense.link(&judge).unwrap();
        judge.link(&plan).unwrap();
        plan.link(&act).unwrap();
        sense.start().unwrap();
        all.extend([sense, judge, plan, act]);
    }
    all
}

/// What one would write: the item is parsed and counted, and the answer says so.
fn bare() -> Router {
    Router::new()
        .route("/loops/load/elements/readings", post(one_or_lines::<Reading>))
        .route("/loops/load/elements/numbers", post(one_or_lines::<u64>))
}

async fn one_or_lines<T: for<'de> Deserialize<'de> + Send>(
    headers: axum::http::HeaderMap,
    body: Body,
) -> Json<Value> {
    if headers["content-type"] == "application/x-ndjson" {
        return Json(json!({"accepted": lines::<T>(body).await}));
    }
    let body = axum::body::to_bytes(body, 1024 * 1024).await.unwrap();
    let item: T = serde_json::from_slice(&body).unwrap();
    std::hint::black_box(item);
    Json(json!({"accepted": 1}))
}

/// Parses the lines as they come.
async fn lines<T: for<'de> Deserialize<'de>>(body: Body) -> u64 {
    let (mut chunks, mut rest, mut count) = (body.into_data_stream(), Vec::new(), 0);
    while let Some(chunk) = chunks.next().await {
        rest.extend_from_slice(&chunk.unwrap());
        let Some(end) = rest.iter().rposition(|byte| *byte == b'\n') else { continue };
        let tail = rest.split_off(end + 1);
        for line in rest.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let item: T = serde_json::from_slice(line).unwrap();
            std::hint::black_box(item);
            count += 1;
        }
        rest = tail;
    }
    count
}

/// Almost a mebibyte of numbers, and how many they are.
pub(super) fn lines_of_numbers() -> (Vec<u8>, u64) {
    repeated(|number| format!("{}\n", number % 100_000))
}

/// Almost a mebibyte of small objects, and how many they are.
pub(super) fn lines_of_readings() -> (Vec<u8>, u64) {
    repeated(|number| format!("{{\"sensor\":\"north\",\"value\":{}.5}}\n", number % 100))
}

fn repeated(line: impl Fn(u64) -> String) -> (Vec<u8>, u64) {
    let (mut body, mut count) = (Vec::new(), 0);
    while body.len() < 1_000_000 {
        body.extend_from_slice(line(count).as_bytes());
        count += 1;
    }
    (body, count)
}
