//! Answers that go on, and what is counted.

use super::World;
use mape::backend::Backend;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::timeout;

/// What comes until it has this text.
async fn until(response: &mut Response, text: &str) -> String {
    let mut read = String::new();
    while !read.contains(text) {
        let chunk = timeout(Duration::from_secs(20), response.chunk()).await.expect("something comes");
        read.push_str(std::str::from_utf8(&chunk.unwrap().expect("it goes on")).unwrap());
    }
    read
}

#[tokio::test]
async fn outcomes_follow_as_lines_and_as_events_from_where_a_client_was() {
    let world = World::new(Backend::memory()).await;
    let _worker = world.work().await;
    let stream =
        |query: &str| world.site.request(Method::GET, &format!("/queues/reply/outcomes/stream{query}"));
    let mut lines = stream("").send().await.unwrap();
    assert_eq!(
        (lines.status(), &lines.headers()["content-type"]),
        (StatusCode::OK, &"application/x-ndjson".parse().unwrap())
    );
    let mut first = Value::Null;
    for number in 1..=3 {
        let body = json!({"data": number}).to_string();
        let done = world.site.post("/queues/reply/jobs?wait=20s", body).await.1;
        if number == 1 {
            first = done["place"].clone();
        }
        let line: Value = serde_json::from_str(until(&mut lines, "\n").await.trim()).unwrap();
        assert_eq!(line, done);
    }
    let mut all = stream("?after=0-0").send().await.unwrap();
    let read = until(&mut all, "\"result\":6").await;
    assert_eq!(read.lines().count(), 3, "{read}");
    // A browser comes back with the last one that it has seen.
    let events = stream("?after=0-0").header("accept", "text/event-stream");
    let mut events = events.header("last-event-id", first.as_str().unwrap()).send().await.unwrap();
    let read = until(&mut events, "\"result\":6").await;
    assert!(!read.contains("\"result\":2}") && read.contains("\"result\":4"), "{read}");
    assert_eq!(read.matches("\nid: ").count(), 2, "{read}");
    let wrong = stream("?after=yesterday").send().await.unwrap();
    assert_eq!(wrong.status(), StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn who_watches_queues_is_told_when_something_changes() {
    let world = World::new(Backend::memory()).await;
    let mut events = world.site.request(Method::GET, "/queues/stream").send().await.unwrap();
    let read = until(&mut events, "event: queues").await;
    let read = if read.contains("\n\n") { read } else { read + &until(&mut events, "\n\n").await };
    assert!(read.contains("\"waiting\":[0,0,0]"), "{read}");
    let _ = world.queue.add(&1).await.unwrap();
    until(&mut events, "\"waiting\":[1,0,0]").await;
}

#[tokio::test]
async fn what_there_is_in_a_queue_is_measured_when_it_is_asked_for() {
    let world = World::new(Backend::memory()).await;
    for body in [r#"{"data": 1}"#, r#"{"data": 2, "priority": 1}"#, r#"{"data": 3, "delay": "1h"}"#] {
        world.site.post("/queues/reply/jobs", body).await;
    }
    let text = world.site.request(Method::GET, "/metrics").send().await.unwrap().text().await.unwrap();
    // Other tests of this process have queues of that name, too, on other backends: theirs are asked for at this one.
    for line in [
        "mape_queue_waiting{queue=\"reply\"} 2",
        "mape_queue_delayed{queue=\"reply\"} 1",
        "mape_queue_dead_letters{queue=\"reply\"} 0",
    ] {
        assert!(text.lines().any(|known| known == line), "{line}: {text}");
    }
}
