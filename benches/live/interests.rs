//! Ten thousand interests: how many results a second find those who care, and what five thousand a second take.

use super::apart::{self, cpu};
use super::figure;
use super::interest::{interest, result};
use futures::StreamExt;
use mape::app::App;
use mape::condition::Condition;
use mape::live::{Client, Delivery, Interest, Live, Viewer};
use mape_benches::{Comparison, Side};
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const INTERESTS: u64 = 10_000;
const SECONDS: Duration = Duration::from_secs(3);

pub(super) fn cases(comparison: &mut Comparison) {
    if !comparison.selects(&["interests"]) {
        return;
    }
    let only = comparison.arguments().only;
    let ours = |rate| {
        if only == Some(Side::Hand) { [f64::NAN; 3] } else { apart::run("interests", &["ours", rate]) }
    };
    let (steady, ours) = (ours("5000"), ours("0"));
    let bare = if only == Some(Side::Ours) { [f64::NAN; 3] } else { apart::run("interests", &["bare"]) };
    let pair = |index: usize| [ours[index], bare[index]];
    comparison.write(&figure("interests", pair(0), "per_second", "5,000 results a second"));
    comparison.write(&figure("interests_cpu", pair(1), "us", "of a processor for each result"));
    let share = |[per_second, micros, _]: [f64; 3]| per_second * micros / 1e4;
    let steadily = [share(steady), f64::NAN];
    comparison.write(&figure(
        "interests_steady",
        [steady[0], f64::NAN],
        "per_second",
        "5,000 a second are published",
    ));
    comparison.write(&figure(
        "interests_steady_cpu",
        steadily,
        "percent",
        "of one processor, of which there are two",
    ));
    comparison.write(&figure("interests_matches", pair(2), "each", "who care for one result"));
}

/// Results a second, microseconds of a processor for each, and how many cared for one.
pub(super) async fn play(words: &[&str]) -> [f64; 3] {
    match words {
        ["bare"] => each(),
        ["ours", rate] => ours(rate.parse().unwrap()).await,
        other => panic!("there is no side {other:?}"),
    }
}

/// By hand: every condition is asked.
fn each() -> [f64; 3] {
    let conditions: Vec<_> = (0..INTERESTS).map(|i| Condition::parse(&interest(i)).unwrap()).collect();
    let (begin, used, mut count, mut matches) = (Instant::now(), cpu(), 0_u64, 0);
    while begin.elapsed() < SECONDS {
        let result = black_box(result(count));
        matches += conditions.iter().filter(|condition| condition.holds(&result)).count();
        count += 1;
    }
    let used = cpu().saturating_sub(used).as_secs_f64() * 1e6;
    let count = count as f64;
    [count / begin.elapsed().as_secs_f64(), used / count, matches as f64 / count]
}

/// As many clients with an interest each, and results as fast as can be, or so many a second.
async fn ours(rate: f64) -> [f64; 3] {
    let (live, matches, mut clients) = (Live::new(&App::new()), Arc::new(AtomicU64::new(0)), JoinSet::new());
    for i in 0..INTERESTS {
        let client = live.connect(Viewer::default());
        let condition = Condition::parse(&interest(i)).unwrap();
        client.state("mine", Interest::when(condition), None).unwrap();
        clients.spawn(follow(client, matches.clone()));
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let publishing = tokio::spawn(async move {
        let (begin, used, mut count) = (Instant::now(), cpu(), 0_u64);
        while begin.elapsed() < SECONDS {
            let result = result(count);
            let name = format!("job{}", count % 500);
            live.publish(&name, result).unwrap();
            count += 1;
            if rate > 0.0 {
                tokio::time::sleep_until((begin + Duration::from_secs_f64(count as f64 / rate)).into()).await;
            } else if count.is_multiple_of(64) {
                tokio::task::yield_now().await;
            }
        }
        let seconds = begin.elapsed().as_secs_f64();
        // Until the last has been told.
        tokio::time::sleep(Duration::from_millis(100)).await;
        let used = cpu().saturating_sub(used).as_secs_f64() * 1e6;
        (count as f64, used, seconds)
    });
    let (count, used, seconds) = publishing.await.unwrap();
    [count / seconds, used / count, matches.load(Ordering::Relaxed) as f64 / count]
}

async fn follow(mut client: Client, matches: Arc<AtomicU64>) {
    while let Some(told) = client.next().await {
        match told {
            Delivery::Part(part) => {
                black_box(part);
                matches.fetch_add(1, Ordering::Relaxed);
            }
            other => panic!("a client is told {other:?}"),
        }
    }
}
