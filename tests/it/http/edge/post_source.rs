//! What is posted to endpoints, and what their sources emit.

use crate::http::site::{Site, answer};
use crate::suite::eventually;
use axum::http::StatusCode;
use futures::StreamExt;
use hmac::{Hmac, KeyInit, Mac};
use mape::app::App;
use mape::edge::{DedupKey, Endpoints, PostOptions, PostSource, Signature};
use mape::http::{Access, Limits, Role, Service};
use reqwest::{Method, RequestBuilder};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;
use std::time::Duration;

#[derive(Clone, Debug, Deserialize, PartialEq)]
struct Order {
    id: u32,
    cups: Vec<Cup>,
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
struct Cup {
    price: f64,
}

/// A service with one endpoint.
async fn site<T>(options: PostOptions) -> (Site, PostSource<T>)
where
    T: serde::de::DeserializeOwned + Send + 'static,
{
    let endpoints = Endpoints::new();
    let source = endpoints.source("/hooks/orders", options).unwrap();
    let mut limits = Limits::default();
    (limits.body, limits.push_wait) = (1000, Duration::from_millis(50));
    (Site::with(Service::new(&App::new()).endpoints(&endpoints).limits(limits)).await, source)
}

fn post(site: &Site, body: impl Into<String>) -> RequestBuilder {
    site.request(Method::POST, "/hooks/orders").body(body.into())
}

fn lines(site: &Site, body: &str) -> RequestBuilder {
    post(site, body).header("Content-Type", "application/x-ndjson")
}

#[tokio::test]
async fn an_endpoint_is_there_as_long_as_its_source() {
    let app = App::new();
    let endpoints = Endpoints::new();
    let site = Site::with(Service::new(&app).endpoints(&endpoints)).await;
    assert_eq!(site.post("/hooks/orders", "1").await.0, StatusCode::NOT_FOUND);

    let source = endpoints.source::<u64>("/hooks/orders", PostOptions::new()).unwrap();
    assert_eq!(site.post("/hooks/orders", "1").await, (StatusCode::OK, json!({"accepted": 1})));
    let taken = endpoints.source::<u64>("/hooks/orders", PostOptions::new()).unwrap_err();
    assert!(taken.to_string().contains("another source has it"), "{taken}");
    let response = site.request(Method::GET, "/hooks/orders").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(response.headers()["allow"], "POST");

    let count = app.create_loop("shop").unwrap().monitor("count").map(|n: u64| n * 2).spawn().unwrap();
    let mut counted = count.subscribe();
    count.start().unwrap();
    count.feed(source);
    site.post("/hooks/orders", "21").await;
    assert_eq!((counted.next().await, counted.next().await), (Some(2), Some(42)));

    count.any().dispose();
    eventually("it is gone", async || site.post("/hooks/orders", "1").await.0 == StatusCode::NOT_FOUND).await;
    assert!(endpoints.source::<u64>("/hooks/orders", PostOptions::new()).is_ok());
}

#[tokio::test]
async fn what_is_no_path_is_refused() {
    for path in ["hooks", "/", "/a?b", "/{a}", "/a b"] {
        assert!(Endpoints::new().source::<u64>(path, PostOptions::new()).is_err(), "{path}");
    }
    let unsafe_one = PostOptions::new().signed(Signature::github(""));
    let error = Endpoints::new().source::<u64>("/a", unsafe_one).unwrap_err().to_string();
    assert!(error.contains("anyone could sign"), "{error}");
}

#[tokio::test]
async fn json_its_lines_and_message_pack_become_items() {
    let (site, source) = site::<Order>(PostOptions::new()).await;
    let order = |id| json!({"id": id, "cups": [{"price": 2.5}]});
    assert_eq!(answer(post(&site, order(1).to_string())).await.0, StatusCode::OK);
    let two = lines(&site, &format!("{}\n\n{}\r\n", order(2), order(3)));
    assert_eq!(answer(two).await, (StatusCode::OK, json!({"accepted": 2})));
    let packed = site.request(Method::POST, "/hooks/orders").header("Content-Type", "application/msgpack");
    let packed = packed.body(rmp_serde::to_vec_named(&order(4)).unwrap());
    assert_eq!(answer(packed).await, (StatusCode::OK, json!({"accepted": 1})));
    let ids: Vec<u32> = source.take(4).map(|order| order.id).collect().await;
    assert_eq!(ids, [1, 2, 3, 4]);
}

#[tokio::test]
async fn what_is_no_item_is_refused_with_its_field_and_what_stood_before_it_is_taken() {
    let (site, mut source) = site::<Order>(PostOptions::new()).await;
    let (status, problem) = answer(post(&site, r#"{"id": 1, "cups": [{"price": 1}, {"price": "2"}]}"#)).await;
    assert_eq!((status, &problem["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("cups[1].price")));
    assert!(problem["detail"].as_str().unwrap().contains("expected f64"), "{problem}");
    let (_, problem) = answer(lines(&site, "{\"id\": 1, \"cups\": []}\n{\"id\": 2}\n")).await;
    assert_eq!((&problem["accepted"], &problem["line"]), (&json!(1), &json!(2)));
    assert!(problem["detail"].as_str().unwrap().contains("missing field `cups`"), "{problem}");
    assert_eq!(source.next().await.unwrap().id, 1);
    for body in ["", "1 2", "{", "\u{80}"] {
        assert_eq!(answer(post(&site, body)).await.0, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
    }
    let pickle = site.request(Method::POST, "/hooks/orders").body(b"\x80\x04K\x01.".to_vec());
    assert!(answer(pickle).await.1["detail"].as_str().unwrap().contains("send JSON"));
    assert_eq!(answer(post(&site, " ".repeat(1001))).await.0, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn without_room_the_answer_is_429_with_what_was_taken() {
    let (site, mut source) = site::<u64>(PostOptions::new().capacity(2.try_into().unwrap())).await;
    let full = lines(&site, "1\n2\n3\n4\n").header("Mape-Sender", "a").header("Mape-First", "1");
    let again = full.try_clone().unwrap();
    let response = full.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(response.headers()["retry-after"], "1");
    assert_eq!(response.json_value().await["accepted"], 2);
    assert_eq!((source.next().await, source.next().await), (Some(1), Some(2)));
    assert_eq!(answer(again).await, (StatusCode::OK, json!({"accepted": 4})));
    assert_eq!((source.next().await, source.next().await), (Some(3), Some(4)));
}

trait JsonValue {
    async fn json_value(self) -> Value;
}

impl JsonValue for reqwest::Response {
    async fn json_value(self) -> Value {
        serde_json::from_str(&self.text().await.unwrap()).unwrap()
    }
}

#[tokio::test]
async fn what_has_come_before_is_not_emitted_again() {
    let by_header = PostOptions::new().once_by(DedupKey::header("X-Delivery"));
    let (one, mut source) = site::<u64>(by_header).await;
    for (key, item, is_duplicate) in [("a", 1, false), ("b", 2, false), ("a", 1, true), ("c", 2, false)] {
        let (_, body) = answer(post(&one, item.to_string()).header("X-Delivery", key)).await;
        assert_eq!(body["duplicate"] == true, is_duplicate, "{key}");
        assert_eq!(body["accepted"], 1);
    }
    let (status, problem) = answer(post(&one, "3")).await;
    assert_eq!((status, &problem["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("X-Delivery")));
    drop(one);
    let mut emitted = Vec::new();
    while let Ok(Some(item)) = tokio::time::timeout(Duration::ZERO, source.next()).await {
        emitted.push(item);
    }
    assert_eq!(emitted, [1, 2, 2]);

    let by_item = PostOptions::new().once_by(DedupKey::pointer("/order/id"));
    let (two, source) = site::<Value>(by_item).await;
    let order = |id: u32| json!({"order": {"id": id}}).to_string();
    let (_, body) = answer(lines(&two, &[order(1), order(2), order(1)].join("\n"))).await;
    assert_eq!(body, json!({"accepted": 3}));
    assert_eq!(answer(post(&two, order(2))).await.1, json!({"accepted": 1, "duplicate": true}));
    let (_, problem) = answer(post(&two, r#"{"order": {}}"#)).await;
    assert_eq!(problem["field"], "order.id");
    answer(post(&two, order(3))).await;
    let ids: Vec<Value> = source.take(3).map(|item| item["order"]["id"].clone()).collect().await;
    assert_eq!(ids, [1, 2, 3]);
}

#[tokio::test]
async fn only_what_its_sender_has_signed_is_taken_and_it_needs_no_token() {
    let endpoints = Endpoints::new();
    let signed = PostOptions::new().signed(Signature::github("s3cret"));
    let mut source = endpoints.source::<Value>("/hooks/signed", signed).unwrap();
    let _open = endpoints.source::<Value>("/hooks/open", PostOptions::new()).unwrap();
    let access = Access::new().token("ops", "t0ken-of-the-operators".to_owned(), Role::Operate);
    let site = Site::with(Service::new(&App::new()).endpoints(&endpoints).access(access)).await;

    let body = r#"{"action":  "opened"}"#;
    let mut mac = Hmac::<Sha256>::new_from_slice(b"s3cret").unwrap();
    mac.update(body.as_bytes());
    let digits = mac.finalize().into_bytes();
    let digits = digits.iter().fold(String::new(), |digits, byte| digits + &format!("{byte:02x}"));
    let post = |body: &'static str| {
        let request = site.request(Method::POST, "/hooks/signed").body(body);
        answer(request.header("X-Hub-Signature-256", format!("sha256={digits}")))
    };
    assert_eq!(post(body).await.0, StatusCode::OK);
    assert_eq!(source.next().await, Some(json!({"action": "opened"})));
    let (status, problem) = post(r#"{"action": "opened"}"#).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(!problem.to_string().contains("s3cret"), "{problem}");
    assert_eq!(site.post("/hooks/signed", body).await.0, StatusCode::UNAUTHORIZED);

    assert_eq!(site.post("/hooks/open", body).await.0, StatusCode::UNAUTHORIZED);
    let with_token =
        site.request(Method::POST, "/hooks/open").body(body).bearer_auth("t0ken-of-the-operators");
    assert_eq!(answer(with_token).await.0, StatusCode::OK);
}
