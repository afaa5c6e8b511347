//! Watching knowledge on a real Redis server: without its help, with it, and through outages.

use crate::redis::world::{knowledge, next, next_change, two};
use crate::server::{Proxy, RedisServer, ask};
use crate::suite::eventually;
use futures::StreamExt;
use mape::knowledge::{
    Change, Changes, Data, Filter, Knowledge, Notice, Operation, Scope, Transaction, ValueCommand,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

fn row(change: &Change) -> String {
    let text =
        |data: &Option<Data>| data.as_ref().map_or("-".to_owned(), |data| data.as_str().unwrap().to_owned());
    format!("{} {} {} {}", change.operation, text(&change.field), text(&change.old), text(&change.new))
}

async fn rows(changes: &mut Changes, count: usize) -> Vec<String> {
    let mut rows = Vec::new();
    while rows.len() < count {
        rows.push(row(&next_change(changes).await));
    }
    rows
}

async fn nothing_more(changes: &mut Changes) {
    let more = timeout(Duration::from_millis(300), changes.next()).await;
    assert!(more.is_err(), "{more:?}");
}

#[tokio::test]
async fn a_watcher_learns_key_and_values_from_any_server_as_it_is() {
    // PyMAPE needs `notify-keyspace-events` to be set up, and its handlers learn neither key nor value.
    let server = RedisServer::start();
    assert_eq!(server.cli(&["CONFIG", "GET", "notify-keyspace-events"]), "notify-keyspace-events");
    let [one, other] = two(&server.url()).await;
    let mut changes = one.watch(Filter::glob("car*")).await.unwrap();
    other.set::<String>("cars").add("panda").await.unwrap();
    other.value::<u8>("car").set(&1).await.unwrap();
    other.value::<u8>("bus").set(&1).await.unwrap();
    other.hash::<String, u8>("car_speeds").insert("panda", &48).await.unwrap();
    let change = next_change(&mut changes).await;
    assert_eq!((change.key.as_str(), row(&change).as_str()), ("k.app.cars", "sadd - - panda"));
    assert_eq!(rows(&mut changes, 2).await, ["set - - 1", "hset panda - 48"]);
}

/// Keys as one watcher each, many at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_races_with_a_new_watcher_is_told_or_said_to_be_missed() {
    let url = RedisServer::shared_url();
    let [watcher, writer] = two(&url).await;
    for round in 0..40 {
        let (name, stop) = (format!("n{round}"), Arc::new(AtomicBool::new(false)));
        let writing = tokio::spawn({
            let (value, stop) = (writer.value::<u64>(&name), stop.clone());
            async move {
                let mut n = 0;
                while !stop.load(Ordering::Relaxed) {
                    n += 1;
                    value.set(&n).await.unwrap();
                }
                n
            }
        });
        sleep(Duration::from_millis(2)).await;
        let value = watcher.value::<u64>(&name);
        let filter = if round % 2 == 0 { Filter::key(name.as_str()) } else { Filter::glob(name.as_str()) };
        let mut changes = watcher.watch(filter).await.unwrap();
        // As someone does who keeps a copy: read, then follow the changes.
        let mut copy = value.get().await.unwrap().unwrap_or(0);
        sleep(Duration::from_millis(2)).await;
        stop.store(true, Ordering::Relaxed);
        let last = writing.await.unwrap();
        while copy < last {
            match next(&mut changes).await {
                Notice::Change(change) => {
                    let old: u64 = change.old.unwrap().as_str().unwrap().parse().unwrap();
                    let new: u64 = change.new.unwrap().as_str().unwrap().parse().unwrap();
                    assert!(old <= copy, "round {round}: {old} -> {new} came behind {copy} without a notice");
                    copy = copy.max(new);
                }
                Notice::Missed(_) => copy = value.get().await.unwrap().unwrap(),
                Notice::Interrupted => panic!("nothing was interrupted"),
            }
        }
        assert_eq!(copy, last);
    }
}

#[tokio::test]
async fn what_is_watched_no_more_is_written_by_plain_commands_again() {
    let server = RedisServer::start();
    let [one, other] = two(&server.url()).await;
    let listed = || server.cli(&["ZCARD", "mape:watchers"]).parse::<u32>().unwrap();
    let changes = one.watch(Filter::key("v")).await.unwrap();
    let again = one.watch(Filter::key("v")).await.unwrap();
    assert_eq!(listed(), 1);
    drop(changes);
    let mut again = again;
    other.value::<u8>("v").set(&1).await.unwrap();
    assert_eq!(rows(&mut again, 1).await, ["set - - 1"]);
    drop(again);
    // The list is renewed every ten seconds.
    let begun = Instant::now();
    while listed() > 0 {
        assert!(begun.elapsed() < Duration::from_secs(15));
        sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_watcher_that_was_killed_is_off_the_list_in_time() {
    let server = RedisServer::start();
    let k = knowledge(&server.url()).await;
    let past = "1000";
    ask::<i64>(server.port(), &["ZADD", "mape:watchers", past, "dead.0:0~k.app.*"]).unwrap();
    let _changes = k.watch(Filter::key("v")).await.unwrap();
    let list = server.cli(&["ZRANGE", "mape:watchers", "0", "-1"]);
    assert!(list.ends_with(":0=k.app.v") && !list.contains("dead"), "{list}");
}

#[tokio::test]
async fn keys_whose_time_was_set_before_anyone_watched_cease_audibly() {
    let url = RedisServer::shared_url();
    let [one, other] = two(&url).await;
    other.value::<u8>("one").set_for(&1, Duration::from_millis(700)).await.unwrap();
    other.set::<u8>("set").add(&1).await.unwrap();
    other.set::<u8>("set").expire(Duration::from_millis(700)).await.unwrap();
    let mut of_key = one.watch(Filter::key("one")).await.unwrap();
    let mut of_all = one.watch(Filter::all().operations([Operation::Expired])).await.unwrap();
    assert_eq!(rows(&mut of_key, 1).await, ["expired - 1 -"]);
    let mut all = rows(&mut of_all, 2).await;
    all.sort();
    assert_eq!(all, ["expired - - -", "expired - 1 -"]);
    nothing_more(&mut of_all).await;
}

#[tokio::test]
async fn a_key_that_is_set_again_right_after_it_ceased_is_told_in_that_order() {
    let url = RedisServer::shared_url();
    let [one, other] = two(&url).await;
    let value = other.value::<u8>("v");
    let mut changes = one.watch(Filter::key("v")).await.unwrap();
    for n in 0..20 {
        value.set_for(&n, Duration::from_millis(5)).await.unwrap();
        while value.exists().await.unwrap() {}
        value.set(&100).await.unwrap();
        value.clear().await.unwrap();
        let expected =
            [format!("set - - {n}"), "expire - - -".into(), format!("expired - {n} -"), "set - - 100".into()];
        assert_eq!(rows(&mut changes, 4).await, expected);
        assert_eq!(rows(&mut changes, 1).await, ["del - 100 -"]);
    }
}

#[tokio::test]
async fn where_the_server_tells_foreign_changes_are_told_and_ours_only_once() {
    let server = RedisServer::options().config("notify-keyspace-events", "KA").start();
    let [one, other] = two(&server.url()).await;
    let mut changes = one.watch(Filter::all()).await.unwrap();
    let cli = |words: &[&str]| server.cli(words);
    cli(&["SET", "k.app.v", "foreign"]);
    other.value::<String>("v").set("ours").await.unwrap();
    cli(&["APPEND", "k.app.v", "!"]);
    other.value::<String>("v").clear().await.unwrap();
    assert_eq!(
        rows(&mut changes, 4).await,
        ["set - - -", "set - foreign ours", "append - - -", "del - ours! -"]
    );
    let both = Transaction::new().sadd("k.app.s", "a").sadd("k.app.s", "b").set("k.app.w", "1");
    other.store().commit(both).await.unwrap();
    cli(&["SREM", "k.app.s", "a", "b"]);
    assert_eq!(
        rows(&mut changes, 5).await,
        ["sadd - - a", "sadd - - b", "set - - 1", "srem - - -", "del - - -"]
    );
    // A transaction that is undone leaves no trace, though the server tells of it.
    let failing = Transaction::new().sadd("k.app.s", "c").incrby("k.app.t", 1).incrby("k.app.s", 1);
    other.store().commit(failing).await.unwrap_err();
    let failing = Transaction::new().set("k.app.w", "text").incrby("k.app.w", 1);
    other.store().commit(failing).await.unwrap_err();
    cli(&["SETRANGE", "k.app.w", "0", "2"]);
    cli(&["PEXPIRE", "k.app.w", "100"]);
    assert_eq!(rows(&mut changes, 3).await, ["setrange - - -", "expire - - -", "expired - - -"]);
    nothing_more(&mut changes).await;
}

#[tokio::test]
async fn what_cannot_be_named_is_said_to_be_missed() {
    let server = RedisServer::options().config("notify-keyspace-events", "KA").start();
    let k = knowledge(&server.url()).await;
    let mut changes = k.watch(Filter::key("s")).await.unwrap();
    server.cli(&["SADD", "k.app.a", "1"]);
    server.cli(&["SUNIONSTORE", "k.app.s", "k.app.a"]);
    assert_eq!(next(&mut changes).await, Notice::Missed(1));
}

#[tokio::test]
async fn what_somebody_had_waited_for_is_told_once_with_or_without_the_servers_help() {
    for flags in ["", "KA"] {
        let server = RedisServer::options().config("notify-keyspace-events", &format!("{flags:?}")).start();
        let [one, other] = two(&server.url()).await;
        let (queue, ranks) = (other.queue::<u8>("q"), other.priority_queue::<u8>("p"));
        let mut changes = one.watch(Filter::glob("[qp]")).await.unwrap();
        let takers = [
            tokio::spawn({
                let queue = queue.clone();
                async move { queue.pop().await.unwrap() }
            }),
            tokio::spawn({
                let ranks = ranks.clone();
                async move { ranks.pop().await.unwrap().0 }
            }),
        ];
        eventually("both wait", async || server.cli(&["INFO", "clients"]).contains("blocked_clients:2"))
            .await;
        queue.push(&7).await.unwrap();
        ranks.push(&8, 2.5).await.unwrap();
        for (taker, expected) in takers.into_iter().zip([7, 8]) {
            assert_eq!(timeout(Duration::from_secs(5), taker).await.unwrap().unwrap(), expected);
        }
        let mut told = rows(&mut changes, 6).await;
        told.sort();
        let taken = if flags.is_empty() {
            ["lpop - 7 -", "zpopmin 8 2.5 -"]
        } else {
            ["lpop - - -", "zpopmin - - -"]
        };
        let mut expected = ["del - - -", "del - - -", taken[0], "rpush - - 7", "zadd 8 - 2.5", taken[1]];
        expected.sort_unstable();
        assert_eq!(told, expected, "{flags:?}");
        nothing_more(&mut changes).await;
    }
}

#[tokio::test]
async fn an_outage_shows_and_afterwards_everything_is_told_again() {
    let mut server = RedisServer::start();
    let [one, other] = two(&server.url()).await;
    let value = one.value::<u64>("v");
    let mut changes = one.watch(Filter::key("v")).await.unwrap();
    let mut copy = 0;
    for round in 0..3 {
        // All it knew is gone, also who watches.
        server.kill_9();
        sleep(Duration::from_millis(300)).await;
        server.restart();
        let writing = tokio::spawn({
            let value = other.value::<u64>("v");
            async move {
                // The writer may be back before the watcher, and the other way round.
                for n in 1..=300 {
                    let n = 1000 * round + n;
                    eventually("it is written", async || value.set(&n).await.is_ok()).await;
                }
                1000 * round + 300
            }
        });
        let mut interrupted = false;
        while copy < 1000 * round + 300 {
            match next(&mut changes).await {
                Notice::Change(change) => copy = change.new.unwrap().as_str().unwrap().parse().unwrap(),
                // As someone does who keeps a copy: read again, then follow the changes.
                Notice::Interrupted | Notice::Missed(_) => {
                    interrupted = true;
                    copy = value.get().await.unwrap().unwrap_or(0);
                }
            }
        }
        assert!(interrupted);
        assert_eq!(copy, writing.await.unwrap());
    }
}

#[tokio::test]
async fn a_writer_that_was_cut_off_learns_what_is_watched_before_it_writes_again() {
    let server = RedisServer::start();
    let (watcher, proxy) = (knowledge(&server.url()).await, Proxy::before(&server));
    let writer = knowledge(&proxy.url()).await;
    for round in 0..10_u8 {
        let name = format!("v{round}");
        proxy.refuse(true);
        proxy.cut();
        let mut changes = watcher.watch(Filter::key(name.as_str())).await.unwrap();
        proxy.refuse(false);
        let value = writer.value::<u8>(&name);
        eventually("it is written", async || value.set(&round).await.is_ok()).await;
        match next(&mut changes).await {
            Notice::Change(change) => assert_eq!(change.new, Some(Data::from(i64::from(round)))),
            Notice::Missed(1) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_watcher_that_could_not_renew_its_place_in_time_says_so() {
    let server = RedisServer::start();
    let k = knowledge(&server.url()).await;
    let mut changes = k.watch(Filter::key("v")).await.unwrap();
    // As if it had been stopped for longer than its place lasts.
    server.cli(&["DEL", "mape:watchers"]);
    let notice = timeout(Duration::from_secs(20), changes.next()).await.unwrap();
    assert_eq!(notice, Some(Notice::Interrupted));
    assert_eq!(server.cli(&["ZCARD", "mape:watchers"]), "1");
}

#[tokio::test]
async fn watching_ends_with_the_last_handle_of_the_store() {
    let k = knowledge(&RedisServer::shared_url()).await;
    let changes = k.watch(Filter::all()).await.unwrap();
    k.value::<u8>("v").set(&1).await.unwrap();
    sleep(Duration::from_millis(100)).await;
    drop(k);
    let seen = timeout(Duration::from_secs(5), changes.count()).await.expect("it ends");
    assert_eq!(seen, 1);
}

#[tokio::test]
async fn databases_of_one_server_do_not_hear_each_other() {
    let server = RedisServer::start();
    let [zero, one] = ["0", "1"].map(|db| format!("{}/{db}", server.url()));
    let (zero, one) = (knowledge(&zero).await, knowledge(&one).await);
    let mut changes = zero.watch(Filter::all()).await.unwrap();
    let _other = one.watch(Filter::all()).await.unwrap();
    one.value::<u8>("v").set(&1).await.unwrap();
    zero.value::<u8>("v").set(&0).await.unwrap();
    assert_eq!(rows(&mut changes, 1).await, ["set - - 0"]);
}

#[tokio::test]
async fn reading_what_is_watched_stays_a_plain_command() {
    let server = RedisServer::start();
    let k: Knowledge = knowledge(&server.url()).await;
    let _changes = k.scoped(Scope::App).watch(Filter::all()).await.unwrap();
    server.cli(&["CONFIG", "RESETSTAT"]);
    k.store().run(k.value::<u8>("v").key(), ValueCommand::Get.into()).await.unwrap();
    assert!(!server.cli(&["INFO", "commandstats"]).contains("evalsha"));
}
