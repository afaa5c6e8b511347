//! Runs of flows on `file:DIR`, and the transactions they are made of.

use mape::app::App;
use mape::backend::Backend;
use mape::flow::Graph;
use mape::knowledge::Transaction;
use mape::workflow::{Engine, Status, Task, Tasks};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::task::JoinSet;

/// An engine whose tasks do nothing.
pub(crate) struct Flows {
    engine: Engine,
}

impl Flows {
    pub(crate) async fn open(directory: &Path) -> Self {
        let backend = open(directory).await;
        let nothing = Task::sync("*", |_| Ok(()));
        let tasks = Tasks::new().with(nothing);
        Self { engine: Engine::start(&App::with_backend(backend), tasks).await.unwrap() }
    }

    /// So many chains at once of `each` tasks.
    pub(crate) fn run(&self, chains: u64, each: u64) -> impl Future<Output = ()> + Send + 'static {
        let names: Vec<String> = (0..each).map(|n| format!("t{n}")).collect();
        let graph: Arc<Graph> = Arc::new(names.join(" → ").parse().unwrap());
        let engine = self.engine.clone();
        async move {
            let runs = (0..chains).map(|_| {
                let (engine, graph) = (engine.clone(), graph.clone());
                async move {
                    let run = engine.run_graph(graph, Value::Null).await.unwrap();
                    assert_eq!(run.wait().await.unwrap().status, Status::Finished);
                }
            });
            runs.collect::<JoinSet<()>>().join_all().await;
        }
    }

    pub(crate) async fn close(self) {
        let backend = self.engine.app().backend().clone();
        self.engine.close().await.unwrap();
        backend.close().await;
    }
}

/// The store of a directory by itself: transactions such as the engine makes for each task that ends.
pub(crate) struct Steps {
    backend: Backend,
    runs: Arc<AtomicU64>,
}

/// A record as it is kept for the end of a task.
const RECORD: &str = r#"{"at":1795283043039679,"causes":[{"ended":{"node":17,"attempt":1,"output":null}}]}"#;

impl Steps {
    pub(crate) async fn open(directory: &Path) -> Self {
        Self { backend: open(directory).await, runs: Arc::default() }
    }

    pub(crate) fn write(&self, writers: u64, each: u64) -> impl Future<Output = ()> + Send + 'static {
        let (store, runs) = (self.backend.store(), self.runs.clone());
        async move {
            let writers = (0..writers).map(|_| {
                let (store, run) = (store.clone(), runs.fetch_add(1, Ordering::Relaxed));
                async move {
                    let key = format!("mape:run:a-run-with-a-name-as-long-as-usual-{run}");
                    for n in 0..each {
                        let (key, field) = (key.as_str(), n.to_string());
                        let step = Transaction::new().expect_field(key, field.as_str(), None);
                        store.commit(step.hset(key, field, RECORD)).await.unwrap();
                    }
                }
            });
            writers.collect::<JoinSet<()>>().join_all().await;
        }
    }

    pub(crate) async fn close(self) {
        self.backend.close().await;
    }
}

async fn open(directory: &Path) -> Backend {
    Backend::open(&format!("file:{}", directory.display())).await.unwrap()
}
