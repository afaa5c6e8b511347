//! Rows judged, while versions come and go.

use super::{World, bytes, detail, row};
use futures::StreamExt;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};

#[tokio::test(flavor = "multi_thread")]
async fn versions_are_sent_swapped_and_taken_back_while_rows_flow() {
    let world = World::empty().await;
    let (status, first) = world.send("/models/interest?classes=a,b,c,d,e,f,g", bytes("mlp.onnx")).await;
    assert_eq!((status, &first["live"]), (StatusCode::CREATED, &json!("1")), "{first}");
    let (status, second) = world.send("/models/interest?version=big", bytes("mlp-2.onnx")).await;
    assert_eq!((status, &second["live"]), (StatusCode::OK, &json!("1")), "{second}");
    // What is not said is as before.
    assert_eq!(second["versions"][1]["description"]["classes"], json!(["a", "b", "c", "d", "e", "f", "g"]));

    let (world, done) = (&world, &AtomicBool::new(false));
    let asking = async {
        let (mut seen, mut batches) = (Vec::new(), 0_u64);
        while !done.load(Ordering::Relaxed) {
            let (status, body) = world.post("/models/interest/run", json!([row(), row(), row()])).await;
            assert_eq!(status, StatusCode::OK, "{body}");
            batches += 1;
            // No batch has verdicts of two versions.
            let versions: Vec<&Value> = body.as_array().unwrap().iter().map(|one| &one["version"]).collect();
            assert!(versions.len() == 3 && versions.iter().all(|one| *one == versions[0]), "{body}");
            let version = versions[0].as_str().unwrap().to_owned();
            if seen.last() != Some(&version) {
                seen.push(version);
            }
        }
        (seen, batches)
    };
    let swapping = async {
        for _ in 0..3 {
            for (path, body, live) in
                [("/swap", json!({"version": "big"}), "big"), ("/rollback", Value::Null, "1")]
            {
                let (status, body) = world.post(&format!("/models/interest{path}"), body).await;
                assert_eq!((status, &body["live"]), (StatusCode::OK, &json!(live)), "{body}");
                assert_eq!(world.get("/models/interest").await.1["live"], live);
            }
        }
        done.store(true, Ordering::Relaxed);
    };
    let ((seen, batches), ()) = futures::join!(asking, swapping);
    assert!(seen.iter().all(|version| version == "1" || version == "big"), "{seen:?}");
    let (_, shown) = world.get("/models/interest").await;
    assert_eq!((&shown["counts"]["rows"], &shown["counts"]["swaps"]), (&json!(3 * batches), &json!(6)));
    let judged: u64 =
        shown["versions"].as_array().unwrap().iter().map(|one| one["rows"].as_u64().unwrap()).sum();
    assert_eq!(judged, 3 * batches);
}

#[tokio::test]
async fn each_row_has_its_verdict_or_what_is_wrong_in_its_place() {
    let world = World::new().await;
    let (status, one) = world.post("/models/interest/run", row()).await;
    assert_eq!((status, &one["model"], &one["version"]), (StatusCode::OK, &json!("interest"), &json!("1")));
    assert_eq!(one["scores"].as_array().unwrap().len(), 7);
    let several = json!([row(), [1, 2], {"id": 3, "input": row()}, "a text"]);
    let (status, several) = world.post("/models/interest/run", several).await;
    assert_eq!(status, StatusCode::OK, "{several}");
    // The order of additions is another where rows run together.
    for place in [0, 2] {
        assert_eq!((&several[place]["class"], &several[place]["version"]), (&one["class"], &one["version"]));
    }
    assert_eq!(several[1], json!({"error": "it has 2 numbers, and 44 are a row"}));
    assert!(several[3]["error"].as_str().unwrap().contains("has no vocabulary"), "{several}");
    assert_eq!(world.post("/models/interest/run", json!([])).await, (StatusCode::OK, json!([])));

    let wrong = world.post("/models/interest/run", json!([1, 2])).await;
    assert_eq!(detail(&wrong, StatusCode::UNPROCESSABLE_ENTITY), "it has 2 numbers, and 44 are a row");
    let wrong = world.post("/models/interest/run", json!([[1], {"x": 1}])).await;
    assert!(detail(&wrong, StatusCode::UNPROCESSABLE_ENTITY).contains("row 1 is none"), "{wrong:?}");
    let wrong = world.site.post("/models/interest/run", "[1,").await;
    assert!(detail(&wrong, StatusCode::UNPROCESSABLE_ENTITY).contains("the body has the wrong shape"));
    let wrong = world.post("/models/interest/run", json!(vec![json!([]); 4097])).await;
    assert!(detail(&wrong, StatusCode::PAYLOAD_TOO_LARGE).contains("make the batches smaller"), "{wrong:?}");
    let unknown = world.post("/models/interests/run", row()).await;
    assert!(detail(&unknown, StatusCode::NOT_FOUND).contains("did you mean `interest`?"), "{unknown:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_tried_beside_tells_what_it_judges_differently() {
    let world = World::new().await;
    let (status, shown) = world.put("/models/interest/shadow", json!({"version": "2", "tolerance": 0})).await;
    assert_eq!((status, &shown["shadow"]["version"]), (StatusCode::OK, &json!("2")), "{shown}");
    let path = "/models/interest/disagreements/stream";
    let mut lines = world.site.request(Method::GET, path).send().await.unwrap().bytes_stream();
    let (_, verdict) = world.post("/models/interest/run", row()).await;
    let first = lines.next().await.unwrap().unwrap();
    let told: Value = serde_json::from_slice(&first).unwrap();
    assert_eq!((&told["live"], &told["shadow"]["version"]), (&verdict, &json!("2")));
    assert_eq!(told["input"].as_array().unwrap().len(), 44);
    // It is told before it is counted.
    crate::suite::eventually("it is counted", || async {
        world.get("/models/interest").await.1["shadow"]["disagreed"] == 1
    })
    .await;

    let live = world.put("/models/interest/shadow", json!({"version": "1"})).await;
    assert!(detail(&live, StatusCode::CONFLICT).contains("is live"), "{live:?}");
    let wrong = world.put("/models/interest/shadow", json!({"version": "2", "tolerance": -1})).await;
    assert!(detail(&wrong, StatusCode::UNPROCESSABLE_ENTITY).contains("tolerance"), "{wrong:?}");
    let tried = world.delete("/models/interest/versions/2").await;
    assert!(detail(&tried, StatusCode::CONFLICT).contains("is the shadow"), "{tried:?}");
    assert_eq!(world.delete("/models/interest/shadow").await.0, StatusCode::NO_CONTENT);
    assert_eq!(world.get("/models/interest").await.1["shadow"], Value::Null);
    assert_eq!(world.delete("/models/interest/versions/2").await.0, StatusCode::NO_CONTENT);
    assert_eq!(world.delete("/models/interest").await.0, StatusCode::NO_CONTENT);
    // The stream ends with the model.
    while let Some(rest) = lines.next().await {
        rest.unwrap();
    }
    assert_eq!(world.get("/models").await, (StatusCode::OK, json!([])));
}

#[tokio::test]
async fn what_is_not_there_is_told() {
    let world = World::new().await;
    let version = world.post("/models/interest/swap", json!({"version": "9"})).await;
    assert!(detail(&version, StatusCode::NOT_FOUND).contains("it has `1` and `2`"), "{version:?}");
    let back = world.site.post("/models/interest/rollback", "").await;
    assert!(detail(&back, StatusCode::CONFLICT).contains("there is no way back"), "{back:?}");
    let wrong = world.post("/models/interest/swap", json!({"versions": "2"})).await;
    assert!(detail(&wrong, StatusCode::UNPROCESSABLE_ENTITY).contains("versions"), "{wrong:?}");
    for path in ["/models/none", "/models/none/disagreements/stream"] {
        detail(&world.get(path).await, StatusCode::NOT_FOUND);
    }
    for path in
        ["/models/none", "/models/none/shadow", "/models/none/versions/1", "/models/interest/versions/9"]
    {
        detail(&world.delete(path).await, StatusCode::NOT_FOUND);
    }
}
