//! What a bulk writer does, on every backend and with every database.

use super::World;
use crate::suite::eventually;
use futures::StreamExt;
use mape::database::{BulkWriter, Database, Error, Table, Written, WrittenSource};
use mape::event::{Event, EventId, Log, Retention};
use mape::prelude::{App, LinkOptions};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::timeout;

macro_rules! suite {
    ($world:ident, $make:expr) => {
        crate::suite::tests_of! { $world, $make, (), database::bulk:
            every_event_is_one_row_and_comes_out_behind_its_commit,
            what_is_appended_while_it_is_away_is_written_when_it_is_back,
            rows_with_the_same_key_are_replaced,
            what_is_no_row_is_buried_alone_and_once,
            what_the_database_refuses_is_buried_alone_and_once,
            a_batch_of_nothing_but_poison_is_buried,
            other_kinds_are_passed_over,
            what_was_not_passed_on_comes_out_again_and_what_was_does_not,
            two_writers_of_one_name_write_everything_once,
            the_log_is_not_trimmed_before_it_is_passed_on,
            who_dies_before_passing_on_is_replaced_by_another_of_its_name,
            who_dies_on_a_quiet_log_is_replaced_too,
            that_nobody_takes_what_comes_out_shows_in_the_lag,
            a_table_that_does_not_fit_is_named_at_the_start,
            a_writer_feeds_an_element,
        }
    };
}
pub(crate) use suite;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) n: u64,
    pub(crate) text: Option<String>,
}

pub(crate) fn log(world: &World) -> Log {
    world.backend.events().log("orders")
}

pub(crate) fn order(n: u64) -> Event {
    Event::new("order").with("n", n).with("text", format!("order {n}"))
}

pub(crate) async fn append(world: &World, numbers: impl IntoIterator<Item = u64>) -> Vec<EventId> {
    log(world).append_all(numbers.into_iter().map(order).collect()).await.unwrap()
}

fn table(database: &Database) -> Table<Order> {
    database.table("orders").create()
}

async fn writer(world: &World) -> WrittenSource<Order> {
    start(world, table(&world.open().await)).await
}

pub(crate) async fn start(world: &World, table: Table<Order>) -> WrittenSource<Order> {
    let writer = BulkWriter::new("shop", &world.backend, "orders", &table);
    writer.batch(NonZeroUsize::new(100).unwrap(), Duration::from_millis(5)).start().await.unwrap()
}

pub(crate) async fn take(source: &mut WrittenSource<Order>, count: usize) -> Vec<Written<Order>> {
    let taken = timeout(Duration::from_secs(20), source.take(count).collect::<Vec<_>>()).await;
    taken.unwrap_or_else(|_| panic!("{count} did not come in time: {:?}", source.stats()))
}

fn numbers(written: &[Written<Order>]) -> Vec<u64> {
    written.iter().map(|order| order.n).collect()
}

/// The rows that are there, each as often as it is.
fn rows(world: &World) -> Vec<u64> {
    world.query("SELECT n FROM orders ORDER BY n").iter().map(|n| n.parse().unwrap()).collect()
}

/// What is in the dead letters: the number, if it has one, and the reason.
pub(crate) async fn buried(world: &World) -> Vec<(Option<u64>, String)> {
    let dead = log(world).dead_letters().range(EventId::MIN, EventId::MAX, 10_000).await.unwrap();
    let letter = |entry: mape::event::Entry| {
        let event = entry.event.unwrap();
        let dead = event.get("dead").unwrap();
        assert_eq!((&dead["log"], &dead["group"]), (&json!("orders"), &json!("bulk:shop")));
        (event.get("n").and_then(|n| n.as_u64()), dead["reason"].as_str().unwrap().to_owned())
    };
    dead.into_iter().map(letter).collect()
}

async fn is_buried(world: &World, count: usize) {
    eventually("all letters are dead", async || buried(world).await.len() >= count).await;
}

/// Lets time go by for all that waits.
async fn later(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// Until it is kept how far it was passed on.
async fn is_kept(world: &World) {
    eventually("it is kept that all was passed on", async || {
        world.query("SELECT position FROM mape_cursors WHERE position <> passed").is_empty()
    })
    .await;
}

pub(crate) async fn every_event_is_one_row_and_comes_out_behind_its_commit(world: World) {
    append(&world, 0..250).await;
    let mut source = writer(&world).await;
    let mut seen = Vec::new();
    while seen.len() < 250 {
        let order = take(&mut source, 1).await.remove(0);
        let there = world.query(&format!("SELECT text FROM orders WHERE n = {}", order.n));
        assert_eq!(there, [format!("order {}", order.n)]);
        assert!(!order.is_again() && order.event().is("order"));
        seen.push(order.n);
    }
    assert!(seen.into_iter().eq(0..250));
    let ids = append(&world, 250..2000).await;
    let written = take(&mut source, 1750).await;
    assert!(written.iter().map(Written::id).eq(ids));
    assert!(rows(&world).into_iter().eq(0..2000));
    let stats = source.stats();
    assert_eq!((stats.rows(), stats.refused(), stats.again(), stats.retries()), (2000, 0, 0, 0));
    assert!((20..200).contains(&stats.batches()) && stats.commit().count == stats.batches(), "{stats:?}");
}

pub(crate) async fn what_is_appended_while_it_is_away_is_written_when_it_is_back(world: World) {
    for round in 0..5 {
        append(&world, round * 300..round * 300 + 250).await;
        let mut source = writer(&world).await;
        append(&world, round * 300 + 250..round * 300 + 300).await;
        take(&mut source, 20).await;
    }
    let mut source = writer(&world).await;
    let drained = async {
        while rows(&world).len() < 1500 {
            while let Ok(Some(_)) = timeout(Duration::from_millis(5), source.next()).await {}
        }
    };
    timeout(Duration::from_secs(20), drained).await.expect("all is there");
    assert!(rows(&world).into_iter().eq(0..1500));
}

pub(crate) async fn rows_with_the_same_key_are_replaced(world: World) {
    let mut source = start(&world, world.open().await.table("orders").key(["n"]).create()).await;
    append(&world, (0..10).chain(0..10)).await;
    log(&world).append(order(3).with("text", "changed")).await.unwrap();
    take(&mut source, 21).await;
    assert!(rows(&world).into_iter().eq(0..10));
    assert_eq!(world.query("SELECT text FROM orders WHERE n IN (3, 4) ORDER BY n"), ["changed", "order 4"]);
}

pub(crate) async fn what_is_no_row_is_buried_alone_and_once(world: World) {
    append(&world, 0..30).await;
    log(&world).append(Event::new("order").with("n", "many")).await.unwrap();
    log(&world).append(order(0).with("n", u64::MAX)).await.unwrap();
    append(&world, 30..60).await;
    let mut source = writer(&world).await;
    assert!(numbers(&take(&mut source, 60).await).into_iter().eq(0..60));
    is_buried(&world, 2).await;
    let letters = buried(&world).await;
    assert!(
        letters[0].1.starts_with("it is no ") && letters[0].1.contains("invalid type: string \"many\""),
        "{letters:?}"
    );
    assert!(letters[1].1.starts_with("`n` is 18446744073709551615"), "{letters:?}");
    // The next one does not do it again.
    drop(source);
    let mut source = writer(&world).await;
    append(&world, [60]).await;
    while rows(&world).len() < 61 {
        take(&mut source, 1).await;
    }
    log(&world).append(Event::new("order")).await.unwrap();
    is_buried(&world, 3).await;
    assert_eq!(buried(&world).await.len(), 3);
    assert!(rows(&world).into_iter().eq(0..=60));
}

pub(crate) async fn what_the_database_refuses_is_buried_alone_and_once(world: World) {
    world.execute("CREATE TABLE orders (n BIGINT CHECK (n % 50 <> 7), text TEXT NOT NULL)");
    append(&world, 0..200).await;
    log(&world).append(Event::new("order").with("n", 1000)).await.unwrap();
    append(&world, 200..300).await;
    let mut source = writer(&world).await;
    let good: Vec<u64> = (0..300).filter(|n| n % 50 != 7).collect();
    assert_eq!(numbers(&take(&mut source, good.len()).await), good);
    assert_eq!(rows(&world), good);
    is_buried(&world, 7).await;
    let letters = buried(&world).await;
    let which: Vec<_> = letters.iter().filter_map(|(n, _)| *n).collect();
    assert_eq!(which, [7, 57, 107, 157, 1000, 207, 257]);
    assert!(letters[0].1.to_lowercase().contains("check"), "{letters:?}");
    let stats = source.stats();
    assert_eq!((stats.rows(), stats.refused()), (294, 7));
    assert!(stats.splits() >= 7, "{stats:?}");
    // What was refused does not come out again.
    drop(source);
    let mut source = writer(&world).await;
    append(&world, [300]).await;
    let mut last = 0;
    while last != 300 {
        let order = take(&mut source, 1).await.remove(0);
        assert!(order.n % 50 != 7);
        last = order.n;
    }
    assert_eq!(buried(&world).await.len(), 7);
}

pub(crate) async fn a_batch_of_nothing_but_poison_is_buried(world: World) {
    world.execute("CREATE TABLE orders (n BIGINT CHECK (n < 0), text TEXT)");
    append(&world, 0..150).await;
    let source = writer(&world).await;
    is_buried(&world, 150).await;
    assert!(buried(&world).await.iter().filter_map(|(n, _)| *n).eq(0..150));
    assert_eq!((source.stats().rows(), source.stats().refused()), (0, 150));
    // And forgotten.
    is_kept(&world).await;
    eventually("it is forgotten", async || world.query("SELECT id FROM mape_refused").is_empty()).await;
}

pub(crate) async fn other_kinds_are_passed_over(world: World) {
    let table = table(&world.open().await);
    let mut source =
        BulkWriter::new("shop", &world.backend, "orders", &table).select(["order"]).start().await.unwrap();
    log(&world).append(Event::new("joke").with("n", "no number")).await.unwrap();
    append(&world, [1]).await;
    log(&world).append(Event::new("joke")).await.unwrap();
    assert_eq!(numbers(&take(&mut source, 1).await), [1]);
    is_kept(&world).await;
    assert_eq!((rows(&world), buried(&world).await.len(), source.stats().refused()), (vec![1], 0, 0));
}

pub(crate) async fn what_was_not_passed_on_comes_out_again_and_what_was_does_not(world: World) {
    append(&world, 0..50).await;
    let mut source = writer(&world).await;
    take(&mut source, 50).await;
    is_kept(&world).await;
    append(&world, 50..100).await;
    let kept = take(&mut source, 50).await;
    // It ends before they are passed on.
    drop(source);
    drop(kept);
    let mut source = writer(&world).await;
    let again = take(&mut source, 50).await;
    assert!(numbers(&again).into_iter().eq(50..100));
    assert!(again.iter().all(Written::is_again));
    drop(again);
    append(&world, [100]).await;
    let new = take(&mut source, 1).await;
    assert!(new[0].n == 100 && !new[0].is_again());
    drop(new);
    is_kept(&world).await;
    drop(source);
    let mut source = writer(&world).await;
    append(&world, [101]).await;
    assert_eq!(numbers(&take(&mut source, 1).await), [101]);
    assert!(rows(&world).into_iter().eq(0..=101));
    assert_eq!(source.stats().again(), 0);
}

pub(crate) async fn two_writers_of_one_name_write_everything_once(world: World) {
    let (mut one, mut other) = (writer(&world).await, writer(&world).await);
    let appending = async {
        for n in 0..200 {
            append(&world, n * 10..n * 10 + 10).await;
        }
    };
    let seen = tokio::join!(appending, async {
        let mut seen = Vec::new();
        while seen.len() < 2000 {
            let order = tokio::select! {
                order = one.next() => order,
                order = other.next() => order,
            };
            seen.push(order.unwrap().n);
        }
        seen
    });
    let seen = seen.1;
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 2000);
    assert!(rows(&world).into_iter().eq(0..2000));
    is_kept(&world).await;
    assert_eq!(one.stats().rows() + other.stats().rows(), 2000);
}

pub(crate) async fn the_log_is_not_trimmed_before_it_is_passed_on(world: World) {
    append(&world, 0..1000).await;
    let mut source = writer(&world).await;
    let kept = take(&mut source, 1000).await;
    assert_eq!(log(&world).trim(Retention::Entries(0)).await.unwrap(), 0);
    drop(kept);
    eventually("the log can be trimmed", async || {
        log(&world).trim(Retention::Entries(0)).await.unwrap() > 0
            && log(&world).info().await.unwrap().len == 0
    })
    .await;
    assert_eq!(rows(&world).len(), 1000);
}

pub(crate) async fn who_dies_before_passing_on_is_replaced_by_another_of_its_name(world: World) {
    let mut one = writer(&world).await;
    append(&world, 0..10).await;
    let kept = take(&mut one, 10).await;
    // Another begins while the first still has them: they may come out twice, but not get lost.
    let mut other = writer(&world).await;
    let again = take(&mut other, 10).await;
    assert!(again.iter().all(Written::is_again));
    drop(again);
    is_kept(&world).await;
    drop(one);
    drop(kept);
    append(&world, 10..20).await;
    assert!(numbers(&take(&mut other, 10).await).into_iter().eq(10..20));
    is_kept(&world).await;
}

pub(crate) async fn who_dies_on_a_quiet_log_is_replaced_too(world: World) {
    let (mut one, mut other) = (writer(&world).await, writer(&world).await);
    append(&world, 0..10).await;
    let (kept, dead, mut alive) = tokio::select! {
        order = one.next() => (order, one, other),
        order = other.next() => (order, other, one),
    };
    drop(dead);
    drop(kept);
    let mut again = Vec::new();
    for _ in 0..20 {
        if let Ok(order) = timeout(Duration::from_millis(200), alive.next()).await {
            again.extend(order);
            break;
        }
        later(Duration::from_secs(3)).await;
    }
    again.extend(take(&mut alive, 9).await);
    assert!(numbers(&again).into_iter().eq(0..10));
    assert!(again.iter().all(Written::is_again));
    assert!(rows(&world).into_iter().eq(0..10));
    drop(again);
    later(Duration::from_secs(6)).await;
    is_kept(&world).await;
}

pub(crate) async fn that_nobody_takes_what_comes_out_shows_in_the_lag(world: World) {
    let mut source = writer(&world).await;
    append(&world, [0]).await;
    take(&mut source, 1).await;
    is_kept(&world).await;
    append(&world, 1..=1000).await;
    eventually("it is held up", async || source.stats().batches() >= 3).await;
    later(Duration::from_secs(6)).await;
    eventually("the lag shows it", async || source.stats().lag() >= 1000.0).await;
    take(&mut source, 1000).await;
    is_kept(&world).await;
    later(Duration::from_secs(6)).await;
    eventually("nothing is left", async || source.stats().lag() < 1.0).await;
}

pub(crate) async fn a_table_that_does_not_fit_is_named_at_the_start(world: World) {
    world.execute("CREATE TABLE orders (m BIGINT, texts TEXT)");
    let database = world.open().await;
    let orders = database.table::<Order>("orders");
    let error = BulkWriter::new("shop", &world.backend, "orders", &orders).start().await.unwrap_err();
    assert!(matches!(error, Error::Table { .. }));
    assert!(
        error.to_string().ends_with("it has no column `n`, `text` (did you mean `texts`?); it has m, texts"),
        "{error}"
    );
    // What does not tell its fields is found out later, and waited for.
    let anything = database.table::<Value>("orders");
    let mut source = BulkWriter::new("any", &world.backend, "orders", &anything).start().await.unwrap();
    log(&world).append(Event::default().with("m", 1).with("more", "x")).await.unwrap();
    eventually("it is tried again", async || source.stats().retries() > 1).await;
    world.execute("ALTER TABLE orders ADD COLUMN more TEXT");
    let written = timeout(Duration::from_secs(10), source.next()).await.unwrap().unwrap();
    assert_eq!(written["more"], "x");
    assert_eq!(world.query("SELECT m, more FROM orders"), ["1|x"]);
}

pub(crate) async fn a_writer_feeds_an_element(world: World) {
    let app = App::new();
    let sum = Arc::new(AtomicU64::new(0));
    let all = sum.clone();
    let add = move |order: Written<Order>| all.fetch_add(order.n, Ordering::Relaxed);
    let push = app.create_loop("shop").unwrap().execute("push").map(add).spawn().unwrap();
    push.feed(writer(&world).await);
    push.link_sink(futures::sink::drain(), LinkOptions::new()).unwrap();
    append(&world, 0..=1000).await;
    eventually("all have been pushed", async || sum.load(Ordering::Relaxed) == 500_500).await;
    is_kept(&world).await;
}

#[tokio::test]
async fn the_group_follows_also_where_the_next_event_always_comes_at_once() {
    let world = World::memory();
    let mut source = writer(&world).await;
    append(&world, [0]).await;
    take(&mut source, 1).await;
    is_kept(&world).await;
    let group = log(&world).group("bulk:shop");
    let (mut last, mut followed) = (0, 0);
    for n in 1..500 {
        append(&world, [n]).await;
        take(&mut source, 1).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        let lag = group.info().await.unwrap().unwrap().lag;
        followed += u32::from(lag < last);
        last = lag;
        // The first time, it may still have been about to for what came before.
        if followed == 2 {
            return;
        }
    }
    panic!("it followed {followed} times, and {last} are left");
}
