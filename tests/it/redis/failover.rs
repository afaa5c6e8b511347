//! The server with the keys becomes another one: Sentinel, Cluster, a master that turns into a replica.

use super::world::{knowledge, next};
use crate::server::{Cluster, RedisServer, Sentinels, free_port};
use crate::suite::{eventually, with_causes};
use futures::SinkExt;
use mape::backend::{Backend, Options};
use mape::channel::{Incoming, Topics};
use mape::event::Event;
use mape::knowledge::{Knowledge, Scope, Transaction};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::task::{JoinHandle, block_in_place};
use tokio::time::sleep;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failover_of_sentinels_is_followed_by_commands_and_subscriptions() {
    let mut sentinels = block_in_place(Sentinels::start);
    // The first one to ask is not there.
    let url = sentinels.url().replace("sentinel://", &format!("sentinel://127.0.0.1:{},", free_port()));
    let backend = Backend::open(&url).await.unwrap();
    let (k, channels) = (backend.knowledge(Scope::App), backend.channels());
    let mut heard = channels.subscribe(Topics::names(["a"])).await.unwrap();
    let value = k.value::<i64>("n");
    value.set(&1).await.unwrap();
    block_in_place(|| {
        sentinels.wait_for_replica();
        sentinels.kill_master();
    });
    let mut sink = channels.sink("a");
    let begun = Instant::now();
    eventually("the new master takes a value", async || value.set(&2).await.is_ok()).await;
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    assert_eq!(next(&mut heard).await, Incoming::Interrupted);
    sink.send(2).await.unwrap();
    assert!(matches!(next(&mut heard).await, Incoming::Delivery(_)));
    block_in_place(|| sentinels.wait_for_failover());
    assert_eq!(sentinels.master().cli(&["GET", "k.app.n"]), "2");

    // The old one comes back as a replica, to which nobody talks.
    block_in_place(|| sentinels.restart_killed());
    value.increment(1).await.unwrap();
    assert_eq!(value.get().await.unwrap(), Some(3));
    assert_eq!(format!("{}/0", backend.url()), url);
}

#[tokio::test]
async fn a_sentinel_that_knows_no_such_master_is_told() {
    let sentinels = tokio::task::spawn_blocking(Sentinels::start).await.unwrap();
    let mut options = Options::default();
    options.wait = Duration::from_millis(200);
    let error = Backend::open_with(&sentinels.url().replace("/main", "/mian"), options)
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("this sentinel knows no master called \"mian\""), "{error}");
}

#[tokio::test]
async fn a_master_that_becomes_a_replica_is_left_and_each_write_is_done_once() {
    let server = RedisServer::start();
    let k = knowledge(&server.url()).await;
    let n = k.value::<i64>("n");
    for round in 1..=3 {
        server.cli(&["REPLICAOF", "127.0.0.1", &free_port().to_string()]);
        let begun = Instant::now();
        let counted = async {
            match round {
                2 => k.store().commit(Transaction::new().set("m", "1").incrby("k.app.n", 1)).await.map(drop),
                3 => k
                    .store()
                    .commit(Transaction::new().append("log", Event::new("x")).incrby("k.app.n", 1))
                    .await
                    .map(drop),
                _ => n.increment(1).await.map(drop),
            }
        };
        let (counted, ()) = tokio::join!(counted, async {
            sleep(Duration::from_millis(300)).await;
            server.cli(&["REPLICAOF", "NO", "ONE"]);
        });
        counted.unwrap();
        assert_eq!(n.get().await.unwrap(), Some(round));
        assert!(begun.elapsed() > Duration::from_millis(300), "{:?}", begun.elapsed());
    }
    server.cli(&["REPLICAOF", "127.0.0.1", &free_port().to_string()]);
    let error = n.increment(1).await.unwrap_err();
    let why = with_causes(&error);
    assert!(error.is_retryable() && why.contains("it is a replica, which takes no writes"), "{why}");
    server.cli(&["REPLICAOF", "NO", "ONE"]);
    assert_eq!(n.get().await.unwrap(), Some(3));
}

/// Counts in one key, and in a new key each time by a transaction over both, until it is told to end.
struct Counter {
    end: Arc<AtomicBool>,
    task: JoinHandle<i64>,
}

impl Counter {
    fn start(k: &Knowledge) -> Self {
        let (n, store) = (k.value::<i64>("n"), k.store().clone());
        let end = Arc::new(AtomicBool::new(false));
        let told = end.clone();
        let task = tokio::spawn(async move {
            let mut count = 0;
            while !told.load(Ordering::SeqCst) {
                count += 1;
                assert_eq!(n.increment(1).await.unwrap(), count);
                let both = Transaction::new().incrby("k.app.n", 1).set(format!("k.app.new_{count}"), "1");
                store.commit(both).await.unwrap();
                count += 1;
                sleep(Duration::from_millis(1)).await;
            }
            count
        });
        Self { end, task }
    }

    async fn end(self) -> i64 {
        self.end.store(true, Ordering::SeqCst);
        self.task.await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_that_moves_is_followed_under_load_and_everything_is_done_once() {
    let mut cluster = block_in_place(Cluster::start);
    let backend = Backend::open(&cluster.url()).await.unwrap();
    let (k, channels) = (backend.knowledge(Scope::App), backend.channels());
    let slot = cluster.slot_of("{mape}");
    let mut heard = channels.subscribe("*").await.unwrap();
    for _ in 0..2 {
        let counter = Counter::start(&k);
        let to = (cluster.owner(slot) + 1) % 3;
        sleep(Duration::from_millis(50)).await;
        block_in_place(|| cluster.begin_move(slot, to));
        // Keys that are not there are asked for at the new owner (ASK), and what needs both waits (TRYAGAIN).
        sleep(Duration::from_millis(100)).await;
        block_in_place(|| cluster.move_keys(slot, to));
        sleep(Duration::from_millis(50)).await;
        block_in_place(|| cluster.end_move(slot, to));
        sleep(Duration::from_millis(100)).await;
        let count = counter.end().await;
        let node = &cluster.nodes()[to];
        assert_eq!(node.cli(&["GET", "{mape}k.app.n"]), count.to_string());
        assert_eq!(k.value::<i64>("n").take().await.unwrap(), Some(count));
        // Subscriptions go along.
        assert_eq!(next(&mut heard).await, Incoming::Interrupted);
        assert_eq!(channels.publish("a", &1).await.unwrap(), 1);
        assert!(matches!(next(&mut heard).await, Incoming::Delivery(_)));
    }
}

#[tokio::test]
async fn channels_of_a_cluster_are_heard_on_every_node() {
    let cluster = Cluster::shared();
    let channels = Backend::open(&cluster.url()).await.unwrap().channels();
    let mut heard = channels.subscribe(Topics::names(["of_every_node"])).await.unwrap();
    for node in cluster.nodes() {
        node.cli(&["PUBLISH", "of_every_node", "1"]);
        assert!(matches!(next(&mut heard).await, Incoming::Delivery(_)));
    }
}

#[tokio::test]
async fn a_write_that_lacks_replicas_is_not_done_and_can_be_tried_again() {
    let server = RedisServer::options().config("min-replicas-to-write", "1").start();
    let n = knowledge(&server.url()).await.value::<i64>("n");
    let (counted, _) = tokio::join!(n.increment(1), async {
        sleep(Duration::from_millis(200)).await;
        server.cli(&["CONFIG", "SET", "min-replicas-to-write", "0"])
    });
    assert_eq!(counted.unwrap(), 1);
}
