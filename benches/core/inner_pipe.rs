//! map, filter, scan and `distinct_until_changed` inside one element, and the same written with futures in one task.

use crate::measure::{self, numbers};
use criterion::Criterion;
use futures::stream;
use mape::prelude::*;
use std::future::ready;

const N: u64 = 1_000_000;
/// What comes out of the pipe: the filter lets seven of eight through, and adding 0 changes nothing once.
const OUT: u64 = N / 8 * 7 - 1;

pub(crate) fn all(c: &mut Criterion) {
    let sum = tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(futures());
    let mut group = measure::group(c, "inner_pipe", N);
    measure::future(&mut group, "mape", &sum, mape);
    measure::future(&mut group, "futures", &sum, futures);
    group.finish();
}

fn mix(x: u64) -> u64 {
    (x ^ 1).wrapping_mul(3)
}

fn few(x: u64) -> bool {
    x & 7 != 7
}

async fn mape() -> u64 {
    let app = App::new();
    let l = app.create_loop("l").unwrap();
    let pipe = l.monitor("pipe").ops_in(|s| {
        s.map(mix)
            .filter(|x| ready(few(*x)))
            .scan_with(0_u64, |sum, x| *sum = sum.wrapping_add(x))
            .distinct_until_changed()
    });
    let (mut sum, mut left) = (0_u64, OUT);
    let pipe = pipe.each(move |x, out| {
        sum = sum.wrapping_add(x);
        left -= 1;
        if left == 0 {
            out.emit(sum);
        }
    });
    let pipe = pipe.spawn().unwrap();
    let mut sums = pipe.subscribe();
    pipe.start().unwrap();
    pipe.feed(stream::iter(numbers(N)));
    sums.next().await.unwrap()
}

async fn futures() -> u64 {
    let mut last = None;
    stream::iter(numbers(N))
        .map(mix)
        .filter(|x| ready(few(*x)))
        .scan(0_u64, |sum, x| {
            *sum = sum.wrapping_add(x);
            ready(Some(*sum))
        })
        .filter(move |x| ready(last.replace(*x) != Some(*x)))
        .fold(0_u64, async |sum, x| sum.wrapping_add(x))
        .await
}
