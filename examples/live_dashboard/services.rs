//! The services that the dashboard asks: servers of their own on this machine, each as slow as such services are.
//!
//! | service | answers | after |
//! |---|---|---|
//! | readings | numbers of `/proc`, as many as one asks for: `GET /readings?ids=load,memory` | 400 ms a call |
//! | network | what the interfaces have sent and received, but busy each third time: `GET /network` | 600 ms |
//! | disk | how long so much takes to be on the disk, tried out: `GET /disk/{kib}` | 1.2 s |
//! | pulse | over a WebSocket, twice a second, how late its own timer was: `GET /pulse` | at once |
//!
//! What they answer is measured; that they are slow is made: they wait. Each call is noted in the [`Journal`].

use std::fs::File;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::journal::{Call, Journal};
use crate::machine::{self, Work};

const READINGS_TAKE: Duration = Duration::from_millis(400);
const NETWORK_TAKES: Duration = Duration::from_millis(600);
const DISK_TAKES: Duration = Duration::from_millis(1200);
const PULSE_EVERY: Duration = Duration::from_millis(500);
/// The most that is written to try a disk.
const MOST_KIB: usize = 4096;

/// The services, which end with this.
pub struct Services {
    pub readings: SocketAddr,
    pub network: SocketAddr,
    pub disk: SocketAddr,
    pub pulse: SocketAddr,
    _tasks: JoinSet<io::Result<()>>,
}

impl Services {
    pub async fn start(journal: &Arc<Journal>) -> io::Result<Self> {
        let mut tasks = JoinSet::new();
        let noted = |service| Noted { service, journal: journal.clone(), calls: Arc::default() };
        let readings = Router::new().route("/readings", get(readings)).with_state(noted("readings"));
        let network = Router::new().route("/network", get(network)).with_state(noted("network"));
        let disk = Router::new().route("/disk/{kib}", get(disk)).with_state(noted("disk"));
        let pulse = Router::new().route("/pulse", get(pulse));
        Ok(Self {
            readings: serve(readings, &mut tasks).await?,
            network: serve(network, &mut tasks).await?,
            disk: serve(disk, &mut tasks).await?,
            pulse: serve(pulse, &mut tasks).await?,
            _tasks: tasks,
        })
    }
}

/// Serves on a free port.
async fn serve(router: Router, tasks: &mut JoinSet<io::Result<()>>) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tasks.spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

/// A service whose calls are noted.
#[derive(Clone)]
struct Noted {
    service: &'static str,
    journal: Arc<Journal>,
    calls: Arc<AtomicU64>,
}

impl Noted {
    /// Answers, but not before that much time has passed, and notes it.
    async fn answer(
        &self,
        asked: &str,
        after: Duration,
        answer: impl Future<Output = Result<Value, (StatusCode, String)>>,
    ) -> Response {
        let since = Instant::now();
        let answer = answer.await;
        sleep_until(since + after).await;
        let (status, body) = match answer {
            Ok(value) => (StatusCode::OK, value),
            Err((status, reason)) => (status, json!({"error": reason})),
        };
        let took_ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.journal.note(&Call { service: self.service, asked, status: status.as_u16(), took_ms });
        (status, Json(body)).into_response()
    }
}

/// A list: as many numbers as are asked for, in one call.
async fn readings(State(noted): State<Noted>, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let answer = async {
        let ids = query.strip_prefix("ids=").unwrap_or_default();
        let read = |id| match machine::reading(id) {
            Ok(reading) => json!(reading),
            Err(error) => json!({"id": id, "error": error.to_string()}),
        };
        Ok(ids.split(',').take(100).map(read).collect())
    };
    noted.answer(&format!("/readings?{query}"), READINGS_TAKE, answer).await
}

/// What all interfaces have received and sent; each third call finds it busy.
async fn network(State(noted): State<Noted>) -> Response {
    let is_busy = noted.calls.fetch_add(1, Ordering::Relaxed) % 3 == 2;
    let answer = async {
        if is_busy {
            return Err((StatusCode::SERVICE_UNAVAILABLE, "busy".to_owned()));
        }
        let (received, sent) = machine::traffic().map_err(broken)?;
        Ok(json!({"received_mib": mib(received), "sent_mib": mib(sent), "from": "/proc/net/dev"}))
    };
    noted.answer("/network", NETWORK_TAKES, answer).await
}

/// Writes something, until it is on the disk.
async fn disk(State(noted): State<Noted>, Path(kib): Path<usize>) -> Response {
    let answer = async {
        if kib > MOST_KIB {
            return Err((StatusCode::BAD_REQUEST, format!("at most {MOST_KIB} KiB are written")));
        }
        let file =
            noted.journal.directory().join(format!("disk-{}", noted.calls.fetch_add(1, Ordering::Relaxed)));
        let written = tokio::task::spawn_blocking(move || write(&file, kib)).await;
        let took = written.map_err(broken)?.map_err(broken)?;
        Ok(json!({"wrote_kib": kib, "took_ms": took.as_secs_f64() * 1000.0}))
    };
    noted.answer(&format!("/disk/{kib}"), DISK_TAKES, answer).await
}

fn write(path: &PathBuf, kib: usize) -> io::Result<Duration> {
    let since = Instant::now();
    let mut file = File::create(path)?;
    file.write_all(&vec![0x5a; kib * 1024])?;
    file.sync_all()?;
    let took = since.elapsed();
    std::fs::remove_file(path)?;
    Ok(took)
}

fn broken(error: impl std::fmt::Display) -> (StatusCode, String) {
    (StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / 1_048_576.0
}

async fn pulse(upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(beat)
}

/// Tells how late its timer was, and what the processors did meanwhile, until the other side goes.
async fn beat(mut socket: WebSocket) {
    let mut before = Work::so_far().ok();
    for beat in 0_u64.. {
        let due = Instant::now() + PULSE_EVERY;
        sleep_until(due).await;
        let late_us = u64::try_from(due.elapsed().as_micros()).unwrap_or(u64::MAX);
        let now = Work::so_far().ok();
        let busy_percent = now.zip(before).and_then(|(now, before)| now.percent_since(before));
        before = now;
        let said = json!({"beat": beat, "late_us": late_us, "busy_percent": busy_percent});
        if socket.send(Message::text(said.to_string())).await.is_err() {
            return;
        }
    }
}
