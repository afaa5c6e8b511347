//! Knowledge and events on a redis-server of the benchmark's own, beside redis-rs used by hand on the same server.
//!
//! `cargo bench -p mape-benches --bench redis_store`. The two sides of a case take turns; the figure is the median of
//! the rounds.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a benchmark that cannot go on has to stop")]
#![allow(clippy::print_stdout, reason = "its figures are its output")]

use futures::future::join_all;
use mape::backend::Backend;
use mape::event::{Consumer, Event, EventId, EventLog, LogName};
use mape::knowledge::{Command, Key, Store, ValueCommand};
use mape_benches::RedisServer;
use redis::Value;
use redis::aio::MultiplexedConnection;
use std::sync::Arc;
use std::time::Instant;

const TASKS: usize = 64;
const EACH: usize = 2_000;
const EVENTS: usize = 20_000;
const BATCH: usize = 256;
const ROUNDS: usize = 9;

#[tokio::main]
async fn main() {
    // Names given select benchmarks, as they do for the other targets of `cargo bench`.
    if std::env::args().skip(1).any(|arg| !arg.starts_with('-') && !"redis_store".contains(arg.as_str())) {
        return;
    }
    let server = RedisServer::start();
    let client = redis::Client::open(server.url()).unwrap();
    let config = redis::AsyncConnectionConfig::new().set_response_timeout(None);
    let raw = client.get_multiplexed_async_connection_with_config(&config).await.unwrap();
    let backend = Backend::open(&server.url()).await.unwrap();
    let (store, log) = (backend.store(), backend.event_log());
    println!("{:<28}{:>12}{:>12}{:>8}", "operations a second", "redis-rs", "mape", "ratio");
    let many = (TASKS * EACH) as f64;
    let (mut gets, mut sets, mut events) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        sets.push((rate(many, raw_commands(&raw, true)).await, rate(many, commands(&store, true)).await));
        gets.push((rate(many, raw_commands(&raw, false)).await, rate(many, commands(&store, false)).await));
        let by_hand = rate(EVENTS as f64, raw_events(&raw, &format!("raw{round}"))).await;
        events.push((by_hand, rate(EVENTS as f64, through_log(&log, &format!("log{round}"))).await));
    }
    for (name, mut rounds) in
        [("SET, 64 tasks", sets), ("GET, 64 tasks", gets), ("append, read, acknowledge", events)]
    {
        rounds.sort_by(|a, b| (a.1 / a.0).total_cmp(&(b.1 / b.0)));
        let (by_hand, ours) = rounds[ROUNDS / 2];
        println!("{name:<28}{by_hand:>12.0}{ours:>12.0}{:>8.2}", ours / by_hand);
    }
}

async fn rate(operations: f64, work: impl Future<Output = ()>) -> f64 {
    let begun = Instant::now();
    work.await;
    operations / begun.elapsed().as_secs_f64()
}

async fn raw_commands(connection: &MultiplexedConnection, write: bool) {
    let tasks = (0..TASKS).map(|task| {
        let mut connection = connection.clone();
        tokio::spawn(async move {
            let key = format!("k.app.{task}");
            for _ in 0..EACH {
                let mut cmd = redis::cmd(if write { "SET" } else { "GET" });
                cmd.arg(&key);
                if write {
                    cmd.arg("a value of some length");
                }
                let _: Value = cmd.query_async(&mut connection).await.unwrap();
            }
        })
    });
    join_all(tasks).await.into_iter().for_each(Result::unwrap);
}

async fn commands(store: &Arc<dyn Store>, write: bool) {
    let tasks = (0..TASKS).map(|task| {
        let store = store.clone();
        tokio::spawn(async move {
            let key = Key::from(format!("k.app.{task}"));
            for _ in 0..EACH {
                let command: Command = if write {
                    ValueCommand::Set { value: "a value of some length".into(), expiry: None }.into()
                } else {
                    ValueCommand::Get.into()
                };
                store.run(&key, command).await.unwrap();
            }
        })
    });
    join_all(tasks).await.into_iter().for_each(Result::unwrap);
}

const FIELDS: [(&str, &str); 6] = [
    ("name", "\"A\""),
    ("index", "2"),
    ("workflow", "\"workflow:seq-5b40cbb6-dd66-4f36-86b8-5e30281b1224\""),
    ("kind", "\"start-task\""),
    ("apiVersion", "\"v1\""),
    ("at", "\"2026-11-21T20:28:23.818224+00:00\""),
];

async fn raw_events(connection: &MultiplexedConnection, stream: &str) {
    let mut connection = connection.clone();
    let mut create = redis::cmd("XGROUP");
    create.arg("CREATE").arg(stream).arg("g").arg("0").arg("MKSTREAM");
    create.query_async::<()>(&mut connection).await.unwrap();
    let mut written = 0;
    while written < EVENTS {
        let mut pipe = redis::pipe();
        for _ in 0..BATCH {
            let cmd = pipe.cmd("XADD").arg(stream).arg("*");
            for (name, json) in FIELDS {
                cmd.arg(name).arg(json);
            }
        }
        let _: Vec<Value> = pipe.query_async(&mut connection).await.unwrap();
        written += BATCH;
    }
    let mut read = 0;
    while read < written {
        let mut cmd = redis::cmd("XREADGROUP");
        cmd.arg("GROUP").arg("g").arg("c").arg("COUNT").arg(BATCH).arg("STREAMS").arg(stream).arg(">");
        let reply: redis::streams::StreamReadReply = cmd.query_async(&mut connection).await.unwrap();
        let mut ack = redis::cmd("XACK");
        ack.arg(stream).arg("g");
        for entry in &reply.keys[0].ids {
            ack.arg(&entry.id);
        }
        read += ack.query_async::<usize>(&mut connection).await.unwrap();
    }
}

async fn through_log(log: &Arc<dyn EventLog>, name: &str) {
    let (name, consumer) = (LogName::from(name), Consumer::new(name, "g", "c"));
    log.create_group(&name, &consumer.group, EventId::MIN).await.unwrap();
    let mut event = Event::default();
    for (field, json) in FIELDS {
        event = event.with_json(field, json.to_owned()).unwrap();
    }
    let mut written = 0;
    while written < EVENTS {
        let appends = (0..BATCH).map(|_| log.append(&name, vec![event.clone()]));
        join_all(appends).await.into_iter().for_each(|appended| drop(appended.unwrap()));
        written += BATCH;
    }
    let mut read = 0;
    while read < written {
        let delivered = log.read(&consumer, BATCH).await.unwrap();
        let ids: Vec<_> = delivered.iter().map(|delivered| delivered.entry.id).collect();
        read += ids.len();
        log.acknowledge(&name, &consumer.group, ids).await.unwrap();
    }
}
