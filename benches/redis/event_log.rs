//! Events: appended, read in a group and acknowledged, beside pipelines of `XADD`, `XREADGROUP` and `XACK`.

use crate::server::Server;
use futures::{StreamExt, stream};
use jiff::Timestamp;
use mape::backend::Backend;
use mape::event::{EventSource, Log};
use mape_benches::{Comparison, Reading, Run};
use redis::aio::MultiplexedConnection;
use redis::{Pipeline, Value};
use std::fmt::Write;

pub(crate) const CASES: &[&str] = &["event_log", "event_append", "event_read"];

const N: u64 = 40_960;
/// How many events a sink appends, and a source asks for, at once.
const BATCH: usize = 256;
const LOG: &str = "bench:readings";
const GROUP: &str = "bench";

/// What a run does.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    All,
    Append,
    Read,
}

pub(crate) async fn all(server: &Server, comparison: &mut Comparison) {
    for (case, aim, part) in [
        ("event_log", ">= 0.8, >= 160,000/s where 200,000/s by hand", Part::All),
        ("event_append", ">= 0.8", Part::Append),
        ("event_read", ">= 0.8", Part::Read),
    ] {
        if !comparison.selects(&[case]) {
            continue;
        }
        let backend = server.ours().await;
        let (writer, reader) = (server.hand().await, server.hand().await);
        comparison
            .rates(
                case,
                aim,
                async || ours(server, &backend, part).await,
                async || hand(server, (writer.clone(), reader.clone()), part).await,
            )
            .await;
    }
}

async fn ours(server: &Server, backend: &Backend, part: Part) -> Run {
    prepare(server, part).await;
    let log = backend.events().log(LOG);
    let run = match part {
        Part::Append => Run::of(N, append(log)).await,
        Part::Read => {
            let source = log.group(GROUP).source().await.unwrap();
            Run::of(N, read(source)).await
        }
        Part::All => {
            let source = log.group(GROUP).source().await.unwrap();
            let together = async {
                let appending = tokio::spawn(append(log));
                read(source).await;
                appending.await.unwrap();
            };
            Run::of(N, together).await
        }
    };
    check(server, part).await;
    run
}

async fn append(log: Log) {
    let sink = log.sink("reading");
    let stats = sink.stats();
    stream::iter(Reading::below(N)).map(Ok).forward(sink).await.unwrap();
    assert_eq!(stats.appended(), N);
}

async fn read(mut source: EventSource<Reading>) {
    let mut sum = 0;
    for left in (0..N).rev() {
        let reading = source.next().await.unwrap().unwrap();
        sum += reading.tick;
        if left == 0 {
            // All that was acknowledged before is confirmed with it.
            reading.acknowledged().await.unwrap();
        } else {
            reading.acknowledge();
        }
    }
    assert_eq!(sum, Reading::sum(N));
}

async fn hand(
    server: &Server,
    (writer, reader): (MultiplexedConnection, MultiplexedConnection),
    part: Part,
) -> Run {
    prepare(server, part).await;
    let run = match part {
        Part::Append => Run::of(N, append_by_hand(writer)).await,
        Part::Read => Run::of(N, read_by_hand(reader)).await,
        Part::All => {
            let together = async {
                let appending = tokio::spawn(append_by_hand(writer));
                read_by_hand(reader).await;
                appending.await.unwrap();
            };
            Run::of(N, together).await
        }
    };
    check(server, part).await;
    run
}

async fn append_by_hand(mut connection: MultiplexedConnection) {
    let mut readings = Reading::below(N);
    let mut pipe = Pipeline::with_capacity(BATCH);
    let mut json = Vec::new();
    let mut at = String::new();
    loop {
        for reading in readings.by_ref().take(BATCH) {
            let Reading { sensor, celsius, tick } = &reading;
            let cmd = pipe.cmd("XADD").arg(LOG).arg("*");
            json.clear();
            serde_json::to_writer(&mut json, sensor).unwrap();
            cmd.arg("sensor").arg(&*json);
            json.clear();
            serde_json::to_writer(&mut json, celsius).unwrap();
            cmd.arg("celsius").arg(&*json);
            json.clear();
            serde_json::to_writer(&mut json, tick).unwrap();
            cmd.arg("tick").arg(&*json);
            cmd.arg("kind").arg("\"reading\"").arg("apiVersion").arg("\"v1\"");
            // As Python's `isoformat` has it: +00:00, not Z.
            at.clear();
            write!(at, "\"{:.6}", Timestamp::now()).unwrap();
            at.pop();
            at.push_str("+00:00\"");
            cmd.arg("at").arg(&at).ignore();
        }
        if pipe.is_empty() {
            return;
        }
        pipe.exec_async(&mut connection).await.unwrap();
        pipe.clear();
    }
}

async fn read_by_hand(mut connection: MultiplexedConnection) {
    let (mut left, mut sum) = (N, 0);
    let mut done: Vec<Vec<u8>> = Vec::with_capacity(BATCH);
    let mut pipe = Pipeline::new();
    while left > 0 || !done.is_empty() {
        pipe.clear();
        if !done.is_empty() {
            pipe.cmd("XACK").arg(LOG).arg(GROUP).arg(&done).ignore();
            done.clear();
        }
        if left == 0 {
            pipe.exec_async(&mut connection).await.unwrap();
            return;
        }
        pipe.cmd("XREADGROUP")
            .arg("GROUP")
            .arg(GROUP)
            .arg("hand")
            .arg("COUNT")
            .arg(BATCH)
            .arg("BLOCK")
            .arg(5000);
        pipe.arg("STREAMS").arg(LOG).arg(">");
        let (answer,): (Value,) = pipe.query_async(&mut connection).await.unwrap();
        let Value::Map(mut logs) = answer else { continue };
        let Some((_, Value::Array(entries))) = logs.pop() else { panic!("no entries: {logs:?}") };
        for entry in entries {
            let Value::Array(mut entry) = entry else { panic!("no entry: {entry:?}") };
            let (Some(Value::Array(fields)), Some(Value::BulkString(id))) = (entry.pop(), entry.pop()) else {
                panic!("no fields and id")
            };
            sum += event(&fields).tick;
            done.push(id);
            left -= 1;
        }
    }
    assert_eq!(sum, Reading::sum(N));
}

fn event(fields: &[Value]) -> Reading {
    let (mut sensor, mut celsius, mut tick) = (None, None, None);
    let (mut kind, mut version, mut at) = (None, None, None);
    for pair in fields.chunks_exact(2) {
        let [Value::BulkString(name), Value::BulkString(json)] = pair else { panic!("no field: {pair:?}") };
        match name.as_slice() {
            b"sensor" => sensor = serde_json::from_slice::<String>(json).ok(),
            b"celsius" => celsius = serde_json::from_slice::<f64>(json).ok(),
            b"tick" => tick = serde_json::from_slice::<u64>(json).ok(),
            b"kind" => kind = serde_json::from_slice::<&str>(json).ok(),
            b"apiVersion" => version = serde_json::from_slice::<&str>(json).ok(),
            b"at" => at = serde_json::from_slice::<&str>(json).ok(),
            _ => {}
        }
    }
    assert!(kind == Some("reading") && version == Some("v1") && at.is_some());
    Reading { sensor: sensor.unwrap(), celsius: celsius.unwrap(), tick: tick.unwrap() }
}

/// An empty log with a group; for reading alone, one that is full.
async fn prepare(server: &Server, part: Part) {
    server.clear().await;
    let mut cmd = redis::cmd("XGROUP");
    cmd.arg("CREATE").arg(LOG).arg(GROUP).arg("0").arg("MKSTREAM");
    cmd.exec_async(&mut server.control()).await.unwrap();
    if part == Part::Read {
        append_by_hand(server.control()).await;
    }
}

/// Everything is there, and nothing was left unacknowledged.
async fn check(server: &Server, part: Part) {
    let len: u64 = redis::cmd("XLEN").arg(LOG).query_async(&mut server.control()).await.unwrap();
    assert_eq!(len, N);
    let mut cmd = redis::cmd("XPENDING");
    let pending: Value = cmd.arg(LOG).arg(GROUP).query_async(&mut server.control()).await.unwrap();
    assert!(matches!(&pending, Value::Array(parts) if parts.first() == Some(&Value::Int(0))), "{pending:?}");
    let mut cmd = redis::cmd("XREADGROUP");
    cmd.arg("GROUP").arg(GROUP).arg("check").arg("COUNT").arg(1).arg("STREAMS").arg(LOG).arg(">");
    let unread: Value = cmd.query_async(&mut server.control()).await.unwrap();
    assert_eq!(unread == Value::Nil, part != Part::Append);
}
