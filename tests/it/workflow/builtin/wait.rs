//! `wait:delay`, and what holds for all waits.

use super::{begun, engine_on, failure, output, step};
use mape::app::App;
use mape::backend::Backend;
use mape::workflow::{Builtin, Engine, Status, Tasks, WaitsFor};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn a_delay_takes_its_time_and_passes_its_input_on() {
    let engine = engine_on(&Backend::memory()).await;
    for (duration, seconds) in [("5m30s", 330.0), ("1.5", 1.5), ("'{input[wait]}'", 90.0), ("0", 0.0)] {
        let begin = Instant::now();
        let flow = format!("wait:delay (- {{duration: {duration}}} -)");
        assert_eq!(output(&engine, &flow, json!({"wait": "90s"})).await, json!({"wait": "90s"}));
        let took = begin.elapsed().as_secs_f64();
        assert!((took - seconds).abs() < 0.1, "{duration}: {took} s");
    }
    for (parameters, said) in [
        ("", "wait:delay (#1) needs the parameter `duration`"),
        ("(- duration: soon -)", "is seconds or a text like 5m30s, not \"soon\""),
        ("(- duration: -1 -)", "is seconds or a text like 5m30s, not -1"),
        ("(- durations: 1 -)", "wait:delay (#1) has no parameter `durations`: did you mean `duration`?"),
        ("(- duration: '{input.gone}' -)", "`duration`: `input` has no `gone`: it is empty"),
    ] {
        let error = failure(&engine, &format!("wait:delay {parameters}"), Value::Null).await;
        assert!(error.contains(said), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_delay_that_another_engine_goes_on_with_ends_when_it_would_have() {
    let backend = Backend::memory();
    let begin = Instant::now();
    let app = App::with_backend(backend.clone());
    let first = Engine::start(&app, Tasks::new().with_all(Builtin::new(&backend).tasks())).await.unwrap();
    let run = first.run("wait:delay (- duration: 100 -)", json!({"x": 1})).await.unwrap();
    begun(first.workflows(), &run, 1).await;
    // Stopped in good order: that ends no delay.
    first.close().await.unwrap();
    tokio::time::sleep(Duration::from_secs(40)).await;
    let second = Engine::start(&app, Tasks::new().with_all(Builtin::new(&backend).tasks())).await.unwrap();
    begun(second.workflows(), &run, 1).await;
    let waiting = step(second.workflows(), &run, 1).await.waiting.unwrap();
    assert_eq!((waiting.waits_for, waiting.what.as_str()), (WaitsFor::Time, "100"));
    // And dead: that does not either.
    for of in app.loops() {
        app.remove_loop(of.uid());
    }
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(second.workflows().status(run.id()).await.unwrap(), Status::Running);
    let third = engine_on(&backend).await;
    let ended = third.workflows().wait(run.id()).await.unwrap();
    assert_eq!(ended.output.as_deref(), Some(&json!({"x": 1})));
    let took = begin.elapsed().as_secs_f64();
    assert!((100.0..100.1).contains(&took), "{took} s");
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_terminated_ends_at_once_and_can_be_restarted() {
    let backend = Backend::memory();
    let engine = engine_on(&backend).await;
    let runs = engine.workflows();
    let begin = Instant::now();
    let flow = "{ wait:delay (- duration: 10d -) wait:event (- event: never -) \
                human:approve (- question: really? -) wait:acquire (- name: x -) → wait:countdown (- name: x -) }";
    let run = engine.run(flow, Value::Null).await.unwrap();
    for index in [2, 3, 4, 6] {
        begun(runs, &run, index).await;
    }
    runs.terminate(run.id()).await.unwrap();
    assert_eq!(run.wait().await.unwrap().status, Status::Terminated);
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
    runs.restart(run.id(), None).await.unwrap();
    begun(runs, &run, 2).await;
}

/// More than a kind of task has in work unless it says so.
#[tokio::test(start_paused = true)]
async fn thousands_of_delays_end_together() {
    let engine = engine_on(&Backend::memory()).await;
    let items: Vec<Value> = (0..5000).map(|n| json!({"n": n})).collect();
    let begin = Instant::now();
    let flow = "* wait:delay (- {duration: 60, iterate: 5000} -)";
    assert_eq!(output(&engine, flow, json!(items)).await, json!(items));
    assert!(begin.elapsed() < Duration::from_secs(61), "{:?}", begin.elapsed());
}
