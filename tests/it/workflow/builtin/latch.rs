//! `wait:acquire`, `wait:release` and `wait:countdown`.

use super::{begun, engine_on, failure, output, step};
use crate::suite::eventually;
use mape::app::App;
use mape::backend::Backend;
use mape::knowledge::{HashCommand, Key};
use mape::workflow::{Builtin, Engine, Phase, Run, RunId, Status, Tasks, Workflows};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

async fn holds(backend: &Backend, latch: &str) -> usize {
    let key = Key::from(format!("mape:latch:{latch}"));
    let len = backend.store().run(&key, HashCommand::Len.into()).await.unwrap();
    usize::try_from(len.count(&key).unwrap()).unwrap()
}

async fn is_waiting(runs: &Workflows, run: &Run) -> bool {
    step(runs, run, 1).await.phase == Phase::Active
}

#[tokio::test]
async fn a_countdown_waits_until_all_holds_are_given_back() {
    let backend = Backend::memory();
    let engine = engine_on(&backend).await;
    let runs = engine.workflows();
    // Nobody holds it; without an input, too.
    assert_eq!(output(&engine, "wait:countdown (- name: l -)", Value::Null).await, json!({}));
    let mut holders = Vec::new();
    for n in 0..3 {
        let flow = "wait:acquire (- name: 'l-{input[l]}' -) → wait:event (- {event: go, match: input} -) \
                    → wait:release (- name: 'l-{input[l]}' -)";
        let run = engine.run(flow, json!({"l": "a", "n": n})).await.unwrap();
        begun(runs, &run, 2).await;
        holders.push(run);
    }
    assert_eq!(holds(&backend, "l-a").await, 3);
    let flow = "wait:countdown (- name: 'l-{input[l]}' -)";
    let waiting = engine.run(flow, json!({"l": "a"})).await.unwrap();
    begun(runs, &waiting, 1).await;
    assert_eq!(step(runs, &waiting, 1).await.waiting.unwrap().what, "l-a");
    for (n, holder) in holders.iter().enumerate() {
        assert!(is_waiting(runs, &waiting).await);
        runs.event("go", &json!({"l": "a", "n": n})).await.unwrap();
        assert_eq!(*holder.output().await.unwrap().unwrap(), json!({"l": "a", "n": n}));
    }
    assert_eq!(*waiting.output().await.unwrap().unwrap(), json!({"l": "a"}));
    assert_eq!(holds(&backend, "l-a").await, 0);
}

#[tokio::test]
async fn a_run_may_give_back_what_another_holds_and_never_more_than_there_is() {
    let backend = Backend::memory();
    let engine = engine_on(&backend).await;
    let runs = engine.workflows();
    let flow = "wait:acquire (- name: l -) → wait:acquire (- name: l -) → wait:countdown (- name: l -)";
    let run = engine.run(flow, Value::Null).await.unwrap();
    begun(runs, &run, 3).await;
    output(&engine, "wait:release (- name: l -)", Value::Null).await;
    assert_eq!(holds(&backend, "l").await, 1);
    output(&engine, "wait:release (- name: l -)", Value::Null).await;
    run.output().await.unwrap().unwrap();
    output(&engine, "wait:release (- name: l -)", Value::Null).await;
    assert_eq!(holds(&backend, "l").await, 0);
    let error = failure(&engine, "wait:acquire", Value::Null).await;
    assert!(error.contains("wait:acquire (#1) needs the parameter `name`"), "{error}");
}

#[tokio::test]
async fn what_a_run_holds_that_ends_in_any_way_holds_nobody_up() {
    let backend = Backend::memory();
    let engine = engine_on(&backend).await;
    let runs = engine.workflows();
    for ending in ["finished", "failed", "terminated"] {
        let flow = "wait:acquire (- name: l -) → wait:event (- event: go -)
            → ? `$[?(@.fails=true)]` log:info (- message: '{input.gone}' -)";
        let holder = engine.run(flow, json!({"fails": ending == "failed"})).await.unwrap();
        begun(runs, &holder, 2).await;
        let waiting = engine.run("wait:countdown (- name: l -)", Value::Null).await.unwrap();
        begun(runs, &waiting, 1).await;
        if ending == "terminated" {
            runs.terminate(holder.id()).await.unwrap();
        } else {
            runs.event("go", &Value::Null).await.unwrap();
        }
        let ended = tokio::time::timeout(Duration::from_secs(10), waiting.output()).await;
        ended.unwrap_or_else(|_| panic!("a latch is held by a run that is {ending}")).unwrap().unwrap();
        // A run that could be restarted would hold it again; one that is deleted leaves nothing behind.
        eventually("it is over", async || runs.status(holder.id()).await.unwrap().is_over()).await;
        runs.delete(holder.id()).await.unwrap();
        assert_eq!(holds(&backend, "l").await, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_hold_ends_with_its_lease() {
    let backend = Backend::memory();
    let engine = engine_on(&backend).await;
    let runs = engine.workflows();
    let flow = "wait:acquire (- {name: l, lease: 1m} -) → wait:event (- event: never -)";
    let holder = engine.run(flow, Value::Null).await.unwrap();
    begun(runs, &holder, 2).await;
    let begin = Instant::now();
    output(&engine, "wait:countdown (- name: l -)", Value::Null).await;
    let took = begin.elapsed().as_secs_f64();
    assert!((59.0..61.0).contains(&took), "{took}");
    assert_eq!(runs.status(holder.id()).await.unwrap(), Status::Running);
    let flow =
        "wait:acquire (- name: m -) → wait:countdown (- {name: m, timeout: 5m, default: {free: false}} -)";
    assert_eq!(output(&engine, flow, json!({"x": 1})).await, json!({"x": 1, "free": false}));
}

#[tokio::test]
async fn a_countdown_goes_on_in_another_engine() {
    let backend = Backend::memory();
    let app = App::with_backend(backend.clone());
    let tasks = || Tasks::new().with_all(Builtin::new(&backend).tasks());
    let first = Engine::start(&app, tasks()).await.unwrap();
    let runs = first.workflows().clone();
    let flow = "wait:acquire (- name: l -) → { wait:event (- event: go -) → wait:release (- name: l -)  wait:countdown (- name: l -) }";
    let run = first.run(flow, json!({"x": 1})).await.unwrap();
    begun(&runs, &run, 5).await;
    first.close().await.unwrap();
    let _second = Engine::start(&app, tasks()).await.unwrap();
    eventually("it is taken over", async || step(&runs, &run, 5).await.attempt == 2).await;
    assert_eq!(holds(&backend, "l").await, 1);
    runs.event("go", &Value::Null).await.unwrap();
    assert_eq!(runs.wait(run.id()).await.unwrap().status, Status::Finished);
}

/// 2,500 runs take and give back one latch at once, and as many wait for it: nobody waits for ever, nothing is left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_ten_thousand_racing_operations_none_is_lost() {
    const RUNS: usize = 2500;
    let backend = Backend::memory();
    let engine = engine_on(&backend).await;
    let flow = "{ wait:acquire (- name: l -) → wait:release (- name: l -)  \
                  wait:acquire (- name: l -) → wait:release (- name: l -) } ";
    let mut all = Vec::new();
    for n in 0..RUNS {
        let id = RunId::from(format!("holder-{n}").as_str());
        all.push(engine.run_as(id, flow, Value::Null).await.unwrap());
        if n % 5 == 0 {
            all.push(engine.run("wait:countdown (- name: l -)", Value::Null).await.unwrap());
        }
    }
    for run in all {
        let ended = tokio::time::timeout(Duration::from_mins(2), run.output()).await;
        ended.unwrap_or_else(|_| panic!("{} waits for ever", run.id())).unwrap().unwrap();
    }
    assert_eq!(holds(&backend, "l").await, 0);
}
