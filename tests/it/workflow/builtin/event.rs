//! `wait:event`

use super::{begun, engine_on, failure, step};
use crate::suite::eventually;
use mape::app::App;
use mape::backend::Backend;
use mape::event::EventId;
use mape::workflow::{Builtin, Engine, RunId, Status, Tasks, WaitsFor};
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn only_an_event_that_comes_after_the_wait_began_ends_it() {
    let backend = Backend::memory();
    let engine = engine_on(&backend).await;
    let runs = engine.workflows();
    for n in 0..20 {
        runs.event("paid", &json!({"n": n})).await.unwrap();
    }
    let flow = "wait:event (- {event: paid, fields: [n]} -)";
    let run = engine.run(flow, json!({"order": 7})).await.unwrap();
    begun(runs, &run, 1).await;
    runs.event("other", &json!({"n": 50})).await.unwrap();
    runs.event("paid", &json!({"n": 60})).await.unwrap();
    runs.event("paid", &json!({"n": 61})).await.unwrap();
    assert_eq!(*run.output().await.unwrap().unwrap(), json!({"order": 7, "n": 60}));
    // What is read has left nobody behind.
    let groups = backend.events().log("workflows:run").info().await.unwrap().groups;
    assert_eq!(groups.len(), 1, "{groups:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_is_sent_as_soon_as_a_step_shows_is_never_missed() {
    let backend = Backend::memory();
    let engine = engine_on(&backend).await;
    let runs = engine.workflows();
    for n in 0..200 {
        let id = RunId::from(format!("r{n}").as_str());
        let kind = format!("k{n}");
        let flow = format!("wait:event (- {{event: {kind}}} -)");
        // One that was sent before is not meant, however short before.
        runs.event(&kind, &json!({"output": {"early": true}})).await.unwrap();
        let run = engine.run_as(id, &flow, Value::Null).await.unwrap();
        runs.event(&kind, &Value::Null).await.unwrap();
        let ended = tokio::time::timeout(Duration::from_secs(10), run.output()).await;
        assert_eq!(*ended.expect("the event was missed").unwrap().unwrap(), json!({}));
    }
}

#[tokio::test]
async fn what_has_to_match_is_the_input_or_fields_or_a_condition() {
    let backend = Backend::memory();
    let engine = engine_on(&backend).await;
    let runs = engine.workflows();
    for (parameters, input) in [
        ("match: input", json!({"order": 7})),
        ("match: input", json!([{"order": 7}, {"order": 8}])),
        ("match: {order: '{input[id]}'}", json!({"id": "7"})),
        ("condition: '$[?(@.order=7 and @.sum>10)]'", json!({})),
        ("match: {order: 7}, condition: '$[?(@.sum>10)]'", json!({})),
        ("when: order eq 7 and sum gt 10", json!({})),
        ("when: [[order, eq, 7], and, [sum, in, [11, 12]]]", json!({})),
    ] {
        let flow = format!("wait:event (- {{event: paid, fields: [sum], {parameters}}} -)");
        let run = engine.run(&flow, input.clone()).await.unwrap();
        begun(runs, &run, 1).await;
        let order = if parameters.contains("'{") { json!("7") } else { json!(7) };
        runs.event("paid", &json!({"order": 6, "sum": 99})).await.unwrap();
        runs.event("paid", &json!({"order": order, "sum": 11})).await.unwrap();
        let output = run.output().await.unwrap().unwrap();
        assert_eq!(output["sum"], 11, "{parameters}");
    }
    for (parameters, said) in [
        ("match: input", "needs the parameter `event`"),
        ("event: e, match: 3", "`match` is `input` or an object"),
        ("event: e, condition: '$[?('", "the guard"),
        ("event: e, when: sum gt", "`when` is no condition: 1:7: a value is expected here, for `gt`"),
        ("event: e, when: [a, b]", "`when` is no condition: /1: there is no operator `b`"),
        ("event: e, receipt: perhaps", "`receipt` is true or false"),
    ] {
        let error = failure(&engine, &format!("wait:event (- {{{parameters}}} -)"), Value::Null).await;
        assert!(error.contains(said), "{error}");
    }
}

#[tokio::test]
async fn the_output_of_an_event_is_laid_over_the_input() {
    let backend = Backend::memory();
    let engine = engine_on(&backend).await;
    for (sent, expected) in [
        (json!({}), json!({"a": 1})),
        (json!({"output": {"b": 2}}), json!({"a": 1, "b": 2})),
        (json!({"output": [1, 2]}), json!([1, 2])),
        (json!({"output": 5}), json!({"a": 1, "output": 5})),
    ] {
        let run = engine.run("wait:event (- event: e -)", json!({"a": 1})).await.unwrap();
        begun(engine.workflows(), &run, 1).await;
        engine.workflows().event("e", &sent).await.unwrap();
        assert_eq!(*run.output().await.unwrap().unwrap(), expected);
    }
}

#[tokio::test]
async fn an_event_gets_a_receipt_unless_it_is_to_get_none() {
    let backend = Backend::memory();
    let engine = engine_on(&backend).await;
    let mut ids = Vec::new();
    for receipt in ["", ", receipt: true", ", receipt: false"] {
        let flow = format!("wait:event (- {{event: e{receipt}}} -)");
        let run = engine.run(&flow, Value::Null).await.unwrap();
        begun(engine.workflows(), &run, 1).await;
        ids.push(engine.workflows().event("e", &Value::Null).await.unwrap());
        run.output().await.unwrap().unwrap();
    }
    let log = backend.events().log("workflows:run");
    let entries = log.range(EventId::MIN, EventId::MAX, 1000).await.unwrap();
    let receipts: Vec<Value> = entries
        .iter()
        .filter_map(|entry| entry.event.as_ref().ok().filter(|event| event.is("receipt")))
        .map(|event| event.read().unwrap())
        .collect();
    assert_eq!(receipts.len(), 2, "{receipts:?}");
    for (receipt, id) in receipts.iter().zip(&ids) {
        assert_eq!(receipt["for"], json!(id.to_string()));
        assert_eq!(receipt["action"], "processed");
        assert_eq!(receipt["apiVersion"], "v1");
        assert!(receipt["at"].as_str().unwrap().ends_with("+00:00"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_takes_too_long_fails_or_gives_what_it_was_told_to() {
    let backend = Backend::memory();
    let engine = engine_on(&backend).await;
    let error = failure(&engine, "wait:event (- {event: paid, timeout: 1h} -)", Value::Null).await;
    assert!(error.contains("waited 3600s for an event `paid`, which did not come"), "{error}");
    let flow = "wait:event (- {event: paid, timeout: 1h, default: {paid: false}} -) \
                → { ? `$[?(@.paid=false)]` remind } → :end";
    let output = super::output(&engine, flow, json!({"order": 7})).await;
    assert_eq!(output, json!({"order": 7, "paid": false}));
}

#[tokio::test]
async fn events_that_come_while_no_engine_is_there_are_not_lost() {
    let backend = Backend::memory();
    let app = App::with_backend(backend.clone());
    let tasks = || Tasks::new().with_all(Builtin::new(&backend).tasks());
    let first = Engine::start(&app, tasks()).await.unwrap();
    let runs = first.workflows().clone();
    let flow = "wait:event (- {event: e, match: {n: 400}, fields: [n]} -)";
    let run = first.run(flow, Value::Null).await.unwrap();
    begun(&runs, &run, 1).await;
    let waiting = step(&runs, &run, 1).await.waiting.unwrap();
    assert_eq!((waiting.waits_for, waiting.what.as_str()), (WaitsFor::Event, "e"));
    first.close().await.unwrap();
    for n in 0..600 {
        runs.event("e", &json!({"n": n})).await.unwrap();
    }
    let _second = Engine::start(&app, tasks()).await.unwrap();
    let ended = runs.wait(run.id()).await.unwrap();
    assert_eq!((ended.status, ended.output.as_deref()), (Status::Finished, Some(&json!({"n": 400}))));
}

#[tokio::test]
async fn one_event_ends_all_waits_that_it_fits_and_no_other() {
    let backend = Backend::memory();
    let engine = engine_on(&backend).await;
    let runs = engine.workflows();
    let mut waits = Vec::new();
    for n in 0..300 {
        let flow = format!("wait:event (- {{event: go, match: {{group: {}}}}} -)", n % 3);
        waits.push(engine.run(&flow, json!({"n": n})).await.unwrap());
    }
    for run in &waits {
        begun(runs, run, 1).await;
    }
    runs.event("go", &json!({"group": 1})).await.unwrap();
    for (n, run) in waits.iter().enumerate().filter(|(n, _)| n % 3 == 1) {
        assert_eq!(*run.output().await.unwrap().unwrap(), json!({"n": n}));
    }
    let open = async || {
        let listed = runs.list(0, 1000).await.unwrap();
        listed.iter().filter(|(_, status)| *status == Status::Running).count()
    };
    eventually("those of the group have ended", async || open().await == 200).await;
    runs.event("go", &json!({"group": 0})).await.unwrap();
    runs.event("go", &json!({"group": 2})).await.unwrap();
    eventually("all have ended", async || open().await == 0).await;
}

#[tokio::test]
async fn thousands_of_waits_end_with_one_event_and_leave_nothing_behind() {
    const WAITS: usize = 2000;
    let backend = Backend::memory();
    let engine = engine_on(&backend).await;
    let runs = engine.workflows();
    let items: Vec<Value> = (0..WAITS).map(|n| json!({"n": n})).collect();
    let flow = format!("* wait:event (- {{event: go, receipt: false, iterate: {WAITS}}} -)");
    let run = engine.run(&flow, json!(items)).await.unwrap();
    let begun = async || {
        let steps = runs.inspect(run.id()).await.unwrap().steps;
        steps.iter().filter(|step| step.waiting.is_some()).count() == WAITS
    };
    eventually("all wait", begun).await;
    runs.event("go", &Value::Null).await.unwrap();
    assert_eq!(*run.output().await.unwrap().unwrap(), json!(items));
}
