//! The engine in memory.

use super::behaviour::{behave, canonical};
use super::conformance::agreed;
use crate::suite::eventually;
use futures::StreamExt;
use mape::app::App;
use mape::backend::Backend;
use mape::element::Element;
use mape::workflow::{
    Answer, Ended, Engine, Error, Invocation, Phase, RunId, Status, Task, TaskError, Tasks,
};
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

async fn engine(tasks: Tasks) -> Engine {
    Engine::start(&App::new(), tasks).await.unwrap()
}

/// All tasks give their name.
fn named() -> Task {
    Task::sync("*", |invocation| Ok(json!({invocation.name(): 1})))
}

async fn finished(engine: &Engine, flow: &str, input: Value) -> Value {
    Value::clone(&*engine.run(flow, input).await.unwrap().output().await.unwrap().unwrap())
}

#[tokio::test]
async fn runs_of_the_corpus_give_on_the_engine_what_they_give_by_hand() {
    let behaviour = Arc::new(Mutex::new(String::new()));
    let now = behaviour.clone();
    let any = Task::new("*", move |invocation: Invocation| {
        let behaviour = now.lock().clone();
        async move {
            let (name, index) = (invocation.base(), invocation.index() as usize);
            Ok(behave(&behaviour, name, index, invocation.parameters(), invocation.input()))
        }
    });
    let engine = engine(Tasks::new().with(any)).await;
    let mut count = 0;
    for flow in agreed().iter().step_by(4) {
        for run in flow["runs"].as_array().unwrap().iter().take(2) {
            *behaviour.lock() = run["behaviour"].as_str().unwrap().to_owned();
            let output = finished(&engine, flow["source"].as_str().unwrap(), run["input"].clone()).await;
            assert_eq!(canonical(&output), run["expect"]["final"], "{}", flow["id"]);
            count += 1;
        }
    }
    assert!(count > 150, "{count}");
}

#[tokio::test]
async fn a_task_that_nobody_hosts_is_named_with_those_that_there_are_and_nothing_starts() {
    let engine = engine(Tasks::new().with(Task::echo("clean")).with(Task::echo("math:*"))).await;
    let error = engine.run("fetch → clean → store", Value::Null).await.unwrap_err();
    assert_eq!(error.to_string(), "nobody has the tasks `fetch`, `store`: there are `clean`, `math:*`");
    assert!(engine.workflows().list(0, 10).await.unwrap().is_empty());
    finished(&engine, "clean → math:add", Value::Null).await;
}

#[tokio::test]
async fn wrong_flows_inputs_and_policies_start_nothing() {
    let engine = engine(Tasks::new().with(Task::echo("*"))).await;
    assert!(matches!(engine.run("A → :nowhere", Value::Null).await, Err(Error::Flow(_))));
    let error = engine.run("A", json!(3)).await.unwrap_err();
    assert_eq!(error.to_string(), "the input of a flow has to be an object or a list, and is the number 3");
    let error = engine.run("A (- timeout: soon -)", Value::Null).await.unwrap_err();
    assert!(error.to_string().starts_with("A (#1): the parameter `timeout` is a length of time"), "{error}");
    assert!(engine.workflows().list(0, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_failure_names_the_task_and_a_restart_goes_on_from_there() {
    let broken = Arc::new(AtomicBool::new(true));
    let calls = Arc::new(AtomicUsize::new(0));
    let (state, called) = (broken.clone(), calls.clone());
    let tasks = Tasks::new()
        .with(Task::sync("first", move |_| {
            called.fetch_add(1, Ordering::Relaxed);
            Ok(json!({"first": 1}))
        }))
        .with(Task::sync("flaky", move |invocation| {
            if state.load(Ordering::Relaxed) {
                Err(TaskError::new("no luck"))
            } else {
                Ok(json!({"attempt": invocation.attempt()}))
            }
        }))
        .with(Task::sync("panics", |_| -> Result<(), TaskError> { panic!("oh dear") }));
    let engine = engine(tasks).await;
    let run = engine.run("first → flaky", Value::Null).await.unwrap();
    let error = run.output().await.unwrap().unwrap_err();
    assert!(error.to_string().ends_with("is FAILED; flaky (#2) failed: no luck"), "{error}");
    broken.store(false, Ordering::Relaxed);
    assert_eq!(engine.workflows().restart(run.id(), None).await.unwrap(), Status::Running);
    let ended = engine.workflows().wait(run.id()).await.unwrap();
    assert_eq!(ended.output.as_deref(), Some(&json!({"attempt": 2})));
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    // From any task:
    engine.workflows().restart(run.id(), Some(1)).await.unwrap();
    eventually("it has run again", async || calls.load(Ordering::Relaxed) == 2).await;
    let error = engine.run("panics", Value::Null).await.unwrap().output().await.unwrap().unwrap_err();
    assert!(error.to_string().ends_with("it panicked: oh dear"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn attempts_are_repeated_and_timed_out_in_virtual_time() {
    let attempts = Arc::new(Mutex::new(Vec::new()));
    let seen = attempts.clone();
    let slow = Task::new("slow", move |invocation: Invocation| {
        seen.lock()
            .push((invocation.attempt(), mape::workflow::Time::now().since(invocation.since()).as_secs()));
        async move {
            let wait = if invocation.attempt() < 3 { 100 } else { 1 };
            tokio::time::sleep(Duration::from_secs(wait)).await;
            Ok(json!({"attempt": invocation.attempt()}))
        }
    });
    let engine = engine(Tasks::new().with(slow.timeout(Duration::from_secs(5)).retry(5))).await;
    assert_eq!(finished(&engine, "slow", Value::Null).await, json!({"attempt": 3}));
    // 5 s and a wait of 1 s; 5 s and a wait of 2 s. Each counts from the first.
    assert_eq!(*attempts.lock(), [(1, 0), (2, 6), (3, 13)]);
}

#[tokio::test(start_paused = true)]
async fn of_tasks_with_one_key_only_some_run_at_a_time() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (running, highest) = (now.clone(), most.clone());
    let busy = Task::new("busy", move |_| {
        let (running, highest) = (running.clone(), highest.clone());
        async move {
            highest.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_secs(1)).await;
            running.fetch_sub(1, Ordering::SeqCst);
            Ok(())
        }
    });
    let engine = engine(Tasks::new().with(busy)).await;
    let flow = "@task busy (- concurrency: {key: db, limit: 2} -)\nbusy | busy | busy";
    let runs = [engine.run(flow, Value::Null).await.unwrap(), engine.run(flow, Value::Null).await.unwrap()];
    let begin = tokio::time::Instant::now();
    for run in runs {
        run.output().await.unwrap().unwrap();
    }
    assert_eq!(most.load(Ordering::SeqCst), 2);
    assert!(begin.elapsed() >= Duration::from_secs(3));
}

#[tokio::test]
async fn a_termination_reaches_the_task_and_the_run_can_go_on() {
    let (stopped, began) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let (seen, calls) = (stopped.clone(), began.clone());
    let hang = Task::new("hang", move |invocation: Invocation| {
        let seen = seen.clone();
        let second = calls.fetch_add(1, Ordering::SeqCst) > 0;
        async move {
            if second {
                return Ok(json!({"second": true}));
            }
            invocation.cancelled().await;
            seen.store(true, Ordering::SeqCst);
            std::future::pending().await
        }
    });
    let engine = engine(Tasks::new().with(hang).with(Task::echo("next"))).await;
    let run = engine.run("hang → next", Value::Null).await.unwrap();
    eventually("it runs", async || began.load(Ordering::SeqCst) == 1).await;
    engine.workflows().terminate(run.id()).await.unwrap();
    let ended = run.wait().await.unwrap();
    assert_eq!(ended.status, Status::Terminated);
    assert!(stopped.load(Ordering::SeqCst));
    engine.workflows().restart(run.id(), None).await.unwrap();
    let ended = engine.workflows().wait(run.id()).await.unwrap();
    assert_eq!(ended.output.as_deref(), Some(&json!({"second": true})));
}

#[tokio::test]
async fn what_is_done_elsewhere_ends_when_it_is_said_and_only_once() {
    let later = Task::new("ask", |_| async { Ok(Answer::Later) });
    let engine = engine(Tasks::new().with(later).with(Task::echo("next"))).await;
    let run = engine.run("ask → next → ask", Value::Null).await.unwrap();
    let runs = engine.workflows();
    for _ in 0..3 {
        runs.end(run.id(), "ask", 1, Ok(Some(json!({"answer": 42})))).await.unwrap();
    }
    runs.end(run.id(), "ask", 77, Ok(None)).await.unwrap();
    eventually("the second is asked", async || {
        runs.inspect(run.id()).await.unwrap().steps[3].phase == Phase::Active
    })
    .await;
    runs.end(run.id(), "next", 2, Ok(Some(json!({"wrong": 1})))).await.unwrap();
    runs.end(run.id(), "ask", 3, Err("nobody knows".into())).await.unwrap();
    let error = run.output().await.unwrap().unwrap_err();
    assert!(error.to_string().ends_with("ask (#3) failed: nobody knows"), "{error}");
    let inspection = runs.inspect(run.id()).await.unwrap();
    assert_eq!(inspection.steps[2].output.as_deref(), Some(&json!({"answer": 42})));
    // Terminating one that waits is not held up by it.
    let run = engine.run("ask", Value::Null).await.unwrap();
    eventually("it is asked", async || runs.inspect(run.id()).await.unwrap().steps[1].phase == Phase::Active)
        .await;
    runs.terminate(run.id()).await.unwrap();
    assert_eq!(run.wait().await.unwrap().status, Status::Terminated);
}

/// Counts what is done under which attempt; `slow` never ends at its first attempt.
fn counted(log: &Arc<Mutex<BTreeMap<String, Vec<u32>>>>) -> Tasks {
    let log = log.clone();
    Tasks::new().with(Task::new("*", move |invocation: Invocation| {
        log.lock().entry(invocation.name().to_owned()).or_default().push(invocation.attempt());
        async move {
            if invocation.name() == "slow" && invocation.attempt() == 1 {
                std::future::pending::<()>().await;
            }
            Ok(json!({invocation.name(): 1}))
        }
    }))
}

#[tokio::test(start_paused = true)]
async fn another_engine_goes_on_where_one_died() {
    let backend = Backend::memory();
    let log = Arc::default();
    let app = App::with_backend(backend.clone());
    let first = Engine::start(&app, counted(&log)).await.unwrap();
    let run = first.run("a → slow → b", Value::Null).await.unwrap();
    eventually("it is under way", async || log.lock().contains_key("slow")).await;
    // Dead: its elements are gone, and it has said nothing.
    for of in app.loops() {
        app.remove_loop(of.uid());
    }
    let second = Engine::start(&App::with_backend(backend), counted(&log)).await.unwrap();
    let ended = second.workflows().wait(run.id()).await.unwrap();
    assert_eq!(ended.output.as_deref(), Some(&json!({"b": 1})));
    let expected = [("a", vec![1]), ("b", vec![1]), ("slow", vec![1, 2])];
    assert_eq!(*log.lock(), expected.map(|(name, attempts)| (name.to_owned(), attempts)).into());
}

#[tokio::test]
async fn an_engine_that_closes_hands_over_at_once() {
    let backend = Backend::memory();
    let log = Arc::default();
    let app = App::with_backend(backend.clone());
    let first = Engine::start(&app, counted(&log)).await.unwrap();
    let run = first.run("slow", Value::Null).await.unwrap();
    eventually("it is under way", async || log.lock().contains_key("slow")).await;
    first.close().await.unwrap();
    let second = Engine::start(&app, counted(&log)).await.unwrap();
    let ended = second.attach(run.id().clone()).await.unwrap().wait().await.unwrap();
    assert_eq!(ended.status, Status::Finished);
}

#[tokio::test]
async fn two_engines_on_one_backend_do_every_task_once() {
    let backend = Backend::memory();
    let log: Arc<Mutex<BTreeMap<String, Vec<u32>>>> = Arc::default();
    let mut engines = Vec::new();
    for _ in 0..2 {
        engines.push(Engine::start(&App::with_backend(backend.clone()), counted(&log)).await.unwrap());
    }
    let mut runs = Vec::new();
    for n in 0..40 {
        let flow = format!("a{n} → {{ b{n} c{n} }} → d{n}");
        runs.push(engines[n % 2].run(&flow, Value::Null).await.unwrap());
    }
    for run in runs {
        run.output().await.unwrap().unwrap();
    }
    let log = log.lock();
    assert_eq!(log.len(), 160);
    assert!(log.values().all(|attempts| *attempts == [1]), "{log:?}");
}

#[tokio::test]
async fn the_same_flow_under_the_same_id_is_the_same_run() {
    let engine = engine(Tasks::new().with(named())).await;
    let id = RunId::from("mine");
    for _ in 0..3 {
        let run = engine.run_as(id.clone(), "A → B", json!({"x": 1})).await.unwrap();
        assert_eq!(run.wait().await.unwrap().status, Status::Finished);
    }
    assert_eq!(engine.workflows().list(0, 10).await.unwrap(), [(id.clone(), Status::Finished)]);
    let other = engine.run_as(id.clone(), "A → C", json!({"x": 1})).await;
    assert!(matches!(other, Err(Error::Exists { .. })));
    assert!(matches!(engine.run_as(id, "A → B", json!({"x": 2})).await, Err(Error::Exists { .. })));
}

#[tokio::test]
async fn a_run_can_be_paused_resumed_archived_restored_forked_and_deleted() {
    let engine =
        engine(Tasks::new().with(named()).with(Task::new("ask", |_| async { Ok(Answer::Later) }))).await;
    let runs = engine.workflows();
    let run = engine.run("@flow f\nask → B", json!({"x": 1})).await.unwrap();
    assert!(run.id().short().starts_with("f-") && run.id().full().starts_with("workflow:f-"));
    runs.pause(run.id()).await.unwrap();
    runs.end(run.id(), "ask", 1, Ok(Some(json!({"a": 1})))).await.unwrap();
    eventually("it has ended", async || runs.inspect(run.id()).await.unwrap().steps[1].phase == Phase::Done)
        .await;
    let inspection = runs.inspect(run.id()).await.unwrap();
    assert!(inspection.paused);
    assert_eq!(inspection.steps[2].phase, Phase::Idle);

    let archive = runs.archive(run.id()).await.unwrap();
    assert_eq!(archive["S"].as_array().unwrap().last().unwrap()[1], json!([1, 0, 0, 0]));
    let copies = [runs.fork(run.id()).await.unwrap(), runs.restore(&archive).await.unwrap()];
    runs.resume(run.id()).await.unwrap();
    assert_eq!(run.wait().await.unwrap().output.as_deref(), Some(&json!({"B": 1})));
    for copy in copies {
        assert_eq!(runs.status(&copy).await.unwrap(), Status::Terminated);
        runs.restart(&copy, None).await.unwrap();
        assert_eq!(runs.wait(&copy).await.unwrap().output.as_deref(), Some(&json!({"B": 1})));
        runs.delete(&copy).await.unwrap();
        assert!(matches!(runs.status(&copy).await, Err(Error::NoRun { .. })));
    }
    assert_eq!(runs.list(0, 10).await.unwrap().len(), 1);
    assert!(matches!(runs.restore(&json!({"steps": []})).await, Err(Error::Archive { .. })));
}

#[tokio::test]
async fn tasks_are_elements_and_the_ports_of_a_step_are_theirs() {
    let engine = engine(
        Tasks::new().with(Task::echo("math:add")).with(Task::new("ask", |_| async { Ok(Answer::Later) })),
    )
    .await;
    let element: Element<Invocation, Ended> = engine.app().element("tasks.math_add").unwrap();
    let mut all = element.tap_in(16);
    let run = engine.run("ask → math:add", Value::Null).await.unwrap();
    let other = engine.run("ask → math:add", Value::Null).await.unwrap();
    let asked = engine.step(run.id(), 1).await.unwrap().unwrap();
    let added = engine.step(run.id(), 2).await.unwrap().unwrap();
    let (mut into, mut out) = (Box::pin(added.tap_in(4)), Box::pin(added.tap_out(4)));
    asked.push(json!({"n": 1})).await.unwrap();
    let invocation = into.next().await.unwrap();
    assert_eq!((invocation.base(), invocation.index(), invocation.attempt()), ("math:add", 2, 1));
    assert_eq!(invocation.workflow(), run.id());
    assert_eq!(out.next().await.unwrap().invocation.key(), format!("{}/2", run.id()));
    run.output().await.unwrap().unwrap();
    engine.workflows().end(other.id(), "ask", 1, Ok(None)).await.unwrap();
    assert_eq!(all.next().await.unwrap().workflow(), run.id());
    assert_eq!(all.next().await.unwrap().workflow(), other.id());
    assert!(engine.step(run.id(), 0).await.unwrap().is_none());
}

#[tokio::test]
async fn a_long_chain_a_wide_fan_and_many_items_run_on_the_engine() {
    let engine = engine(Tasks::new().with(Task::echo("*"))).await;
    let names = |n: usize, by: &str| (0..n).map(|i| format!("t{i}")).collect::<Vec<_>>().join(by);
    finished(&engine, &names(3000, " → "), json!({"x": 1})).await;
    finished(&engine, &format!("{{ {} }} → z", names(3000, " ")), json!({"x": 1})).await;
    let items: Vec<Value> = (0..3000).map(|n| json!({"n": n})).collect();
    assert_eq!(finished(&engine, "* A", json!(items)).await, json!(items));
}
