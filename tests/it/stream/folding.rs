//! Folding, running and moving forms against slices.

use super::schedule::{ms, observe, run, schedules};
use futures::StreamExt;
use mape::stream::{Operators, ops::Aggregate};
use proptest::prelude::*;

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * (1.0 + a.abs().max(b.abs()))
}

fn mean(values: &[u32]) -> f64 {
    values.iter().copied().map(f64::from).sum::<f64>() / values.len() as f64
}

fn deviation(values: &[u32]) -> f64 {
    let squares: f64 = values.iter().map(|value| (f64::from(*value) - mean(values)).powi(2)).sum();
    if values.len() < 2 { 0.0 } else { (squares / (values.len() - 1) as f64).sqrt() }
}

fn all<S: futures::Stream>(stream: S) -> Vec<S::Item> {
    run(stream.collect())
}

fn same(actual: &[f64], expected: impl Iterator<Item = f64>) -> bool {
    let expected: Vec<_> = expected.collect();
    actual.len() == expected.len() && actual.iter().zip(expected).all(|(a, b)| close(*a, b))
}

proptest! {
    #[test]
    fn what_all_items_come_to(s in schedules()) {
        let values = s.values();
        let some = !values.is_empty();
        prop_assert_eq!(run(s.stream().sum_items()), some.then(|| values.iter().sum()));
        prop_assert_eq!(run(s.stream().min_item()), values.iter().copied().min());
        prop_assert_eq!(run(s.stream().max_item()), values.iter().copied().max());
        prop_assert_eq!(run(s.stream().reduce_items(|a, b| a * 3 % 1009 + b)), values.iter().copied().reduce(|a, b| a * 3 % 1009 + b));
        let average = run(s.stream().average());
        prop_assert!(average.is_none_or(|average| close(average, mean(&values))) && average.is_some() == some);
    }

    #[test]
    fn what_all_items_so_far_come_to(s in schedules()) {
        let values = s.values();
        let heads = || (1..=values.len()).map(|n| &values[..n]);
        let scan = |all: &mut Vec<u32>, item| all.push(item);
        prop_assert_eq!(all(s.stream().scan_with(Vec::new(), scan)), heads().map(<[u32]>::to_vec).collect::<Vec<_>>());
        prop_assert_eq!(all(s.stream().running_sum()), heads().map(|head| head.iter().sum()).collect::<Vec<u32>>());
        prop_assert_eq!(all(s.stream().running_min()), heads().map(|head| *head.iter().min().unwrap()).collect::<Vec<_>>());
        prop_assert_eq!(all(s.stream().running_max()), heads().map(|head| *head.iter().max().unwrap()).collect::<Vec<_>>());
        prop_assert_eq!(all(s.stream().running_count()), (1..=values.len() as u64).collect::<Vec<_>>());
        prop_assert!(same(&all(s.stream().running_average()), heads().map(mean)));
        prop_assert!(same(&all(s.stream().running_deviation()), heads().map(deviation)));
    }

    #[test]
    fn what_the_latest_items_come_to(s in schedules(), n in 1..7_usize) {
        let values = s.values();
        let latest = || (1..=values.len()).map(|end| &values[end.saturating_sub(n)..end]);
        prop_assert_eq!(all(s.stream().moving_sum(n)), latest().map(|w| w.iter().sum()).collect::<Vec<u32>>());
        prop_assert_eq!(all(s.stream().moving_min(n)), latest().map(|w| *w.iter().min().unwrap()).collect::<Vec<_>>());
        prop_assert_eq!(all(s.stream().moving_max(n)), latest().map(|w| *w.iter().max().unwrap()).collect::<Vec<_>>());
        prop_assert!(same(&all(s.stream().moving_average(n)), latest().map(mean)));
        prop_assert!(same(&all(s.stream().moving_deviation(n)), latest().map(deviation)));
    }

    #[test]
    fn what_the_items_of_a_time_come_to(s in schedules(), d in 1..10_u64) {
        let expected: Vec<_> = (0..s.items.len()).map(|last| {
            let now = s.items[last].0;
            let latest = s.items[..=last].iter().filter(|(time, _)| time + d > now);
            (now, (latest.clone().count() as u64, latest.map(|(_, item)| *item).max().unwrap()))
        }).collect();
        let (counts, _) = observe(|| s.stream().moving_count(ms(d)));
        let (peaks, _) = observe(|| s.stream().moving_max(ms(d)));
        let both = counts.into_iter().zip(peaks).map(|((time, n), (_, peak))| (time, (n, peak)));
        prop_assert_eq!(both.collect::<Vec<_>>(), expected);
    }
}

/// What items come to where their order matters.
#[derive(Clone)]
struct InOrder(Vec<u32>);

impl Aggregate<u32> for InOrder {
    type Output = Vec<u32>;
    fn of(item: u32) -> Self {
        Self(vec![item])
    }
    fn and(&self, later: &Self) -> Self {
        Self([self.0.as_slice(), &later.0].concat())
    }
    fn value(&self) -> Vec<u32> {
        self.0.clone()
    }
}

#[test]
fn parts_are_put_together_in_order() {
    let items = || futures::stream::iter(0..100);
    assert_eq!(run(items().aggregate::<InOrder>()), Some((0..100).collect()));
    for (last, list) in (0..).zip(all(items().moving::<InOrder>(7))) {
        assert_eq!(list, (last.max(6) - 6..=last).collect::<Vec<u32>>());
    }
}

#[test]
fn a_nan_is_neither_least_nor_greatest_and_leaves_with_its_window() {
    let values = || futures::stream::iter([f64::NAN, 2.0, f64::NAN, 1.0, 3.0, 4.0]);
    assert_eq!(run(values().min_item()), Some(1.0));
    assert_eq!(run(values().max_item()), Some(4.0));
    assert_eq!(&all(values().moving_max(2))[1..], [2.0, 2.0, 1.0, 3.0, 4.0]);
    let averages = all(values().moving_average(2));
    assert!(averages[3].is_nan());
    assert_eq!(averages[4..], [2.0, 3.5]);
}

#[test]
fn moving_sums_do_not_gather_rounding_errors() {
    let values = futures::stream::iter([1e16, 1.0, 1.0, 1.0, 1.0]);
    assert_eq!(all(values.moving_sum(2))[2..], [2.0, 2.0, 2.0]);
}
