//! How everything here is measured: a current-thread runtime, elements per second, few but long samples.

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, SamplingMode, Throughput};
use std::future::Future;
use std::hint::black_box;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

pub(crate) fn group<'c>(c: &'c mut Criterion, name: &str, elements: u64) -> BenchmarkGroup<'c, WallTime> {
    let mut group = c.benchmark_group(name);
    group
        .throughput(Throughput::Elements(elements))
        .sampling_mode(SamplingMode::Flat)
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3));
    group
}

/// Measures a future that is to give `expected`: work that comes out wrong is not measured.
pub(crate) fn future<T, Fut>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    expected: &T,
    mut run: impl FnMut() -> Fut,
) where
    T: PartialEq + std::fmt::Debug + Send + 'static,
    Fut: Future<Output = T> + Send + 'static,
{
    let runtime = current_thread();
    // A spawned task, as a program's work is: the future of `block_on` has no share in the budget of tasks.
    group.bench_function(name, |b| {
        b.iter(|| {
            let got = runtime.block_on(async { tokio::spawn(run()).await.expect("the work panicked") });
            assert_eq!(got, *expected);
        });
    });
}

/// The same for work that is no future.
pub(crate) fn call<T: PartialEq + std::fmt::Debug>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    expected: &T,
    mut run: impl FnMut() -> T,
) {
    group.bench_function(name, |b| b.iter(|| assert_eq!(run(), *expected)));
}

pub(crate) fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("no runtime")
}

/// The numbers below `n`, which the compiler can't foresee.
pub(crate) fn numbers(n: u64) -> impl Iterator<Item = u64> + Send {
    (0..n).map(black_box)
}
