//! How long a lone run takes from the end of a task to the start of the next.

use super::roles::Role;
use mape::backend::Backend;
use mape::event::{Event, EventId};
use mape::workflow::Workflows;
use mape_benches::{Comparison, Figure, RedisServer, median};
use serde_json::Value;
use std::time::{Duration, Instant};

const STEPS: usize = 40;

/// Ends what is started, one after the other; the times to the next start, in milliseconds.
async fn steps(backend: &Backend, first: Event, count: usize, pause: Duration) -> Vec<f64> {
    let log = backend.event_log();
    let name = "workflows:run".into();
    let mut times = Vec::new();
    let mut after = EventId::MIN;
    let mut end = first;
    loop {
        tokio::time::sleep(pause).await;
        let begun = Instant::now();
        let ids = log.append(&name, vec![end.stamped()]).await.unwrap();
        after = after.max(*ids.last().unwrap());
        let start = 'next: loop {
            for entry in log.follow(&name, after, 64).await.unwrap() {
                after = entry.id;
                let event = entry.event.unwrap();
                if event.is("start-task") {
                    break 'next event.read::<Value>().unwrap();
                }
            }
        };
        times.push(begun.elapsed().as_secs_f64() * 1e3);
        if times.len() == count {
            return times;
        }
        end = ending(&start);
    }
}

fn ending(start: &Value) -> Event {
    Event::default()
        .with("name", start["name"].clone())
        .with("index", start["index"].clone())
        .with("workflow", start["workflow"].clone())
        .with("output", serde_json::json!({}))
        .with("status", "SUCCESS")
        .with("kind", "end-task")
}

fn percentile(times: &[f64], percent: usize) -> f64 {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    times.get((times.len() - 1) * percent / 100).copied().unwrap_or(f64::NAN)
}

/// The first start of a run of tasks one behind the other.
async fn begin(backend: &Backend, count: usize) -> Event {
    let flow = (0..=count).map(|n| format!("t:{n}")).collect::<Vec<_>>().join(" → ");
    let log = backend.events().log("workflows:run");
    let before = log.info().await.unwrap().last;
    let id = Workflows::new(backend).submit(None, &flow, Value::Null).await.unwrap();
    loop {
        let entries = log.range(before, EventId::MAX, 1000).await.unwrap();
        let events = entries.into_iter().filter_map(|entry| entry.event.ok());
        let starts =
            events.filter(|event| event.is("start-task")).map(|event| event.read::<Value>().unwrap());
        if let Some(start) = starts.into_iter().find(|start| start["workflow"] == id.full()) {
            return ending(&start);
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

pub(super) async fn case(comparison: &mut Comparison) {
    if !comparison.selects(&["step_p50", "step_p99"]) {
        return;
    }
    let (server, by_hand) = (RedisServer::start(), RedisServer::start());
    let _engine = Role::start("engine", &server.url(), &[]);
    let _bare = Role::start("bare", &by_hand.url(), &["latency"]);
    let ours = Backend::open(&server.url()).await.unwrap();
    let hand = Backend::open(&by_hand.url()).await.unwrap();
    let bare = serde_json::json!({"name": "t:1", "index": 2, "workflow": "workflow:bare"});
    let (mut all_ours, mut all_hand) = (Vec::new(), Vec::new());
    for _ in 0..20 {
        let first = begin(&ours, STEPS).await;
        all_ours.extend(steps(&ours, first, STEPS, Duration::ZERO).await);
        all_hand.extend(steps(&hand, ending(&bare), STEPS, Duration::ZERO).await);
    }
    for (case, percent, aim) in
        [("step_p50", 50, "<= 0.4 ms, and <= 1.5 of the bare round trips"), ("step_p99", 99, "<= 5 ms")]
    {
        let (value, baseline) = (percentile(&all_ours, percent), percentile(&all_hand, percent));
        let ratio = value / baseline;
        comparison.write(&Figure { case, value, unit: "ms", baseline, ratio, cpu_ratio: None, aim });
    }
}

/// The same after a time in which nothing happened (`--idle SECONDS`).
pub(super) async fn idle(comparison: &mut Comparison) {
    if !comparison.selects(&["idle_step"]) {
        return;
    }
    let server = RedisServer::start();
    let _engine = Role::start("engine", &server.url(), &[]);
    let backend = Backend::open(&server.url()).await.unwrap();
    let first = begin(&backend, 3).await;
    let pause = comparison.arguments().idle;
    let times = steps(&backend, first, 3, pause).await;
    let value = median(times);
    let (baseline, ratio) = (f64::NAN, f64::NAN);
    let aim = "< 50 ms after ten idle minutes (--idle 600)";
    comparison.write(&Figure { case: "idle_step", value, unit: "ms", baseline, ratio, cpu_ratio: None, aim });
}
