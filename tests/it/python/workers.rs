//! Our engine, and those who work for it in Python.

use super::program::{Program, client};
use super::{compatible, in_time, is_over, receipts, settled, started, task_worker};
use crate::distributed::hand::Hand;
use crate::suite::eventually;
use mape::app::App;
use mape::backend::Backend;
use mape::stream::trace::TraceContext;
use mape::workflow::{Invocation, Status, Task, Tasks, Worker};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

#[tokio::test]
async fn python_works_on_a_diamond_with_all_that_goes_in_and_out() {
    let hand = Hand::new().await;
    let engine = compatible(&hand).await;
    let (_one, _other) = tokio::join!(task_worker(&hand, "t", &[]), task_worker(&hand, "t", &[]));
    let flow = "t:double → { t:double t:nothing t:right } → t:listed → { t:x t:y } → > t:merged";
    let run = engine.run(flow, json!({"n": 21})).await.unwrap();
    let id = run.id().clone();
    let listed = json!({"listed": [{"n": 84}, {"right": {"n": 42}}]});
    let output = json!({"merged": {"x": listed, "y": listed}});
    assert_eq!(*in_time(run.output()).await.unwrap().unwrap(), output);
    settled(&hand, &["t"]).await;
    is_over(&hand, &id);
    assert!(
        started(&hand, &id).await.iter().all(|(name, count)| *count == 1 + usize::from(name == "t:double"))
    );
    engine.close().await.unwrap();
}

#[tokio::test]
async fn python_works_as_ever_on_a_run_that_is_in_a_trace() {
    let hand = Hand::new().await;
    let engine = compatible(&hand).await;
    let _worker = task_worker(&hand, "t", &[]).await;
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let context = TraceContext::parse(parent, Some("vendor=1")).unwrap();
    let run = context.scope(engine.run("t:double → t:double", json!({"n": 21}))).await.unwrap();
    assert_eq!(*in_time(run.output()).await.unwrap().unwrap(), json!({"n": 84}));
    let start = hand.started(run.id(), "t:double").await;
    assert_eq!((&start["traceparent"], &start["tracestate"]), (&json!(parent), &json!("vendor=1")));
    settled(&hand, &["t"]).await;
    engine.close().await.unwrap();
}

#[tokio::test]
async fn python_works_for_a_native_engine_and_is_asked_again_by_its_policy() {
    let hand = Hand::new().await;
    let engine = hand.engine().await;
    let _worker = task_worker(&hand, "t", &["--fail", "2"]).await;
    let flow = "t:double → ? `$[?(@.n > 10)]` t:fail (- {retry: 3} -) → ? `$.none` t:never → t:last";
    let run = engine.run(flow, json!({"n": 21})).await.unwrap();
    let id = run.id().clone();
    assert_eq!(*in_time(run.output()).await.unwrap().unwrap(), json!({"last": {"fail": {"n": 42}}}));
    let counts = [("t:double", 1), ("t:fail", 3), ("t:last", 1)];
    assert_eq!(started(&hand, &id).await, counts.map(|(name, count)| (name.to_owned(), count)));
    for group in ["ending", "t"] {
        hand.nothing_pending(group).await;
    }
    is_over(&hand, &id);
    engine.close().await.unwrap();
}

#[tokio::test]
async fn what_fails_in_python_is_restarted_by_python_and_by_us() {
    let hand = Hand::new().await;
    let engine = compatible(&hand).await;
    let (_failing, _other) =
        tokio::join!(task_worker(&hand, "t", &["--fail", "2"]), task_worker(&hand, "u", &[]));
    // The other branch ends while the run has failed, so its next step waits for the restart.
    let flow = "{ t:fail → t:c  u:sleep (- {for: 0.5} -) → u:after } → t:e";
    let run = engine.run(flow, json!({"a": 5})).await.unwrap();
    let id = run.id().clone();
    hand.becomes(&id, Status::Failed).await;
    eventually("both have ended", async || hand.events("end-task").await.len() == 2).await;
    hand.nothing_pending("ending").await;
    let failed = hand.server.cli(&["GET", &format!("{}:FAILED", id.full())]);
    assert_eq!(failed.split_whitespace().filter(|mark| *mark == "1").count(), 1, "{failed}");
    client(&hand, &["restart", id.full()], &Value::Null).await;
    eventually("it has failed again", async || hand.events("failed-workflow").await.len() == 2).await;
    hand.becomes(&id, Status::Failed).await;
    eventually("all others have ended", async || {
        hand.nothing_pending("ending").await;
        hand.events("end-task").await.len() == hand.events("start-task").await.len()
    })
    .await;
    hand.workflows().restart(&id, None).await.unwrap();
    let output = in_time(run.output()).await.unwrap().unwrap();
    assert_eq!(*output, json!({"e": [{"c": {"fail": {"a": 5}}}, {"after": {"sleep": {"a": 5}}}]}));
    settled(&hand, &["t", "u"]).await;
    is_over(&hand, &id);
    let counts: BTreeMap<_, _> = started(&hand, &id).await.into_iter().collect();
    let expected = [("t:fail", 3), ("t:c", 1), ("t:e", 1), ("u:sleep", 1), ("u:after", 1)];
    assert_eq!(counts, expected.map(|(name, count)| (name.to_owned(), count)).into());
    engine.close().await.unwrap();
}

#[tokio::test]
async fn a_python_receipt_listener_takes_each_event_out_of_the_log_once() {
    let hand = Hand::new().await;
    let engine = compatible(&hand).await;
    let _worker = task_worker(&hand, "t", &["--fail", "1"]).await;
    let mut listener = Program::listening(&hand, "receipts.py", &[]).await;
    let run =
        engine.run("{ t:a t:b } → wait:delay (- {duration: 0.1} -) → t:fail", json!({"a": 5})).await.unwrap();
    hand.becomes(run.id(), Status::Failed).await;
    hand.workflows().restart(run.id(), None).await.unwrap();
    in_time(run.output()).await.unwrap().unwrap();
    // It deletes what others may not have read yet, and they live with it.
    let expected = [
        ("start-workflow", 1),
        ("start-task", 5),
        ("end-task", 5),
        ("failed-workflow", 1),
        ("end-workflow", 1),
    ];
    let (mut kinds, mut ids) = (BTreeMap::<String, usize>::new(), Vec::new());
    while ids.len() < expected.iter().map(|(_, count)| count).sum() {
        let line = listener.line().await;
        let (kind, id) = line.split_once(' ').unwrap();
        *kinds.entry(kind.to_owned()).or_default() += 1;
        ids.push(id.to_owned());
    }
    eventually("the log is empty", async || hand.log().info().await.unwrap().len == 0).await;
    assert_eq!(listener.kill().await, [""; 0]);
    assert_eq!(kinds, expected.map(|(kind, count)| (kind.to_owned(), count)).into());
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 13);
    is_over(&hand, run.id());
    engine.close().await.unwrap();
}

/// A worker of ours in the group of a Python one.
async fn ours(
    hand: &Hand,
    space: &str,
    concurrency: usize,
    takes: Duration,
) -> mape::workflow::RunningWorker {
    let task = Task::new(&format!("{space}:*"), move |invocation: Invocation| async move {
        tokio::time::sleep(takes).await;
        Ok(json!({"ours": invocation.index()}))
    });
    let app = App::with_backend(Backend::open(&hand.server.url()).await.unwrap());
    Worker::new(space, Tasks::new().with(task)).concurrency(concurrency).receipts().start(&app).await.unwrap()
}

#[tokio::test]
async fn python_and_ours_share_the_tasks_of_a_group() {
    let hand = Hand::new().await;
    let engine = compatible(&hand).await;
    let takes = Duration::from_millis(50);
    let ours = ours(&hand, "t", 1, takes).await;
    let mut python = task_worker(&hand, "t", &[]).await;
    let tasks: Vec<String> = (0..24).map(|n| format!("t:sleep (- {{for: 0.05, n: {n}}} -)")).collect();
    let run = engine.run(&format!("{{ {} }}", tasks.join(" ")), json!({"a": 5})).await.unwrap();
    let output = in_time(run.output()).await.unwrap().unwrap();
    settled(&hand, &["t"]).await;
    is_over(&hand, run.id());
    let outputs = output.as_array().unwrap();
    let by_us = outputs.iter().filter(|output| output.get("ours").is_some()).count();
    assert!(outputs.len() == 24 && (1..24).contains(&by_us), "{by_us} of {}", outputs.len());
    let mut by_python = Vec::new();
    while by_python.len() < 24 - by_us {
        by_python.push(python.line().await);
    }
    assert_eq!(python.kill().await, [""; 0]);
    ours.drain().await;
    engine.close().await.unwrap();
}

#[tokio::test]
async fn the_task_of_a_killed_python_worker_begins_with_ours() {
    let hand = Hand::new().await;
    let engine = compatible(&hand).await;
    let mut python = task_worker(&hand, "t", &[]).await;
    let run = engine.run("t:sleep (- {for: 3600} -) → t:b", json!({"a": 5})).await.unwrap();
    assert_eq!(python.line().await, "t:sleep 1");
    assert_eq!(python.kill().await, [""; 0]);
    let ours = ours(&hand, "t", 4, Duration::ZERO).await;
    assert_eq!(*in_time(run.output()).await.unwrap().unwrap(), json!({"ours": 2}));
    for group in ["ending", "lifecycle", "t"] {
        hand.nothing_pending(group).await;
    }
    ours.drain().await;
    // Python answers before it works, so what it died on has two answers.
    let starts: Vec<_> = receipts(&hand).await.into_iter().filter(|(kind, _)| kind == "start-task").collect();
    assert_eq!(starts, [("start-task".to_owned(), 2), ("start-task".to_owned(), 1)]);
    is_over(&hand, run.id());
    engine.close().await.unwrap();
}
