//! Who works elsewhere, and says so in the log.

use super::ledger::effort;
use super::link::Link;
use super::plan::output;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use mape::app::App;
use mape::event::{Delivery, Event, Log};
use mape::knowledge::{Store, Transaction};
use mape::workflow::{Invocation, Place, RunId, Task, TaskError, Tasks, Worker};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// The log over which tasks are handed over.
pub(super) const FAR: &str = "far";

/// The log of runs, where programs of other kinds share it.
const RUNS: &str = "workflows:run";
/// The group of those who work elsewhere.
pub(super) const WORKERS: &str = "workers";

/// What is to be done.
#[derive(Clone, Debug, Deserialize)]
struct Start {
    name: String,
    workflow: RunId,
    index: u32,
    #[serde(default)]
    part: u32,
    #[serde(default = "first")]
    attempt: u32,
    #[serde(default = "nothing")]
    input: Value,
}

fn first() -> u32 {
    1
}

fn nothing() -> Value {
    json!({})
}

/// A worker of the library, started again until it starts.
pub(super) async fn work_of_ours(link: Arc<Link>) {
    let backend = link.backend();
    let far = Task::new("far:*", move |invocation: Invocation| {
        let link = link.clone();
        async move {
            let (world, name) = (&link.world, invocation.name());
            tokio::time::sleep(world.draw(effort)).await;
            let (run, place, attempt) = (invocation.workflow(), invocation.place(), invocation.attempt());
            world.ledger.end(run, place, attempt, name).map_err(TaskError::new)?;
            Ok(output(name, invocation.input()))
        }
    });
    loop {
        let app = App::with_backend(backend.clone());
        // A delivery that did not arrive counts as one.
        let worker = Worker::new(WORKERS, Tasks::new().with(far.clone())).attempts(u64::MAX);
        if let Ok(_running) = worker.start(&app).await {
            return std::future::pending().await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A worker as people write it: takes what falls to it, works on it, and says that it has ended.
pub(super) async fn work(link: Arc<Link>, twice: u64) {
    let backend = link.backend();
    let log = if link.world.is_open { RUNS } else { FAR };
    let group = backend
        .events()
        .log(log)
        .group(WORKERS)
        .select(["start-task"])
        .lease(Duration::from_secs(3))
        .attempts(u64::MAX);
    let mut source = loop {
        match group.source::<Start>().await {
            Ok(source) => break source,
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    };
    let runs = backend.events().log(RUNS);
    let store = backend.store();
    let mut at_work = FuturesUnordered::new();
    loop {
        tokio::select! {
            biased;
            Some(()) = at_work.next() => {}
            delivery = source.next() => match delivery {
                Some(Ok(delivery)) => at_work.push(one(link.clone(), (runs.clone(), store.clone()), delivery, twice)),
                _ => return,
            },
        }
    }
}

async fn one(link: Arc<Link>, (runs, store): (Log, Arc<dyn Store>), start: Delivery<Start>, twice: u64) {
    let world = &link.world;
    tokio::time::sleep(world.draw(effort)).await;
    let place = Place { node: start.index, part: start.part };
    let ended = world.ledger.end(&start.workflow, place, start.attempt, &start.name);
    let event = Event::default()
        .with("name", start.name.as_str())
        .with("index", start.index)
        .with("workflow", start.workflow.full());
    // As those say it that know neither attempts nor outputs in events.
    let is_python = start.part == 0 && world.happens(400);
    let output = output(&start.name, &start.input);
    let event = if start.part == 0 { event } else { event.with("part", start.part) };
    let event = match ended {
        Ok(()) if is_python && world.is_open => event,
        Ok(()) if is_python => event.with("output", output.clone()),
        Ok(()) => {
            event.with("attempt", start.attempt).with("output", output.clone()).with("status", "SUCCESS")
        }
        Err(reason) => event.with("attempt", start.attempt).with("status", "FAILURE").with("reason", reason),
    };
    let event = event.with("kind", "end-task").stamped();
    if world.is_open && start.part == 0 && !event.has("reason") {
        let key = format!("{}:output:{}", start.workflow.full(), start.index);
        let set = Transaction::new().set(key.as_str(), output.to_string());
        // One does both as one, the other one after the other.
        if is_python {
            committed(&*store, set).await;
            appended(&runs, &event).await;
        } else {
            committed(&*store, set.append(RUNS, event.clone())).await;
        }
    } else {
        appended(&runs, &event).await;
    }
    start.acknowledge();
    if world.happens(twice) {
        let late = Duration::from_millis(world.draw(|random| match random.u8(..3) {
            0 => 0,
            1 => random.u64(..500),
            _ => random.u64(500..20_000),
        }));
        // It ends by itself.
        let (world, start_of) = (world.clone(), (start.workflow.clone(), start.index));
        drop(tokio::spawn(async move {
            tokio::time::sleep(late).await;
            let what = format!("{} #{}", start_of.0.short(), start_of.1);
            world.note(&"chance".into(), "twice", what);
            drop(world.runs_log().append(event).await);
        }));
    }
}

async fn committed(store: &dyn Store, transaction: Transaction) {
    while store.commit(transaction.clone()).await.is_err() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn appended(log: &Log, event: &Event) {
    while log.append(event.clone()).await.is_err() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
