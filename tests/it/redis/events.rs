//! Events on a real Redis server: the suites of every log, and what is Redis' own.

use crate::event::conformance::{all, append, log, numbered, numbers};
use crate::event::{conformance, groups, model, receipts, together};
use crate::redis::world::next;
use crate::server::{Cluster, Proxy, RedisServer, ask};
use crate::suite::eventually;
use mape::backend::{Backend, Options};
use mape::event::{Consumer, Error, Event, EventId, EventLog, GroupName, LogName, Retention};
use mape::knowledge::{Scope, Transaction};
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

async fn redis() -> Backend {
    Backend::open(&RedisServer::shared_url()).await.unwrap()
}

conformance::suite! { redis_conforms, super::redis().await }
groups::suite! { redis_groups, super::redis().await }
receipts::suite! { redis_receipts, super::redis().await }
together::suite! { redis_together, super::redis().await }
crate::queue::conformance::suite! { redis_queues, super::redis().await }
crate::queue::holding::suite! { redis_queues_hold, super::redis().await }

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn redis_behaves_as_the_model(acts in model::acts()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { model::behaves_as_the_model(redis().await, acts).await });
    }
}

/// A server with one log, and the raw methods on it.
struct World {
    server: RedisServer,
    backend: Backend,
    raw: Arc<dyn EventLog>,
    orders: LogName,
}

impl World {
    async fn start() -> Self {
        Self::on(RedisServer::start()).await
    }

    async fn on(server: RedisServer) -> Self {
        let backend = Backend::open(&server.url()).await.unwrap();
        Self { server, raw: backend.event_log(), backend, orders: "orders".into() }
    }

    fn consumer(&self, name: &str) -> Consumer {
        Consumer::new(&self.orders, "g", name)
    }

    async fn group(&self) {
        assert!(self.raw.create_group(&self.orders, &GroupName::from("g"), EventId::MIN).await.unwrap());
    }

    fn cli(&self, words: &[&str]) -> String {
        self.server.cli(words)
    }

    async fn pending(&self) -> usize {
        let pending = self.raw.pending(&self.orders, &"g".into(), EventId::MIN, 1000).await;
        pending.unwrap().len()
    }
}

#[tokio::test]
async fn events_are_written_as_python_reads_them_and_read_as_python_writes_them() {
    let world = World::start().await;
    let log = log(&world.backend);
    let event = Event::new("start-task").with("name", "A").with("index", 2).with("input", json!({"a": 5}));
    let id = log.append(event).await.unwrap();
    assert_eq!(
        world.cli(&["XRANGE", "orders", "-", "+"]).lines().collect::<Vec<_>>(),
        [&id.to_string(), "kind", "\"start-task\"", "name", "\"A\"", "index", "2", "input", "{\"a\":5}"]
    );
    // As `json.dumps` writes with its defaults.
    let python = [
        "XADD",
        "orders",
        "*",
        "name",
        "\"caf\\u00e9\"",
        "parameters",
        "{\"x\": 1, \"y\": [1.5, null]}",
        "kind",
        "\"end-task\"",
        "apiVersion",
        "\"v1\"",
        "at",
        "\"2026-11-21T20:28:23.818224+00:00\"",
    ];
    ask::<String>(world.server.port(), &python).unwrap();
    let entries = all(&log).await;
    let read = entries[1].event.as_ref().unwrap();
    assert!(read.is("end-task"));
    assert_eq!(read.get("name"), Some(json!("café")));
    assert_eq!(read.json("parameters"), Some("{\"x\": 1, \"y\": [1.5, null]}"));
}

#[tokio::test]
async fn what_is_no_event_is_handed_on_and_stops_nobody() {
    let world = World::start().await;
    world.group().await;
    let port = world.server.port();
    ask::<String>(port, &["XADD", "orders", "*", "kind", "\"x\"", "broken", "not json"]).unwrap();
    ask::<String>(port, &[b"XADD".as_slice(), b"orders", b"*", b"kind", b"\"\xff\""]).unwrap();
    append(&log(&world.backend), [3]).await;
    let read = world.raw.read(&world.consumer("a"), 10).await.unwrap();
    assert_eq!(read.len(), 3);
    let malformed = read[0].entry.event.as_ref().unwrap_err();
    assert_eq!((malformed.field.as_str(), malformed.beginning.as_str()), ("broken", "not json"));
    assert_eq!(malformed.fields[0], ("kind".into(), "\"x\"".into()));
    assert_eq!(read[1].entry.event.as_ref().unwrap_err().field, "kind");
    assert_eq!(numbers(&[read[2].entry.clone()]), [3]);
}

#[tokio::test]
async fn an_event_without_fields_and_one_with_thousands_come_back() {
    let backend = redis().await;
    let log = log(&backend);
    let large =
        Event::of(&(0..5000).map(|n| (n.to_string(), n)).collect::<std::collections::BTreeMap<_, _>>());
    let large = large.unwrap();
    log.append(Event::default()).await.unwrap();
    log.append_all(vec![Event::default(), Event::new("x")]).await.unwrap();
    log.append(large.clone()).await.unwrap();
    let events: Vec<_> = all(&log).await.into_iter().map(|entry| entry.event.unwrap()).collect();
    assert_eq!(events, [Event::default(), Event::default(), Event::new("x"), large.clone()]);
    let most =
        Event::of(&(0..3000).map(|n| (n.to_string(), n)).collect::<std::collections::BTreeMap<_, _>>());
    let most = most.unwrap();
    log.append_all(vec![most.clone(), most.clone()]).await.unwrap();
    backend.store().commit(Transaction::new().append("orders", most.clone())).await.unwrap();
    let refused = log.append_all(vec![large.clone(), large.clone()]).await.unwrap_err();
    assert!(matches!(refused, Error::Refused { .. }), "{refused:?}");
    let refused = backend.store().commit(Transaction::new().set("v", "1").append("orders", large)).await;
    assert!(matches!(refused, Err(mape::knowledge::Error::Refused { .. })));
    assert_eq!(all(&log).await.len(), 7);
}

#[tokio::test]
async fn many_events_are_appended_all_or_not_at_all() {
    let world = World::start().await;
    let some = || (0..300).map(|n| Event::new("order").with("n", n)).collect::<Vec<_>>();
    world.cli(&["SET", "orders", "no log"]);
    let error = world.raw.append(&world.orders, some()).await.unwrap_err();
    assert!(matches!(error, Error::NoLog { .. }), "{error:?}");
    world.cli(&["DEL", "orders"]);
    world.cli(&["CONFIG", "SET", "maxmemory", "1"]);
    let error = world.raw.append(&world.orders, some()).await.unwrap_err();
    assert!(matches!(error, Error::Refused { .. }) && format!("{error:?}").contains("OOM"), "{error:?}");
    world.cli(&["CONFIG", "SET", "maxmemory", "0"]);
    world.cli(&["XADD", "orders", "18446744073709551615-18446744073709551600", "n", "0"]);
    let error = world.raw.append(&world.orders, some()).await.unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error:?}");
    world.cli(&["DEL", "orders"]);
    // A replica that is to become a master soon is waited for.
    world.cli(&["REPLICAOF", "127.0.0.1", "1"]);
    let (appended, ()) = tokio::join!(world.raw.append(&world.orders, some()), async {
        sleep(Duration::from_millis(300)).await;
        world.cli(&["REPLICAOF", "NO", "ONE"]);
    });
    assert_eq!(appended.unwrap().len(), 300);
    assert_eq!(all(&log(&world.backend)).await.len(), 300);
}

#[tokio::test]
async fn what_python_deleted_while_it_was_pending_is_acknowledged_and_skipped() {
    // The receipt listener deletes what other groups have not read.
    let world = World::start().await;
    let ids = append(&log(&world.backend), 0..6).await;
    world.group().await;
    let (a, b) = (world.consumer("a"), world.consumer("b"));
    assert_eq!(world.raw.read(&a, 6).await.unwrap().len(), 6);
    let delete = |id: EventId| world.cli(&["XDEL", "orders", &id.to_string()]);
    delete(ids[0]);
    delete(ids[1]);
    let forgotten = world.raw.forgotten(&a, vec![ids[2], ids[3]]).await.unwrap();
    let given: Vec<_> = forgotten.iter().map(|delivered| (delivered.entry.id, delivered.attempt)).collect();
    assert_eq!(given, [(ids[4], 2), (ids[5], 2)]);
    assert_eq!(world.pending().await, 4);
    delete(ids[2]);
    assert_eq!(world.raw.set_idle(&a, vec![ids[2], ids[3]], Duration::ZERO).await.unwrap(), [ids[3]]);
    delete(ids[4]);
    let claimed = world.raw.claim(&b, Duration::ZERO, 2).await.unwrap();
    let claimed: Vec<_> = claimed.iter().map(|delivered| (delivered.entry.id, delivered.attempt)).collect();
    assert_eq!(claimed, [(ids[3], 2), (ids[5], 3)]);
    assert_eq!(world.pending().await, 2);
    // Unread ones that are gone are never missed.
    let more = append(&log(&world.backend), 6..9).await;
    delete(more[1]);
    let read = world.raw.read(&a, 10).await.unwrap();
    assert_eq!(read.iter().map(|delivered| delivered.entry.id).collect::<Vec<_>>(), [more[0], more[2]]);
}

#[tokio::test]
async fn a_receipt_removes_nothing_that_another_group_has_not_read() {
    // Python's receipts delete their target after the first of them (B-Q5).
    let world = World::start().await;
    let ids = append(&log(&world.backend), 0..2).await;
    world.group().await;
    world.cli(&["XGROUP", "CREATE", "orders", "__receipt__", "0"]);
    let a = world.consumer("a");
    world.raw.read(&a, 10).await.unwrap();
    world.raw.acknowledge(&world.orders, &"g".into(), ids.clone()).await.unwrap();
    assert_eq!(world.raw.delete(&world.orders, ids.clone()).await.unwrap(), []);
    assert_eq!(world.raw.trim(&world.orders, Retention::Entries(0)).await.unwrap(), 0);
    world.cli(&["XREADGROUP", "GROUP", "__receipt__", "python", "STREAMS", "orders", ">"]);
    assert_eq!(world.raw.delete(&world.orders, ids.clone()).await.unwrap(), []);
    world.cli(&["XACK", "orders", "__receipt__", &ids[0].to_string()]);
    let both = vec![ids[1], ids[0]];
    assert_eq!(world.raw.delete(&world.orders, both).await.unwrap(), [ids[0]]);
}

#[tokio::test]
async fn nothing_stays_pending_that_was_acknowledged_unseen() {
    // Python's groups keep what is not theirs pending for ever (B-Q1).
    let world = World::start().await;
    let log = log(&world.backend);
    let group = log.group("wait").select(["countdown"]);
    let mut source = group.source::<serde_json::Value>().await.unwrap();
    for n in 0..20 {
        log.append(Event::new("start-task").with("n", n)).await.unwrap();
    }
    log.append(Event::new("countdown").with("n", 20)).await.unwrap();
    next(&mut source).await.unwrap().acknowledged().await.unwrap();
    eventually("nothing is pending", async || world.cli(&["XPENDING", "orders", "wait"]).starts_with('0'))
        .await;
}

#[tokio::test]
async fn an_idle_reader_reacts_at_once() {
    // Python's listeners sleep for up to ten seconds when nothing comes (B-Q4).
    let backend = redis().await;
    let log = log(&backend);
    let mut source = log.group("g").source::<groups::Order>().await.unwrap();
    for n in 0..5 {
        sleep(Duration::from_millis(if n == 4 { 5500 } else { 100 })).await;
        let begun = Instant::now();
        append(&log, [n]).await;
        next(&mut source).await.unwrap().acknowledge();
        assert!(begun.elapsed() < Duration::from_millis(500), "{:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn a_log_is_trimmed_however_long_it_is() {
    // Python's streams grow without bound unless a receipt listener runs (B-Q6).
    let world = World::start().await;
    let log = log(&world.backend);
    for block in 0..25 {
        append(&log, (0..1000).map(|n| block * 1000 + n)).await;
    }
    assert_eq!(log.trim(Retention::Entries(24_950)).await.unwrap(), 50);
    assert_eq!(log.trim(Retention::Entries(10)).await.unwrap(), 24_940);
    assert!(numbers(&all(&log).await).into_iter().eq(24_990..25_000));
    assert_eq!(log.trim(Retention::Age(Duration::from_hours(1))).await.unwrap(), 0);
    sleep(Duration::from_millis(20)).await;
    assert_eq!(log.trim(Retention::Age(Duration::from_millis(1))).await.unwrap(), 10);
    assert_eq!(log.info().await.unwrap().len, 0);
}

#[tokio::test]
async fn consumers_that_are_gone_are_taken_off_the_list() {
    // Every start of a Python worker leaves one behind for ever (B-L14).
    let world = World::start().await;
    let ids = append(&log(&world.backend), 0..3).await;
    world.group().await;
    world.raw.read(&world.consumer("busy"), 1).await.unwrap();
    world.raw.read(&world.consumer("gone"), 1).await.unwrap();
    world.raw.acknowledge(&world.orders, &"g".into(), vec![ids[1]]).await.unwrap();
    let consumers = async || world.raw.info(&world.orders).await.unwrap().groups[0].consumers;
    // By itself after an hour; the script is told a shorter time here.
    world.raw.claim(&world.consumer("me"), Duration::from_hours(1), 10).await.unwrap();
    assert_eq!(consumers().await, 2);
    sleep(Duration::from_millis(100)).await;
    let script = std::fs::read_to_string("src/backend/redis/lua/claim.lua").unwrap();
    world.cli(&["EVAL", &script, "1", "orders", "g", "me", "3600000", "10", "50"]);
    assert_eq!(consumers().await, 1);
    world.raw.leave(&world.consumer("busy")).await.unwrap();
    assert_eq!(consumers().await, 1);
    world.raw.acknowledge(&world.orders, &"g".into(), vec![ids[0]]).await.unwrap();
    world.raw.leave(&world.consumer("busy")).await.unwrap();
    assert_eq!(consumers().await, 0);
}

#[tokio::test]
async fn the_lag_is_known_also_where_the_server_does_not_know_it() {
    let world = World::start().await;
    let ids = append(&log(&world.backend), 0..100).await;
    world.group().await;
    let lag = async || world.raw.info(&world.orders).await.unwrap().groups[0].lag;
    assert_eq!(lag().await, 100);
    for id in &ids[20..40] {
        world.cli(&["XDEL", "orders", &id.to_string()]);
    }
    assert!(world.cli(&["XINFO", "GROUPS", "orders"]).ends_with("lag"), "the server does not know it");
    assert_eq!(lag().await, 80);
    world.raw.read(&world.consumer("a"), 10).await.unwrap();
    assert_eq!(lag().await, 70);
    let rest: Vec<_> = ids.iter().map(EventId::to_string).collect();
    let words: Vec<_> = ["XDEL", "orders"].into_iter().chain(rest.iter().map(String::as_str)).collect();
    world.cli(&words);
    assert_eq!(lag().await, 0);
}

#[tokio::test]
async fn what_is_missing_or_wrong_is_named() {
    let world = World::start().await;
    let a = world.consumer("a");
    let no_group = |error: Error| matches!(&error, Error::NoGroup { group, .. } if group.as_str() == "g");
    assert!(no_group(world.raw.read(&a, 1).await.unwrap_err()));
    append(&log(&world.backend), [0]).await;
    assert!(no_group(world.raw.read(&a, 1).await.unwrap_err()));
    assert!(no_group(world.raw.claim(&a, Duration::ZERO, 1).await.unwrap_err()));
    assert!(no_group(world.raw.forgotten(&a, vec![]).await.unwrap_err()));
    assert!(no_group(world.raw.pending(&world.orders, &"g".into(), EventId::MIN, 1).await.unwrap_err()));
    assert_eq!(world.raw.set_idle(&a, vec![EventId::new(1, 0)], Duration::ZERO).await.unwrap(), []);
    assert!(!world.raw.settle(&a, EventId::new(1, 0), vec![]).await.unwrap());
    world.raw.leave(&a).await.unwrap();
    assert_eq!(world.raw.acknowledge(&world.orders, &"g".into(), vec![EventId::new(1, 0)]).await.unwrap(), 0);
    assert!(!world.raw.remove_group(&world.orders, &"g".into()).await.unwrap());
    assert!(!world.raw.remove_group(&"none".into(), &"g".into()).await.unwrap());

    world.cli(&["SET", "text", "x"]);
    let (text, of_text) = (LogName::from("text"), Consumer::new("text", "g", "a"));
    let no_log =
        |error: Error| assert!(matches!(&error, Error::NoLog { log } if log.as_str() == "text"), "{error:?}");
    no_log(world.raw.append(&text, vec![Event::new("x")]).await.unwrap_err());
    no_log(world.raw.append(&text, vec![Event::new("x"), Event::new("y")]).await.unwrap_err());
    no_log(world.raw.range(&text, EventId::MIN, EventId::MAX, 1).await.unwrap_err());
    no_log(world.raw.follow(&text, EventId::MIN, 1).await.unwrap_err());
    no_log(world.raw.follow(&text, EventId::MAX, 1).await.unwrap_err());
    no_log(world.raw.info(&text).await.unwrap_err());
    no_log(world.raw.trim(&text, Retention::Entries(0)).await.unwrap_err());
    no_log(world.raw.delete(&text, vec![EventId::new(1, 0)]).await.unwrap_err());
    no_log(world.raw.remove(&text).await.unwrap_err());
    no_log(world.raw.create_group(&text, &"g".into(), EventId::MIN).await.unwrap_err());
    no_log(world.raw.read(&of_text, 1).await.unwrap_err());
    no_log(world.raw.claim(&of_text, Duration::ZERO, 1).await.unwrap_err());
    assert_eq!(world.cli(&["GET", "text"]), "x");

    world.group().await;
    let id = world.raw.read(&a, 1).await.unwrap()[0].entry.id;
    no_log(
        world
            .raw
            .settle(&a, id, vec![("bills".into(), Event::new("x")), (text, Event::new("y"))])
            .await
            .unwrap_err(),
    );
    assert_eq!((world.pending().await, world.cli(&["EXISTS", "bills"]).as_str()), (1, "0"));
}

#[tokio::test]
async fn a_reader_learns_that_its_group_is_gone() {
    for remove in ["group", "log"] {
        let world = World::start().await;
        world.group().await;
        let reading = tokio::spawn(world.raw.read(&world.consumer("a"), 1));
        eventually("it waits", async || world.cli(&["INFO", "clients"]).contains("blocked_clients:1")).await;
        if remove == "group" {
            assert!(world.raw.remove_group(&world.orders, &"g".into()).await.unwrap());
        } else {
            assert!(world.raw.remove(&world.orders).await.unwrap());
        }
        let gone = timeout(Duration::from_secs(5), reading).await.unwrap().unwrap();
        assert!(matches!(gone, Err(Error::NoGroup { .. })), "{remove}: {gone:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_is_there_after_kill_9() {
    let mut world = World::on(RedisServer::options().aof().start()).await;
    let mut acknowledged = BTreeSet::new();
    for round in 0..3 {
        let writers: Vec<_> = (0..8_u64)
            .map(|writer| {
                let log = log(&world.backend);
                tokio::spawn(async move {
                    let mut done = Vec::new();
                    for n in 0.. {
                        let n = round * 1_000_000 + writer * 100_000 + n;
                        match log.append(numbered(n)).await {
                            Ok(id) => done.push((id, n)),
                            Err(error) => {
                                assert!(error.is_retryable(), "{error:?}");
                                return done;
                            }
                        }
                    }
                    done
                })
            })
            .collect();
        sleep(Duration::from_millis(300)).await;
        world.server.kill_9();
        for writer in writers {
            acknowledged.extend(writer.await.unwrap());
        }
        world.server.restart();
    }
    assert!(acknowledged.len() > 100, "{}", acknowledged.len());
    let log = log(&world.backend);
    eventually("it is back", async || log.info().await.is_ok()).await;
    let entries = log.range(EventId::MIN, EventId::MAX, 10_000_000).await.unwrap();
    let there: BTreeSet<_> = entries.iter().map(|entry| entry.id).zip(numbers(&entries)).collect();
    let lost: Vec<_> = acknowledged.difference(&there).collect();
    assert!(lost.is_empty(), "{lost:?}");
    let written: BTreeSet<_> = there.iter().map(|(_, n)| n).collect();
    assert_eq!(written.len(), there.len(), "nothing is there twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_is_there_as_a_whole_or_not_at_all_after_kill_9() {
    let mut world = World::on(RedisServer::options().aof().start()).await;
    world.group().await;
    let acknowledged = Arc::new(AtomicU64::new(0));
    for round in 0..6_u64 {
        let (backend, raw, acknowledged_by) =
            (world.backend.clone(), world.raw.clone(), acknowledged.clone());
        let consumer = world.consumer("a");
        let committing = tokio::spawn(async move {
            let count = backend.knowledge(Scope::App).value::<u64>("count");
            loop {
                raw.append(&consumer.log, vec![Event::new("order")]).await?;
                // Killed before it was asked, the server is waited for.
                let Ok(read) = timeout(Duration::from_secs(10), raw.read(&consumer, 1)).await else {
                    let source = Arc::new(std::io::Error::other("the server is away"));
                    return Err(Error::Unavailable { log: consumer.log, source });
                };
                let id = read?[0].entry.id;
                let step = Transaction::new()
                    .expect_pending(&consumer, id)
                    .incrby(count.key(), 1)
                    .append("bills", Event::new("bill"))
                    .append("parcels", Event::new("parcel"))
                    .acknowledge(&consumer.log, &consumer.group, id);
                if let Err(error) = backend.store().commit(step).await {
                    return Err::<(), _>(Error::Unavailable { log: consumer.log, source: Arc::new(error) });
                }
                acknowledged_by.fetch_add(1, Ordering::SeqCst);
            }
        });
        sleep(Duration::from_millis(100 + 37 * round)).await;
        world.server.kill_9();
        let ended = tokio::time::timeout(Duration::from_mins(1), committing).await;
        assert!(ended.expect("it ends with its server").unwrap().unwrap_err().is_retryable());
        world.server.restart();
        eventually("it is back", async || world.raw.info(&world.orders).await.is_ok()).await;
        let count =
            world.backend.knowledge(Scope::App).value::<u64>("count").get().await.unwrap().unwrap_or(0);
        let orders = world.raw.info(&world.orders).await.unwrap();
        let open = orders.groups[0].lag + orders.groups[0].pending;
        assert_eq!(orders.len - open, count, "acknowledged as often as counted");
        for name in ["bills", "parcels"] {
            assert_eq!(world.backend.events().log(name).info().await.unwrap().len, count, "{name}");
        }
        assert!(count >= acknowledged.load(Ordering::SeqCst), "what was answered is there");
    }
    assert!(acknowledged.load(Ordering::SeqCst) > 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sources_and_followers_go_on_after_an_outage_and_get_everything() {
    let mut world = World::on(RedisServer::options().aof().start()).await;
    let log = log(&world.backend);
    let mut source = log.group("g").source::<groups::Order>().await.unwrap();
    let mut followed = Box::pin(log.follow(EventId::MIN));
    let mut seen = BTreeSet::new();
    for round in 0..2_u64 {
        let writing = tokio::spawn({
            let log = log.clone();
            async move {
                for n in 0..200 {
                    let n = round * 200 + n;
                    // A write of which nobody knows whether it happened is made again.
                    eventually("it is written", async || log.append(numbered(n)).await.is_ok()).await;
                }
            }
        });
        sleep(Duration::from_millis(30)).await;
        world.server.kill_9();
        sleep(Duration::from_millis(500)).await;
        world.server.restart();
        while seen.range(round * 200..).count() < 200 {
            let order = next(&mut source).await.unwrap();
            seen.insert(order.n);
            order.acknowledged().await.unwrap();
        }
        writing.await.unwrap();
    }
    assert!(seen.into_iter().eq(0..400));
    let mut followed_numbers = BTreeSet::new();
    while followed_numbers.len() < 400 {
        let entry = next(&mut followed).await.unwrap();
        followed_numbers.extend(numbers(&[entry]));
    }
    eventually("nothing is pending", async || world.pending().await == 0).await;
}

#[tokio::test]
async fn readers_do_not_hammer_a_server_that_is_away() {
    let server = RedisServer::start();
    let proxy = Proxy::before(&server);
    let backend = Backend::open(&proxy.url()).await.unwrap();
    let raw = backend.event_log();
    raw.create_group(&"orders".into(), &"g".into(), EventId::MIN).await.unwrap();
    let reading = tokio::spawn(raw.read(&Consumer::new("orders", "g", "a"), 1));
    let following = tokio::spawn(raw.follow(&"orders".into(), EventId::MIN, 1));
    eventually("both wait", async || server.cli(&["INFO", "clients"]).contains("blocked_clients:2")).await;
    proxy.refuse(true);
    proxy.cut();
    // What a broken connection may have carried is to be asked for, so this is told.
    let broken = timeout(Duration::from_secs(5), reading).await.unwrap().unwrap().unwrap_err();
    assert!(broken.is_retryable(), "{broken:?}");
    let reading = tokio::spawn(raw.read(&Consumer::new("orders", "g", "a"), 1));
    let before = proxy.connections_accepted();
    sleep(Duration::from_secs(2)).await;
    let attempts = proxy.connections_accepted() - before;
    assert!(attempts < 60, "{attempts} attempts in two seconds");
    assert!(!reading.is_finished() && !following.is_finished());
    proxy.refuse(false);
    eventually("it is back", async || raw.append(&"orders".into(), vec![numbered(1)]).await.is_ok()).await;
    let read = timeout(Duration::from_secs(10), reading).await.unwrap().unwrap().unwrap();
    let followed = timeout(Duration::from_secs(10), following).await.unwrap().unwrap().unwrap();
    assert_eq!((read[0].entry.id, read.len()), (followed[0].id, 1));
}

#[tokio::test]
async fn readers_share_few_connections_one_after_the_other() {
    let world = World::start().await;
    world.group().await;
    let connected = || {
        let clients = world.cli(&["INFO", "stats"]);
        let count =
            clients.lines().find_map(|line| line.strip_prefix("total_connections_received:")).unwrap();
        count.trim().parse::<u32>().unwrap()
    };
    world.raw.append(&world.orders, (0..100).map(numbered).collect()).await.unwrap();
    world.raw.read(&world.consumer("a"), 1).await.unwrap();
    let before = connected();
    for _ in 0..50 {
        assert_eq!(world.raw.read(&world.consumer("a"), 1).await.unwrap().len(), 1);
    }
    // The command line asks on connections of its own.
    assert!(connected() - before <= 2, "{}", connected() - before);
}

#[tokio::test]
async fn a_cluster_keeps_logs_and_knowledge_together() {
    let world = async |prefix: &str| {
        let mut options = Options::default();
        options.prefix = Some(format!("{{{prefix}}}"));
        Backend::open_with(&Cluster::shared().url(), options).await.unwrap()
    };
    together::writes_appends_and_acknowledgements_are_one(world("events-a").await).await;
    together::who_lost_its_lease_commits_nothing(world("events-b").await).await;
    groups::what_a_silent_consumer_left_goes_to_another(world("events-c").await).await;
    conformance::following_gives_what_is_there_and_what_comes_once_each(world("events-d").await).await;
}

#[tokio::test]
async fn a_cluster_keeps_a_queue_on_one_node() {
    use crate::queue::{conformance as queues, holding};
    let world = async |prefix: &str| {
        let mut options = Options::default();
        options.prefix = Some(format!("{{{prefix}}}"));
        Backend::open_with(&Cluster::shared().url(), options).await.unwrap()
    };
    queues::workers_share_the_jobs_and_each_is_done_once(world("queues-a").await).await;
    queues::what_fails_too_often_is_dead_and_can_be_replayed(world("queues-b").await).await;
    queues::a_delayed_job_waits_for_its_time(world("queues-c").await).await;
    queues::a_key_keeps_other_jobs_out(world("queues-d").await).await;
    queues::a_schedule_adds_one_job_each_time_whoever_serves(world("queues-e").await).await;
    queues::a_paused_queue_begins_nothing_in_any_worker(world("queues-f").await).await;
    queues::what_a_silent_worker_had_goes_to_another_and_counts_as_an_attempt(world("queues-g").await).await;
    queues::a_rate_holds_for_all_workers_together(world("queues-h").await).await;
    queues::queues_are_known_by_their_names(world("queues-i").await).await;
    holding::workers_that_stop_use_up_no_attempts(world("queues-j").await).await;
}
