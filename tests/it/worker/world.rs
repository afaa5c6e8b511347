//! What the tests of workers have in common.

use crate::suite::eventually;
use mape::backend::Backend;
use mape::event::{Event, EventId, Log};
use mape::knowledge::{Key, Reply, ValueCommand};
use mape::prelude::App;
use mape::workflow::{Invocation, RunningWorker, Task, Tasks, Worker};
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Short enough to wait for, long enough for a loaded machine.
pub(crate) const LEASE: Duration = Duration::from_millis(1200);

/// The full id of the run of all tests.
pub(crate) const RUN: &str = "workflow:m-1";

pub(crate) struct World {
    pub(crate) backend: Backend,
    pub(crate) log: Log,
}

impl World {
    pub(crate) fn new(backend: Backend) -> Self {
        let log = backend.events().log("workflows:run");
        Self { backend, log }
    }

    /// A worker of the group `g`, in an app of its own.
    pub(crate) async fn work(&self, tasks: impl IntoIterator<Item = Task>) -> RunningWorker {
        self.start(worker(tasks)).await
    }

    pub(crate) async fn start(&self, worker: Worker) -> RunningWorker {
        worker.start(&App::with_backend(self.backend.clone())).await.unwrap()
    }

    pub(crate) async fn append(&self, event: Event) -> EventId {
        self.log.append(event).await.unwrap()
    }

    /// Begins a task at a step.
    pub(crate) async fn begin(&self, name: &str, index: u32) -> EventId {
        self.append(start(name, index)).await
    }

    /// Everything of this kind in the log, in order.
    pub(crate) async fn all(&self, kind: &str) -> Vec<Event> {
        let entries = self.log.range(EventId::MIN, EventId::MAX, 100_000).await.unwrap();
        entries.into_iter().filter_map(|entry| entry.event.ok()).filter(|event| event.is(kind)).collect()
    }

    /// The ends of a step.
    pub(crate) async fn ends(&self, index: u32) -> Vec<Event> {
        let mut ends = self.all("end-task").await;
        ends.retain(|end| end.get("index") == Some(json!(index)));
        ends
    }

    /// The end of a step, once it is there.
    pub(crate) async fn end(&self, index: u32) -> Event {
        eventually(&format!("step {index} has ended"), async || !self.ends(index).await.is_empty()).await;
        let ends = self.ends(index).await;
        assert_eq!(ends.len(), 1, "{ends:?}");
        ends.into_iter().next().unwrap()
    }

    pub(crate) async fn dead(&self) -> Vec<Event> {
        let dead = self.log.dead_letters().range(EventId::MIN, EventId::MAX, 1000).await.unwrap();
        dead.into_iter().map(|entry| entry.event.unwrap()).collect()
    }

    /// The output that stands beside the run.
    pub(crate) async fn output(&self, index: u32) -> Option<Value> {
        let key = Key::from(format!("{RUN}:output:{index}"));
        match self.backend.store().run(&key, ValueCommand::Get.into()).await.unwrap() {
            Reply::Data(data) => Some(serde_json::from_str(data.as_str().unwrap()).unwrap()),
            _ => None,
        }
    }

    /// What stands beside the run where there are programs of other kinds to look for it.
    pub(crate) fn kept(&self, output: Option<Value>) -> Option<Value> {
        output.filter(|_| self.backend.is_open())
    }

    /// Nothing stays with anybody, and everything was read.
    pub(crate) async fn nothing_pending(&self) {
        eventually("nothing is pending", async || {
            let group = self.log.group("g").info().await.unwrap().unwrap();
            group.pending == 0 && group.lag == 0
        })
        .await;
    }
}

/// A worker of the group `g` with a short lease.
pub(crate) fn worker(tasks: impl IntoIterator<Item = Task>) -> Worker {
    Worker::new("g", Tasks::new().with_all(tasks)).lease(LEASE)
}

pub(crate) fn start(name: &str, index: u32) -> Event {
    let event = Event::default().with("name", name).with("base", name).with("index", index);
    event.with("workflow", RUN).with("parameters", json!({})).with("kind", "start-task").stamped()
}

pub(crate) fn cancel(index: u32) -> Event {
    Event::new("cancel-task").with("workflow", RUN).with("index", index).stamped()
}

/// What happened, in order.
#[derive(Clone, Default)]
pub(crate) struct Notes(Arc<Mutex<Vec<String>>>);

impl Notes {
    pub(crate) fn note(&self, what: impl Into<String>) {
        self.0.lock().push(what.into());
    }

    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().clone()
    }

    pub(crate) fn count(&self, what: &str) -> usize {
        self.0.lock().iter().filter(|note| *note == what).count()
    }

    pub(crate) async fn has(&self, what: &str, times: usize) {
        eventually(&format!("{what:?} {times} times"), async || self.count(what) >= times).await;
    }
}

/// A task that takes its time and notes when it begins, ends, or is dropped before.
pub(crate) fn slow(name: &str, takes: Duration, notes: &Notes) -> Task {
    let notes = notes.clone();
    Task::new(name, move |invocation: Invocation| {
        let notes = notes.clone();
        async move {
            notes.note(format!("begins {}", invocation.index()));
            tokio::time::sleep(takes).await;
            notes.note(format!("ends {}", invocation.index()));
            Ok(())
        }
    })
}
