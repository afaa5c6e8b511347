//! Runs that several have to do with: engines, whoever steers them, whoever looks at their tasks.

use crate::suite::eventually;
use futures::StreamExt;
use mape::app::App;
use mape::backend::Backend;
use mape::element::Element;
use mape::knowledge::{Cursor, KeyCommand};
use mape::workflow::{Answer, Ended, Engine, Invocation, Outcome, Phase, Status, Task, Tasks, Workflows};
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

async fn on(backend: &Backend, tasks: Tasks) -> Engine {
    Engine::start(&App::with_backend(backend.clone()), tasks).await.unwrap()
}

/// Tasks that end when they are let, and note each attempt.
fn gated(gate: &Arc<Semaphore>, log: &Arc<Mutex<BTreeMap<String, Vec<u32>>>>) -> Task {
    let (gate, log) = (gate.clone(), log.clone());
    Task::new("*", move |invocation: Invocation| {
        log.lock().entry(invocation.name().to_owned()).or_default().push(invocation.attempt());
        let gate = gate.clone();
        async move {
            gate.acquire().await.unwrap().forget();
            Ok(json!({invocation.name(): invocation.attempt()}))
        }
    })
}

#[tokio::test]
async fn endings_from_inside_and_outside_in_one_batch_are_all_kept() {
    let backend = Backend::memory();
    let (gate, log) = (Arc::new(Semaphore::new(0)), Arc::default());
    let ask = Task::new("ask", |_| async { Ok(Answer::Later) });
    let mut engines = Vec::new();
    // Events go to any of them: to the one that has the run in hand, or to one that has to tell it.
    for _ in 0..3 {
        engines.push(on(&backend, Tasks::new().with(gated(&gate, &log)).with(ask.clone())).await);
    }
    let names: Vec<String> = (0..60).map(|n| format!("a{n} ask")).collect();
    let run = engines[0].run(&format!("{{ {} }} → :end", names.join(" ")), Value::Null).await.unwrap();
    eventually("all have begun", async || log.lock().len() == 60).await;
    let inspection = engines[0].workflows().inspect(run.id()).await.unwrap();
    let asked = inspection.steps.iter().filter(|step| step.name == "ask").map(|step| step.index);
    for index in asked {
        gate.add_permits(1);
        engines[1].workflows().end(run.id(), "ask", index, Ok(Some(json!({"told": index})))).await.unwrap();
    }
    let output = run.output().await.unwrap().unwrap();
    assert_eq!(output.as_array().unwrap().len(), 120);
    assert!(log.lock().values().all(|attempts| *attempts == [1]), "{log:?}");
}

#[tokio::test]
async fn of_runs_that_are_kept_together_one_that_somebody_else_changed_holds_up_no_other() {
    let backend = Backend::memory();
    let (gate, log) = (Arc::new(Semaphore::new(0)), Arc::default());
    let engine = on(&backend, Tasks::new().with(gated(&gate, &log))).await;
    let (runs, mut begun) = (engine.workflows().clone(), Vec::new());
    for n in 0..20 {
        begun.push(engine.run(&format!("a{n} → b{n}"), Value::Null).await.unwrap());
    }
    eventually("all have begun", async || log.lock().len() == 20).await;
    // Nobody seems to have them, so they are changed behind the engine's back, at the moment at which their tasks end.
    forget_signs_of_life(&backend).await;
    for run in begun.iter().step_by(3) {
        runs.pause(run.id()).await.unwrap();
    }
    gate.add_permits(20);
    for run in begun.iter().step_by(3) {
        eventually("its task has ended", async || {
            runs.inspect(run.id()).await.unwrap().steps[1].phase == Phase::Done
        })
        .await;
        runs.resume(run.id()).await.unwrap();
    }
    gate.add_permits(20);
    for run in begun {
        run.output().await.unwrap().unwrap();
    }
    assert!(log.lock().values().all(|attempts| *attempts == [1]), "{log:?}");
}

#[tokio::test]
async fn an_engine_that_was_thought_dead_lets_go_of_what_another_has_taken() {
    let backend = Backend::memory();
    let (gate, log) = (Arc::new(Semaphore::new(0)), Arc::default());
    let late = on(&backend, Tasks::new().with(gated(&gate, &log))).await;
    let run = late.run("a → b → c", Value::Null).await.unwrap();
    eventually("it runs", async || log.lock().len() == 1).await;
    let other = on(&backend, Tasks::new().with(gated(&gate, &log))).await;
    // No sign of life is seen, as if it had been held up for longer than one lasts.
    eventually("the other has it", async || {
        forget_signs_of_life(&backend).await;
        other.attach(run.id().clone()).await.unwrap();
        log.lock()["a"].len() == 2
    })
    .await;
    gate.add_permits(100);
    assert_eq!(*run.output().await.unwrap().unwrap(), json!({"c": 1}));
    let expected = [("a", vec![1, 2]), ("b", vec![1]), ("c", vec![1])];
    assert_eq!(*log.lock(), expected.map(|(name, attempts)| (name.to_owned(), attempts)).into());
    drop(other);
}

async fn forget_signs_of_life(backend: &Backend) {
    let (store, mut from) = (backend.store(), Some(Cursor::default()));
    while let Some(cursor) = from {
        let page = store.scan(&"mape:engine:*".into(), cursor).await.unwrap();
        for key in page.keys {
            store.run(&key, KeyCommand::Delete.into()).await.unwrap();
        }
        from = page.next;
    }
}

#[tokio::test(start_paused = true)]
async fn the_wait_before_the_next_attempt_outlives_the_engine() {
    let backend = Backend::memory();
    let log: Arc<Mutex<Vec<(u32, u64)>>> = Arc::default();
    let seen = log.clone();
    let flaky = Task::new("flaky", move |invocation: Invocation| {
        let since = mape::workflow::Time::now().since(invocation.since());
        seen.lock().push((invocation.attempt(), since.as_secs()));
        async move {
            if invocation.attempt() == 1 {
                return Err(mape::workflow::TaskError::new("not yet"));
            }
            Ok(json!({"attempt": invocation.attempt()}))
        }
    });
    let first = on(&backend, Tasks::new().with(flaky.clone())).await;
    let run = first.run("flaky (- retry: {attempts: 1, wait: 60s} -)", Value::Null).await.unwrap();
    let runs = Workflows::new(&backend);
    eventually("it waits", async || {
        runs.inspect(run.id()).await.unwrap().steps[1].phase == Phase::BackingOff
    })
    .await;
    first.close().await.unwrap();
    tokio::time::sleep(Duration::from_secs(20)).await;
    let second = on(&backend, Tasks::new().with(flaky)).await;
    let output = second.attach(run.id().clone()).await.unwrap().output().await.unwrap().unwrap();
    assert_eq!(*output, json!({"attempt": 2}));
    assert_eq!(*log.lock(), [(1, 0), (2, 60)]);
}

#[tokio::test(start_paused = true)]
async fn what_nobody_has_taken_is_said_with_for_how_long() {
    let backend = Backend::memory();
    let runs = Workflows::new(&backend);
    let id = runs.submit(None, "fetch → store", Value::Null).await.unwrap();
    // An engine without such tasks leaves it alone.
    let other = on(&backend, Tasks::new().with(Task::echo("copy"))).await;
    tokio::time::sleep(Duration::from_secs(40)).await;
    let run = runs.inspect(&id).await.unwrap();
    assert_eq!((run.status, run.in_hand), (Status::Running, false));
    assert_eq!(run.steps[1].untaken.map(|time| time.as_secs()), Some(40));
    assert_eq!(run.steps[2].untaken, None);
    assert_eq!(serde_json::to_value(&run).unwrap()["steps"][1]["untaken_seconds"], 40);
    let able = on(&backend, Tasks::new().with(Task::new("*", |_| async { Ok(Answer::Later) }))).await;
    eventually("it is taken", async || runs.inspect(&id).await.unwrap().in_hand).await;
    assert_eq!(runs.inspect(&id).await.unwrap().steps[1].untaken, None);
    drop((other, able));
}

#[tokio::test]
async fn what_others_host_starts_and_waits_for_who_ends_it() {
    let engine = on(&Backend::memory(), Tasks::new().with(Task::echo("copy")).and_others()).await;
    let run = engine.run("fetch → copy", Value::Null).await.unwrap();
    let runs = engine.workflows();
    eventually("it waits", async || runs.inspect(run.id()).await.unwrap().steps[1].phase == Phase::Active)
        .await;
    runs.end(run.id(), "fetch", 1, Ok(Some(json!({"x": 1})))).await.unwrap();
    assert_eq!(*run.output().await.unwrap().unwrap(), json!({"x": 1}));
}

#[tokio::test]
async fn a_task_is_tapped_and_pushed_by_its_path_and_so_is_each_of_its_steps() {
    let (gate, log) = (Arc::new(Semaphore::new(0)), Arc::default());
    let tasks = Tasks::new().with(Task::echo("math:add")).with(gated(&gate, &log));
    let engine = on(&Backend::memory(), tasks).await;
    let app = engine.app();
    let element: Element<Invocation, Ended> = app.element("tasks.math_add").unwrap();
    let mut ends = element.tap_out(16);
    // Pushed by hand, it belongs to no run, and no run takes notice.
    let by_hand = Invocation::alone("math:add", json!({}), json!({"by": "hand"}));
    element.push(by_hand).await.unwrap();
    let ended = ends.next().await.unwrap();
    assert_eq!(ended.outcome, Some(Outcome::from(json!({"by": "hand"}))));

    let runs = [
        engine.run("slow → math:add → math:add", Value::Null).await.unwrap(),
        engine.run("slow → math:add", Value::Null).await.unwrap(),
    ];
    let path = |step: u32| format!("{}/{step}", runs[0].id());
    let second = engine.step_at(&path(3)).await.unwrap().unwrap();
    let (into, out) = (second.tap_in(4), second.tap_out(4));
    let slow = engine.step_at(&path(1)).await.unwrap().unwrap();
    slow.push(json!({"pushed": true})).await.unwrap();
    assert_eq!(*runs[0].output().await.unwrap().unwrap(), json!({"pushed": true}));
    gate.add_permits(2);
    runs[1].output().await.unwrap().unwrap();
    engine.close().await.unwrap();
    let keys = into.map(|invocation| invocation.key()).collect::<Vec<_>>().await;
    assert_eq!(keys, [path(3)]);
    assert_eq!(out.map(|ended| ended.invocation.key()).collect::<Vec<_>>().await, [path(3)]);
}

#[tokio::test]
async fn paths_that_lead_to_no_step_give_nothing() {
    let engine = on(&Backend::memory(), Tasks::new().with(Task::echo("*"))).await;
    let run = engine.run("a", Value::Null).await.unwrap();
    for path in [format!("{}/0", run.id()), format!("{}/9", run.id()), run.id().to_string()] {
        assert!(engine.step_at(&path).await.unwrap().is_none(), "{path}");
    }
    assert!(engine.step_at("absent/1").await.is_err());
}
