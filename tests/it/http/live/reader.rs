//! Answers that go on, line by line and event by event.

use reqwest::Response;
use serde_json::Value;
use std::time::Duration;
use tokio::time::timeout;

/// How long is waited for what has to come.
const PATIENCE: Duration = Duration::from_secs(20);

/// The lines of an answer.
pub(super) struct Lines {
    response: Response,
    read: Vec<u8>,
}

impl Lines {
    pub(super) fn of(response: Response) -> Self {
        assert_eq!(response.status(), 200);
        Self { response, read: Vec::new() }
    }

    /// The next line, without its end; `None` behind the last.
    pub(super) async fn next(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.read.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.read.drain(..=end).collect();
                return Some(String::from_utf8(line).unwrap().trim_end_matches('\n').to_owned());
            }
            let chunk = timeout(PATIENCE, self.response.chunk()).await.expect("something comes");
            if let Some(chunk) = chunk.unwrap() {
                self.read.extend_from_slice(&chunk);
            } else {
                assert!(self.read.is_empty(), "the last line has an end");
                return None;
            }
        }
    }

    /// The next line as JSON; there has to be one.
    pub(super) async fn json(&mut self) -> Value {
        let line = self.next().await.expect("a line");
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON: {line:?}"))
    }

    /// All lines until the end.
    pub(super) async fn rest(mut self) -> Vec<Value> {
        let mut all = Vec::new();
        while let Some(line) = self.next().await {
            all.push(serde_json::from_str(&line).unwrap());
        }
        all
    }
}

/// An event (SSE).
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Event {
    pub(super) id: Option<String>,
    pub(super) kind: String,
    pub(super) data: Value,
    /// There is nothing but a comment.
    pub(super) is_comment: bool,
}

/// The events of an answer.
pub(super) struct Events(Lines);

impl Events {
    pub(super) fn of(response: Response) -> Self {
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self(Lines::of(response))
    }

    /// The next event, or the next comment or id by itself; `None` behind the last.
    pub(super) async fn any(&mut self) -> Option<Event> {
        let mut event = Event::default();
        loop {
            let line = self.0.next().await?;
            match line.split_once(':') {
                None => {
                    assert_eq!(line, "");
                    return Some(event);
                }
                Some(("", _)) => event.is_comment = true,
                Some(("id", id)) => event.id = Some(id.trim_start().to_owned()),
                Some(("event", kind)) => kind.trim_start().clone_into(&mut event.kind),
                Some(("data", data)) => event.data = serde_json::from_str(data).unwrap(),
                _ => panic!("{line:?}"),
            }
        }
    }

    /// The next event with data; there has to be one.
    pub(super) async fn next(&mut self) -> Event {
        loop {
            let event = self.any().await.expect("an event");
            if event.data != Value::Null {
                return event;
            }
        }
    }
}
