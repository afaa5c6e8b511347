//! What waits: the processor's time that a hundred readers cost, and how soon they see what comes after all.

use crate::server::Server;
use futures::StreamExt;
use mape::backend::Backend;
use mape::channel::Topics;
use mape::knowledge::Scope;
use mape_benches::{Comparison, Figure, Reading};
use redis::{Cmd, Value};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

pub(crate) const CASES: &[&str] =
    &["idle_cpu", "idle_latency_event", "idle_latency_channel", "idle_latency_pop"];

const READERS: usize = 100;
/// Until everyone waits.
const SETTLING: Duration = Duration::from_secs(1);
const GROUP: &str = "bench";

/// A way in which one waits.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Event,
    Channel,
    Pop,
}

const KINDS: [Kind; 3] = [Kind::Event, Kind::Channel, Kind::Pop];

pub(crate) async fn all(server: &Server, comparison: &mut Comparison) {
    server.clear().await;
    if comparison.selects(&["idle_cpu"]) {
        cpu(server, comparison).await;
    }
    if comparison.selects(&["idle_latency"]) || KINDS.iter().any(|kind| comparison.selects(&[kind.case()])) {
        latency(server, comparison).await;
    }
}

async fn cpu(server: &Server, comparison: &mut Comparison) {
    let span = comparison.arguments().seconds * 2;
    let (arrived, mut arrivals) = channel(READERS);
    let backend = server.ours().await;
    let mut readers = JoinSet::new();
    for number in 0..READERS {
        ours(&backend, KINDS[number % 3], number, &mut readers, &arrived).await;
    }
    let value = idle(span).await;
    readers.shutdown().await;
    drop(backend);
    for number in 0..READERS {
        hand(server, KINDS[number % 3], number, &mut readers, &arrived).await;
    }
    let baseline = idle(span).await;
    assert!(arrivals.try_recv().is_err(), "somebody who was to wait did not");
    let (unit, ratio, aim) = ("cpu_ms_per_s", value / baseline, "about 0");
    comparison.write(&Figure { case: "idle_cpu", value, unit, baseline, ratio, cpu_ratio: None, aim });
}

/// Milliseconds of the processor's time for each second.
async fn idle(span: Duration) -> f64 {
    sleep(SETTLING).await;
    let (clock, before) = (Instant::now(), process_time());
    sleep(span).await;
    process_time().saturating_sub(before).as_secs_f64() * 1000.0 / clock.elapsed().as_secs_f64()
}

/// The time for which the threads of this process have had a processor (Linux).
fn process_time() -> Duration {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let of_thread = |thread: std::fs::DirEntry| {
        let text = std::fs::read_to_string(thread.path().join("schedstat")).unwrap();
        text.split_whitespace().next().unwrap().parse::<u64>().unwrap()
    };
    Duration::from_nanos(threads.map(|thread| of_thread(thread.unwrap())).sum())
}

async fn latency(server: &Server, comparison: &mut Comparison) {
    let backend = server.ours().await;
    let (arrived, mut arrivals) = channel(READERS);
    let mut readers = JoinSet::new();
    for (number, kind) in (1000..).zip(KINDS) {
        ours(&backend, kind, number, &mut readers, &arrived).await;
        hand(server, kind, number, &mut readers, &arrived).await;
    }
    sleep(SETTLING + comparison.arguments().idle).await;
    for (number, kind) in (1000..).zip(KINDS) {
        let value = arrival(server, &kind.command(&format!("ours-{number}")), &mut arrivals).await;
        let baseline = arrival(server, &kind.command(&format!("hand-{number}")), &mut arrivals).await;
        let (case, unit, ratio, aim) = (kind.case(), "ms", value / baseline, "< 10 ms");
        comparison.write(&Figure { case, value, unit, baseline, ratio, cpu_ratio: None, aim });
    }
}

/// Milliseconds until what this command brings has arrived.
async fn arrival(server: &Server, cmd: &Cmd, arrivals: &mut Receiver<Instant>) -> f64 {
    let sent = Instant::now();
    cmd.exec_async(&mut server.control()).await.unwrap();
    let arrived = timeout(Duration::from_mins(1), arrivals.recv()).await.unwrap().unwrap();
    arrived.duration_since(sent).as_secs_f64() * 1000.0
}

impl Kind {
    fn case(self) -> &'static str {
        match self {
            Self::Event => "idle_latency_event",
            Self::Channel => "idle_latency_channel",
            Self::Pop => "idle_latency_pop",
        }
    }

    /// What ends the wait for this name.
    fn command(self, name: &str) -> Cmd {
        let json = serde_json::to_string(&Reading::number(1)).unwrap();
        let mut cmd = Cmd::new();
        match self {
            Self::Event => cmd.arg("XADD").arg(name).arg("*").arg("tick").arg(1),
            Self::Channel => cmd.arg("PUBLISH").arg(name).arg(json),
            Self::Pop => cmd.arg("RPUSH").arg(format!("k.app.{name}")).arg(json),
        };
        cmd
    }
}

#[derive(serde::Deserialize)]
struct Tick {
    tick: u64,
}

async fn ours(
    backend: &Backend,
    kind: Kind,
    number: usize,
    readers: &mut JoinSet<()>,
    arrived: &Sender<Instant>,
) {
    let (name, arrived) = (format!("ours-{number}"), arrived.clone());
    match kind {
        Kind::Event => {
            let mut source = backend.events().log(name).group(GROUP).source::<Tick>().await.unwrap();
            readers.spawn(async move {
                let event = source.next().await.unwrap().unwrap();
                arrived.try_send(Instant::now()).unwrap();
                assert_eq!(event.tick, 1);
                event.acknowledge();
            });
        }
        Kind::Channel => {
            let source = backend.channels().source::<Reading>(Topics::names([name])).await.unwrap();
            let mut source = source.bare();
            readers.spawn(async move {
                source.next().await.unwrap().unwrap();
                arrived.try_send(Instant::now()).unwrap();
            });
        }
        Kind::Pop => {
            let queue = backend.knowledge(Scope::App).queue::<Reading>(&name);
            readers.spawn(async move {
                queue.pop().await.unwrap();
                arrived.try_send(Instant::now()).unwrap();
            });
        }
    }
}

/// Everyone with a connection.
async fn hand(
    server: &Server,
    kind: Kind,
    number: usize,
    readers: &mut JoinSet<()>,
    arrived: &Sender<Instant>,
) {
    let (name, arrived) = (format!("hand-{number}"), arrived.clone());
    if kind == Kind::Channel {
        let mut pubsub = server.client().get_async_pubsub().await.unwrap();
        pubsub.subscribe(name).await.unwrap();
        readers.spawn(async move {
            pubsub.on_message().next().await.unwrap();
            arrived.try_send(Instant::now()).unwrap();
        });
        return;
    }
    let mut connection = server.hand().await;
    let mut cmd = Cmd::new();
    if kind == Kind::Event {
        let mut create = redis::cmd("XGROUP");
        create.arg("CREATE").arg(&name).arg(GROUP).arg("0").arg("MKSTREAM");
        create.exec_async(&mut connection).await.unwrap();
        cmd.arg("XREADGROUP").arg("GROUP").arg(GROUP).arg("hand").arg("BLOCK").arg(0);
        cmd.arg("STREAMS").arg(name).arg(">");
    } else {
        cmd.arg("BLPOP").arg(format!("k.app.{name}")).arg(0);
    }
    readers.spawn(async move {
        let answer: Value = cmd.query_async(&mut connection).await.unwrap();
        arrived.try_send(Instant::now()).unwrap();
        assert_ne!(answer, Value::Nil);
    });
}
