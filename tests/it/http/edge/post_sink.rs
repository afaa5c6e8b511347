//! What a sink posts, and what becomes of it.

use super::peer::{Peer, Posted, Reply, StandIn, accepted, breaking};
use crate::http::site::Site;
use crate::suite::eventually;
use axum::http::StatusCode;
use futures::{SinkExt, StreamExt, stream};
use mape::app::App;
use mape::edge::{Client, Endpoints, Error, PostFormat, PostOptions, PostPort, PostSink};
use mape::element::{LinkOptions, Overflow};
use mape::http::Service;
use mape::stream::{Backoff, Lossy};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::timeout;

/// Soon again, so that tests are done soon.
fn soon() -> Backoff {
    Backoff::exponential(Duration::from_millis(5), Duration::from_millis(200))
}

fn sink(peer: &Peer) -> PostSink<u64> {
    PostSink::new(&peer.service(), "/items").unwrap().backoff(soon())
}

fn lines(posted: &Posted) -> usize {
    posted.text().lines().count()
}

/// Takes everything, as mape does.
fn takes_all(_: usize, posted: &Posted) -> Reply {
    accepted(StatusCode::OK, lines(posted))
}

fn service(endpoints: &Endpoints) -> axum::Router {
    Service::new(&App::new()).endpoints(endpoints).router().unwrap()
}

#[tokio::test]
async fn what_an_element_emits_arrives_in_order_and_many_in_one_body() {
    let endpoints = Endpoints::new();
    let source = endpoints.source::<u64>("/items", PostOptions::new()).unwrap();
    let (router, requests) = breaking(service(&endpoints), usize::MAX);
    let peer = Peer::start(router);
    let app = App::new();
    let counts = app.create_loop("car").unwrap().monitor("counts").map(|n: u64| n).spawn().unwrap();
    let sink = sink(&peer);
    let stats = sink.stats();
    counts.link_sink(sink, LinkOptions::new()).unwrap();
    counts.start().unwrap();
    counts.feed(stream::iter(0..5000));
    let all: Vec<u64> = source.take(5000).collect().await;
    assert_eq!(all, (0..5000).collect::<Vec<_>>());
    eventually("all is sent", async || stats.queued() == 0).await;
    assert_eq!((stats.sent(), stats.retried(), stats.dropped(), stats.refused()), (5000, 0, 0, 0));
    let requests = requests.load(Ordering::SeqCst);
    assert!(requests < 200, "{requests} requests");
}

#[tokio::test]
async fn away_for_five_seconds_and_breaking_connections_it_is_sent_everything_once_and_in_order() {
    const ALL: u64 = 10_000;
    let app = App::new();
    let count = app.create_loop("car").unwrap().plan("count").map(|n: u64| n).spawn().unwrap();
    count.expose();
    let counted = count.subscribe();
    let router = Service::new(&app).router().unwrap();
    let peer = Peer::start(breaking(router.clone(), 3).0);
    let sink = PostSink::new(&peer.service(), "car.count").unwrap().backoff(soon());
    let (address, mut sink) = (peer.address, sink.capacity(100.try_into().unwrap()));
    let stats = sink.stats();
    let fed = tokio::spawn(async move {
        for n in 0..ALL {
            sink.feed(n).await?;
            if n % 100 == 99 {
                sink.flush().await?;
            }
        }
        sink.close().await
    });
    let away = tokio::spawn({
        let stats = stats.clone();
        async move {
            eventually("some is sent", async || stats.sent() > 2000).await;
            drop(peer);
            tokio::time::sleep(Duration::from_secs(5)).await;
            Peer::start_at(address, breaking(router, 7).0)
        }
    });
    let all = counted.take(usize::try_from(ALL).unwrap()).collect::<Vec<_>>();
    let all = timeout(Duration::from_mins(1), all).await.expect("it should all be there within a minute");
    assert_eq!(all, (0..ALL).collect::<Vec<_>>());
    fed.await.unwrap().unwrap();
    let peer = away.await.unwrap();
    assert_eq!((stats.sent(), stats.dropped(), stats.refused(), stats.queued()), (ALL, 0, 0, 0));
    assert!(stats.retried() > 5 && stats.last_error().is_some(), "{stats:?}");
    drop(peer);
}

#[tokio::test]
async fn errors_refusals_and_what_is_given_up_leave_the_order_of_a_port_as_it_is() {
    let app = App::new();
    let count = app.create_loop("car").unwrap().plan("count").map(|n: u64| n).spawn().unwrap();
    count.expose();
    let seen = count.subscribe().signals().map(|signal| signal.map_err(|error| error.to_string()));
    let site = Site::of(&app).await;
    let sends = app.create_loop("sender").unwrap();
    let send = sends.monitor("send").try_map(|item: Value| if item == 2 { Err("two") } else { Ok(item) });
    let send = send.spawn().unwrap();
    let sink = PostSink::new(&site.serving.url(), "car.count").unwrap().backoff(soon());
    let stats = sink.stats();
    send.link_signals(sink.signals(), LinkOptions::new()).unwrap();
    send.start().unwrap();
    send.feed(stream::iter([json!(1), json!(2), json!("no number"), json!(4), json!(5)]));
    let seen: Vec<_> = seen.take(4).collect().await;
    assert!(matches!(&seen[..], [Ok(1), Err(error), Ok(4), Ok(5)] if error.contains("two")), "{seen:?}");
    eventually("all is sent", async || stats.queued() == 0).await;
    assert_eq!((stats.sent(), stats.refused(), stats.retried()), (4, 1, 0), "{stats:?}");
    let error = stats.last_error().unwrap();
    assert!(error.contains("answered 422") && error.contains("no number"), "{error}");
}

#[tokio::test]
async fn after_something_was_given_up_a_port_takes_what_comes_then() {
    let app = App::new();
    let count = app.create_loop("car").unwrap().plan("count").map(|n: u64| n).spawn().unwrap();
    count.expose();
    let mut counted = count.subscribe();
    let router = Service::new(&app).router().unwrap();
    let peer = Peer::start(router.clone());
    let sink = PostSink::new(&peer.service(), "car.count").unwrap().backoff(soon());
    let mut sink = sink.give_up_after(Duration::from_millis(200));
    sink.send(1).await.unwrap();
    let address = peer.address;
    drop(peer);
    sink.send(2).await.unwrap();
    let _peer = Peer::start_at(address, router);
    sink.send(3).await.unwrap();
    assert_eq!((counted.next().await, counted.next().await), (Some(1), Some(3)));
    assert_eq!((sink.stats().sent(), sink.stats().dropped()), (2, 1), "{:?}", sink.stats());
}

#[tokio::test]
async fn a_service_that_knows_no_lines_of_json_gets_items_one_by_one() {
    // It breaks the connection after its third request, which is the second item.
    let other = StandIn::answering(|number, posted| match posted.header("content-type") {
        "application/json" if number == 2 => Reply::Cut,
        "application/json" => StatusCode::CREATED.into(),
        _ => StatusCode::UNSUPPORTED_MEDIA_TYPE.into(),
    });
    let mut sink = sink(&other.peer);
    sink.send_all(&mut stream::iter([1, 2, 3].map(Ok))).await.unwrap();
    assert_eq!(other.texts(), ["1\n", "1", "2", "2", "3"]);
    let keys: Vec<String> =
        other.posted().iter().map(|posted| posted.header("idempotency-key").to_owned()).collect();
    assert_eq!((&keys[0], &keys[2]), (&keys[1], &keys[3]));
    assert!(keys[1] != keys[2] && keys[3] != keys[4] && !keys[4].is_empty(), "{keys:?}");
    assert_eq!(other.posted()[4].target, "/items");
    assert_eq!((sink.stats().sent(), sink.stats().retried()), (3, 1));
}

#[tokio::test]
async fn a_service_that_takes_anything_never_gets_two_items_in_one_body() {
    let other = StandIn::answering(|_, _| "thank you".into());
    let mut sink = sink(&other.peer);
    for n in 0..20 {
        sink.feed(n).await.unwrap();
    }
    sink.close().await.unwrap();
    let items: Vec<u64> = other.texts().iter().map(|text| text.trim().parse().unwrap()).collect();
    assert_eq!(items, (0..20).collect::<Vec<_>>());
    assert!(matches!(sink.send(1).await, Err(Error::Closed { .. })));
}

#[tokio::test]
async fn a_busy_service_is_asked_again_when_it_says_and_for_what_it_has_not_taken() {
    let busy = StandIn::answering(|number, posted| {
        if number == 1 {
            return ([("retry-after", "1")], StatusCode::TOO_MANY_REQUESTS, r#"{"accepted": 4}"#)
                .into_answer();
        }
        takes_all(number, posted)
    });
    let mut sink = sink(&busy.peer);
    sink.send(0).await.unwrap();
    let begun = std::time::Instant::now();
    for n in 1..=10 {
        sink.feed(n).await.unwrap();
    }
    sink.flush().await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(1));
    assert_eq!(busy.texts(), ["0\n", "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n", "5\n6\n7\n8\n9\n10\n"]);
    let posted = busy.posted();
    let firsts: Vec<&str> = posted.iter().map(|posted| posted.header("mape-first")).collect();
    assert_eq!(firsts, ["0", "1", "5"]);
    assert_eq!(posted[0].header("mape-sender"), posted[2].header("mape-sender"));
    assert_eq!(posted[0].header("mape-sender").len(), 32);
}

trait IntoAnswer {
    fn into_answer(self) -> Reply;
}

impl<H: axum::response::IntoResponseParts, B: axum::response::IntoResponse> IntoAnswer
    for (H, StatusCode, B)
{
    fn into_answer(self) -> Reply {
        let (headers, status, body) = self;
        (status, headers, body).into()
    }
}

#[tokio::test]
async fn what_is_refused_for_good_is_told_and_does_not_hold_up_the_rest() {
    let picky = StandIn::answering(|_, posted| match posted.text().lines().position(|line| line == "13") {
        Some(at) => {
            (StatusCode::UNPROCESSABLE_ENTITY, format!(r#"{{"accepted": {at}, "detail": "unlucky"}}"#)).into()
        }
        None => accepted(StatusCode::OK, lines(posted)),
    });
    let mut sink = sink(&picky.peer);
    let mut refusals = sink.refusals();
    sink.send(0).await.unwrap();
    for n in 10..20 {
        sink.feed(n).await.unwrap();
    }
    sink.close().await.unwrap();
    assert_eq!(picky.texts()[2], "14\n15\n16\n17\n18\n19\n");
    let Some(Lossy::Item(refusal)) = refusals.next().await else { panic!("it was not told") };
    assert_eq!((refusal.value, refusal.is_error), (json!(13), false));
    let place = format!("http://{}/items", picky.peer.service());
    assert_eq!(refusal.error.to_string(), format!("{place} answered 422: unlucky"));
    assert_eq!((sink.stats().sent(), sink.stats().refused()), (10, 1));
    assert_eq!(sink.stats().last_error(), Some(format!("{place} answered 422: unlucky")));
}

#[tokio::test]
async fn a_body_that_is_too_long_is_divided() {
    let small = StandIn::answering(|number, posted| {
        if posted.body.len() > 20 { StatusCode::PAYLOAD_TOO_LARGE.into() } else { takes_all(number, posted) }
    });
    let mut sink = PostSink::<String>::new(&small.peer.service(), "/items").unwrap().backoff(soon());
    sink.send("a".into()).await.unwrap();
    for text in ["bbbb", "cccc", "dddd", "a text that is longer than all", "eeee"] {
        sink.feed(text.to_owned()).await.unwrap();
    }
    sink.close().await.unwrap();
    assert_eq!((sink.stats().sent(), sink.stats().refused()), (5, 1));
    let taken: String = small.posted().iter().filter(|p| p.body.len() <= 20).map(Posted::text).collect();
    assert_eq!(taken.replace('\n', ""), r#""a""bbbb""cccc""dddd""eeee""#);
}

#[tokio::test]
async fn while_nobody_is_there_the_queue_gives_way_as_it_is_told() {
    // Nobody listens at a port that was just given back.
    let address = Peer::start(axum::Router::new()).service();
    for (overflow, kept) in [(Overflow::DropOldest, [0, 8, 9]), (Overflow::DropNewest, [0, 1, 2])] {
        let sink = PostSink::<u64>::new(&address, "/items").unwrap().backoff(soon());
        let mut sink = sink.capacity(2.try_into().unwrap()).overflow(overflow);
        let stats = sink.stats();
        sink.send(0).await.unwrap();
        eventually("the first is under way", async || stats.last_error().is_some()).await;
        for n in 1..10 {
            sink.send(n).await.unwrap();
        }
        assert_eq!((stats.queued(), stats.dropped()), (3, 7));
        let peer = {
            let address = address.parse().unwrap();
            let (posted, seen) = std::sync::mpsc::channel::<String>();
            let router = axum::Router::new().fallback(move |body: String| async move {
                posted.send(body.clone()).unwrap();
                format!(r#"{{"accepted": {}}}"#, body.lines().count())
            });
            (Peer::start_at(address, router), seen)
        };
        sink.close().await.unwrap();
        let items: Vec<u64> = peer.1.try_iter().flat_map(|body| numbers(&body)).collect();
        assert_eq!(items, kept);
    }
}

fn numbers(body: &str) -> Vec<u64> {
    body.lines().map(|line| line.parse().unwrap()).collect()
}

#[tokio::test]
async fn by_default_who_feeds_it_waits_and_nothing_is_given_up() {
    let address = Peer::start(axum::Router::new()).service();
    let sink = PostSink::<u64>::new(&address, "/items").unwrap().backoff(soon());
    let mut sink = sink.capacity(2.try_into().unwrap());
    let fed = timeout(Duration::from_millis(300), async {
        for n in 0..10 {
            sink.feed(n).await.unwrap();
        }
    });
    assert!(fed.await.is_err(), "there was room for everything");
    let stats = sink.stats();
    assert!(stats.queued() <= 3 && stats.retried() > 0 && stats.dropped() == 0, "{stats:?}");
    let queued = stats.queued() as u64;
    drop(sink);
    eventually("what was left is counted", async || stats.dropped() == queued).await;
}

#[tokio::test]
async fn what_could_not_be_delivered_in_time_is_given_up_if_that_is_asked_for() {
    let address = Peer::start(axum::Router::new()).service();
    let sink = PostSink::<u64>::new(&address, "/items").unwrap().backoff(soon());
    let mut sink = sink.give_up_after(Duration::from_millis(100));
    let mut refusals = sink.refusals();
    sink.send(7).await.unwrap();
    assert_eq!((sink.stats().dropped(), sink.stats().queued()), (1, 0));
    let Some(Lossy::Item(refusal)) = refusals.next().await else { panic!("it was not told") };
    assert_eq!(refusal.value, json!(7));
    assert!(matches!(refusal.error, Error::Expired { .. }), "{}", refusal.error);
}

#[tokio::test]
async fn a_slow_service_loses_nothing_however_long_items_wait_for_their_turn() {
    let other = StandIn::answering(|_, _| {
        // It is busy for a while.
        let (_open, never) = std::sync::mpsc::channel::<()>();
        let _nothing = never.recv_timeout(Duration::from_millis(20));
        StatusCode::CREATED.into()
    });
    let sink = PostSink::<u64>::new(&other.peer.service(), "/items").unwrap();
    let mut sink = sink.give_up_after(Duration::from_millis(100));
    for number in 0..20 {
        sink.feed(number).await.unwrap();
    }
    sink.close().await.unwrap();
    assert_eq!((sink.stats().sent(), sink.stats().dropped()), (20, 0), "{:?}", sink.stats());
}

#[tokio::test]
async fn errors_and_the_end_are_posted_in_their_place() {
    let other = StandIn::answering(takes_all);
    let app = App::new();
    let car = app.create_loop("car").unwrap();
    let detect =
        car.monitor("detect").try_map(|n: u64| if n == 2 { Err("flat") } else { Ok(n) }).spawn().unwrap();
    let sink = PostSink::new(&other.peer.service(), "town.ambulance.policy").unwrap();
    let sink = sink.port(PostPort::Out).completing().backoff(soon());
    detect.link_signals(sink.signals(), LinkOptions::new()).unwrap();
    detect.start().unwrap();
    detect.feed(stream::iter([1, 2, 3]));
    eventually("the end is posted", async || other.posted().len() == 4).await;
    let posted = other.posted();
    let path = "/loops/ambulance/elements/policy?port=out&notification";
    let targets: Vec<&str> = posted.iter().map(|posted| posted.target.as_str()).collect();
    let kinds = ["next", "error", "next", "completed"].map(|kind| format!("{path}={kind}"));
    assert_eq!(targets, kinds);
    let error: Value = serde_json::from_slice(&posted[1].body).unwrap();
    assert_eq!(error, json!({"message": "failed: flat", "path": "car.detect"}));
    assert_eq!((posted[0].text(), posted[2].text(), posted[3].text()), ("1\n", "3\n", ""));
}

#[tokio::test]
async fn a_token_is_shown_to_whom_it_is_meant_for_and_to_nobody_else() {
    let stranger = StandIn::answering(takes_all);
    let elsewhere = format!("http://{}/items", stranger.peer.service());
    let other = StandIn::answering(move |_, _| {
        ([("location", elsewhere.as_str())], StatusCode::TEMPORARY_REDIRECT, "").into_answer()
    });
    let client = Client::new().token("hunter2").unwrap().header("X-Car", "panda").unwrap();
    let mut sink = sink(&other.peer).client(&client);
    sink.send(1).await.unwrap();
    assert_eq!(other.posted()[0].header("authorization"), "Bearer hunter2");
    assert_eq!(other.posted()[0].header("x-car"), "panda");
    assert_eq!((stranger.posted().len(), sink.stats().refused()), (0, 1));
    let said = format!("{:?} {sink:?} {client:?}", sink.stats());
    assert!(said.contains("answered 307") && !said.contains("hunter2"), "{said}");
}

#[tokio::test]
async fn message_pack_is_sent_an_item_a_request() {
    let other = StandIn::answering(|_, _| r#"{"accepted": 1}"#.into());
    let sink = PostSink::<Value>::new(&other.peer.service(), "car.detect").unwrap();
    let mut sink = sink.format(PostFormat::MessagePack);
    for item in [json!({"speed": 42}), json!([1, null])] {
        sink.send(item.clone()).await.unwrap();
        let posted = other.posted().pop().unwrap();
        assert_eq!(posted.header("content-type"), "application/msgpack");
        assert_eq!(rmp_serde::from_slice::<Value>(&posted.body).unwrap(), item);
    }
}

#[tokio::test]
async fn an_item_that_cannot_be_written_is_refused_and_the_next_goes_on() {
    #[derive(serde::Serialize)]
    #[serde(untagged)]
    enum Item {
        Good(u8),
        Bad(std::collections::BTreeMap<Vec<u8>, u8>),
    }
    let other = StandIn::answering(takes_all);
    let mut sink = PostSink::new(&other.peer.service(), "car.detect").unwrap();
    let bad = [(vec![1], 1)].into();
    for item in [Item::Good(1), Item::Bad(bad), Item::Good(2)] {
        sink.send(item).await.unwrap();
    }
    assert_eq!(other.texts(), ["1\n", "2\n"]);
    let error = sink.stats().last_error().unwrap();
    assert!(sink.stats().refused() == 1 && error.contains("key must be a string"), "{error}");
}
