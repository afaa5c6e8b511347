//! How everything here is measured: on a current-thread runtime, and only if what comes out is right.

use criterion::BenchmarkGroup;
use criterion::measurement::WallTime;
use std::future::Future;
use std::hint::black_box;
use tokio::runtime::{Builder, Runtime};

pub(crate) use crate::group::group;

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
