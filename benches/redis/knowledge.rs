//! Single values, 64 tasks at a time, beside the same commands on one multiplexed connection.

use crate::captured::{Captured, command};
use crate::server::Server;
use futures::StreamExt;
use mape::backend::Backend;
use mape::knowledge::{Filter, Notice, Scope, Value};
use mape_benches::{Comparison, Reading, Run};
use redis::aio::MultiplexedConnection;
use std::sync::Arc;
use std::thread;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

pub(crate) const CASES: &[&str] = &["knowledge_get", "knowledge_set", "knowledge_set_watched"];

const TASKS: u64 = 64;
/// Operations of each task in a run.
const N: u64 = 400;

pub(crate) async fn all(server: &Server, comparison: &mut Comparison) {
    let aim = ">= 0.8";
    if comparison.selects(&["knowledge_get"]) {
        server.clear().await;
        let (backend, connection) = (server.ours().await, server.hand().await);
        store(&values(&backend), 7).await;
        let ours = async || tasks(server, "get", &values(&backend), get).await;
        let hand = async || tasks(server, "get", &keys(&connection), get_by_hand).await;
        comparison.rates("knowledge_get", aim, ours, hand).await;
    }
    if comparison.selects(&["knowledge_set"]) {
        server.clear().await;
        let (backend, connection) = (server.ours().await, server.hand().await);
        // The first write finds out that nobody watches.
        store(&values(&backend), 7).await;
        let ours = async || tasks(server, "set", &values(&backend), set).await;
        let hand = async || tasks(server, "set", &keys(&connection), set_by_hand).await;
        comparison.rates("knowledge_set", aim, ours, hand).await;
    }
    if comparison.selects(&["knowledge_set_watched"]) {
        server.clear().await;
        let (backend, connection) = (server.ours().await, server.hand().await);
        let watcher = Watcher::start(server.url()).await;
        let scripts = scripts(server, &backend, &connection).await;
        let ours = async || tasks(server, "set", &values(&backend), set).await;
        let hand = async || tasks(server, "set", &scripts, script_by_hand).await;
        comparison.rates("knowledge_set_watched", aim, ours, hand).await;
        watcher.end();
    }
}

/// Runs `work` with each of these as tasks at a time, and makes sure that the server did the command as often.
async fn tasks<T, F>(server: &Server, name: &str, with: &[T], work: impl Fn(T) -> F) -> Run
where
    T: Clone,
    F: Future<Output = ()> + Send + 'static,
{
    let before = server.calls(name).await;
    let works: Vec<F> = with.iter().cloned().map(work).collect();
    let run = Run::of(N * TASKS, async {
        works.into_iter().collect::<JoinSet<()>>().join_all().await;
    })
    .await;
    // What a script does is counted as well.
    assert_eq!(server.calls(name).await - before, N * TASKS);
    run
}

fn values(backend: &Backend) -> Vec<Value<Reading>> {
    let knowledge = backend.knowledge(Scope::App);
    (0..TASKS).map(|task| knowledge.value(&format!("reading-{task}"))).collect()
}

async fn store(values: &[Value<Reading>], number: u64) {
    for value in values {
        value.set(&Reading::number(number)).await.unwrap();
    }
}

async fn get(value: Value<Reading>) {
    for _ in 0..N {
        assert_eq!(value.get().await.unwrap().unwrap().tick, 7);
    }
}

async fn set(value: Value<Reading>) {
    for number in 0..N {
        value.set(&Reading::number(number)).await.unwrap();
    }
}

type Keyed = (MultiplexedConnection, String);

fn keys(connection: &MultiplexedConnection) -> Vec<Keyed> {
    (0..TASKS).map(|task| (connection.clone(), format!("k.app.reading-{task}"))).collect()
}

async fn get_by_hand((mut connection, key): Keyed) {
    for _ in 0..N {
        let mut cmd = redis::cmd("GET");
        let json: Vec<u8> = cmd.arg(&key).query_async(&mut connection).await.unwrap();
        assert_eq!(serde_json::from_slice::<Reading>(&json).unwrap().tick, 7);
    }
}

async fn set_by_hand((mut connection, key): Keyed) {
    for number in 0..N {
        let json = serde_json::to_vec(&Reading::number(number)).unwrap();
        redis::cmd("SET").arg(&key).arg(json).exec_async(&mut connection).await.unwrap();
    }
}

/// The command that ours sends for a write to a watched key, and the value in it.
type Script = (MultiplexedConnection, Arc<[Vec<u8>]>, Arc<[u8]>);

async fn scripts(server: &Server, backend: &Backend, connection: &MultiplexedConnection) -> Vec<Script> {
    let values = values(backend);
    // The server knows the script from here on.
    store(&values, 7).await;
    let mut captured = Captured::new(server.port());
    let json: Arc<[u8]> = serde_json::to_vec(&Reading::number(7)).unwrap().into();
    let mut scripts = Vec::new();
    for value in &values {
        value.set(&Reading::number(7)).await.unwrap();
        let words = captured.next_with(&json);
        assert_eq!(words.first().map(Vec::as_slice), Some(&b"EVALSHA"[..]), "nobody watches");
        scripts.push((connection.clone(), words.into(), json.clone()));
    }
    scripts
}

async fn script_by_hand((mut connection, words, old): Script) {
    for number in 0..N {
        let json = serde_json::to_vec(&Reading::number(number)).unwrap();
        command(&words, &old, &json).exec_async(&mut connection).await.unwrap();
    }
}

/// Somebody else who watches, in a thread of its own.
struct Watcher {
    end: oneshot::Sender<()>,
    thread: thread::JoinHandle<u64>,
}

impl Watcher {
    async fn start(url: String) -> Self {
        let (end, ended) = oneshot::channel::<()>();
        let (ready, is_ready) = oneshot::channel();
        let watching = async move {
            let backend = Backend::open(&url).await.unwrap();
            let mut changes = backend.knowledge(Scope::App).watch(Filter::all()).await.unwrap();
            ready.send(()).unwrap();
            let mut seen = 0;
            let watching = async {
                while let Some(notice) = changes.next().await {
                    seen += u64::from(matches!(notice, Notice::Change(_)));
                }
            };
            tokio::select! {
                () = watching => {}
                _ = ended => {}
            }
            seen
        };
        let thread = thread::spawn(|| {
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(watching)
        });
        is_ready.await.unwrap();
        Self { end, thread }
    }

    fn end(self) {
        self.end.send(()).unwrap();
        assert!(self.thread.join().unwrap() > 0, "the watcher saw nothing");
    }
}
