//! The tasks that come with the engine, each against the real thing: clocks, stores, sockets, programs, files.

mod approve;
mod event;
#[cfg(unix)]
mod exec;
#[cfg(all(feature = "cli", feature = "file", unix))]
mod flows;
mod latch;
mod parameters;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "http-client")]
mod request;
mod resource;
#[cfg(all(feature = "cli", feature = "file", unix))]
mod restart;
#[cfg(feature = "http-client")]
mod service;
mod template;
mod wait;

use crate::suite::eventually;
use mape::app::App;
use mape::backend::Backend;
use mape::workflow::{Builtin, Engine, Inspected, Phase, Run, Task, Tasks, Workflows};
use serde_json::Value;

/// An engine on this backend with the built-in tasks, and `*` that gives its input.
async fn engine_on(backend: &Backend) -> Engine {
    engine_with(backend, Builtin::new(backend)).await
}

async fn engine_with(backend: &Backend, builtin: Builtin) -> Engine {
    let tasks = Tasks::new().with_all(builtin.tasks()).with(Task::echo("*"));
    Engine::start(&App::with_backend(backend.clone()), tasks).await.unwrap()
}

async fn output(engine: &Engine, flow: &str, input: Value) -> Value {
    Value::clone(&*engine.run(flow, input).await.unwrap().output().await.unwrap().unwrap())
}

/// How a flow fails, or why it does not begin.
async fn failure(engine: &Engine, flow: &str, input: Value) -> String {
    match engine.run(flow, input).await {
        Ok(run) => run.output().await.unwrap().unwrap_err().to_string(),
        Err(refused) => refused.to_string(),
    }
}

async fn step(runs: &Workflows, run: &Run, index: u32) -> Inspected {
    let steps = runs.inspect(run.id()).await.unwrap().steps;
    steps.into_iter().find(|step| step.index == index && step.items.is_empty()).unwrap()
}

/// Waits until a step is in work.
async fn begun(runs: &Workflows, run: &Run, index: u32) {
    eventually("the step is in work", async || step(runs, run, index).await.phase == Phase::Active).await;
}
