//! `human:approve`

use super::{begun, engine_on, failure, output, step};
use crate::suite::eventually;
use mape::app::App;
use mape::backend::Backend;
use mape::workflow::{Builtin, Engine, Error, Phase, Place, Tasks, WaitsFor};
use serde_json::{Value, json};

const ASK: &str = "human:approve (- {question: 'Pay {input[sum]}?', who: [ada, eve]} -)";

#[tokio::test]
async fn a_question_shows_and_its_answer_is_laid_over_the_input() {
    let engine = engine_on(&Backend::memory()).await;
    let runs = engine.workflows();
    for (answer, expected) in [
        (None, json!({"sum": 5, "approved": true})),
        (Some(json!({"by": "ada"})), json!({"sum": 5, "approved": true, "by": "ada"})),
        (Some(json!({"approved": false})), json!({"sum": 5, "approved": false})),
    ] {
        let run = engine.run(ASK, json!({"sum": 5})).await.unwrap();
        begun(runs, &run, 1).await;
        let waiting = step(runs, &run, 1).await.waiting.unwrap();
        assert_eq!((waiting.waits_for, waiting.what.as_str()), (WaitsFor::Person, "Pay 5?"));
        assert_eq!((waiting.who, waiting.until), (vec!["ada".to_owned(), "eve".to_owned()], None));
        runs.end(run.id(), "human:approve", 1, Ok(answer)).await.unwrap();
        assert_eq!(*run.output().await.unwrap().unwrap(), expected);
    }
    let run = engine.run(ASK, json!({"sum": 5})).await.unwrap();
    begun(runs, &run, 1).await;
    runs.end(run.id(), "human:approve", 1, Err("no money".into())).await.unwrap();
    let error = run.output().await.unwrap().unwrap_err().to_string();
    assert!(error.ends_with("human:approve (#1) failed: no money"), "{error}");
    let error = failure(&engine, "human:approve", Value::Null).await;
    assert!(error.contains("human:approve (#1) needs the parameter `question`"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_question_that_nobody_answers_has_a_default_that_approves_nothing_by_itself() {
    let engine = engine_on(&Backend::memory()).await;
    let ask = |more: &str| format!("human:approve (- {{question: ok?, timeout: 1h{more}}} -)");
    let error = failure(&engine, &ask(""), Value::Null).await;
    assert!(error.contains("waited 3600s for an answer to `ok?`"), "{error}");
    for (default, expected) in [
        ("false", json!({"x": 1, "approved": false})),
        ("true", json!({"x": 1, "approved": true})),
        ("{note: late}", json!({"x": 1, "approved": false, "note": "late"})),
        ("{approved: true}", json!({"x": 1, "approved": true})),
    ] {
        assert_eq!(output(&engine, &ask(&format!(", default: {default}")), json!({"x": 1})).await, expected);
    }
}

#[tokio::test]
async fn a_question_is_answered_whoever_has_the_run_in_hand() {
    let backend = Backend::memory();
    let app = App::with_backend(backend.clone());
    let tasks = || Tasks::new().with_all(Builtin::new(&backend).tasks());
    let first = Engine::start(&app, tasks()).await.unwrap();
    let runs = first.workflows().clone();
    let run = first.run(ASK, json!({"sum": 5})).await.unwrap();
    begun(&runs, &run, 1).await;
    first.close().await.unwrap();
    // Nobody is there to hear it; it is in the log.
    runs.end(run.id(), "human:approve", 1, Ok(Some(json!({"by": "eve"})))).await.unwrap();
    let _second = Engine::start(&app, tasks()).await.unwrap();
    let ended = runs.wait(run.id()).await.unwrap();
    assert_eq!(ended.output.as_deref(), Some(&json!({"sum": 5, "approved": true, "by": "eve"})));
}

#[tokio::test]
async fn the_items_of_an_iteration_are_asked_about_and_answered_one_by_one() {
    let engine = engine_on(&Backend::memory()).await;
    let runs = engine.workflows();
    let flow = format!("* {ASK}");
    let run = engine.run(&flow, json!([{"sum": 5}, {"sum": 6}])).await.unwrap();
    let open = async || {
        let steps = runs.inspect(run.id()).await.unwrap().steps;
        steps.into_iter().filter(|step| step.waiting.is_some()).collect::<Vec<_>>()
    };
    eventually("both are asked", async || open().await.len() == 2).await;
    for step in open().await {
        let sum = if step.waiting.unwrap().what == "Pay 5?" { 5 } else { 6 };
        let place = Place { node: step.index, part: step.part };
        let answer = json!({"approved": sum == 6});
        runs.end(run.id(), "human:approve", place, Ok(Some(answer))).await.unwrap();
    }
    let expected = json!([{"sum": 5, "approved": false}, {"sum": 6, "approved": true}]);
    assert_eq!(*run.output().await.unwrap().unwrap(), expected);
}

#[tokio::test]
async fn what_says_neither_yes_nor_no_is_refused_and_fails_the_step_if_others_send_it() {
    let engine = engine_on(&Backend::memory()).await;
    let runs = engine.workflows();
    let run = engine.run(ASK, json!({"sum": 5})).await.unwrap();
    begun(runs, &run, 1).await;
    for answer in [json!(5), json!("no"), json!([1]), json!({"approved": "no"}), json!({"approved": null})] {
        let refused = runs.end(run.id(), "human:approve", 1, Ok(Some(answer))).await.unwrap_err();
        assert!(matches!(refused, Error::Answer { .. }), "{refused}");
        assert!(refused.to_string().contains("`approved` is true or false, not "), "{refused}");
    }
    assert_eq!(step(runs, &run, 1).await.phase, Phase::Active);
    runs.end(run.id(), "human:approve", 1, Ok(Some(json!(false)))).await.unwrap();
    assert_eq!(*run.output().await.unwrap().unwrap(), json!({"sum": 5, "approved": false}));

    let run = engine.run(ASK, json!({"sum": 5})).await.unwrap();
    begun(runs, &run, 1).await;
    let event = json!({"workflow": run.id().full(), "index": 1, "output": {"approved": "no"}});
    runs.event("end-task", &event).await.unwrap();
    let error = run.output().await.unwrap().unwrap_err().to_string();
    assert!(error.contains("`approved` is true or false, not the text \"no\""), "{error}");
}
