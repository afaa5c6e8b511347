//! Runs that programs in Python begin, end, and send events to.

use super::program::client;
use super::{chain, compatible, in_time, is_over, started, task_worker};
use crate::distributed::hand::Hand;
use crate::suite::eventually;
use mape::workflow::{RunId, Status};
use serde_json::{Value, json};

#[tokio::test]
async fn a_run_that_python_began_goes_on_here_with_its_waits_and_is_listed_once() {
    let hand = Hand::new().await;
    let engine = compatible(&hand).await;
    let _worker = task_worker(&hand, "t", &[]).await;
    let id = RunId::from("of-python-1");
    let tasks = [
        ("wait:delay", json!({"duration": 1})),
        ("wait:event", json!({"event": "shipped", "match": "input"})),
        ("t:double", json!({})),
    ];
    let form = chain(&json!({"a": 5}), &tasks);
    client(&hand, &["run", id.full()], &form).await;
    hand.started(&id, "wait:event").await;
    client(&hand, &["send", "shipped"], &json!({"a": 6, "output": {"b": 1}})).await;
    client(&hand, &["send", "shipped"], &json!({"a": 5, "output": {"b": 2}})).await;
    assert_eq!(*in_time(hand.workflows().wait(&id)).await.unwrap().output.unwrap(), json!({"a": 10, "b": 4}));
    for group in ["ending", "lifecycle", "wait", "t"] {
        hand.nothing_pending(group).await;
    }
    is_over(&hand, &id);
    assert!(started(&hand, &id).await.iter().all(|(_, count)| *count == 1));
    // What ended the wait has a receipt, and what did not end it has none.
    let receipts = super::receipts(&hand).await;
    let unanswered: Vec<_> = receipts.into_iter().filter(|(_, count)| *count != 1).collect();
    assert_eq!(unanswered, [("shipped".to_owned(), 0)]);
    // No group is left behind by the wait.
    let groups = hand.server.cli(&["XINFO", "GROUPS", "workflows:run"]);
    assert!(!groups.contains("wait-for-"), "{groups}");
    engine.close().await.unwrap();
}

#[tokio::test]
async fn a_run_of_ours_that_python_terminates_between_two_tasks_can_go_on() {
    let hand = Hand::new().await;
    let engine = compatible(&hand).await;
    let run = engine.run("t:a → t:b", json!({"a": 5})).await.unwrap();
    let id = run.id().clone();
    let start = hand.started(&id, "t:a").await;
    client(&hand, &["terminate", id.full()], &Value::Null).await;
    hand.end(&start, Some(&json!({"n": 1}))).await;
    hand.becomes(&id, Status::Terminated).await;
    hand.nothing_pending("ending").await;
    assert_eq!(started(&hand, &id).await, [("t:a".to_owned(), 1)]);
    hand.workflows().restart(&id, None).await.unwrap();
    let next = hand.started(&id, "t:b").await;
    assert_eq!(next["input"], json!({"n": 1}));
    hand.end(&next, Some(&json!({"m": 2}))).await;
    assert_eq!(*in_time(run.output()).await.unwrap().unwrap(), json!({"m": 2}));
    for group in ["ending", "lifecycle"] {
        hand.nothing_pending(group).await;
    }
    is_over(&hand, &id);
    engine.close().await.unwrap();
}

#[tokio::test]
async fn python_terminates_at_once_when_it_is_told_twice() {
    let hand = Hand::new().await;
    let engine = compatible(&hand).await;
    let run = engine.run("t:a → t:b", Value::Null).await.unwrap();
    let id = run.id().clone();
    let start = hand.started(&id, "t:a").await;
    client(&hand, &["terminate", id.full()], &Value::Null).await;
    client(&hand, &["terminate", id.full()], &Value::Null).await;
    hand.becomes(&id, Status::Terminated).await;
    eventually("it is no longer in progress", async || {
        hand.server.cli(&["SCARD", "workflows:inprogress"]).trim() == "0"
    })
    .await;
    // What still runs ends for nobody.
    hand.end(&start, None).await;
    hand.nothing_pending("ending").await;
    hand.nothing_pending("lifecycle").await;
    assert_eq!((hand.starts(&id).await.len(), hand.events("terminated-workflow").await.len()), (1, 1));
    engine.close().await.unwrap();
}
