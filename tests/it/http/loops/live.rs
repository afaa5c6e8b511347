//! What passes, as it passes.

use super::*;
use futures::{Stream, StreamExt};
use std::time::Duration;

/// The events of a stream, as kind and data.
fn events(response: reqwest::Response) -> impl Stream<Item = (String, Value)> + Unpin {
    let chunks = response.bytes_stream().map(|chunk| chunk.unwrap());
    let state = (Box::pin(chunks), String::new());
    Box::pin(futures::stream::unfold(state, |(mut chunks, mut text)| async move {
        loop {
            if let Some((event, rest)) = text.split_once("\n\n") {
                let field =
                    |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                let (kind, data) = (field("event: "), field("data: "));
                text = rest.to_owned();
                if let Some(data) = data {
                    let value = serde_json::from_str(&data).unwrap();
                    return Some(((kind.unwrap_or_default(), value), (chunks, text)));
                }
                continue;
            }
            text.push_str(std::str::from_utf8(&chunks.next().await?).unwrap());
        }
    }))
}

async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), future).await.expect("it comes within 10 s")
}

#[tokio::test]
async fn items_are_seen_as_lines_and_as_events() {
    let (app, sense, _) = sample();
    let site = Site::of(&app).await;
    let path = "/loops/room/elements/sense/stream";
    let lines = site.request(Method::GET, path).send().await.unwrap();
    assert_eq!(lines.headers()["content-type"], "application/x-ndjson");
    let seen = site.request(Method::GET, &format!("{path}?port=in")).header("accept", "text/event-stream");
    let mut seen = events(seen.send().await.unwrap());
    for item in [1.5, 1.5, 2.5] {
        sense.push(item).await.unwrap();
    }
    let mut lines = lines.bytes_stream();
    let mut text = Vec::new();
    while text.len() < 8 {
        text.extend_from_slice(&soon(lines.next()).await.unwrap().unwrap());
    }
    // The operators let the second pass only into the element.
    assert_eq!(text, b"1.5\n2.5\n");
    for item in [1.5, 1.5, 2.5] {
        assert_eq!(soon(seen.next()).await, Some((String::new(), json!(item))));
    }
    assert_eq!(site.get("/loops/room/elements/hidden/stream").await.0, StatusCode::FORBIDDEN);
    site.serving.close(Duration::from_secs(5)).await;
    assert!(soon(seen.next()).await.is_none(), "it ends with the service");
}

#[tokio::test]
async fn everything_is_shown_at_first_and_then_what_changes() {
    let (app, sense, judge) = sample();
    let site = Site::of(&app).await;
    assert_eq!(site.get("/topology").await.1["levels"][0]["loops"][0]["uid"], "room");
    let mut events = events(site.request(Method::GET, "/topology/stream").send().await.unwrap());
    let (kind, everything) = soon(events.next()).await.unwrap();
    assert_eq!((kind.as_str(), &everything["levels"][0]["uid"]), ("topology", &json!("house")));
    sense.push(1.0).await.unwrap();
    eventually("it has arrived", || async { judge.info().input.received == 1 }).await;
    sense.stop();
    let (mut received, mut state, mut event) = (false, false, false);
    while !(received && state && event) {
        let (kind, data) = soon(events.next()).await.unwrap();
        received |= data["room.judge"]["received"] == 1 || data.to_string().contains("\"received\":1");
        state |= data["room.sense"]["state"] == "stopped"
            || data["levels"][0]["loops"][0]["elements"][0]["state"] == "stopped";
        event |=
            kind == "event" && data == json!({"kind": "state", "path": "room.sense", "state": "stopped"});
    }
    app.create_loop("new").unwrap();
    loop {
        let (kind, data) = soon(events.next()).await.unwrap();
        if kind == "topology" && data.to_string().contains("\"new\"") {
            break;
        }
    }
}
