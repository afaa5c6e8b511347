//! What a source asks, and what it makes of the answers.

use super::peer::{Peer, Reply, StandIn};
use crate::suite::eventually;
use axum::http::StatusCode;
use futures::StreamExt;
use mape::edge::{Client, Error, PollSource};
use mape::stream::Backoff;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const OFTEN: Duration = Duration::from_millis(10);

fn source(peer: &Peer) -> PollSource<Value> {
    let source = PollSource::new(&format!("{}/state?of=all", peer.service())).unwrap().every(OFTEN);
    source.backoff(Backoff::constant(OFTEN))
}

fn reply(headers: [(&'static str, &'static str); 1], body: &'static str) -> Reply {
    (headers, body).into()
}

#[tokio::test]
async fn only_what_has_changed_is_emitted() {
    let other = StandIn::answering(|number, _| if number < 3 { "1".into() } else { "[2]".into() });
    let mut source = source(&other.peer);
    assert_eq!(source.next().await.unwrap().unwrap(), json!(1));
    assert_eq!(source.next().await.unwrap().unwrap(), json!([2]));
    assert_eq!(other.posted()[0].target, "/state?of=all");
    assert_eq!(other.posted().len(), 4);
}

#[tokio::test]
async fn a_server_that_knows_what_it_said_before_need_not_say_it_again() {
    let other = StandIn::answering(|number, asked| {
        match (asked.header("if-none-match"), asked.header("if-modified-since")) {
            ("", "") if number == 0 => reply([("etag", "\"one\"")], "1"),
            ("\"one\"", "") if number < 3 => StatusCode::NOT_MODIFIED.into(),
            ("\"one\"", "") => reply([("last-modified", "Wed, 21 Oct 2015 07:28:00 GMT")], "2"),
            ("", "Wed, 21 Oct 2015 07:28:00 GMT") if number < 6 => StatusCode::NOT_MODIFIED.into(),
            _ => "3".into(),
        }
    });
    let items: Vec<_> = source(&other.peer).take(3).map(Result::unwrap).collect().await;
    assert_eq!(items, [1, 2, 3]);
    assert_eq!(other.posted().len(), 7);
}

#[tokio::test]
async fn a_failure_is_told_once_and_the_source_asks_again_when_it_is_told() {
    let other = StandIn::answering(|number, _| match number {
        0 | 1 => (StatusCode::NOT_FOUND, r#"{"detail": "not yet"}"#).into(),
        2 => (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "1")], "").into(),
        3 => "no JSON".into(),
        _ => "1".into(),
    });
    let mut source = source(&other.peer);
    let place = format!("http://{}/state", other.peer.service());
    let mut failed = async || source.next().await.unwrap().unwrap_err();
    assert_eq!(failed().await.to_string(), format!("{place} answered 404: not yet"));
    assert_eq!(failed().await.to_string(), format!("{place} answered 503"));
    let begun = Instant::now();
    assert!(matches!(failed().await, Error::Decode { .. }));
    assert!(begun.elapsed() > Duration::from_millis(900));
    assert_eq!(source.next().await.unwrap().unwrap(), json!(1));
}

#[tokio::test]
async fn it_outlives_the_other_side_and_reads_no_more_than_it_may() {
    let other = StandIn::answering(|_, _| format!("\"{}\"", "x".repeat(5000)).into());
    let address = other.peer.address;
    let client = Client::new().token("hunter2").unwrap();
    let mut source = source(&other.peer).client(&client).longest(1000);
    let error = source.next().await.unwrap().unwrap_err();
    assert!(matches!(error, Error::TooLong { longest: 1000, .. }), "{error}");
    assert_eq!(other.posted()[0].header("authorization"), "Bearer hunter2");
    drop(other);
    let error = source.next().await.unwrap().unwrap_err();
    assert!(matches!(error, Error::NoAnswer { .. }) && !error.to_string().contains("hunter2"), "{error}");
    let peer = Peer::start_at(address, axum::Router::new().fallback(|| async { "1" }));
    assert_eq!(source.next().await.unwrap().unwrap(), json!(1));
    drop(peer);
}

#[tokio::test]
async fn nothing_is_asked_before_the_last_item_is_taken() {
    let other = StandIn::answering(|number, _| number.to_string().into());
    let mut source = source(&other.peer);
    assert_eq!(source.next().await.unwrap().unwrap(), json!(0));
    tokio::time::sleep(OFTEN * 10).await;
    assert_eq!(other.posted().len(), 1);
    assert_eq!(source.next().await.unwrap().unwrap(), json!(1));
    drop(source);
    eventually("it was asked twice", async || other.posted().len() == 2).await;
}
