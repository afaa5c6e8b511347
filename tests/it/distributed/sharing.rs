//! Several engines on one log.

use super::hand::Hand;
use mape::workflow::{RunId, Status};
use serde_json::{Value, json};
use std::collections::HashMap;

/// Ends every task that is started, until all runs are over; how often each step was started.
async fn work(hand: &Hand, runs: &[RunId], twice: bool) -> HashMap<(String, u64), usize> {
    let mut ended = 0;
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_mins(1);
    loop {
        let starts = hand.events("start-task").await;
        for (_, start) in starts.iter().skip(ended) {
            hand.end(start, Some(&json!({"by": start["name"]}))).await;
            if twice {
                hand.end(start, None).await;
            }
        }
        ended = starts.len();
        let mut over = true;
        for id in runs {
            over &= hand.workflows().status(id).await.unwrap() == Status::Finished;
        }
        if over {
            let mut counts = HashMap::new();
            for (_, start) in starts {
                let step = (start["workflow"].as_str().unwrap().to_owned(), start["index"].as_u64().unwrap());
                *counts.entry(step).or_default() += 1;
            }
            return counts;
        }
        assert!(tokio::time::Instant::now() < deadline, "runs do not end");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn several_engines_start_every_step_once_though_ends_come_twice() {
    let hand = Hand::new().await;
    let mut engines = Vec::new();
    for _ in 0..5 {
        engines.push(hand.engine().await);
    }
    let mut runs = Vec::new();
    for n in 0..20 {
        let flow = "{ a b c d } → { e f } → g";
        runs.push(engines[n % 5].run(flow, Value::Null).await.unwrap().id().clone());
    }
    let counts = work(&hand, &runs, true).await;
    assert_eq!(counts.len(), 20 * 7);
    assert!(counts.values().all(|count| *count == 1), "{counts:?}");
    hand.nothing_pending("ending").await;
    for id in &runs {
        let zeros = vec![0; hand.sum(id, "S").len()];
        assert_eq!((hand.sum(id, "S"), hand.sum(id, "A")), (zeros.clone(), zeros));
    }
}

#[tokio::test]
async fn a_run_goes_on_with_another_engine_when_the_one_that_began_it_is_gone() {
    let hand = Hand::new().await;
    let first = hand.engine().await;
    let run = first.run("a → b → c", Value::Null).await.unwrap();
    let start = hand.started(run.id(), "a").await;
    drop(run);
    first.close().await.unwrap();
    hand.end(&start, None).await;
    let _second = hand.engine().await;
    let id: RunId = start["workflow"].as_str().unwrap().into();
    let counts = work(&hand, &[id], false).await;
    assert!(counts.values().all(|count| *count == 1));
}

#[tokio::test]
async fn a_submitted_run_waits_for_an_engine() {
    let hand = Hand::new().await;
    let id = hand.workflows().submit(None, "a → b", json!({"x": 1})).await.unwrap();
    assert!(hand.starts(&id).await.is_empty());
    let _engine = hand.engine().await;
    let start = hand.started(&id, "a").await;
    assert_eq!(start["input"], json!({"x": 1}));
    let counts = work(&hand, &[id], false).await;
    assert_eq!((counts.len(), counts.values().all(|count| *count == 1)), (2, true));
    assert_eq!(hand.server.cli(&["EXISTS", "mape:waiting"]).trim(), "0");
}

#[tokio::test]
async fn ends_that_say_nothing_hold_nothing_up() {
    let hand = Hand::new().await;
    let engine = hand.engine().await;
    let run = engine.run("a → b", Value::Null).await.unwrap();
    let start = hand.started(run.id(), "a").await;
    let ending = || hand.ending(&start);
    for wrong in [
        ending().with("index", -1),
        ending().with("index", 77),
        ending().with("index", "two"),
        ending().with("workflow", "workflow:nowhere"),
        ending().with("workflow", 7),
        mape::event::Event::new("end-task"),
    ] {
        hand.append(wrong).await;
    }
    hand.server.cli(&["XADD", "workflows:run", "*", "kind", "\"end-task\"", "workflow", "no json"]);
    let counts = work(&hand, &[run.id().clone()], false).await;
    assert_eq!((counts.len(), counts.values().all(|count| *count == 1)), (2, true));
    hand.nothing_pending("ending").await;
}
