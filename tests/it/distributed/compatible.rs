//! An engine as programs in Python expect a worker to be: receipts, groups, lists.

use super::hand::Hand;
use mape::app::App;
use mape::backend::Backend;
use mape::event::Event;
use mape::workflow::{Builtin, Engine, Error, RunId, Status, Tasks};
use serde_json::{Value, json};
use std::collections::HashMap;

pub(super) async fn compatible(hand: &Hand) -> Engine {
    let backend = Backend::open(&hand.server.url()).await.unwrap();
    let tasks = Tasks::new().with_all(Builtin::new(&backend).tasks()).and_others();
    Engine::with(tasks).compatible().start(&App::with_backend(backend)).await.unwrap()
}

/// How often each event has a receipt, by its kind.
async fn receipts(hand: &Hand, kind: &str) -> Vec<usize> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for (_, receipt) in hand.events("receipt").await {
        *counts.entry(receipt["for"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    let events = hand.events(kind).await;
    events.iter().map(|(id, _)| counts.get(&id.to_string()).copied().unwrap_or(0)).collect()
}

async fn settled(hand: &Hand) {
    for group in ["ending", "lifecycle", "wait", "request", "redis"] {
        hand.nothing_pending(group).await;
    }
}

#[tokio::test]
async fn every_event_of_a_run_has_one_receipt() {
    let hand = Hand::new().await;
    let engine = compatible(&hand).await;
    let run = engine.run("a → wait:delay (- {duration: 0.1} -) → b", json!({"x": 1})).await.unwrap();
    let id = run.id().clone();
    let start = hand.started(&id, "a").await;
    hand.end(&start, Some(&json!({"n": 1}))).await;
    // Once more, and one that says nothing.
    hand.end(&start, None).await;
    hand.append(Event::new("end-task")).await;
    let last = hand.started(&id, "b").await;
    assert_eq!(last["input"], json!({"n": 1}));
    hand.end(&last, None).await;
    hand.becomes(&id, Status::Finished).await;
    settled(&hand).await;
    for kind in ["start-workflow", "end-task", "end-workflow"] {
        let receipts = receipts(&hand, kind).await;
        assert!(!receipts.is_empty() && receipts.iter().all(|count| *count == 1), "{kind}: {receipts:?}");
    }
    // Those of `a` and `b` are their workers' matter.
    assert_eq!(receipts(&hand, "start-task").await, [0, 1, 0]);
    assert_eq!(hand.server.cli(&["LRANGE", "workflows:all", "0", "-1"]).trim(), id.full());
    assert_eq!(hand.server.cli(&["SCARD", "workflows:inprogress"]).trim(), "0");
    engine.close().await.unwrap();
}

#[tokio::test]
async fn a_wait_that_a_python_client_has_announced_is_carried_out_here() {
    let hand = Hand::new().await;
    let _engine = compatible(&hand).await;
    let id = RunId::from("foreign-wait");
    super::foreign::begin_with(&hand, &id, "wait:delay", &json!({"duration": 0.05})).await;
    let second = hand.started(&id, "b").await;
    assert_eq!(second["input"], json!({"a": 5}));
    hand.end(&second, None).await;
    hand.becomes(&id, Status::Finished).await;
    settled(&hand).await;
    // It was listed by the group, since its client does not.
    assert_eq!(hand.server.cli(&["LRANGE", "workflows:all", "0", "-1"]).trim(), id.full());
    assert_eq!(hand.server.cli(&["SCARD", "workflows:inprogress"]).trim(), "0");
}

#[tokio::test]
async fn what_littleflow_does_not_know_is_refused_while_it_turns_runs() {
    let hand = Hand::new().await;
    let engine = hand.engine().await;
    let before = engine.run("a → * b", Value::Null).await.unwrap();
    // A program of another kind joins the group of engines.
    hand.server.cli(&[
        "XREADGROUP",
        "GROUP",
        "ending",
        "a-foreign-one",
        "COUNT",
        "1",
        "STREAMS",
        "workflows:run",
        ">",
    ]);
    let refused = hand.workflows().submit(None, "a → * b", Value::Null).await;
    assert!(
        matches!(&refused, Err(Error::Foreign { consumer, .. }) if consumer == "a-foreign-one"),
        "{refused:?}"
    );
    crate::suite::eventually("the engine knows it, too", async || {
        matches!(engine.run("a → * b", Value::Null).await, Err(Error::Foreign { .. }))
    })
    .await;
    engine.run("a → b", Value::Null).await.unwrap();
    drop(before);
}

#[tokio::test]
async fn an_event_wait_sees_what_came_before_it_only_if_it_asks_for_a_replay() {
    let hand = Hand::new().await;
    let engine = compatible(&hand).await;
    hand.append(Event::new("shipped").with("n", 1)).await;
    let flow = "{ wait:event (- {event: shipped, replay: true, fields: [n]} -) wait:event (- {event: shipped, fields: [n]} -) }";
    let run = engine.run(flow, Value::Null).await.unwrap();
    let id = run.id().clone();
    crate::suite::eventually("the first has ended", async || hand.events("end-task").await.len() == 1).await;
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert_eq!(hand.events("end-task").await.len(), 1);
    hand.append(Event::new("shipped").with("n", 2)).await;
    hand.becomes(&id, Status::Finished).await;
    assert_eq!(*run.output().await.unwrap().unwrap(), json!([{"n": 1}, {"n": 2}]));
}
