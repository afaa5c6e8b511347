//! Ten thousand interests: how many results a second find those who care, and what five thousand a second take.

use super::apart::{self, cpu};
use super::figure;
use super::interest::{interest, result};
use mape::condition::Condition;
use mape_benches::{Comparison, Side};
use std::hint::black_box;
use std::time::{Duration, Instant};

const INTERESTS: u64 = 10_000;
const SECONDS: Duration = Duration::from_secs(3);

pub(super) fn cases(comparison: &mut Comparison) {
    if !comparison.selects(&["interests"]) {
        return;
    }
    let only = comparison.arguments().only;
    let ours = if only == Some(Side::Hand) { [f64::NAN; 3] } else { apart::run("interests", &["ours"]) };
    let bare = if only == Some(Side::Ours) { [f64::NAN; 3] } else { apart::run("interests", &["bare"]) };
    let pair = |index: usize| [ours[index], bare[index]];
    comparison.write(&figure("interests", pair(0), "per_second", "5,000 results a second"));
    comparison.write(&figure("interests_cpu", pair(1), "us", "of a processor for each result"));
    comparison.write(&figure("interests_matches", pair(2), "each", "who care for one result"));
}

/// Results a second, microseconds of a processor for each, and how many cared for one.
pub(super) fn play(words: &[&str]) -> [f64; 3] {
    match words {
        ["bare"] => each(),
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
