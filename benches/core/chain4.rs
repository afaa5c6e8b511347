//! Four elements in a row: a step; equal neighbours left out and a step; a step; the sum.

use crate::measure::{self, numbers};
use criterion::Criterion;
use futures::{StreamExt, stream};
use mape::prelude::*;
use rxrust::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use tokio::sync::mpsc;

const N: u64 = 1_000_000;
/// What a link holds by default.
const CAPACITY: usize = 1024;

pub(crate) fn all(c: &mut Criterion) {
    let sum = iterator();
    let mut group = measure::group(c, "chain4", N);
    measure::future(&mut group, "mape", &sum, mape);
    mape::stream::meter::set_timing(false);
    measure::future(&mut group, "mape_untimed", &sum, mape);
    mape::stream::meter::set_timing(true);
    measure::future(&mut group, "mape_async", &sum, mape_async);
    measure::future(&mut group, "tokio_mpsc", &sum, tokio_mpsc);
    measure::future(&mut group, "futures", &sum, futures);
    measure::call(&mut group, "rxrust_shared", &sum, rxrust_shared);
    measure::call(&mut group, "iterator", &sum, iterator);
    group.finish();
}

#[inline]
fn step(x: u64, by: u64) -> u64 {
    (x ^ by).wrapping_mul(3)
}

/// Tells whether a number differs from the one before.
fn changes() -> impl FnMut(u64) -> bool {
    let mut last = None;
    move |x| last.replace(x) != Some(x)
}

/// Adds up `N` numbers, then emits the sum.
fn total() -> impl FnMut(u64, &mut Out<u64>) {
    let (mut sum, mut left) = (0, N);
    move |x, out| {
        sum += x;
        left -= 1;
        if left == 0 {
            out.emit(sum);
        }
    }
}

async fn mape() -> u64 {
    let app = App::new();
    let chain = app.create_loop("chain").unwrap();
    let e1 = chain.monitor("e1").each(|x, out| out.emit(step(x, 1))).spawn().unwrap();
    let e2 = chain.analyze("e2").ops_in(Operators::distinct_until_changed);
    let e2 = e2.each(|x, out| out.emit(step(x, 2))).spawn().unwrap();
    let e3 = chain.plan("e3").each(|x, out| out.emit(step(x, 3))).spawn().unwrap();
    let e4 = chain.execute("e4").each(total()).spawn().unwrap();
    run([&e1, &e2, &e3, &e4]).await
}

async fn mape_async() -> u64 {
    let app = App::new();
    let chain = app.create_loop("chain").unwrap();
    let e1 = chain.monitor("e1").each_async(async |x, out: Emitter<u64>| _ = out.emit(step(x, 1)).await);
    let e2 = chain.analyze("e2").ops_in(Operators::distinct_until_changed);
    let e2 = e2.each_async(async |x, out: Emitter<u64>| _ = out.emit(step(x, 2)).await);
    let e3 = chain.plan("e3").each_async(async |x, out: Emitter<u64>| _ = out.emit(step(x, 3)).await);
    let e4 = chain.execute("e4").each(total());
    let elements = [e1.spawn().unwrap(), e2.spawn().unwrap(), e3.spawn().unwrap(), e4.spawn().unwrap()];
    run(elements.each_ref()).await
}

async fn run(elements: [&Element<u64, u64>; 4]) -> u64 {
    let [e1, e2, e3, e4] = elements;
    e1.link(e2).unwrap();
    e2.link(e3).unwrap();
    e3.link(e4).unwrap();
    let mut sums = e4.subscribe();
    e1.start().unwrap();
    e1.feed(stream::iter(numbers(N)));
    sums.next().await.unwrap()
}

/// A task for each, a channel between, an item at a time.
async fn tokio_mpsc() -> u64 {
    let (to_e1, mut e1) = mpsc::channel(CAPACITY);
    let (to_e2, mut e2) = mpsc::channel(CAPACITY);
    let (to_e3, mut e3) = mpsc::channel(CAPACITY);
    let (to_e4, mut e4) = mpsc::channel(CAPACITY);
    tokio::spawn(async move {
        for x in numbers(N) {
            to_e1.send(x).await.unwrap();
        }
    });
    tokio::spawn(async move {
        while let Some(x) = e1.recv().await {
            to_e2.send(step(x, 1)).await.unwrap();
        }
    });
    tokio::spawn(async move {
        let mut changes = changes();
        while let Some(x) = e2.recv().await {
            if changes(x) {
                to_e3.send(step(x, 2)).await.unwrap();
            }
        }
    });
    tokio::spawn(async move {
        while let Some(x) = e3.recv().await {
            to_e4.send(step(x, 3)).await.unwrap();
        }
    });
    let sum = tokio::spawn(async move {
        let mut sum = 0;
        while let Some(x) = e4.recv().await {
            sum += x;
        }
        sum
    });
    sum.await.unwrap()
}

/// Combinators in one task: what no part of can be exchanged while it runs.
async fn futures() -> u64 {
    let mut changes = changes();
    stream::iter(numbers(N))
        .map(|x| step(x, 1))
        .filter(move |x| std::future::ready(changes(*x)))
        .map(|x| step(x, 2))
        .map(|x| step(x, 3))
        .fold(0, async |sum, x| sum + x)
        .await
}

/// A subject before each: what can be exchanged while it runs, and sent to other threads.
fn rxrust_shared() -> u64 {
    let sum = Arc::new(AtomicU64::new(0));
    let mut e1 = Shared::subject::<u64, std::convert::Infallible>();
    let [e2, e3, e4] = std::array::from_fn(|_| Shared::subject::<u64, std::convert::Infallible>());
    {
        let sum = sum.clone();
        e4.clone().subscribe(move |x: u64| sum.store(sum.load(Relaxed) + x, Relaxed));
    }
    {
        let mut e4 = e4.clone();
        e3.clone().map(|x| step(x, 3)).subscribe(move |x: u64| e4.next(x));
    }
    {
        let mut e3 = e3.clone();
        let pipe = rxrust::prelude::Observable::distinct_until_changed(e2.clone());
        pipe.map(|x| step(x, 2)).subscribe(move |x: u64| e3.next(x));
    }
    {
        let mut e2 = e2.clone();
        e1.clone().map(|x| step(x, 1)).subscribe(move |x: u64| e2.next(x));
    }
    for x in numbers(N) {
        e1.next(x);
    }
    sum.load(Relaxed)
}

/// The work alone.
fn iterator() -> u64 {
    let mut changes = changes();
    numbers(N).map(|x| step(x, 1)).filter(|x| changes(*x)).map(|x| step(x, 2)).map(|x| step(x, 3)).sum()
}
