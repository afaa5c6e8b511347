//! What is kept of a run, key by key.

use super::hand::Hand;
use mape::workflow::{RunId, Status};
use serde_json::{Value, json};

const DIAMOND: &str = "<- {a: 5} -> → a → { b c } → d";

#[tokio::test]
async fn a_run_leaves_exactly_the_keys_of_littleflow_and_goes_with_them() {
    let hand = Hand::new().await;
    let engine = hand.engine().await;
    let run = engine.run(DIAMOND, json!({"x": 1})).await.unwrap();
    let id = run.id().clone();
    for (name, output) in
        [("a", json!({"a": 1})), ("b", json!({"b": 2})), ("c", Value::Null), ("d", json!([3]))]
    {
        let start = hand.started(&id, name).await;
        hand.end(&start, Some(&output).filter(|output| !output.is_null())).await;
    }
    assert_eq!(*run.output().await.unwrap().unwrap(), json!([3]));
    let full = id.full();
    let of_run: Vec<_> = hand.keys().into_iter().filter(|(key, _)| key.starts_with("workflow:")).collect();
    let mut expected = vec![
        (full.to_owned(), "string".to_owned()),
        (format!("{full}:A"), "list".to_owned()),
        (format!("{full}:S"), "list".to_owned()),
        (format!("{full}:state"), "string".to_owned()),
    ];
    expected
        .extend([-1, 0, 1, 2, 3, 4, 6, 7, 8].map(|n| (format!("{full}:output:{n}"), "string".to_owned())));
    expected.sort();
    assert_eq!(of_run, expected, "{:?}", hand.server.cli(&["GET", full]));
    assert_eq!((hand.sum(&id, "S"), hand.sum(&id, "A")), (vec![0; 9], vec![0; 9]));
    assert_eq!(hand.server.cli(&["GET", &format!("{full}:state")]).trim(), "FINISHED");
    let form: Value = serde_json::from_str(hand.server.cli(&["GET", full]).trim()).unwrap();
    assert_eq!(form.as_object().unwrap().keys().collect::<Vec<_>>(), ["F", "T"]);
    assert_eq!(form["T"][0], json!(["StartFlow", {"index": 0}]));
    assert_eq!(hand.server.cli(&["LRANGE", "workflows:all", "0", "-1"]).trim(), full);
    assert_eq!(hand.server.cli(&["SMEMBERS", "workflows:inprogress"]).trim(), "");
    hand.nothing_pending("ending").await;
    hand.workflows().delete(&id).await.unwrap();
    engine.close().await.unwrap();
    let left: Vec<_> = hand.keys().into_keys().filter(|key| key.contains(id.short())).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn events_have_the_fields_of_littleflow_in_its_order() {
    let hand = Hand::new().await;
    let engine = hand.engine().await;
    let run = engine.run("@task A = B\n<- {a: 5, b: 7} -> → A (- {x: 1} -) → C", Value::Null).await.unwrap();
    let id = run.id().clone();
    let start = hand.started(&id, "A").await;
    hand.end(&start, None).await;
    let second = hand.started(&id, "C").await;
    hand.end(&second, None).await;
    hand.becomes(&id, Status::Finished).await;
    let fields = |id: &str| -> Vec<String> {
        let raw = hand.server.cli(&["--json", "XRANGE", "workflows:run", id, id]);
        let raw: Value = serde_json::from_str(&raw).unwrap();
        raw[0][1].as_array().unwrap().iter().map(|field| field.as_str().unwrap().to_owned()).collect()
    };
    let starts = hand.events("start-task").await;
    let first = fields(&starts[0].0.to_string());
    let workflow = format!("\"{}\"", id.full());
    let head = [
        "name",
        "\"A\"",
        "base",
        "\"B\"",
        "index",
        "2",
        "workflow",
        &workflow,
        "parameters",
        "{\"x\": 1}",
        "input",
        "{\"a\": 5, \"b\": 7}",
        "kind",
        "\"start-task\"",
        "apiVersion",
        "\"v1\"",
        "at",
    ];
    assert_eq!(first.len(), head.len() + 1);
    let compact = |text: &str| text.replace(": ", ":").replace(", ", ",");
    for (found, expected) in first.iter().zip(head) {
        assert_eq!(compact(found), compact(expected));
    }
    // Without an input there is no such field.
    assert!(!fields(&starts[1].0.to_string()).contains(&"input".to_owned()));
    let kinds = ["start-workflow", "end-workflow"];
    for kind in kinds {
        assert_eq!(hand.events(kind).await.len(), 1, "{kind}");
    }
}

#[tokio::test]
async fn what_python_cannot_say_stands_under_a_key_it_ignores() {
    let hand = Hand::new().await;
    let engine = hand.engine().await;
    let run = engine.run("a → * b → c (- {retry: 2} -)", Value::Null).await.unwrap();
    let id = run.id().clone();
    let form: Value = serde_json::from_str(hand.server.cli(&["GET", id.full()]).trim()).unwrap();
    assert_eq!(form.as_object().unwrap().keys().collect::<Vec<_>>(), ["F", "T", "mape"]);
    let known = ["index", "name", "parameters", "base", "doc", "merge", "guard"];
    let keys: Vec<_> = form["T"][2][1].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!((keys.len(), keys.iter().all(|key| known.contains(key))), (7, true));
    hand.end(&hand.started(&id, "a").await, Some(&json!([{"n": 1}, {"n": 2}]))).await;
    crate::suite::eventually("both items are started", async || {
        hand.starts(&id).await.iter().filter(|start| start["name"] == "b").count() == 2
    })
    .await;
    for start in hand.starts(&id).await.iter().filter(|start| start["name"] == "b") {
        let ending = hand.ending(start).with("part", start["part"].clone());
        hand.append(ending.with("output", start["input"].clone())).await;
    }
    let last = hand.started(&id, "c").await;
    assert_eq!(last["input"], json!([{"n": 1}, {"n": 2}]));
    hand.fail(&last, "the first time").await;
    crate::suite::eventually("c is tried again", async || {
        hand.starts(&id).await.iter().any(|start| start["attempt"] == 2)
    })
    .await;
    let again = hand.started(&id, "c").await;
    hand.append(hand.ending(&again).with("attempt", 2)).await;
    hand.becomes(&id, Status::Finished).await;
    assert_eq!((hand.sum(&id, "S"), hand.sum(&id, "A")), (vec![0; 5], vec![0; 5]));
}

#[tokio::test]
async fn a_large_run_has_vectors_that_can_be_read_back() {
    let hand = Hand::new().await;
    let engine = hand.engine().await;
    let flow =
        format!("start → {{ {} }} → end", (0..1200).map(|n| format!("t{n}")).collect::<Vec<_>>().join(" "));
    let run = engine.run(&flow, Value::Null).await.unwrap();
    let id: RunId = run.id().clone();
    hand.end(&hand.started(&id, "start").await, None).await;
    hand.started(&id, "t1199").await;
    for start in hand.starts(&id).await.iter().skip(1) {
        hand.end(start, None).await;
    }
    hand.end(&hand.started(&id, "end").await, None).await;
    hand.becomes(&id, Status::Finished).await;
    let line = hand.server.cli(&["LINDEX", &format!("{}:S", id.full()), "0"]);
    assert!(line.split_whitespace().skip(1).all(|pair| pair.contains(':')), "{line}");
}

#[tokio::test]
async fn a_failure_and_a_restart_are_kept_as_littleflow_keeps_them() {
    let hand = Hand::new().await;
    let engine = hand.engine().await;
    let run = engine.run("{ a → fails → c  slow → after } → e", Value::Null).await.unwrap();
    let id = run.id().clone();
    hand.end(&hand.started(&id, "a").await, None).await;
    let failing = hand.started(&id, "fails").await;
    hand.fail(&failing, "no").await;
    hand.becomes(&id, Status::Failed).await;
    let index = usize::try_from(failing["index"].as_u64().unwrap()).unwrap();
    let failed = hand.server.cli(&["GET", &format!("{}:FAILED", id.full())]);
    let failed: Vec<i64> = failed.split_whitespace().map(|n| n.parse().unwrap()).collect();
    assert_eq!((failed.iter().sum::<i64>(), failed[index]), (1, 1));
    assert_eq!(hand.sum(&id, "S")[index], 1);
    assert_eq!(hand.events("failed-workflow").await.len(), 1);
    // What still runs goes on, and nothing starts.
    hand.end(&hand.started(&id, "slow").await, None).await;
    hand.nothing_pending("ending").await;
    assert!(hand.starts(&id).await.iter().all(|start| start["name"] != "after"));
    hand.workflows().restart(&id, None).await.unwrap();
    hand.end(&hand.started(&id, "after").await, None).await;
    crate::suite::eventually("it is started again", async || {
        hand.starts(&id).await.iter().any(|start| start["name"] == "fails" && start["attempt"] == 2)
    })
    .await;
    assert_eq!(hand.server.cli(&["EXISTS", &format!("{}:FAILED", id.full())]).trim(), "0");
    hand.end(&hand.started(&id, "fails").await, None).await;
    hand.end(&hand.started(&id, "c").await, None).await;
    hand.end(&hand.started(&id, "e").await, None).await;
    hand.becomes(&id, Status::Finished).await;
    let zeros = vec![0; hand.sum(&id, "S").len()];
    assert_eq!((hand.sum(&id, "S"), hand.sum(&id, "A")), (zeros.clone(), zeros));
    hand.nothing_pending("ending").await;
}

#[tokio::test]
async fn a_terminated_run_is_over_soon_whatever_its_workers_do() {
    let hand = Hand::new().await;
    let engine = hand.engine().await;
    let run = engine.run("a → b", Value::Null).await.unwrap();
    let id = run.id().clone();
    let start = hand.started(&id, "a").await;
    hand.workflows().terminate(&id).await.unwrap();
    hand.becomes(&id, Status::Terminated).await;
    let cancels = hand.events("cancel-task").await;
    assert_eq!((cancels.len(), &cancels[0].1["index"]), (1, &start["index"]));
    // An end that comes late changes nothing, and is not pending for ever.
    hand.end(&start, None).await;
    hand.nothing_pending("ending").await;
    assert_eq!(hand.starts(&id).await.len(), 1);
    hand.workflows().restart(&id, None).await.unwrap();
    hand.becomes(&id, Status::Running).await;
    crate::suite::eventually("a is started again", async || hand.starts(&id).await.len() == 2).await;
}
