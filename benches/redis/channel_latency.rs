//! From publishing to receiving at a steady pace: what elements, sink and source add to the way through the server.

use crate::envelope::{Incoming, Outgoing};
use crate::server::Server;
use futures::StreamExt;
use jiff::Timestamp;
use mape::channel::Topics;
use mape::prelude::*;
use mape_benches::{Comparison, Figure, Reading, median};
use redis::aio::MultiplexedConnection;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{MissedTickBehavior, interval};

pub(crate) const CASES: &[&str] = &["channel_latency", "channel_latency_p50"];

/// Messages of a run, one a millisecond.
const N: usize = 500;
const PACE: Duration = Duration::from_millis(1);

/// A way from here through the server to a task that says when what number arrived.
trait Way {
    async fn send(&mut self, reading: Reading);
    fn arrivals(&mut self) -> &mut Receiver<(u64, Instant)>;
}

pub(crate) async fn all(server: &Server, comparison: &mut Comparison) {
    if !comparison.selects(CASES) {
        return;
    }
    let (mut ours, mut hand) = (Ours::new(server).await, Hand::new(server).await);
    let _warm = (latencies(&mut ours).await, latencies(&mut hand).await);
    let (begin, mut runs) = (Instant::now(), Vec::new());
    while runs.len() < 3 || begin.elapsed() < comparison.arguments().seconds {
        runs.push((latencies(&mut ours).await, latencies(&mut hand).await));
    }
    for (case, percent, aim) in [("channel_latency_p50", 50, ""), ("channel_latency", 99, "< 1 ms")] {
        if !comparison.selects(&[case]) {
            continue;
        }
        let at = |sorted: &[f64]| sorted[sorted.len() * percent / 100];
        let ours = median(runs.iter().map(|(ours, _)| at(ours)).collect());
        let baseline = median(runs.iter().map(|(_, hand)| at(hand)).collect());
        let (value, ratio) = (ours - baseline, ours / baseline);
        comparison.write(&Figure { case, value, unit: "added_ms", baseline, ratio, cpu_ratio: None, aim });
    }
}

/// Milliseconds from sending to arriving, in order.
async fn latencies(way: &mut impl Way) -> Vec<f64> {
    let mut ticks = interval(PACE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut sent = Vec::with_capacity(N);
    for number in 0..N {
        ticks.tick().await;
        sent.push(Instant::now());
        way.send(Reading::number(number as u64)).await;
    }
    let mut taken = Vec::with_capacity(N);
    for (number, sent) in (0..).zip(sent) {
        let (arrived, at) = way.arrivals().recv().await.unwrap();
        assert_eq!(arrived, number);
        taken.push(at.duration_since(sent).as_secs_f64() * 1000.0);
    }
    taken.sort_by(f64::total_cmp);
    taken
}

fn arrive(arrivals: &Sender<(u64, Instant)>, number: u64) {
    arrivals.try_send((number, Instant::now())).unwrap();
}

/// Element, sink, server, source, element.
struct Ours {
    first: Element<Reading, Reading>,
    arrivals: Receiver<(u64, Instant)>,
    _app: App,
}

impl Ours {
    async fn new(server: &Server) -> Self {
        let app = App::with_backend(server.ours().await);
        let line = app.create_loop("bench").unwrap();
        let (arrived, arrivals) = channel(N);
        let last = line.execute("last").act(move |reading: Reading| arrive(&arrived, reading.tick));
        let last = last.spawn().unwrap();
        let source = app.channels().source(Topics::names(["bench.latency.ours"])).await.unwrap();
        last.feed(source.values());
        let first = line.monitor("first").map(|reading: Reading| reading).spawn().unwrap();
        first.link_sink(app.channels().sink("bench.latency.ours"), LinkOptions::new()).unwrap();
        first.start().unwrap();
        Self { first, arrivals, _app: app }
    }
}

impl Way for Ours {
    async fn send(&mut self, reading: Reading) {
        self.first.push(reading).await.unwrap();
    }

    fn arrivals(&mut self) -> &mut Receiver<(u64, Instant)> {
        &mut self.arrivals
    }
}

/// `PUBLISH`, server, a task that reads messages.
struct Hand {
    connection: MultiplexedConnection,
    seq: u64,
    arrivals: Receiver<(u64, Instant)>,
}

const CHANNEL: &str = "bench.latency.hand";

impl Hand {
    async fn new(server: &Server) -> Self {
        let mut pubsub = server.client().get_async_pubsub().await.unwrap();
        pubsub.subscribe(CHANNEL).await.unwrap();
        let (arrived, arrivals) = channel(N);
        tokio::spawn(async move {
            let mut messages = pubsub.on_message();
            while let Some(message) = messages.next().await {
                let envelope = serde_json::from_slice::<Incoming<'_, Reading>>(message.get_payload_bytes());
                arrive(&arrived, envelope.unwrap().value.tick);
            }
        });
        Self { connection: server.hand().await, seq: 0, arrivals }
    }
}

impl Way for Hand {
    async fn send(&mut self, reading: Reading) {
        self.seq += 1;
        let (kind, src, epoch, at) = ("next", CHANNEL, 5_172_911_046_208_113, Timestamp::now());
        let envelope = Outgoing { kind, value: &reading, src, epoch, seq: self.seq, at };
        let mut cmd = redis::cmd("PUBLISH");
        cmd.arg(CHANNEL).arg(serde_json::to_vec(&envelope).unwrap());
        cmd.exec_async(&mut self.connection).await.unwrap();
    }

    fn arrivals(&mut self) -> &mut Receiver<(u64, Instant)> {
        &mut self.arrivals
    }
}
