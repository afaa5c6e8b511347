//! Runs that programs of other kinds begin and change.

use super::hand::Hand;
use mape::event::Event;
use mape::workflow::{RunId, Status};
use serde_json::{Value, json};

const AT: &str = "2026-11-21T20:28:23.817538+00:00";

/// Begins the run of `→ a → b` behind a literal source as `littleflow_redis` does, command by command.
async fn begin(hand: &Hand, id: &RunId) {
    begin_with(hand, id, "a", &json!({})).await;
}

/// As [`begin`], with another task in the first place.
pub(super) async fn begin_with(hand: &Hand, id: &RunId, task: &str, parameters: &Value) {
    let full = id.full();
    let cli = |words: &[&str]| hand.server.cli(words);
    let key = |what: &str| format!("{full}:{what}");
    let form = json!({
        "F": [[0, 1, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 0, 1], [0, 0, 0, 0, 0]],
        "T": [
            ["StartFlow", {"index": 0}],
            ["Source", {"index": 1, "value": {"a": 5}}],
            ["InvokeTask", {"index": 2, "name": task, "parameters": parameters, "base": null, "doc": null, "merge": false, "guard": null}],
            ["InvokeTask", {"index": 3, "name": "b", "parameters": {}, "base": null, "doc": null, "merge": false, "guard": null}],
            ["Sink", {"index": 4, "merge": false}],
        ],
    });
    let push = |list: &str, vector: &str| drop(cli(&["LPUSH", &key(list), &format!("{AT} {vector}")]));
    cli(&["SET", full, &form.to_string()]);
    cli(&["SET", &key("state"), "RUNNING"]);
    hand.append(Event::default().with("workflow", full).with("kind", "start-workflow")).await;
    push("A", "1 0 0 0 0");
    push("S", "1 0 0 0 0");
    cli(&["SET", &key("output:0"), "{}"]);
    push("A", "-1  0  0  0  0");
    push("A", "0 1 0 0 0");
    push("S", "-1  0  0  0  0");
    push("S", "0 1 0 0 0");
    cli(&["SET", &key("output:1"), "{\"a\": 5}"]);
    push("A", " 0 -1  0  0  0");
    push("A", "0 0 1 0 0");
    push("S", " 0 -1  0  0  0");
    push("S", "0 0 1 0 0");
    let start =
        Event::default().with("name", task).with("base", task).with("index", 2).with("workflow", full);
    let start = start.with("parameters", parameters.clone()).with("input", json!({"a": 5}));
    hand.append(start.with("kind", "start-task")).await;
}

fn settled(hand: &Hand, id: &RunId) {
    assert_eq!((hand.sum(id, "S"), hand.sum(id, "A")), (vec![0; 5], vec![0; 5]));
}

#[tokio::test]
async fn a_run_that_a_python_client_began_goes_on_to_its_end() {
    let hand = Hand::new().await;
    let _engine = hand.engine().await;
    let id = RunId::from("foreign-1");
    begin(&hand, &id).await;
    hand.server.cli(&["LPUSH", &format!("{}:A", id.full()), &format!("{AT}  0  0 -1  0  0")]);
    hand.end(&hand.started(&id, "a").await, Some(&json!({"done": true}))).await;
    let second = hand.started(&id, "b").await;
    assert_eq!(second["input"], json!({"done": true}));
    hand.end(&second, Some(&json!({"all": 1}))).await;
    hand.becomes(&id, Status::Finished).await;
    assert_eq!(hand.starts(&id).await.len(), 2);
    assert_eq!(*hand.workflows().wait(&id).await.unwrap().output.unwrap(), json!({"all": 1}));
    settled(&hand, &id);
    hand.nothing_pending("ending").await;
}

#[tokio::test]
async fn a_task_that_ends_before_its_start_is_written_to_the_end_is_started_once() {
    let hand = Hand::new().await;
    let _engine = hand.engine().await;
    let id = RunId::from("foreign-2");
    begin(&hand, &id).await;
    // The activation is not taken off yet, as the client has just sent the event.
    hand.end(&hand.started(&id, "a").await, None).await;
    let second = hand.started(&id, "b").await;
    hand.server.cli(&["LPUSH", &format!("{}:A", id.full()), &format!("{AT}  0  0 -1  0  0")]);
    hand.end(&second, None).await;
    hand.becomes(&id, Status::Finished).await;
    assert_eq!(hand.starts(&id).await.len(), 2);
    settled(&hand, &id);
}

#[tokio::test]
async fn what_a_foreign_engine_has_done_of_a_run_is_taken_up() {
    let hand = Hand::new().await;
    let engine = hand.engine().await;
    let run = engine.run("<- {a: 5} -> → a → b", Value::Null).await.unwrap();
    let id = run.id().clone();
    let full = id.full();
    hand.started(&id, "a").await;
    // Another engine takes the end of `a`.
    let push = |list: &str, vector: &str| {
        hand.server.cli(&["LPUSH", &format!("{full}:{list}"), &format!("{AT} {vector}")]);
    };
    hand.server.cli(&["SET", &format!("{full}:output:2"), "{\"done\": true}"]);
    push("A", "0 0 0 1 0");
    push("S", " 0 0 -1 0 0");
    push("S", "0 0 0 1 0");
    let start = Event::default().with("name", "b").with("base", "b").with("index", 3).with("workflow", full);
    hand.append(
        start.with("parameters", json!({})).with("input", json!({"done": true})).with("kind", "start-task"),
    )
    .await;
    push("A", " 0 0 0 -1 0");
    hand.end(&hand.started(&id, "b").await, Some(&json!({"all": 1}))).await;
    assert_eq!(*run.output().await.unwrap().unwrap(), json!({"all": 1}));
    settled(&hand, &id);
    let inspected = hand.workflows().inspect(&id).await.unwrap();
    assert_eq!(inspected.steps[2].output.as_deref(), Some(&json!({"done": true})));
}

#[tokio::test]
async fn a_run_that_python_has_restarted_ends_with_lists_that_add_up_to_nothing() {
    let hand = Hand::new().await;
    let engine = hand.engine().await;
    let run = engine.run("<- {a: 5} -> → a → b", Value::Null).await.unwrap();
    let id = run.id().clone();
    let full = id.full();
    hand.fail(&hand.started(&id, "a").await, "no").await;
    hand.becomes(&id, Status::Failed).await;
    let push = |list: &str, vector: &str| {
        hand.server.cli(&["LPUSH", &format!("{full}:{list}"), &format!("{AT} {vector}")]);
    };
    push("S", "0 0 -1 0 0");
    hand.server.cli(&["DEL", &format!("{full}:FAILED")]);
    hand.server.cli(&["SET", &format!("{full}:state"), "RUNNING"]);
    push("S", "0 0 1 0 0");
    let start = Event::default().with("name", "a").with("base", "a").with("index", 2).with("workflow", full);
    hand.append(
        start.with("parameters", json!({})).with("input", json!({"a": 5})).with("kind", "start-task"),
    )
    .await;
    push("A", " 0 0 -1 0 0");
    hand.end(&hand.started(&id, "a").await, Some(&json!({"n": 1}))).await;
    hand.end(&hand.started(&id, "b").await, None).await;
    hand.becomes(&id, Status::Finished).await;
    settled(&hand, &id);
}

#[tokio::test]
async fn a_run_that_python_terminates_ends_with_the_next_task() {
    let hand = Hand::new().await;
    let engine = hand.engine().await;
    let run = engine.run("a → b", Value::Null).await.unwrap();
    let id = run.id().clone();
    let start = hand.started(&id, "a").await;
    hand.server.cli(&["SET", &format!("{}:state", id.full()), "TERMINATING"]);
    hand.server.cli(&["SREM", "workflows:inprogress", id.full()]);
    hand.end(&start, None).await;
    hand.becomes(&id, Status::Terminated).await;
    assert_eq!(hand.events("terminated-workflow").await.len(), 1);
    assert_eq!(hand.starts(&id).await.len(), 1);
}
