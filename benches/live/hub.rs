//! One producer and a thousand receivers in one process: how many parts a second reach them.

use super::apart::{self, Tally, cpu};
use super::figure;
use super::part::Part;
use axum::body::Bytes;
use futures::StreamExt;
use mape::app::App;
use mape::live::{Client, Delivery, Interest, Live, Viewer};
use mape_benches::{Comparison, Side, median};
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::broadcast;
use tokio::task::JoinSet;

const RECEIVERS: u64 = 1000;
/// A producer that waits does so after as many parts.
const ROUND: u64 = 100;
const SECONDS: Duration = Duration::from_secs(3);
const PAIRS: usize = 3;

pub(super) fn cases(comparison: &mut Comparison) {
    for (case, pace) in [("hub", "paced"), ("hub_flood", "flood")] {
        if !comparison.selects(&[case]) {
            continue;
        }
        let only = comparison.arguments().only;
        let (mut ours, mut bare) = (Vec::new(), Vec::new());
        for _ in 0..PAIRS {
            if only != Some(Side::Hand) {
                ours.push(apart::run::<3>("hub", &["ours", pace]));
            }
            if only != Some(Side::Ours) {
                bare.push(apart::run::<3>("hub", &["bare", pace]));
            }
        }
        let of = |runs: &[[f64; 3]], index: usize| median(runs.iter().map(|run| run[index]).collect());
        let mut write = |name: &str, index, unit, aim| {
            comparison.write(&figure(
                &format!("{case}{name}"),
                [of(&ours, index), of(&bare, index)],
                unit,
                aim,
            ));
        };
        write("", 0, "per_second", "500,000 deliveries a second");
        write("_lost", 1, "percent", "");
        write("_cpu", 2, "us", "of a processor for each delivery");
    }
}

/// Deliveries a second, how many of a hundred were lost, and microseconds of a processor for each.
pub(super) async fn play(words: &[&str]) -> [f64; 3] {
    let [of, pace] = words[..] else { panic!("{words:?} is no side and pace") };
    match of {
        "bare" => {
            let (hub, _) = broadcast::channel::<Bytes>(1024);
            let follow = |tally| follow_bare(hub.subscribe(), tally);
            let publish = async |tick| {
                hub.send(serde_json::to_vec(&Part::number(tick)).unwrap().into()).unwrap();
            };
            run(pace == "flood", follow, publish).await
        }
        "ours" => {
            let live = Live::new(&App::new());
            let follow = |tally| follow_ours(live.connect(Viewer::default()), tally);
            let publish = async |tick| {
                live.publish("news", serde_json::to_value(Part::number(tick)).unwrap()).unwrap();
            };
            run(pace == "flood", follow, publish).await
        }
        other => panic!("there is no side {other}"),
    }
}

async fn run<F: Future<Output = ()> + Send + 'static>(
    flood: bool,
    follow: impl Fn(Arc<Tally>) -> F,
    mut publish: impl AsyncFnMut(u64),
) -> [f64; 3] {
    let (tally, mut receivers) = (Tally::new(ROUND, RECEIVERS), JoinSet::new());
    for _ in 0..RECEIVERS {
        receivers.spawn(follow(tally.clone()));
    }
    // Until all of them wait.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let (begin, used, mut sent) = (Instant::now(), cpu(), 0);
    while begin.elapsed() < SECONDS {
        for _ in 0..ROUND {
            publish(sent).await;
            sent += 1;
        }
        if flood {
            tokio::task::yield_now().await;
        } else {
            tally.whole().await;
        }
    }
    let (delivered, used) = (tally.delivered(), cpu().saturating_sub(used));
    let lost = tally.lost();
    [
        delivered / begin.elapsed().as_secs_f64(),
        100.0 * lost / (sent * RECEIVERS) as f64,
        used.as_secs_f64() * 1e6 / delivered,
    ]
}

async fn follow_bare(mut parts: broadcast::Receiver<Bytes>, tally: Arc<Tally>) {
    let mut count = 0;
    loop {
        match parts.recv().await {
            Ok(part) => {
                black_box(part);
                tally.deliver(&mut count);
            }
            Err(broadcast::error::RecvError::Lagged(parts)) => tally.lose(parts),
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}

async fn follow_ours(mut client: Client, tally: Arc<Tally>) {
    client.state("news", Interest::named(["news"]), None).unwrap();
    let mut count = 0;
    while let Some(told) = client.next().await {
        match told {
            Delivery::Part(part) => {
                black_box(part);
                tally.deliver(&mut count);
            }
            Delivery::Missed { count } => tally.lose(count),
            other => panic!("a client is told {other:?}"),
        }
    }
}
