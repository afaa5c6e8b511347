//! Beside real programs in Python: task workers and receipt listeners on `rqse`, and the original engine and its clients,
//! played on it command by command (`tests/python`).

mod clients;
mod engines;
mod program;
mod workers;

use crate::distributed::hand::Hand;
use mape::app::App;
use mape::backend::Backend;
use mape::event::EventId;
use mape::workflow::{Builtin, Engine, RunId, Tasks};
use program::Program;
use serde_json::{Value, json};
use std::collections::HashMap;

/// What is waited for comes, or the test fails.
async fn in_time<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(std::time::Duration::from_secs(30), what).await.expect("it comes in time")
}

/// An engine in a world of its own that is to programs in Python what their own worker is.
async fn compatible(hand: &Hand) -> Engine {
    let backend = Backend::open(&hand.server.url()).await.unwrap();
    let tasks = Tasks::new().with_all(Builtin::new(&backend).tasks()).and_others();
    Engine::with(tasks).compatible().start(&App::with_backend(backend)).await.unwrap()
}

/// A task worker in Python for this namespace, in the group of its name. It naps for a second at most.
async fn task_worker(hand: &Hand, space: &str, more: &[&str]) -> Program {
    let arguments = [&["--space", space, "--pause", "0.1"], more].concat();
    Program::listening(hand, "task_worker.py", &arguments).await
}

/// The chain of a literal source and these tasks, in the form of littleflow.
fn chain(source: &Value, tasks: &[(&str, Value)]) -> Value {
    let count = tasks.len() + 3;
    let follows: Vec<Vec<u8>> =
        (0..count).map(|row| (0..count).map(|column| u8::from(column == row + 1)).collect()).collect();
    let mut steps =
        vec![json!(["StartFlow", {"index": 0}]), json!(["Source", {"index": 1, "value": source}])];
    for (index, (name, parameters)) in (2..).zip(tasks) {
        steps.push(
            json!(["InvokeTask", {"index": index, "name": name, "parameters": parameters, "base": null,
            "doc": null, "merge": false, "guard": null}]),
        );
    }
    steps.push(json!(["Sink", {"index": count - 1, "merge": false}]));
    json!({"F": follows, "T": steps})
}

/// All events that are not receipts, and how many receipts each has.
async fn receipts(hand: &Hand) -> Vec<(String, usize)> {
    let entries = hand.log().range(EventId::MIN, EventId::MAX, 100_000).await.unwrap();
    let mut events = Vec::new();
    let mut counts: HashMap<String, usize> = HashMap::new();
    for entry in entries {
        let event = entry.event.unwrap();
        if event.is("receipt") {
            *counts.entry(event.get("for").unwrap().as_str().unwrap().to_owned()).or_default() += 1;
        } else {
            events.push((entry.id.to_string(), event.kind().unwrap()));
        }
    }
    events.into_iter().map(|(id, kind)| (kind, counts.get(&id).copied().unwrap_or(0))).collect()
}

/// Nobody has anything left to do, and each event one receipt.
async fn settled(hand: &Hand, groups: &[&str]) {
    for group in ["ending", "lifecycle", "wait", "request", "redis"].iter().chain(groups) {
        hand.nothing_pending(group).await;
    }
    let receipts = receipts(hand).await;
    assert!(receipts.iter().all(|(_, count)| *count == 1), "{receipts:?}");
}

/// The run is listed once, is in progress no more, and its lists add up to nothing.
fn is_over(hand: &Hand, id: &RunId) {
    assert_eq!(hand.server.cli(&["LRANGE", "workflows:all", "0", "-1"]).trim(), id.full());
    assert_eq!(hand.server.cli(&["SCARD", "workflows:inprogress"]).trim(), "0");
    let zeros = vec![0; hand.sum(id, "S").len()];
    assert_eq!((hand.sum(id, "S"), hand.sum(id, "A")), (zeros.clone(), zeros));
}

/// How often each task was started, in the order of the first starts.
async fn started(hand: &Hand, id: &RunId) -> Vec<(String, usize)> {
    let mut counts: Vec<(String, usize)> = Vec::new();
    for start in hand.starts(id).await {
        let name = start["name"].as_str().unwrap().to_owned();
        match counts.iter_mut().find(|(other, _)| *other == name) {
            Some((_, count)) => *count += 1,
            None => counts.push((name, 1)),
        }
    }
    counts
}
