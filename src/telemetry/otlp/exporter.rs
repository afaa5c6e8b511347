//! The task that sends.

use super::message::Resource;
use super::spans::Finished;
use super::{Otlp, metrics, spans};
use crate::app::App;
use crate::edge::Error;
use crate::stream::meter::{Kind, Meter};
use crate::stream::{Backoff, clock};
use crate::telemetry::Snapshot;
use parking_lot::Mutex;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, Url};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tracing::{info, warn};

/// What is counted of one kind of things that are sent.
pub(in crate::telemetry) static EXPORTER: Kind = Kind {
    name: "exporter",
    label: "exporter",
    counters: &[
        ("exported", "Spans, or requests with metrics, that the collector took."),
        (
            "dropped",
            "Spans, or requests with metrics, that were lost: the queue was full, or the collector away.",
        ),
        ("failures", "Requests to the collector that failed."),
    ],
    gauges: &[("queued", "Spans that wait to be sent.")],
    latency: Some(("request", "Time that a request to the collector takes.")),
};
const EXPORTED: usize = 0;
pub(super) const DROPPED: usize = 1;
const FAILURES: usize = 2;
pub(super) const QUEUED: usize = 0;

/// How many spans wait at most.
const QUEUE: usize = 8192;
/// How many go in one request.
const TOGETHER: usize = 512;
/// How long a span waits for others to go with it.
const GATHER: Duration = Duration::from_millis(200);
/// How long the end of the program waits for what is left.
const FLUSH: Duration = Duration::from_secs(5);
/// How often a request is made again.
const AGAIN: u32 = 3;
/// The most of an answer that is read.
const ANSWER: usize = 64 * 1024;

/// Sends traces and metrics, until it is closed or dropped.
pub(in crate::telemetry) struct Exporter {
    /// Until it is closed.
    task: Mutex<Option<JoinHandle<()>>>,
    closing: watch::Sender<bool>,
    app: Arc<Mutex<Option<App>>>,
    traces: Arc<Meter>,
}

impl Exporter {
    pub(super) fn start(otlp: Otlp, runtime: &Handle) -> (Self, Sender<Finished>, Arc<Meter>) {
        let (to, from) = channel(QUEUE);
        let (closing, closed) = watch::channel(false);
        let app = Arc::<Mutex<Option<App>>>::default();
        let traces = Meter::new(&EXPORTER, "traces");
        let sending = Sending {
            resource: Resource::new(&otlp.service),
            otlp,
            closed,
            app: app.clone(),
            traces: traces.clone(),
            metrics: Meter::new(&EXPORTER, "metrics"),
            start: clock::now(),
            failing: Vec::new(),
        };
        let task = Mutex::new(Some(runtime.spawn(sending.run(from))));
        (Self { task, closing, app, traces: traces.clone() }, to, traces)
    }

    pub(in crate::telemetry) fn observe(&self, app: &App) {
        *self.app.lock() = Some(app.clone());
    }

    /// Sends what is left, as far as there is time.
    pub(in crate::telemetry) async fn close(&self) {
        self.closing.send_replace(true);
        let Some(mut task) = self.task.lock().take() else { return };
        if timeout(FLUSH, &mut task).await.is_err() {
            task.abort();
            warn!("the collector takes too long: the last spans are lost");
        }
        let dropped = self.traces.counter(DROPPED);
        if dropped > 0 {
            warn!(dropped, "spans did not get to the collector");
        }
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        if let Some(task) = self.task.lock().take() {
            task.abort();
        }
    }
}

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exporter").field("traces", &self.traces).finish_non_exhaustive()
    }
}

struct Sending {
    otlp: Otlp,
    resource: Resource,
    closed: watch::Receiver<bool>,
    app: Arc<Mutex<Option<App>>>,
    traces: Arc<Meter>,
    metrics: Arc<Meter>,
    start: SystemTime,
    /// What could not be sent the last time, and that was said.
    failing: Vec<&'static str>,
}

/// Waits until it is to end, or whoever could say so is gone.
async fn told(closed: &mut watch::Receiver<bool>) {
    drop(closed.wait_for(|closed| *closed).await);
}

/// Reads of an answer how much was not taken, and why.
type Refused = fn(&[u8]) -> Option<(u64, String)>;

/// What became of a request.
enum Sent {
    Taken,
    /// All of it but so many.
    Partly(u64),
    Lost,
}

impl Sending {
    async fn run(mut self, mut spans: Receiver<Finished>) {
        let mut ticks = interval(self.otlp.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first is due at once, before there is anything to tell.
        ticks.tick().await;
        let (mut batch, mut closed) = (Vec::with_capacity(TOGETHER), self.closed.clone());
        loop {
            tokio::select! {
                biased;
                () = told(&mut closed) => break,
                _ = ticks.tick() => self.send_metrics().await,
                _ = spans.recv_many(&mut batch, 1) => {
                    self.pause(GATHER).await;
                    // One batch, or metrics would wait as long as spans keep coming.
                    self.send_spans(&mut spans, &mut batch).await;
                }
            }
        }
        while self.send_spans(&mut spans, &mut batch).await {}
        self.send_metrics().await;
    }

    /// Sends a batch of what waits; `false` if nothing does.
    async fn send_spans(&mut self, spans: &mut Receiver<Finished>, batch: &mut Vec<Finished>) -> bool {
        while batch.len() < TOGETHER
            && let Ok(span) = spans.try_recv()
        {
            batch.push(span);
        }
        self.traces.set(QUEUED, spans.len() as f64);
        if batch.is_empty() {
            return false;
        }
        let (count, body) = (batch.len() as u64, spans::request(&self.resource, batch));
        batch.clear();
        let (meter, url) = (self.traces.clone(), self.otlp.traces.clone());
        let lost = match self.send("traces", &meter, url, body, spans::refused).await {
            Sent::Taken => 0,
            Sent::Partly(lost) => lost.min(count),
            Sent::Lost => count,
        };
        meter.add(DROPPED, lost);
        meter.add(EXPORTED, count - lost);
        true
    }

    async fn send_metrics(&mut self) {
        let Some(app) = self.app.lock().clone() else { return };
        let snapshot = Snapshot::read(&app).await;
        let body = metrics::request(
            &self.resource,
            &snapshot,
            metrics::Span { start: self.start, now: clock::now() },
        );
        let (meter, url) = (self.metrics.clone(), self.otlp.metrics.clone());
        // The next ones say all that these would have said.
        let counter = match self.send("metrics", &meter, url, body, metrics::refused).await {
            Sent::Taken | Sent::Partly(_) => EXPORTED,
            Sent::Lost => DROPPED,
        };
        meter.add(counter, 1);
    }

    /// Makes a request, and again if that may help; `refused` reads of an answer what was not taken.
    async fn send(
        &mut self,
        what: &'static str,
        meter: &Meter,
        url: Url,
        body: Vec<u8>,
        refused: Refused,
    ) -> Sent {
        let backoff = Backoff::exponential(Duration::from_millis(200), Duration::from_secs(2)).jitter(0.2);
        let mut tried = 0;
        loop {
            let begun = tokio::time::Instant::now();
            let answer = self.post(url.clone(), body.clone()).await;
            meter.record(begun.elapsed());
            let error = match answer {
                Ok(answer) => return self.taken(what, refused(&answer)),
                Err(error) => error,
            };
            meter.add(FAILURES, 1);
            if !self.failing.contains(&what) {
                warn!(%error, "{what} cannot be sent; what is lost is counted");
                self.failing.push(what);
            }
            let is_temporary = match &error {
                Error::NoAnswer { .. } => true,
                Error::Answered { status, .. } => matches!(status, 429 | 502 | 503 | 504),
                _ => false,
            };
            let wait = backoff.wait(tried).unwrap_or_default();
            tried += 1;
            if !is_temporary || tried > AGAIN || *self.closed.borrow() {
                return Sent::Lost;
            }
            self.pause(wait).await;
        }
    }

    /// Waits so long, or until there is no more time for that.
    async fn pause(&self, wait: Duration) {
        let mut closed = self.closed.clone();
        // It is over either way.
        let _ = timeout(wait, told(&mut closed)).await;
    }

    fn taken(&mut self, what: &str, refused: Option<(u64, String)>) -> Sent {
        if self.failing.contains(&what) {
            self.failing.retain(|other| *other != what);
            info!(to = self.otlp.place, "{what} get through again");
        }
        match refused {
            Some((count, reason)) => {
                warn!(to = self.otlp.place, count, reason, "the collector did not take all");
                Sent::Partly(count)
            }
            None => Sent::Taken,
        }
    }

    async fn post(&self, url: Url, body: Vec<u8>) -> Result<Vec<u8>, Error> {
        let place = || self.otlp.place.clone();
        let request = self.otlp.client.request(Method::POST, url).await?;
        let request = request.header(CONTENT_TYPE, "application/x-protobuf").body(body);
        let no_answer =
            |error: reqwest::Error| Error::NoAnswer { place: place(), reason: crate::edge::said(error) };
        let mut response = request.send().await.map_err(no_answer)?;
        let status = response.status().as_u16();
        let mut answer = Vec::new();
        while answer.len() < ANSWER
            && let Some(chunk) = response.chunk().await.map_err(no_answer)?
        {
            answer.extend_from_slice(&chunk);
        }
        if (200..300).contains(&status) {
            return Ok(answer);
        }
        Err(Error::Answered { place: place(), status, detail: String::new() })
    }
}
