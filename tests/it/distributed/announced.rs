//! Tasks that an engine announces and its own process carries out, and what an engine is from its start on.

use super::compatible::compatible;
use super::hand::Hand;
use mape::workflow::Status;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

#[tokio::test]
async fn an_engine_is_in_all_its_groups_when_it_has_started() {
    let hand = Hand::new().await;
    let engine = compatible(&hand).await;
    let groups = ["ending", "lifecycle", "wait", "request", "redis"].map(|group| hand.log().group(group));
    for group in &groups {
        assert!(group.info().await.unwrap().is_some(), "{}", group.name());
    }
    // Each of them listens.
    let run = engine
        .run("{ wait:countdown (- {name: x} -) redis:get (- {args: [x]} -) }", Value::Null)
        .await
        .unwrap();
    run.output().await.unwrap().unwrap();
    for group in &groups {
        hand.nothing_pending(group.name().as_str()).await;
    }
    engine.close().await.unwrap();
}

#[tokio::test]
async fn a_delay_that_was_announced_outlives_the_engine_that_had_it_and_is_not_cut_short() {
    let hand = Hand::new().await;
    let first = compatible(&hand).await;
    let began = Instant::now();
    let run = first.run("wait:delay (- {duration: 2} -)", json!({"a": 5})).await.unwrap();
    let id = run.id().clone();
    hand.started(&id, "wait:delay").await;
    first.close().await.unwrap();
    assert!(hand.events("end-task").await.is_empty());
    let second = compatible(&hand).await;
    hand.becomes(&id, Status::Finished).await;
    assert!(began.elapsed() >= Duration::from_secs(2), "{:?}", began.elapsed());
    assert_eq!(*hand.workflows().wait(&id).await.unwrap().output.unwrap(), json!({"a": 5}));
    assert_eq!(hand.events("end-task").await.len(), 1);
    second.close().await.unwrap();
}

#[tokio::test]
async fn built_in_tasks_without_an_input_end_and_pass_on_what_came_to_them() {
    let hand = Hand::new().await;
    let engine = compatible(&hand).await;
    let run = engine.run("wait:countdown (- {name: none} -) → a", Value::Null).await.unwrap();
    assert_eq!(hand.started(run.id(), "a").await.get("input"), None);
    // What comes before it is not the step with the number before its own.
    let run =
        engine.run("a → :waits; b → c; :waits → wait:countdown (- {name: none} -) → d", Value::Null).await;
    let id = run.unwrap().id().clone();
    hand.end(&hand.started(&id, "a").await, Some(&json!({"of": "a"}))).await;
    assert_eq!(hand.started(&id, "d").await["input"], json!({"of": "a"}));
    engine.close().await.unwrap();
}

#[tokio::test]
async fn all_who_wait_for_a_run_hear_of_its_end_however_it_ends() {
    let hand = Hand::new().await;
    let engine = hand.engine().await;
    let run = engine.run("a", Value::Null).await.unwrap();
    let id = run.id().clone();
    let (workflows, others) = (hand.workflows(), hand.workflows());
    let ending = async { hand.fail(&hand.started(&id, "a").await, "no").await };
    let (one, other, own, ()) = tokio::join!(workflows.wait(&id), others.wait(&id), run.wait(), ending);
    for progress in [one, other, own] {
        assert_eq!(progress.unwrap().status, Status::Failed);
    }
    engine.close().await.unwrap();
}
