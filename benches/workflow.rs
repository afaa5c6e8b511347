//! Figures of workflows (Criterion): runs of flows with tasks that do nothing, on `memory:`, beside a bare loop.
//!
//! `flow_run/{chain,fan}_N` is the engine; `flow_run_bare/{chain,fan}_N` a loop over the pure step with a tokio task for
//! each invocation, which keeps nothing. What each one does and how to read it is in docs/performance.md.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot go on has to stop")]
#![allow(missing_docs, reason = "criterion_group makes an undocumented function")]

#[path = "core/group.rs"]
mod group;

use criterion::Criterion;
use mape::app::App;
use mape::flow::Graph;
use mape::workflow::{
    Cause, Command, Definition, Engine, Outcome, Place, State, Status, Task, Tasks, Time, step,
};
use serde_json::Value;
use std::sync::Arc;
use tokio::runtime::{Builder, Runtime};

const SIZES: [usize; 3] = [100, 1_000, 10_000];

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn tasks(n: usize, between: &str) -> String {
    (0..n).map(|i| format!("t:{i}")).collect::<Vec<_>>().join(between)
}

fn shapes(n: usize) -> [(String, Arc<Graph>); 2] {
    let compiled = |text: String| Arc::new(text.parse::<Graph>().unwrap());
    [
        (format!("chain_{n}"), compiled(tasks(n, " → "))),
        (format!("fan_{n}"), compiled(format!("{{ {} }}", tasks(n, " ")))),
    ]
}

/// Runs on an engine that is there already, one after the other.
fn engine(c: &mut Criterion) {
    let runtime = current_thread();
    let engine = runtime.block_on(async {
        let nothing = Task::sync("*", |_| Ok(()));
        Engine::start(&App::new(), Tasks::new().with(nothing)).await.unwrap()
    });
    for n in SIZES {
        for (name, graph) in shapes(n) {
            let mut group = group::group(c, "flow_run", n as u64);
            group.bench_function(&name, |b| {
                b.iter(|| {
                    let (engine, graph) = (engine.clone(), graph.clone());
                    runtime.block_on(async move {
                        let work = async move {
                            let run = engine.run_graph(graph, Value::Null).await.unwrap();
                            let ended = run.wait().await.unwrap();
                            assert_eq!(ended.status, Status::Finished);
                            engine.workflows().delete(run.id()).await.unwrap();
                        };
                        tokio::spawn(work).await.unwrap();
                    });
                });
            });
        }
    }
}

/// The same without an engine.
fn bare(c: &mut Criterion) {
    let runtime = current_thread();
    for n in SIZES {
        for (name, graph) in shapes(n) {
            let definition = Arc::new(Definition::new(graph).unwrap());
            let mut group = group::group(c, "flow_run_bare", n as u64);
            group.bench_function(&name, |b| {
                b.iter(|| {
                    let definition = definition.clone();
                    runtime.block_on(async move { tokio::spawn(turn(definition)).await.unwrap() });
                });
            });
        }
    }
}

async fn turn(definition: Arc<Definition>) {
    let (ended, mut endings) = tokio::sync::mpsc::channel::<(Place, u32)>(16 * 1024);
    let (mut state, mut commands) = (State::new(&definition), Vec::new());
    step(&definition, &mut state, Time::now(), Cause::Begin { input: None }, &mut commands).unwrap();
    while state.status() == Status::Running {
        for command in commands.drain(..) {
            if let Command::Start { place, attempt, .. } = command {
                let ended = ended.clone();
                tokio::spawn(async move { ended.send((place, attempt)).await.unwrap() });
            }
        }
        let (place, attempt) = endings.recv().await.unwrap();
        let outcome = Outcome::from(Value::Null);
        let cause = Cause::Ended { place, attempt, outcome };
        step(&definition, &mut state, Time::now(), cause, &mut commands).unwrap();
    }
    assert_eq!(state.status(), Status::Finished);
}

criterion::criterion_group!(workflow, engine, bare);
criterion::criterion_main!(workflow);
