//! Operations on knowledge in memory, one after the other on one core.

use crate::measure;
use criterion::Criterion;
use mape::backend::Backend;
use mape::knowledge::{Knowledge, Scope};

const N: u64 = 100_000;
/// Different members and fields.
const FACTS: u64 = 1000;

pub(crate) fn all(c: &mut Criterion) {
    let mut group = measure::group(c, "knowledge", N);
    measure::future(&mut group, "set_add", &FACTS, set_add);
    measure::future(&mut group, "hash_get", &N, hash_get);
    measure::future(&mut group, "queue", &(0..N / 2).sum(), queue);
    group.finish();
}

fn knowledge() -> Knowledge {
    Knowledge::new(Backend::memory().store(), Scope::App)
}

/// One in a hundred members is new, the rest are there already.
async fn set_add() -> u64 {
    let seen = knowledge().set::<u64>("seen");
    let mut new = 0;
    for i in 0..N {
        new += u64::from(seen.add(&(i % FACTS)).await.unwrap());
    }
    new
}

async fn hash_get() -> u64 {
    let speeds = knowledge().hash::<u64, u64>("speeds");
    speeds.extend((0..FACTS).map(|i| (i, i))).await.unwrap();
    let mut right = 0;
    for i in 0..N {
        right += u64::from(speeds.get(&(i % FACTS)).await.unwrap() == Some(i % FACTS));
    }
    right
}

/// In and out again: two operations an item.
async fn queue() -> u64 {
    let orders = knowledge().queue::<u64>("orders");
    let mut sum = 0;
    for i in 0..N / 2 {
        orders.push(&i).await.unwrap();
        sum += orders.try_pop().await.unwrap().unwrap();
    }
    sum
}
