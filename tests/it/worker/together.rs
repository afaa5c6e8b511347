//! An engine and workers that share nothing but a backend.

use super::world::{LEASE, Notes};
use crate::suite::eventually;
use mape::backend::Backend;
use mape::prelude::App;
use mape::workflow::{Engine, Invocation, RunningWorker, Status, Task, TaskError, Tasks, Worker};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// The tests of all claims here: `suite! { backend, fresh backend }`.
macro_rules! suite {
    ($backend:ident, $world:expr) => {
        crate::suite::tests_of! { $backend, $world, (), worker::together:
            a_run_whose_tasks_are_all_elsewhere_comes_to_its_end,
            a_task_that_takes_too_long_is_cancelled_where_it_is,
            a_run_that_is_terminated_cancels_what_is_at_work_elsewhere,
            what_fails_is_tried_again_elsewhere_and_what_fails_for_good_is_not,
        }
    };
}
pub(crate) use suite;

/// An engine that hosts nothing, and a worker with these tasks in an app of its own.
async fn both(backend: &Backend, tasks: impl IntoIterator<Item = Task>) -> (Engine, RunningWorker) {
    let worker = Worker::new("g", Tasks::new().with_all(tasks)).lease(LEASE);
    let worker = worker.start(&App::with_backend(backend.clone())).await.unwrap();
    let engine = Engine::start(&App::with_backend(backend.clone()), Tasks::new().and_others()).await.unwrap();
    (engine, worker)
}

async fn output(engine: &Engine, flow: &str, input: Value) -> Value {
    let run = engine.run(flow, input).await.unwrap();
    let output = timeout(Duration::from_secs(20), run.output()).await.expect("in time");
    Value::clone(&*output.unwrap().unwrap())
}

/// `math:add` adds its parameter `n` to the field `n`.
fn add() -> Task {
    Task::sync("math:*", |invocation: &Invocation| {
        let n = |value: &Value| value["n"].as_i64().unwrap_or_default();
        Ok(json!({"n": n(invocation.input()) + n(invocation.parameters())}))
    })
}

pub(crate) async fn a_run_whose_tasks_are_all_elsewhere_comes_to_its_end(backend: Backend) {
    let list = Task::sync("list", |_| Ok((0..40).map(|n| json!({"n": n})).collect::<Value>()));
    let long = Task::sync("long", |_| Ok(json!({"text": "x".repeat(10_000)})));
    let (engine, worker) = both(&backend, [add(), list, long, Task::echo("copy")]).await;
    let flow = "math:add (- n: 1 -) → math:add (- n: 2 -) → copy";
    assert_eq!(output(&engine, flow, json!({"n": 4})).await, json!({"n": 7}));
    let each: Value = (0..40).map(|n| json!({"n": n + 5})).collect();
    assert_eq!(output(&engine, "list → * math:add (- n: 5 -) → copy", Value::Null).await, each);
    let long = output(&engine, "long → copy", Value::Null).await;
    assert_eq!(long["text"].as_str().map(str::len), Some(10_000));
    worker.drain().await;
    // What came to the worker while it left is acknowledged, too, a moment later.
    let group = backend.events().log("workflows:run").group("g");
    crate::suite::eventually("nothing is pending", async || group.pending(9).await.unwrap().is_empty()).await;
    engine.close().await.unwrap();
}

/// A task that never ends by itself, and notes that it was told to.
fn endless(notes: &Notes) -> Task {
    let notes = notes.clone();
    Task::new("endless", move |invocation: Invocation| {
        let notes = notes.clone();
        async move {
            notes.note("begins");
            invocation.cancelled().await;
            notes.note("told to stop");
            Ok(())
        }
    })
}

pub(crate) async fn a_task_that_takes_too_long_is_cancelled_where_it_is(backend: Backend) {
    let notes = Notes::default();
    let (engine, worker) = both(&backend, [endless(&notes)]).await;
    let run = engine.run("endless (- timeout: 300ms -)", Value::Null).await.unwrap();
    let failed = timeout(Duration::from_secs(20), run.output()).await.unwrap().unwrap().unwrap_err();
    assert!(failed.to_string().contains("300ms"), "{failed}");
    notes.has("told to stop", 1).await;
    eventually("nothing is in hand", async || worker.in_hand() == 0).await;
    worker.drain().await;
    engine.close().await.unwrap();
}

pub(crate) async fn a_run_that_is_terminated_cancels_what_is_at_work_elsewhere(backend: Backend) {
    let notes = Notes::default();
    let (engine, worker) = both(&backend, [endless(&notes)]).await;
    let run = engine.run("endless", Value::Null).await.unwrap();
    notes.has("begins", 1).await;
    engine.workflows().terminate(run.id()).await.unwrap();
    notes.has("told to stop", 1).await;
    eventually("it is terminated", async || {
        engine.workflows().status(run.id()).await.unwrap() == Status::Terminated
    })
    .await;
    worker.drain().await;
    engine.close().await.unwrap();
}

pub(crate) async fn what_fails_is_tried_again_elsewhere_and_what_fails_for_good_is_not(backend: Backend) {
    let notes = Notes::default();
    let by_task = notes.clone();
    let flaky = Task::new("flaky", move |invocation: Invocation| {
        let notes = by_task.clone();
        async move {
            notes.note(format!("attempt {}", invocation.attempt()));
            sleep(Duration::from_millis(1)).await;
            if invocation.attempt() < 3 { Err(TaskError::new("busy")) } else { Ok(json!({"n": 1})) }
        }
    });
    let broken = Task::sync("broken", |_| Err::<(), _>(TaskError::for_good("broken for good")));
    let (engine, worker) = both(&backend, [flaky, broken]).await;
    let flow = "flaky (- retry: {attempts: 5, wait: 10ms} -)";
    assert_eq!(output(&engine, flow, Value::Null).await, json!({"n": 1}));
    assert_eq!(notes.all(), ["attempt 1", "attempt 2", "attempt 3"]);
    let run = engine.run("broken (- retry: {attempts: 5, wait: 1h} -)", Value::Null).await.unwrap();
    let failed = timeout(Duration::from_secs(20), run.output()).await.unwrap().unwrap().unwrap_err();
    assert!(failed.to_string().contains("broken for good"), "{failed}");
    worker.drain().await;
    engine.close().await.unwrap();
}
