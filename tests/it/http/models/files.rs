//! What becomes a version of a model, and what does not.

use super::{World, bytes, detail, path, row};
use crate::http::site::{Site, answer};
use crate::http::workflows::world::directory;
use crate::suite::eventually;
use mape::app::App;
use mape::http::Service;
use mape::infer::{Limits, Models, Settings};
use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::sync::mpsc::channel;
use tokio_stream::wrappers::ReceiverStream;

const WRONG: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;

#[tokio::test]
async fn what_does_not_load_or_does_not_fit_is_refused_with_the_reason_and_changes_nothing() {
    let world = World::new().await;
    let mut cut = bytes("mlp.onnx");
    cut.truncate(900);
    let deep = [&b"\x0a"[..], &[0xff; 64]].concat();
    for (query, bytes, says) in [
        ("", Vec::new(), "upload of interest is not loaded as ONNX: the file is empty"),
        ("", b"<html>".to_vec(), "does not say what kind of model it is"),
        ("?kind=onnx", b"<html>".to_vec(), "is not loaded as ONNX"),
        ("", cut, "is not loaded as ONNX"),
        ("", deep, "is not loaded as a frozen graph of TensorFlow"),
        ("?kind=pickle", bytes("mlp.onnx"), "pickle"),
        ("?input=words", bytes("mlp.onnx"), "has no input called `words`"),
        ("?output=r", bytes("mlp.onnx"), "it answers with [8], and `1` with [7]"),
        ("?classes=a,b", bytes("mlp.onnx"), "has 7 outputs a row, but 2 names of classes"),
        ("?version=a/b", bytes("mlp.onnx"), "needs a name of 1 to 200 bytes without `/`"),
        ("?threshold=inf", bytes("mlp.onnx"), "threshold"),
        ("?shape=44,x", bytes("mlp.onnx"), "`shape`: `44,x` is no list of lengths, such as 3,224,224"),
        ("?shape=0", bytes("mlp.onnx"), "no dimension of length 0"),
    ] {
        let answer = world.send(&format!("/models/interest{query}"), bytes).await;
        assert!(detail(&answer, WRONG).contains(says), "{query} {says}: {answer:?}");
    }
    let taken = world.send("/models/interest?version=2", bytes("mlp.onnx")).await;
    assert!(detail(&taken, StatusCode::CONFLICT).contains("has a version `2` already"), "{taken:?}");
    let unknown = world.send("/models/interest?live=true", bytes("mlp.onnx")).await;
    assert!(detail(&unknown, WRONG).contains("live"), "{unknown:?}");
    let listed = world.get("/models/interest").await.1;
    assert_eq!((listed["versions"].as_array().unwrap().len(), &listed["live"]), (2, &json!("1")));
    // Those that were read, and the one with a name that is taken; not where the question was wrong.
    assert_eq!(listed["counts"]["load_failures"], json!(11), "{listed}");
    // A frozen graph that takes and gives the same can stand in.
    let frozen = world.send("/models/interest", bytes("frozen.pb")).await;
    assert_eq!(
        (frozen.0, &frozen.1["versions"][2]["description"]["kind"]),
        (StatusCode::OK, &json!("tensorflow"))
    );
}

#[tokio::test]
async fn a_model_may_be_longer_than_other_bodies_and_not_than_its_limit() {
    let world = World::empty().await;
    // Longer than the megabyte of other bodies: it is read, and is no model.
    let long = world.send("/models/long?kind=onnx", vec![b'x'; 3 << 20]).await;
    assert!(detail(&long, WRONG).contains("is not loaded as ONNX"), "{long:?}");
    let limits = Limits { file_bytes: 2000, ..Limits::default() };
    let settings = Settings { limits, ..Settings::default() };
    world.models.load("small", None, path("mlp.onnx"), settings).await.unwrap();
    let large = world.send("/models/small", bytes("mlp-2.onnx")).await;
    assert!(detail(&large, StatusCode::PAYLOAD_TOO_LARGE).contains("longer than 2000 bytes"), "{large:?}");
}

#[tokio::test]
async fn one_model_is_loaded_at_a_time_and_others_are_asked_to_come_again() {
    let world = World::empty().await;
    let (part, parts) = channel::<Result<Vec<u8>, std::io::Error>>(1);
    let body = reqwest::Body::wrap_stream(ReceiverStream::new(parts));
    let first = tokio::spawn(answer(world.site.request(Method::PUT, "/models/first").body(body)));
    let (begin, end) = (bytes("mlp.onnx")[..900].to_vec(), bytes("mlp.onnx")[900..].to_vec());
    part.send(Ok(begin)).await.unwrap();
    eventually("another is refused while one comes", || async {
        world.send("/models/second", bytes("mlp.onnx")).await.0 == StatusCode::TOO_MANY_REQUESTS
    })
    .await;
    part.send(Ok(end)).await.unwrap();
    drop(part);
    assert_eq!(first.await.unwrap().0, StatusCode::CREATED);
    // Who was answered may send the next at once, also after one that did not load.
    assert_eq!(world.send("/models/first", bytes("mlp-2.onnx")).await.0, StatusCode::OK);
    assert_eq!(world.send("/models/first?kind=onnx", b"<html>".to_vec()).await.0, WRONG);
    assert_eq!(world.send("/models/first", bytes("frozen.pb")).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_file_is_taken_by_its_name_from_one_directory_and_from_nowhere_else() {
    let (outside, inside) = (directory(), directory());
    std::fs::copy(path("mlp.onnx"), outside.join("secret.onnx")).unwrap();
    for (from, to) in [("mlp.onnx", "first.onnx"), ("frozen.pb", "second.pb")] {
        std::fs::copy(path(from), inside.join(to)).unwrap();
    }
    std::fs::create_dir(inside.join("below")).unwrap();
    std::fs::copy(path("mlp.onnx"), inside.join("below/third.onnx")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(outside.join("secret.onnx"), inside.join("linked.onnx")).unwrap();
    let models = Models::new();
    let service = Service::new(&App::new()).models(&models).model_files(&inside);
    let world = World { site: Site::with(service).await, models };

    let up = format!("../{}/secret.onnx", outside.file_name().unwrap().to_str().unwrap());
    let whole = outside.join("secret.onnx").display().to_string();
    for name in [up.as_str(), &whole, "below/third.onnx", "..", ".", "", "first.onnx\0", "below\\third.onnx"]
    {
        let answer = world.put("/models/m", json!({"file": name})).await;
        assert!(detail(&answer, WRONG).contains("without a directory"), "{name}: {answer:?}");
    }
    for name in ["linked.onnx", "below", "none.onnx"] {
        let answer = world.put("/models/m", json!({"file": name})).await;
        assert!(detail(&answer, StatusCode::NOT_FOUND).contains("there is no file"), "{name}: {answer:?}");
    }
    assert!(world.models.list().is_empty());

    let words: Vec<String> = (0..44).map(|n| format!("word{n}")).collect();
    let first = json!({"file": "first.onnx", "version": "one", "vocabulary": words});
    let (status, first) = world.put("/models/m", first).await;
    assert_eq!((status, &first["live"]), (StatusCode::CREATED, &json!("one")), "{first}");
    assert_eq!(first["versions"][0]["description"]["file"], "first.onnx");
    let (_, text) = world.post("/models/m/run", json!("word7 word9")).await;
    assert_eq!(text["scores"].as_array().unwrap().len(), 7, "{text}");
    let (_, nothing) = world.post("/models/m/run", json!("nothing known")).await;
    assert_eq!((&nothing["class"], &nothing["scores"]), (&json!("unknown"), &json!([])));
    let (status, second) = world.put("/models/m", json!({"file": "second.pb"})).await;
    assert_eq!((status, &second["versions"][1]["description"]["words"]), (StatusCode::OK, &json!(44)));
    for (body, says) in [
        (json!({"file": "first.onnx", "vocabulary": ["a", "a"]}), "`vocabulary`"),
        (json!({"file": "first.onnx", "vocabulary": ["a"]}), "the vocabulary has 1 words"),
        (json!({"file": "first.onnx", "live": true}), "unknown field `live`"),
        (json!({"version": "3"}), "missing field `file`"),
    ] {
        let answer = world.put("/models/m", body).await;
        assert!(detail(&answer, WRONG).contains(says), "{says}: {answer:?}");
    }
}

#[tokio::test]
async fn without_a_directory_no_file_is_taken_by_name() {
    let world = World::new().await;
    let answer = world.put("/models/interest", json!({"file": "mlp.onnx"})).await;
    assert!(detail(&answer, WRONG).contains("set `rest.model_files`"), "{answer:?}");
    let (status, _) = world.post("/models/interest/run", row()).await;
    assert_eq!(status, StatusCode::OK);
}
