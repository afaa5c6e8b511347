//! Ten thousand conditions, and which of them a result fulfils: by the index, and by asking each.

use crate::interest::{anywhere, interest, result};
use crate::measure;
use criterion::{Criterion, Throughput};
use mape::condition::{Condition, Index, Search};
use std::hint::black_box;

const INTERESTS: u64 = 10_000;
const RESULTS: u64 = 1_000;
/// Asking each takes longer.
const RESULTS_FOR_EACH: usize = 10;

pub(crate) fn all(c: &mut Criterion) {
    let results: Vec<_> = (0..RESULTS).map(result).collect();
    let mixed: Vec<_> = (0..INTERESTS).map(|i| condition(&interest(i))).collect();
    let mails: Vec<_> = (0..INTERESTS).map(|i| condition(&anywhere(i))).collect();
    let mut group = measure::group(c, "conditions", RESULTS);
    for (name, conditions) in [("index_mixed", &mixed), ("index_anywhere", &mails)] {
        let index = index(conditions);
        let mut search = Search::new();
        group.bench_function(name, |b| {
            b.iter(|| {
                results
                    .iter()
                    .map(|result| index.search(result, &mut search, |_| {}).fulfilled)
                    .sum::<usize>()
            });
        });
    }
    group.throughput(Throughput::Elements(RESULTS_FOR_EACH as u64));
    group.bench_function("each_mixed", |b| {
        let holding = |result| mixed.iter().filter(|condition| condition.holds(result)).count();
        b.iter(|| results.iter().take(RESULTS_FOR_EACH).map(holding).sum::<usize>());
    });
    group.throughput(Throughput::Elements(INTERESTS));
    group.bench_function("insert_and_remove", |b| {
        let mut index = index(&mixed);
        b.iter(|| {
            for (key, condition) in (0..).zip(&mixed) {
                index.remove(&key);
                index.insert(key, condition.clone());
            }
            index.len()
        });
    });
    group.bench_function("parse", |b| {
        let texts: Vec<_> = (0..INTERESTS).map(interest).collect();
        b.iter(|| texts.iter().for_each(|text| drop(black_box(condition(text)))));
    });
    group.finish();
}

fn condition(text: &str) -> Condition {
    Condition::parse(text).unwrap()
}

fn index(conditions: &[Condition]) -> Index<u64> {
    let mut index = Index::new();
    for (key, condition) in (0..).zip(conditions) {
        index.insert(key, condition.clone());
    }
    index
}
