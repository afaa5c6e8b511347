//! Models as tasks of workflows, and of queues.

use super::{data, named, onnx};
use mape::app::App;
use mape::infer::{Models, Settings};
use mape::queue::{NewJob, Queues, doing};
use mape::text::Vocabulary;
use mape::workflow::{Engine, Invocation, TaskError, Tasks};
use serde_json::{Value, json};
use std::sync::Arc;

async fn asked(models: &Models, name: &str, parameters: Value, input: Value) -> Result<Value, TaskError> {
    models.task().attempt(Invocation::alone(name, parameters, input)).await.map(Arc::unwrap_or_clone)
}

/// A model that gives what it is given: of three numbers the largest is the class.
async fn three() -> Models {
    let classes = ["a", "b", "c"].map(String::from).to_vec();
    let vocabulary = Some(Vocabulary::new(["help", "hour", "thank"]).unwrap());
    named(&onnx::scaled(3, 1.0), Settings { classes, vocabulary, ..Settings::default() }).await
}

#[tokio::test]
async fn a_row_a_text_or_a_list_of_them_becomes_verdicts() {
    let models = three().await;
    let one = asked(&models, "infer:m", json!({}), json!({"id": 7, "input": [0, 1, 0]})).await.unwrap();
    assert_eq!(
        one,
        json!({"class": "b", "score": 1.0, "scores": [0.0, 1.0, 0.0], "model": "m", "version": "1"})
    );
    let flat = asked(&models, "infer:m", json!({}), json!([0, 0, 2])).await.unwrap();
    assert_eq!(flat["class"], "c");
    let text = asked(&models, "infer:m", json!({"field": "text"}), json!({"text": "Thanks!"})).await.unwrap();
    assert_eq!(text["class"], "c");
    let many = json!([{"input": "Helping"}, [1, 2], "Guten Tag", [0, 3, 0]]);
    let many = asked(&models, "infer:m", json!({}), many).await.unwrap();
    let classes: Vec<&Value> = many.as_array().unwrap().iter().map(|one| &one["class"]).collect();
    assert_eq!(classes, [&json!("a"), &Value::Null, &json!("unknown"), &json!("b")]);
    assert_eq!(many[1], json!({"error": "it has 2 numbers, and 3 are a row"}));
    let fields = json!([{"words": [1, 0, 0]}, {"words": "hours"}]);
    let fields = asked(&models, "infer:m", json!({"field": "words"}), fields).await.unwrap();
    assert_eq!((&fields[0]["class"], &fields[1]["class"]), (&json!("a"), &json!("b")));
}

#[tokio::test]
async fn what_is_no_row_fails_for_good_and_a_model_that_is_not_there_may_come() {
    let models = three().await;
    for (parameters, input, says) in [
        (json!({}), json!({"inputs": []}), "no field `input`"),
        (json!({}), json!([1, 2]), "it has 2 numbers, and 3 are a row"),
        (json!({}), json!([[1, 2, 3], 4]), "row 1 is none"),
        (json!({"field": "x"}), json!({"input": [1, 2, 3]}), "no field `x`"),
        (json!({"field": 1}), json!({"input": [1, 2, 3]}), "is no name of a field"),
    ] {
        let error = asked(&models, "infer:m", parameters, input).await.unwrap_err();
        assert!(error.reason().contains(says) && !error.may_be_tried_again(), "{}", error.reason());
    }
    let error = asked(&models, "infer:n", json!({}), json!([1, 2, 3])).await.unwrap_err();
    assert!(error.reason().contains("no model called `n`") && error.may_be_tried_again());
}

#[tokio::test]
async fn a_flow_has_its_input_judged_by_the_version_that_is_live() {
    let (app, models) = (App::new(), Models::new());
    for file in ["mlp.onnx", "mlp-2.onnx"] {
        models.load("interest", None, data(file), Settings::default()).await.unwrap();
    }
    let engine = Engine::start(&app, Tasks::new().with(models.task())).await.unwrap();
    for version in ["1", "2"] {
        models.swap("interest", version).unwrap();
        let run = engine.run("infer:interest", json!({"input": vec![1; 44]})).await.unwrap();
        let output = run.output().await.unwrap().unwrap();
        assert_eq!((&output["model"], &output["version"]), (&json!("interest"), &json!(version)));
    }
    engine.close().await.unwrap();
}

#[tokio::test]
async fn a_queue_has_its_jobs_judged_and_buries_what_is_no_row() {
    let (app, models) = (App::new(), three().await);
    let comments = Queues::new(&app).open("comments", mape::queue::Settings::default()).await.unwrap();
    let judging = doing(&models.task(), "infer:m", json!({"field": "text"}));
    let judge =
        app.create_loop("queues").unwrap().execute("judge").each_unordered(4, judging).spawn().unwrap();
    let worker = comments.work(&judge).await.unwrap();
    let outcome = comments.run(NewJob::new(json!({"text": "help"}))).await.unwrap();
    assert_eq!(outcome.result::<Value>().unwrap()["class"], "a");
    comments.run(NewJob::new(json!({"text": 5}))).await.unwrap().result::<Value>().unwrap_err();
    let dead = comments.stats().await.unwrap().dead;
    assert_eq!(dead, 1);
    worker.stop(std::time::Duration::from_secs(5)).await;
}
