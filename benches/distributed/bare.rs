//! What one would write by hand on redis-rs: the same appends, reads, writes and acknowledgements, and nothing else.

use super::roles::{TASKS, lines};
use redis::aio::MultiplexedConnection;
use redis::streams::{StreamReadOptions, StreamReadReply};
use redis::{AsyncCommands, Pipeline, pipe};
use std::collections::HashMap;

const LOG: &str = "workflows:run";
const AT: &str = "\"2026-11-21T20:28:23.818224+00:00\"";

async fn connect(url: &str) -> MultiplexedConnection {
    // Reads wait for as long as nothing comes.
    let config = redis::AsyncConnectionConfig::new().set_response_timeout(None);
    let client = redis::Client::open(url).unwrap();
    client.get_multiplexed_async_connection_with_config(&config).await.unwrap()
}

async fn group(connection: &mut MultiplexedConnection, name: &str) {
    let _: Result<(), _> = connection.xgroup_create_mkstream(LOG, name, "0").await;
}

async fn read(connection: &mut MultiplexedConnection, name: &str, count: usize) -> StreamReadReply {
    let options = StreamReadOptions::default().group(name, "bare").count(count).block(0);
    connection.xread_options(&[LOG], &[">"], &options).await.unwrap()
}

fn append(pipe: &mut Pipeline, fields: &[(&str, &str)]) {
    pipe.xadd(LOG, "*", fields).ignore();
}

fn receipt(pipe: &mut Pipeline, id: &str) {
    let id = format!("\"{id}\"");
    let fields = [
        ("for", &*id),
        ("action", "\"processed\""),
        ("kind", "\"receipt\""),
        ("apiVersion", "\"v1\""),
        ("at", AT),
    ];
    append(pipe, &fields);
}

fn field(entry: &redis::streams::StreamId, name: &str) -> String {
    entry.get::<String>(name).unwrap_or_default().trim_matches('"').to_owned()
}

pub(super) async fn play(url: &str, rest: &[String]) {
    if rest.iter().any(|word| word == "latency") {
        return latency(url).await;
    }
    let mut setup = connect(url).await;
    for name in ["ending", "lifecycle", "doers", "wait", "request", "redis"] {
        group(&mut setup, name).await;
    }
    tokio::spawn(work(url.to_owned()));
    for name in ["wait", "request", "redis", "lifecycle"] {
        tokio::spawn(others(url.to_owned(), name));
    }
    println!("ready");
    let mut begin = connect(url).await;
    let mut ending = connect(url).await;
    let mut number = 0_u64;
    lines(async |line| {
        let count: u64 = line.parse().unwrap();
        let mut open: HashMap<String, u64> = HashMap::new();
        for _ in 0..count {
            number += 1;
            let id = format!("workflow:bare-{number}");
            begin_run(&mut begin, &id).await;
            open.insert(id, 0);
        }
        while !open.is_empty() {
            turn(&mut ending, &mut open).await;
        }
        println!("done");
    })
    .await;
}

async fn begin_run(connection: &mut MultiplexedConnection, id: &str) {
    let workflow = format!("\"{id}\"");
    let mut pipe = pipe();
    pipe.atomic();
    pipe.set(id, "{}").ignore().set(format!("{id}:state"), "RUNNING").ignore();
    pipe.lpush(format!("{id}:S"), AT).ignore().lpush(format!("{id}:A"), AT).ignore();
    append(&mut pipe, &[("workflow", &workflow), ("kind", "\"start-workflow\""), ("at", AT)]);
    for index in 2..=TASKS {
        start(&mut pipe, &workflow, index);
    }
    let () = pipe.query_async(connection).await.unwrap();
}

fn start(pipe: &mut Pipeline, workflow: &str, index: u64) {
    let index = index.to_string();
    let fields = [
        ("name", "\"t:1\""),
        ("base", "\"t:1\""),
        ("index", &*index),
        ("workflow", workflow),
        ("parameters", "{}"),
        ("kind", "\"start-task\""),
        ("apiVersion", "\"v1\""),
        ("at", AT),
    ];
    append(pipe, &fields);
}

/// The group of engines.
async fn turn(connection: &mut MultiplexedConnection, open: &mut HashMap<String, u64>) {
    let reply = read(connection, "ending", 256).await;
    let mut pipe = pipe();
    pipe.atomic();
    let mut ids = Vec::new();
    for entry in reply.keys.iter().flat_map(|key| &key.ids) {
        ids.push(entry.id.clone());
        if field(entry, "kind") != "end-task" {
            continue;
        }
        let id = field(entry, "workflow");
        let workflow = format!("\"{id}\"");
        pipe.lpush(format!("{id}:S"), AT).ignore().lpush(format!("{id}:A"), AT).ignore();
        receipt(&mut pipe, &entry.id);
        let Some(ended) = open.get_mut(&id) else { continue };
        *ended += 1;
        if *ended == TASKS - 1 {
            start(&mut pipe, &workflow, TASKS + 1);
        } else if *ended == TASKS {
            open.remove(&id);
            append(&mut pipe, &[("workflow", &workflow), ("kind", "\"end-workflow\""), ("at", AT)]);
            pipe.set(format!("{id}:state"), "FINISHED").ignore();
        }
    }
    if !ids.is_empty() {
        pipe.xack(LOG, "ending", &ids).ignore();
    }
    let () = pipe.query_async(connection).await.unwrap();
}

/// The task worker.
async fn work(url: String) {
    let (mut reader, mut writer) = (connect(&url).await, connect(&url).await);
    loop {
        let reply = read(&mut reader, "doers", 256).await;
        let mut pipe = pipe();
        pipe.atomic();
        let mut ids = Vec::new();
        for entry in reply.keys.iter().flat_map(|key| &key.ids) {
            ids.push(entry.id.clone());
            if field(entry, "kind") != "start-task" {
                continue;
            }
            receipt(&mut pipe, &entry.id);
            let (index, workflow) = (field(entry, "index"), format!("\"{}\"", field(entry, "workflow")));
            let fields = [
                ("name", "\"t:1\""),
                ("index", &*index),
                ("workflow", &*workflow),
                ("status", "\"SUCCESS\""),
                ("kind", "\"end-task\""),
                ("apiVersion", "\"v1\""),
                ("at", AT),
            ];
            append(&mut pipe, &fields);
        }
        pipe.xack(LOG, "doers", &ids).ignore();
        let () = pipe.query_async(&mut writer).await.unwrap();
    }
}

/// The groups to which little falls, but which read everything.
async fn others(url: String, name: &'static str) {
    let (mut reader, mut writer) = (connect(&url).await, connect(&url).await);
    loop {
        let reply = read(&mut reader, name, 256).await;
        let mut pipe = pipe();
        pipe.atomic();
        let mut ids = Vec::new();
        for entry in reply.keys.iter().flat_map(|key| &key.ids) {
            ids.push(entry.id.clone());
            if name == "lifecycle" && field(entry, "kind").ends_with("-workflow") {
                receipt(&mut pipe, &entry.id);
            }
        }
        pipe.xack(LOG, name, &ids).ignore();
        let () = pipe.query_async(&mut writer).await.unwrap();
    }
}

/// An engine that only answers each end with the next start: the round trips of a step, and nothing else.
async fn latency(url: &str) {
    let (mut reader, mut writer) = (connect(url).await, connect(url).await);
    group(&mut reader, "ending").await;
    println!("ready");
    loop {
        let reply = read(&mut reader, "ending", 64).await;
        let mut pipe = pipe();
        pipe.atomic();
        let mut ids = Vec::new();
        for entry in reply.keys.iter().flat_map(|key| &key.ids) {
            ids.push(entry.id.clone());
            if field(entry, "kind") == "end-task" {
                let id = field(entry, "workflow");
                pipe.lpush(format!("{id}:S"), AT).ignore().lpush(format!("{id}:A"), AT).ignore();
                start(&mut pipe, &format!("\"{id}\""), 2);
            }
        }
        pipe.xack(LOG, "ending", &ids).ignore();
        let () = pipe.query_async(&mut writer).await.unwrap();
    }
}
