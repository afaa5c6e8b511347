//! Operators of time, groups, buffers and combination, each beside its best peer.

use crate::measure::{self, numbers};
use criterion::Criterion;
use futures::future::Either;
use futures::{Stream, StreamExt as _, future, stream};
use mape::stream::Operators;
use std::task::Poll;
use std::time::Duration;

const N: u64 = 100_000;

pub(crate) fn all(c: &mut Criterion) {
    debounce(c);
    group_by(c);
    buffer(c);
    switch_map(c);
    combine_latest(c);
}

/// The numbers below `N`, and a moment without one after every `run` of them.
fn in_runs(run: u64) -> impl Stream<Item = u64> + Send + Unpin {
    let mut numbers = numbers(N);
    let mut left = run;
    stream::poll_fn(move |cx| {
        if left == 0 {
            left = run;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        left -= 1;
        Poll::Ready(numbers.next())
    })
}

/// Runs of a hundred; it is never quiet for long enough until the end.
fn debounce(c: &mut Criterion) {
    const QUIET: Duration = Duration::from_secs(60);
    let mut group = measure::group(c, "operators/debounce", N);
    measure::future(&mut group, "mape", &vec![N - 1], || in_runs(100).debounce(QUIET).collect());
    measure::future(&mut group, "peer", &vec![N - 1], || {
        use futures_rx::RxExt;
        RxExt::debounce(in_runs(100), |_| Box::pin(tokio::time::sleep(QUIET))).collect::<Vec<u64>>()
    });
    group.finish();
}

/// Sixteen groups, and the sum of each.
fn group_by(c: &mut Criterion) {
    let sum: u64 = (0..N).sum();
    let mut group = measure::group(c, "operators/group_by", N);
    measure::future(&mut group, "mape", &sum, || {
        stream::iter(numbers(N))
            .group_and_pipe(|x| x % 16, None, |_, items| stream::once(items.fold(0, async |sum, x| sum + x)))
            .fold(0, async |sum, x| sum + x)
    });
    measure::call(&mut group, "peer", &sum, || {
        use rxrust::prelude::*;
        use std::sync::Arc;
        use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
        let total = Arc::new(AtomicU64::new(0));
        let sums = total.clone();
        Shared::from_iter(numbers(N)).group_by(|x: &u64| x % 16).subscribe(move |items| {
            let sums = sums.clone();
            items
                .reduce(|sum: u64, x: u64| sum + x)
                .subscribe(move |sum: u64| sums.store(sums.load(Relaxed) + sum, Relaxed));
        });
        total.load(Relaxed)
    });
    group.finish();
}

/// Lists of a hundred.
fn buffer(c: &mut Criterion) {
    let lists = usize::try_from(N / 100).unwrap();
    let mut group = measure::group(c, "operators/buffer", N);
    measure::future(&mut group, "mape", &lists, || stream::iter(numbers(N)).buffer_count(100).count());
    measure::future(&mut group, "peer", &lists, || stream::iter(numbers(N)).chunks(100).count());
    group.finish();
}

/// Every number makes a stream of four, which is read to its end before the next number comes.
fn switch_map(c: &mut Criterion) {
    let items = usize::try_from(4 * N).unwrap();
    let mut group = measure::group(c, "operators/switch_map", N);
    measure::future(&mut group, "mape", &items, || in_runs(1).switch_map(|x| stream::iter(x..x + 4)).count());
    measure::future(&mut group, "peer", &items, || {
        use futures_rx::RxExt;
        RxExt::switch_map(in_runs(1), |x| stream::iter(x..x + 4)).count()
    });
    group.finish();
}

/// Two streams that are always ready, read in turns: a pair for every item but the first.
fn combine_latest(c: &mut Criterion) {
    let pairs = usize::try_from(2 * N - 1).unwrap();
    let mut group = measure::group(c, "operators/combine_latest", 2 * N);
    measure::future(&mut group, "mape", &pairs, || {
        stream::iter(numbers(N)).combine_latest(stream::iter(numbers(N))).count()
    });
    measure::future(&mut group, "peer", &pairs, || {
        let a = stream::iter(numbers(N)).map(Either::Left);
        let b = stream::iter(numbers(N)).map(Either::Right);
        let (mut last_a, mut last_b) = (None, None);
        let pairs = stream::select(a, b).filter_map(move |item| {
            match item {
                Either::Left(a) => last_a = Some(a),
                Either::Right(b) => last_b = Some(b),
            }
            future::ready(last_a.zip(last_b))
        });
        pairs.count()
    });
    group.finish();
}
