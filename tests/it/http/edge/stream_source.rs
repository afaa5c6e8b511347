//! Answers that go on: of stand-ins, through a network that breaks, and of mape itself.

use super::peer::{Peer, Reply, StandIn};
use crate::server::Proxy;
use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use futures::StreamExt;
use futures::stream::{iter, pending};
use mape::edge::{Client, Error, StreamEvent, StreamSource};
use mape::prelude::*;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::time::Instant;

const SOON: Duration = Duration::from_millis(10);
const EVENTS: &str = "text/event-stream; charset=utf-8";
const LINES: &str = "application/x-ndjson";

fn source(service: &str) -> StreamSource<Value> {
    let source = StreamSource::new(&format!("{service}/feed?token=s3cret")).unwrap();
    source.backoff(Backoff::constant(SOON))
}

async fn next<T>(source: &mut StreamSource<T>) -> Result<T, Error> {
    tokio::time::timeout(Duration::from_secs(10), source.next()).await.expect("nothing comes").unwrap()
}

/// That it has ended.
async fn end<T>(source: &mut StreamSource<T>) -> bool {
    tokio::time::timeout(Duration::from_secs(10), source.next()).await.expect("it goes on").is_none()
}

fn whole(kind: &'static str, text: impl Into<Body>) -> Reply {
    ([(CONTENT_TYPE, kind)], text.into()).into()
}

/// An answer that never ends.
fn lasting(kind: &'static str, text: &'static str) -> Reply {
    let pieces = iter([Ok::<_, Infallible>(Bytes::from_static(text.as_bytes()))]);
    ([(CONTENT_TYPE, kind)], Body::from_stream(pieces.chain(pending()))).into()
}

/// One that breaks in the middle.
fn breaking(kind: &'static str, text: &'static str) -> Reply {
    let pieces = iter([Ok(Bytes::from_static(text.as_bytes()))]);
    let broken = futures::stream::once(async {
        tokio::time::sleep(SOON).await;
        Err(std::io::Error::other("it breaks"))
    });
    ([(CONTENT_TYPE, kind)], Body::from_stream(pieces.chain(broken))).into()
}

fn is_interrupted(error: &Error, by: &str) -> bool {
    matches!(error, Error::Interrupted { reason, .. } if reason.contains(by))
}

#[tokio::test]
async fn events_go_on_behind_the_last_that_came() {
    let other = StandIn::answering(|number, asked| match (number, asked.header("last-event-id")) {
        (0, "") => {
            breaking(EVENTS, ": hello\n\nretry: 20\nid: 7\nevent: level\ndata: {\"m\":\ndata: 1}\n\ndata: 2")
        }
        (1, "7") => whole(EVENTS, "data: 2\n\nid: z\ndata: 3\n\n"),
        (2, "z") => lasting(EVENTS, "id\ndata: 4\n\n"),
        (_, last) => panic!("`{last}` was the last"),
    });
    let mut source = source(&other.peer.service()).events();
    let event =
        |name: &str, id: &str, item: Value| StreamEvent { name: name.to_owned(), id: id.to_owned(), item };
    assert_eq!(next(&mut source).await.unwrap(), event("level", "7", json!({"m": 1})));
    let error = next(&mut source).await.unwrap_err();
    assert!(is_interrupted(&error, "") && !error.to_string().contains("s3cret"), "{error}");
    assert_eq!(next(&mut source).await.unwrap(), event("message", "7", json!(2)));
    assert_eq!(next(&mut source).await.unwrap(), event("message", "z", json!(3)));
    assert!(is_interrupted(&next(&mut source).await.unwrap_err(), "the answer ended"));
    assert_eq!(next(&mut source).await.unwrap(), event("message", "", json!(4)));
    let asked = &other.posted()[0];
    assert_eq!(
        (asked.target.as_str(), asked.header("accept")),
        ("/feed?token=s3cret", "text/event-stream, application/x-ndjson")
    );
}

#[tokio::test]
async fn lines_come_whole_and_what_is_none_is_an_error_in_its_place() {
    let other = StandIn::answering(|number, _| match number {
        0 => breaking(LINES, "1\n\n{\"a\n[\"this one is longer than it may be\"]\n2\n{\"half\":"),
        _ => whole("application/json", "3\r\n4"),
    });
    let mut source = source(&other.peer.service()).longest(20);
    assert_eq!(next(&mut source).await.unwrap(), json!(1));
    let error = next(&mut source).await.unwrap_err();
    assert!(matches!(error, Error::Decode { .. }), "{error}");
    let error = next(&mut source).await.unwrap_err();
    assert!(matches!(error, Error::ItemTooLong { longest: 20, .. }), "{error}");
    assert_eq!(next(&mut source).await.unwrap(), json!(2));
    assert!(is_interrupted(&next(&mut source).await.unwrap_err(), ""));
    // The last line of a whole answer needs no end.
    assert_eq!(next(&mut source).await.unwrap(), json!(3));
    assert_eq!(next(&mut source).await.unwrap(), json!(4));
    assert!(is_interrupted(&next(&mut source).await.unwrap_err(), "the answer ended"));
}

#[tokio::test]
async fn what_is_posted_is_answered_once() {
    let other = StandIn::answering(|number, asked| {
        assert_eq!(asked.text(), r#"{"job":"sum"}"#);
        if number == 0 { breaking(LINES, "1\n") } else { whole(LINES, "1\n2\n") }
    });
    let job = json!({"job": "sum"});
    let mut again = source(&other.peer.service()).post(&job).unwrap();
    assert_eq!(next(&mut again).await.unwrap(), json!(1));
    assert!(is_interrupted(&next(&mut again).await.unwrap_err(), ""));
    assert_eq!(next(&mut again).await.unwrap(), json!(1));
    assert_eq!(next(&mut again).await.unwrap(), json!(2));
    assert!(end(&mut again).await && end(&mut again).await);
    let keys: Vec<_> =
        other.posted().iter().map(|posted| posted.header("idempotency-key").to_owned()).collect();
    assert!(keys[0] == keys[1] && keys[0].len() == 32, "{keys:?}");
    let other = StandIn::answering(|_, _| breaking(LINES, "1\n"));
    let once = source(&other.peer.service()).post(&job).unwrap();
    let mut once = once.backoff(Backoff::default().max_attempts(0));
    assert_eq!(next(&mut once).await.unwrap(), json!(1));
    assert!(is_interrupted(&next(&mut once).await.unwrap_err(), ""));
    assert!(end(&mut once).await);
    assert_eq!(other.posted().len(), 1);
}

#[tokio::test]
async fn what_time_can_not_change_ends_it_with_what_is_wrong() {
    for (status, body, says) in [
        (204, "", "answered 204: there is nothing more to come"),
        (401, "", "answered 401"),
        (403, r#"{"detail": "not you"}"#, "answered 403: not you"),
        (404, "", "answered 404"),
        (307, "", "answered 307"),
        (200, "<html>", "its type is `text/plain`"),
    ] {
        let status = StatusCode::from_u16(status).unwrap();
        let other = StandIn::answering(move |_, _| (status, body).into());
        let mut source = source(&other.peer.service());
        let error = next(&mut source).await.unwrap_err();
        assert!(matches!(error, Error::Answered { .. }) && error.to_string().contains(says), "{error}");
        assert!(end(&mut source).await);
        assert_eq!(other.posted().len(), 1);
    }
}

#[tokio::test]
async fn a_busy_server_is_asked_again_when_it_says() {
    let other = StandIn::answering(|number, asked| {
        assert_eq!(asked.header("authorization"), "Bearer hunter2");
        match number {
            0 | 1 => StatusCode::BAD_GATEWAY.into(),
            2 => (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "1")], "").into(),
            _ => lasting(LINES, "1\n"),
        }
    });
    let client = Client::new().token("hunter2").unwrap();
    let mut source = source(&other.peer.service()).client(&client);
    let error = next(&mut source).await.unwrap_err();
    assert!(error.to_string().ends_with("answered 502"), "{error}");
    let error = next(&mut source).await.unwrap_err();
    assert!(error.to_string().ends_with("answered 429"), "{error}");
    let begun = Instant::now();
    assert_eq!(next(&mut source).await.unwrap(), json!(1));
    assert!(begun.elapsed() > Duration::from_millis(900));
    assert!(!format!("{source:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_broken_and_a_silent_network_are_told_and_outlived() {
    let ticking = || async {
        let ticks = futures::stream::unfold(0_u32, async |number| {
            tokio::time::sleep(SOON).await;
            Some((Ok::<_, Infallible>(format!("data: {number}\n\n")), number + 1))
        });
        ([(CONTENT_TYPE, EVENTS)], Body::from_stream(ticks)).into_response()
    };
    let peer = Peer::start(axum::Router::new().fallback(ticking));
    let proxy = Proxy::to(peer.address.port(), &peer.service());
    let mut source = source(&proxy.url()).idle(Duration::from_millis(300));
    let until_error = async |source: &mut StreamSource<Value>| loop {
        if let Err(error) = next(source).await {
            return error;
        }
    };
    assert_eq!(next(&mut source).await.unwrap(), json!(0));
    proxy.cut();
    assert!(is_interrupted(&until_error(&mut source).await, ""));
    assert_eq!(next(&mut source).await.unwrap(), json!(0));
    proxy.hold();
    assert!(is_interrupted(&until_error(&mut source).await, "nothing came for 300ms"));
    proxy.refuse(true);
    proxy.cut();
    let error = until_error(&mut source).await;
    assert!(matches!(error, Error::NoAnswer { .. }) && !error.to_string().contains("s3cret"), "{error}");
    proxy.refuse(false);
    proxy.resume();
    while next(&mut source).await.is_err() {}
}

#[tokio::test]
async fn what_an_element_of_another_app_emits_feeds_one_of_this() {
    let far = App::new();
    let speeds = far.create_loop("car").unwrap().monitor("speeds").map(|speed: u64| speed).spawn().unwrap();
    speeds.expose();
    speeds.start().unwrap();
    let serving = far.serve("127.0.0.1:0").await.unwrap();
    let near = App::new();
    let doubled = near.create_loop("l").unwrap().monitor("m").map(|speed: u64| speed * 2).spawn().unwrap();
    let mut out = doubled.subscribe();
    let source =
        StreamSource::<u64>::new(&format!("{}/loops/car/elements/speeds/stream", serving.url())).unwrap();
    let source = source.backoff(Backoff::constant(SOON));
    doubled.feed(source.filter_map(async |speed| speed.ok()));
    doubled.start().unwrap();
    let pushed = futures::stream::unfold((), async |()| {
        speeds.push(21).await.unwrap();
        tokio::time::sleep(SOON).await;
        Some(((), ()))
    });
    // Until it is connected, nobody hears.
    let first = tokio::select! {
        first = out.next() => first,
        () = pushed.for_each(async |()| {}) => None,
    };
    assert_eq!(first, Some(42));
    serving.close(Duration::ZERO).await;
}
