//! What every store tells those who watch.

use futures::{Stream, StreamExt};
use mape::knowledge::{Change, Data, Filter, Knowledge, Notice, Operation, Scope, Transaction, TypedChange};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

/// The tests of all claims here, as in `conformance`.
macro_rules! suite {
    ($backend:ident, $world:expr $(, $clock:ident = $paused:literal)?) => {
        crate::suite::tests_of! { $backend, $world, ($($clock = $paused)?), knowledge::watching:
            every_operation_is_told_with_its_name_and_values,
            only_what_the_filter_accepts_is_told,
            what_changes_nothing_is_not_told,
            the_changes_of_a_transaction_come_in_order_and_only_if_it_is_done,
            changes_of_one_key_come_in_the_order_of_its_values,
            a_slow_watcher_holds_up_nobody_and_is_told_how_much_it_missed,
            a_key_that_ceases_by_itself_is_told_without_anyone_asking_for_it,
            a_typed_collection_tells_typed_changes,
            a_change_of_another_type_is_an_error_in_its_place,
            a_synchronous_handler_is_called_until_its_guard_is_dropped,
            an_asynchronous_handler_survives_a_panic,
        }
    };
}
pub(crate) use suite;

async fn next<S: Stream + Unpin>(stream: &mut S) -> S::Item {
    timeout(Duration::from_secs(5), stream.next())
        .await
        .expect("a notice in time")
        .expect("the stream goes on")
}

async fn next_change(changes: &mut (impl Stream<Item = Notice> + Unpin)) -> Change {
    match next(changes).await {
        Notice::Change(change) => change,
        other => panic!("{other:?}"),
    }
}

/// The operation, part, old and new value of a change as text.
fn row(change: Change) -> String {
    let text = |data: Option<Data>| data.map_or("-".to_owned(), |data| data.as_str().unwrap().to_owned());
    let Change { operation, field, old, new, .. } = change;
    format!("{operation} {} {} {}", text(field), text(old), text(new))
}

pub(crate) async fn every_operation_is_told_with_its_name_and_values(k: Knowledge) {
    let mut changes = k.watch(Filter::all()).await.unwrap();
    let (value, count) = (k.value::<u8>("v"), k.value::<i64>("n"));
    let (hash, set, list) = (k.hash::<String, i64>("h"), k.set::<String>("s"), k.list::<u8>("l"));
    let (queue, sorted) = (k.queue::<u8>("q"), k.sorted_set::<String>("z"));
    let mut expect = async |name: &str, rows: &[&str]| {
        for expected in rows {
            let change = next_change(&mut changes).await;
            assert_eq!(change.key.as_str(), format!("k.app.{name}"), "{change:?}");
            assert_eq!(row(change), *expected);
        }
    };

    value.set(&1).await.unwrap();
    value.set(&2).await.unwrap();
    value.expire(Duration::from_mins(1)).await.unwrap();
    value.persist().await.unwrap();
    value.clear().await.unwrap();
    expect("v", &["set - - 1", "set - 1 2", "expire - - -", "persist - - -", "del - 2 -"]).await;
    count.increment(2).await.unwrap();
    count.increment(3).await.unwrap();
    expect("n", &["incrby - - 2", "incrby - 2 5"]).await;
    hash.insert("f", &1).await.unwrap();
    hash.increment("f", 4).await.unwrap();
    hash.remove("f").await.unwrap();
    expect("h", &["hset f - 1", "hincrby f 1 5", "hdel f 5 -", "del - - -"]).await;
    set.extend(["a", "b"]).await.unwrap();
    set.remove("a").await.unwrap();
    set.take_any().await.unwrap();
    expect("s", &["sadd - - a", "sadd - - b", "srem - a -", "spop - b -", "del - - -"]).await;
    list.push_front(&1).await.unwrap();
    list.extend(&[2, 3, 3]).await.unwrap();
    list.set(0, &9).await.unwrap();
    list.remove(&3).await.unwrap();
    list.pop_back().await.unwrap();
    list.trim(1, 0).await.unwrap();
    expect("l", &["lpush - - 1", "rpush - - 2", "rpush - - 3", "rpush - - 3", "lset - 1 9", "lrem - 3 -"])
        .await;
    expect("l", &["rpop - 2 -", "ltrim - - -", "del - - -"]).await;
    queue.push(&1).await.unwrap();
    queue.pop().await.unwrap();
    expect("q", &["rpush - - 1", "lpop - 1 -", "del - - -"]).await;
    for score in [1.0, 2.5] {
        sorted.add("a", score).await.unwrap();
        sorted.add("b", score).await.unwrap();
    }
    sorted.increment("b", 1.0).await.unwrap();
    sorted.add("c", 0.0).await.unwrap();
    sorted.remove("c").await.unwrap();
    sorted.pop_min().await.unwrap();
    sorted.pop_max().await.unwrap();
    expect("z", &["zadd a - 1", "zadd b - 1", "zadd a 1 2.5", "zadd b 1 2.5", "zincr b 2.5 3.5"]).await;
    expect("z", &["zadd c - 0", "zrem c 0 -", "zpopmin a 2.5 -", "zpopmax b 3.5 -", "del - - -"]).await;
}

pub(crate) async fn only_what_the_filter_accepts_is_told(k: Knowledge) {
    let set_changes = [Operation::Sadd, Operation::Srem];
    let mut adds = k.watch(Filter::key("car*").operations(set_changes)).await.unwrap();
    let mut globbed = k.watch(Filter::glob("car_[ab]")).await.unwrap();
    for name in ["cars", "car_a", "car*", "car_c"] {
        k.set::<u8>(name).add(&1).await.unwrap();
        k.set::<u8>(name).expire(Duration::from_mins(1)).await.unwrap();
        k.scoped(Scope::Loop("x".into())).set::<u8>(name).add(&1).await.unwrap();
    }
    k.set::<u8>("car*").remove(&1).await.unwrap();
    k.value::<u8>("car_b").set(&1).await.unwrap();
    let seen = |change: Change| (change.key.to_string(), change.operation);
    assert_eq!(seen(next_change(&mut adds).await), ("k.app.car*".into(), Operation::Sadd));
    assert_eq!(seen(next_change(&mut adds).await), ("k.app.car*".into(), Operation::Srem));
    assert_eq!(seen(next_change(&mut globbed).await), ("k.app.car_a".into(), Operation::Sadd));
    assert_eq!(seen(next_change(&mut globbed).await), ("k.app.car_a".into(), Operation::Expire));
    assert_eq!(seen(next_change(&mut globbed).await), ("k.app.car_b".into(), Operation::Set));
    sleep(Duration::from_millis(50)).await;
    assert!(futures::poll!(adds.next()).is_pending() && futures::poll!(globbed.next()).is_pending());
}

pub(crate) async fn what_changes_nothing_is_not_told(k: Knowledge) {
    k.set::<u8>("s").add(&1).await.unwrap();
    k.sorted_set::<u8>("z").add(&1, 1.0).await.unwrap();
    let mut changes = k.watch(Filter::all()).await.unwrap();
    k.set::<u8>("s").add(&1).await.unwrap();
    k.set::<u8>("s").remove(&2).await.unwrap();
    k.sorted_set::<u8>("z").add(&1, 1.0).await.unwrap();
    k.hash::<u8, u8>("h").remove(&1).await.unwrap();
    k.list::<u8>("l").trim(0, -1).await.unwrap();
    k.list::<u8>("l").pop_front().await.unwrap();
    k.keyspace().delete("none").await.unwrap();
    k.set::<u8>("s").persist().await.unwrap();
    k.value::<u8>("end").set(&1).await.unwrap();
    assert_eq!(row(next_change(&mut changes).await), "set - - 1");
}

pub(crate) async fn the_changes_of_a_transaction_come_in_order_and_only_if_it_is_done(k: Knowledge) {
    let mut changes = k.watch(Filter::all()).await.unwrap();
    let (a, b) = (k.value::<i64>("a"), k.set::<String>("b"));
    let failing = Transaction::new().sadd(b.key(), "x").set(a.key(), "text").incrby(a.key(), 1);
    k.store().commit(failing).await.unwrap_err();
    let conflicting = Transaction::new().expect_present(a.key()).sadd(b.key(), "x");
    k.store().commit(conflicting).await.unwrap_err();
    let done = Transaction::new().set(a.key(), "1").sadd(b.key(), "x").incrby(a.key(), 1);
    k.store().commit(done).await.unwrap();
    for expected in ["set - - 1", "sadd - - x", "incrby - 1 2"] {
        assert_eq!(row(next_change(&mut changes).await), expected);
    }
}

pub(crate) async fn changes_of_one_key_come_in_the_order_of_its_values(k: Knowledge) {
    let value = k.value::<u64>("n");
    let mut changes = value.watch().await.unwrap();
    let writers: Vec<_> = (0..4)
        .map(|_| {
            let value = value.clone();
            tokio::spawn(async move {
                for _ in 0..100 {
                    value.update(|n| n.unwrap_or(0) + 1).await.unwrap();
                }
            })
        })
        .collect();
    for n in 1..=400 {
        let Notice::Change(TypedChange { old, new, .. }) = next(&mut changes).await.unwrap() else {
            panic!("the watcher keeps up")
        };
        assert_eq!((old.unwrap_or(0), new), (n - 1, Some(n)));
    }
    futures::future::join_all(writers).await.into_iter().for_each(Result::unwrap);
}

pub(crate) async fn a_slow_watcher_holds_up_nobody_and_is_told_how_much_it_missed(k: Knowledge) {
    let value = k.value::<u32>("v");
    let filter = Filter::key("v").capacity(8.try_into().unwrap());
    let mut changes = k.watch(filter).await.unwrap();
    for n in 1..=1000 {
        value.set(&n).await.unwrap();
    }
    // As long as nothing is under way any more, it has the last eight.
    sleep(Duration::from_millis(100)).await;
    assert_eq!(changes.missed(), 992);
    assert_eq!(next(&mut changes).await, Notice::Missed(992));
    for n in 993..=1000 {
        assert_eq!(row(next_change(&mut changes).await), format!("set - {} {n}", n - 1));
    }
    value.set(&0).await.unwrap();
    assert_eq!(row(next_change(&mut changes).await), "set - 1000 0");
}

pub(crate) async fn a_key_that_ceases_by_itself_is_told_without_anyone_asking_for_it(k: Knowledge) {
    let mut changes = k.watch(Filter::all().operations([Operation::Expired])).await.unwrap();
    k.value::<u8>("later").set_for(&1, Duration::from_millis(400)).await.unwrap();
    k.value::<u8>("sooner").set_for(&2, Duration::from_millis(100)).await.unwrap();
    k.value::<u8>("kept").set_for(&3, Duration::from_millis(200)).await.unwrap();
    k.value::<u8>("kept").persist().await.unwrap();
    for (name, value) in [("sooner", "2"), ("later", "1")] {
        let change = next_change(&mut changes).await;
        assert_eq!((k.name(&change.key), change.old), (Some(name), Some(value.into())));
    }
    sleep(Duration::from_millis(100)).await;
    assert!(futures::poll!(changes.next()).is_pending());
}

pub(crate) async fn a_typed_collection_tells_typed_changes(k: Knowledge) {
    let (cars, speeds, ranks) =
        (k.set::<String>("cars"), k.hash::<String, f64>("speeds"), k.sorted_set::<u8>("z"));
    let mut cars_changes = cars.watch().await.unwrap();
    let mut speed_changes = speeds.watch().await.unwrap();
    let mut rank_changes = ranks.watch().await.unwrap();
    cars.add("panda").await.unwrap();
    speeds.insert("panda", &48.5).await.unwrap();
    speeds.insert("panda", &50.0).await.unwrap();
    ranks.add(&7, f64::INFINITY).await.unwrap();
    let Notice::Change(car) = next(&mut cars_changes).await.unwrap() else { panic!() };
    assert_eq!((car.operation, car.old, car.new.as_deref()), (Operation::Sadd, None, Some("panda")));
    next(&mut speed_changes).await.unwrap();
    let Notice::Change(speed) = next(&mut speed_changes).await.unwrap() else { panic!() };
    assert_eq!((speed.field.as_deref(), speed.old, speed.new), (Some("panda"), Some(48.5), Some(50.0)));
    let Notice::Change(rank) = next(&mut rank_changes).await.unwrap() else { panic!() };
    assert_eq!((rank.field, rank.old, rank.new), (Some(7), None, Some(f64::INFINITY)));
}

pub(crate) async fn a_change_of_another_type_is_an_error_in_its_place(k: Knowledge) {
    let mut changes = k.set::<u32>("s").watch().await.unwrap();
    k.set::<String>("s").extend(["1", "panda", "2"]).await.unwrap();
    let seen = [next(&mut changes).await, next(&mut changes).await, next(&mut changes).await];
    let seen =
        seen.map(|item| item.map(|notice| notice.change().unwrap().new.unwrap()).map_err(|e| e.to_string()));
    assert_eq!(seen, [Ok(1), Err("reading `k.app.s` as u32".to_owned()), Ok(2)]);
}

pub(crate) async fn a_synchronous_handler_is_called_until_its_guard_is_dropped(k: Knowledge) {
    let alive = Arc::new(());
    let (sender, mut seen) = mpsc::channel(16);
    let filter = Filter::key("cars").operations([Operation::Sadd, Operation::Srem]);
    let guard = k
        .on_change(filter, {
            let alive = alive.clone();
            move |notice| {
                let _ = &alive;
                sender.try_send(notice.change().unwrap().operation).unwrap();
            }
        })
        .await
        .unwrap();
    k.set::<u8>("cars").add(&1).await.unwrap();
    k.set::<u8>("cars").remove(&1).await.unwrap();
    let mut next = async || timeout(Duration::from_secs(5), seen.recv()).await.expect("a call in time");
    assert_eq!([next().await, next().await], [Some(Operation::Sadd), Some(Operation::Srem)]);
    drop(guard);
    // The handler and all it owns goes.
    assert_eq!(next().await, None);
    crate::suite::eventually("the handler is gone", async || Arc::strong_count(&alive) == 1).await;
    k.set::<u8>("cars").add(&1).await.unwrap();
}

pub(crate) async fn an_asynchronous_handler_survives_a_panic(k: Knowledge) {
    let (sender, mut seen) = mpsc::channel(16);
    let _guard = k
        .on_change_async(Filter::key("v"), move |notice| {
            let sender = sender.clone();
            async move {
                let new = notice.change().unwrap().new.unwrap();
                assert_ne!(new, "2".into(), "this handler dislikes it");
                sender.send(new).await.unwrap();
            }
        })
        .await
        .unwrap();
    for n in 1..=3 {
        k.value::<u8>("v").set(&n).await.unwrap();
    }
    for expected in ["1", "3"] {
        let new = timeout(Duration::from_secs(5), seen.recv()).await.expect("a call in time");
        assert_eq!(new, Some(expected.into()));
    }
}
