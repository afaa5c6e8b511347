//! The original engine, played in Python, with our workers, beside our engine, and before it.

use super::program::{Program, client};
use super::{chain, compatible, in_time, is_over, receipts, started};
use crate::distributed::hand::Hand;
use crate::suite::eventually;
use mape::app::App;
use mape::backend::Backend;
use mape::event::EventId;
use mape::workflow::{Invocation, RunId, RunningWorker, Status, Task, TaskError, Tasks, Worker};
use serde_json::{Value, json};

async fn python(hand: &Hand) -> Program {
    Program::listening(hand, "engine.py", &["--pause", "0.1"]).await
}

async fn worker(hand: &Hand, tasks: impl IntoIterator<Item = Task>) -> RunningWorker {
    let app = App::with_backend(Backend::open(&hand.server.url()).await.unwrap());
    Worker::new("t", Tasks::new().with_all(tasks)).receipts().start(&app).await.unwrap()
}

/// The fields of an event as they stand in the log.
fn raw(hand: &Hand, id: EventId) -> Vec<String> {
    let id = id.to_string();
    let raw = hand.server.cli(&["--json", "XRANGE", "workflows:run", &id, &id]);
    let raw: Value = serde_json::from_str(&raw).unwrap();
    raw[0][1].as_array().unwrap().iter().map(|field| field.as_str().unwrap().to_owned()).collect()
}

/// That these are the fields of an event, and the last is a time as Python writes it.
fn assert_fields(mut found: Vec<String>, expected: &[(&str, &str)]) {
    let (at, name) = (found.pop().unwrap(), found.pop().unwrap());
    assert_eq!(name, "at");
    let form: String = at.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(form, "\"0000-00-00T00:00:00.000000+00:00\"");
    let expected: Vec<_> = expected.iter().flat_map(|(name, value)| [*name, *value]).collect();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn our_worker_says_to_a_python_engine_what_a_python_worker_says() {
    let hand = Hand::new().await;
    let _engine = python(&hand).await;
    let output = |name: &str, output: Value| {
        Task::new(name, move |_: Invocation| {
            let output = output.clone();
            async move { Ok(output) }
        })
    };
    let no = Task::new("t:no", |_: Invocation| async { Err::<(), _>(TaskError::new("it is no")) });
    let tasks = [
        output("t:a", json!({"n": [1, "ä"]})),
        output("t:none", Value::Null),
        output("t:list", json!([{}])),
        no,
    ];
    let _worker = worker(&hand, tasks).await;
    let id = RunId::from("of-python-2");
    let names = ["t:a", "t:none", "t:list", "t:no"];
    let form = chain(&json!({"a": 5}), &names.map(|name| (name, json!({"x": 1}))));
    client(&hand, &["run", id.full()], &form).await;
    // Nobody is told of it but those who look.
    assert_eq!(in_time(hand.workflows().wait(&id)).await.unwrap().status, Status::Failed);
    let starts = hand.events("start-task").await;
    // What one has put out is there when its end is.
    let inputs: Vec<_> = starts.iter().map(|(_, start)| start.get("input").cloned()).collect();
    let expected = [Some(json!({"a": 5})), Some(json!({"n": [1, "ä"]})), None, Some(json!([{}]))];
    assert_eq!(inputs, expected);
    let ends = hand.events("end-task").await;
    let workflow = format!("\"{}\"", id.full());
    // `output` is ours: a Python engine reads no field that it does not know.
    let outputs = [Some("{\"n\":[1,\"ä\"]}"), None, Some("[{}]")];
    for (n, (name, output)) in names.iter().zip(outputs).enumerate() {
        let (name, index) = (format!("\"{name}\""), (n + 2).to_string());
        let mut fields = vec![("name", &*name), ("index", &*index), ("workflow", &*workflow)];
        fields.extend(output.map(|output| ("output", output)));
        fields.extend([("status", "\"SUCCESS\""), ("kind", "\"end-task\""), ("apiVersion", "\"v1\"")]);
        assert_fields(raw(&hand, ends[n].0), &fields);
    }
    assert_fields(
        raw(&hand, ends[3].0),
        &[
            ("name", "\"t:no\""),
            ("index", "5"),
            ("workflow", &workflow),
            ("status", "\"FAILURE\""),
            ("reason", "\"it is no\""),
            ("kind", "\"end-task\""),
            ("apiVersion", "\"v1\""),
        ],
    );
    let key = |index: u8| hand.server.cli(&["GET", &format!("{}:output:{index}", id.full())]);
    let stand = [2, 3, 4, 5].map(|index| key(index).trim().to_owned());
    assert_eq!(stand, ["{\"n\":[1,\"ä\"]}", "", "[{}]", ""]);
    for group in ["ending", "lifecycle", "t"] {
        hand.nothing_pending(group).await;
    }
    let of_starts: Vec<EventId> = starts.iter().map(|(id, _)| *id).collect();
    for (receipt, event) in hand.events("receipt").await {
        let target = event["for"].as_str().unwrap();
        if of_starts.iter().any(|start| start.to_string() == target) {
            let target = format!("\"{target}\"");
            let fields = [
                ("for", &*target),
                ("action", "\"processed\""),
                ("kind", "\"receipt\""),
                ("apiVersion", "\"v1\""),
            ];
            assert_fields(raw(&hand, receipt), &fields);
        }
    }
    let receipts = receipts(&hand).await;
    assert!(receipts.iter().all(|(_, count)| *count == 1), "{receipts:?}");
}

#[tokio::test]
async fn our_engine_and_a_python_engine_turn_the_same_runs() {
    let hand = Hand::new().await;
    let engine = compatible(&hand).await;
    let mut other = python(&hand).await;
    let _worker = worker(&hand, [Task::echo("t:*")]).await;
    let (tasks, mut by_python, mut all) = (8, 0, 0);
    // Each takes what it is given; often enough both have had something.
    while by_python == 0 || by_python == all {
        assert!(all < 10 * tasks, "{by_python} of {all} ends went to Python");
        let id = RunId::from(format!("of-both-{all}"));
        let names: Vec<String> = (0..tasks).map(|n| format!("t:t{n}")).collect();
        let form =
            chain(&json!({"a": 5}), &names.iter().map(|name| (&**name, json!({}))).collect::<Vec<_>>());
        client(&hand, &["run", id.full()], &form).await;
        assert_eq!(*in_time(hand.workflows().wait(&id)).await.unwrap().output.unwrap(), json!({"a": 5}));
        assert!(started(&hand, &id).await.iter().all(|(_, count)| *count == 1));
        for group in ["ending", "lifecycle"] {
            hand.nothing_pending(group).await;
        }
        let zeros = vec![0; tasks + 3];
        assert_eq!((hand.sum(&id, "S"), hand.sum(&id, "A")), (zeros.clone(), zeros));
        all += tasks;
        by_python += ended(&mut other).await;
    }
    let receipts = receipts(&hand).await;
    assert!(receipts.iter().all(|(_, count)| *count == 1), "{receipts:?}");
    engine.close().await.unwrap();
}

/// How many ends it has said that it has handled since it was last asked.
async fn ended(python: &mut Program) -> usize {
    let mut lines = 0;
    while tokio::time::timeout(std::time::Duration::from_millis(100), python.line()).await.is_ok() {
        lines += 1;
    }
    lines
}

#[tokio::test]
async fn our_engine_goes_on_where_a_python_engine_was_killed() {
    let hand = Hand::new().await;
    let mut killed = python(&hand).await;
    let worker = worker(&hand, [Task::echo("t:a")]).await;
    let id = RunId::from("of-python-3");
    let form = chain(&json!({"a": 5}), &[("t:a", json!({})), ("t:b", json!({})), ("t:c", json!({}))]);
    client(&hand, &["run", id.full()], &form).await;
    assert_eq!(killed.line().await, "ended t:a");
    let start = hand.started(&id, "t:b").await;
    killed.kill().await;
    worker.drain().await;
    let engine = compatible(&hand).await;
    hand.end(&start, Some(&json!({"b": 1}))).await;
    let last = hand.started(&id, "t:c").await;
    assert_eq!(last["input"], json!({"b": 1}));
    hand.end(&last, None).await;
    hand.becomes(&id, Status::Finished).await;
    eventually("it is listed", async || hand.server.cli(&["LLEN", "workflows:all"]).trim() == "1").await;
    hand.nothing_pending("lifecycle").await;
    is_over(&hand, &id);
    assert_eq!(started(&hand, &id).await, ["t:a", "t:b", "t:c"].map(|name| (name.to_owned(), 1)));
    engine.close().await.unwrap();
}

#[tokio::test]
async fn what_python_has_failed_and_restarted_goes_on_here_with_all_that_is_ready() {
    let hand = Hand::new().await;
    let first = hand.engine().await;
    let run = first.run("{ a → c  b → d }", json!({"x": 1})).await.unwrap();
    let id = run.id().clone();
    let (a, b) = (hand.started(&id, "a").await, hand.started(&id, "b").await);
    drop(run);
    first.close().await.unwrap();
    let mut killed = python(&hand).await;
    hand.fail(&a, "no").await;
    hand.end(&b, None).await;
    assert_eq!([killed.line().await, killed.line().await], ["ended a", "ended b"]);
    killed.kill().await;
    client(&hand, &["restart", id.full()], &Value::Null).await;
    let engine = compatible(&hand).await;
    hand.end(&hand.started(&id, "a").await, None).await;
    hand.end(&hand.started(&id, "c").await, None).await;
    // Python has not started it, since the run had failed.
    hand.end(&hand.started(&id, "d").await, Some(&json!({"d": 1}))).await;
    hand.becomes(&id, Status::Finished).await;
    assert_eq!(*in_time(hand.workflows().wait(&id)).await.unwrap().output.unwrap(), json!({"d": 1}));
    let zeros = vec![0; hand.sum(&id, "S").len()];
    assert_eq!((hand.sum(&id, "S"), hand.sum(&id, "A")), (zeros.clone(), zeros));
    engine.close().await.unwrap();
}
