//! What only a Redis server does to a worker: it goes away, and others delete entries under it.

use super::world::{LEASE, Notes, World, slow, start, worker};
use crate::server::RedisServer;
use crate::suite::eventually;
use mape::backend::Backend;
use mape::event::Consumer;
use mape::workflow::{Invocation, Task};
use redis::cmd;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::sleep;

/// A task that notes its beginning and ends when it is let.
fn gated(notes: &Notes, gate: &Arc<Semaphore>) -> Task {
    let (notes, gate) = (notes.clone(), gate.clone());
    Task::new("t", move |invocation: Invocation| {
        let (notes, gate) = (notes.clone(), gate.clone());
        async move {
            notes.note(format!("begins {}", invocation.index()));
            gate.acquire().await.unwrap().forget();
            Ok(json!({"n": invocation.index()}))
        }
    })
}

async fn world(url: &str) -> World {
    World::new(Backend::open(url).await.unwrap())
}

#[tokio::test]
async fn a_start_that_is_deleted_while_it_is_worked_on_ends_once_all_the_same() {
    let url = RedisServer::shared_url();
    let world = world(&url).await;
    let mut raw = ::redis::Client::open(url).unwrap().get_connection().unwrap();
    let (notes, gate) = (Notes::default(), Arc::new(Semaphore::new(0)));
    let working = world.start(worker([gated(&notes, &gate)]).receipts()).await;
    let other = world.start(worker([gated(&notes, &gate)]).receipts()).await;
    let ids = [world.begin("t", 1).await, world.begin("t", 2).await];
    notes.has("begins 2", 1).await;
    let deleted: i64 = cmd("XDEL").arg("workflows:run").arg(ids[0].to_string()).query(&mut raw).unwrap();
    assert_eq!(deleted, 1);
    // A sign of life finds it gone.
    eventually("only one is pending", async || world.log.group("g").pending(9).await.unwrap().len() == 1)
        .await;
    gate.add_permits(2);
    for index in 1..=2 {
        assert_eq!(world.end(index).await.get("output"), Some(json!({"n": index})));
        assert_eq!(world.output(index).await, Some(json!({"n": index})));
    }
    world.nothing_pending().await;
    working.drain().await;
    other.drain().await;
    assert_eq!((world.all("end-task").await.len(), world.all("receipt").await.len()), (2, 2));
}

#[tokio::test]
async fn starts_that_are_deleted_before_they_come_harm_nobody() {
    let url = RedisServer::shared_url();
    let world = world(&url).await;
    let mut raw = ::redis::Client::open(url).unwrap().get_connection().unwrap();
    world.log.group("g").create().await.unwrap();
    let pending = world.begin("t", 1).await;
    let dying = Consumer::new("workflows:run", "g", "dying");
    assert_eq!(world.log.event_log().read(&dying, 10).await.unwrap().len(), 1);
    let unread = world.begin("t", 2).await;
    let ids = [pending.to_string(), unread.to_string()];
    let deleted: i64 = cmd("XDEL").arg("workflows:run").arg(&ids).query(&mut raw).unwrap();
    assert_eq!(deleted, 2);
    sleep(LEASE).await;
    let notes = Notes::default();
    let worker = world.work([slow("t", Duration::ZERO, &notes)]).await;
    world.begin("t", 3).await;
    world.end(3).await;
    // What was deleted unread, the server goes on to count as lag.
    eventually("nothing is pending", async || world.log.group("g").pending(9).await.unwrap().is_empty())
        .await;
    worker.drain().await;
    assert_eq!(notes.all(), ["begins 3", "ends 3"]);
}

#[tokio::test]
async fn a_server_that_is_gone_for_longer_than_a_lease_loses_no_end_and_begins_nothing_twice() {
    let mut server = RedisServer::options().aof().start();
    let world = world(&server.url()).await;
    let (notes, gate) = (Notes::default(), Arc::new(Semaphore::new(0)));
    let worker = world.start(worker([gated(&notes, &gate)]).receipts()).await;
    for index in 1..=3 {
        world.begin("t", index).await;
    }
    eventually("all have begun", async || notes.all().len() == 3).await;
    server.kill_9();
    // One ends in the dark, the others after it.
    gate.add_permits(1);
    sleep(LEASE * 2).await;
    server.restart();
    eventually("one has ended", async || world.all("end-task").await.len() == 1).await;
    gate.add_permits(2);
    for index in 1..=3 {
        assert_eq!(world.end(index).await.get("output"), Some(json!({"n": index})));
    }
    world.begin("t", 4).await;
    gate.add_permits(1);
    world.end(4).await;
    world.nothing_pending().await;
    worker.drain().await;
    let begun: Vec<_> = (1..=4).map(|index| notes.count(&format!("begins {index}"))).collect();
    assert_eq!((begun, world.all("receipt").await.len()), (vec![1; 4], 4));
}

#[tokio::test]
async fn a_worker_waits_through_an_outage_for_what_comes_after_it() {
    let mut server = RedisServer::options().aof().start();
    let world = world(&server.url()).await;
    let worker = world.work([Task::echo("t")]).await;
    world.begin("t", 1).await;
    world.end(1).await;
    server.kill_9();
    server.restart();
    eventually("the server can be reached", async || world.log.info().await.is_ok()).await;
    world.append(start("t", 2)).await;
    world.append(start("t", 3)).await;
    world.end(2).await;
    world.end(3).await;
    world.nothing_pending().await;
    worker.drain().await;
}
