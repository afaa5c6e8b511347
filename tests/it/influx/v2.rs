//! API v2, as a double that looks at every byte, and answers as InfluxDB 2 and 3 do.

use super::defaults::{lines, server, takes_all, unpacked};
use crate::http::edge::peer::{Peer, Posted, Reply, StandIn};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::IntoResponse;
use futures::SinkExt;
use mape::edge::influxdb::{Point, Precision};
use mape::edge::{Client, InfluxSink};
use mape::element::Overflow;
use mape::stream::Backoff;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

fn soon() -> Backoff {
    Backoff::exponential(Duration::from_millis(5), Duration::from_millis(50))
}

/// Points of a series, by number, each a nanosecond later.
fn point(number: i64) -> Point {
    Point::new("count").tag("of", "all").field("n", number).at_nanoseconds(number)
}

async fn feed(sink: &mut InfluxSink<Point>, count: i64) {
    for number in 0..count {
        sink.feed(point(number)).await.unwrap();
    }
}

#[tokio::test]
async fn every_byte_of_a_request_is_right() {
    let there = takes_all();
    let server = server(&there).org("the town").bucket("water/level&co").token("t0ken==").unwrap();
    let mut sink = InfluxSink::<Point>::raw(&server);
    feed(&mut sink, 3).await;
    sink.close().await.unwrap();
    let [Posted { target, headers, body }] = &there.posted()[..] else { panic!("one request") };
    assert_eq!(target, "/api/v2/write?org=the+town&bucket=water%2Flevel%26co&precision=ns");
    let header = |name: &str| headers[name].to_str().unwrap();
    assert_eq!(header("authorization"), "Token t0ken==");
    assert_eq!(header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(header("content-encoding"), "gzip");
    assert_eq!(header("accept"), "application/json");
    assert_eq!(header("content-length"), body.len().to_string());
    assert_eq!(header("user-agent"), format!("mape/{}", env!("CARGO_PKG_VERSION")));
    let names: Vec<_> = headers.keys().map(|name| name.as_str()).collect();
    assert_eq!(names.len(), 8, "{names:?}");
    assert_eq!(headers["host"], there.peer.service());
    assert_eq!(unpacked(body), "count,of=all n=0i 0\ncount,of=all n=1i 1\ncount,of=all n=2i 2\n");
}

#[tokio::test]
async fn without_compression_and_in_milliseconds_it_is_what_it_is() {
    let there = takes_all();
    let mut sink = InfluxSink::raw(&server(&there)).gzip(false).precision(Precision::Milliseconds);
    sink.feed(Point::new("m").field("v", 1.5).at_nanoseconds(1_999_999)).await.unwrap();
    sink.close().await.unwrap();
    let posted = there.posted();
    assert_eq!(posted[0].text(), "m v=1.5 1\n");
    assert!(
        posted[0].target.ends_with("precision=ms") && !posted[0].headers.contains_key("content-encoding")
    );
}

#[tokio::test]
async fn batches_are_bounded_by_number_by_bytes_and_by_time() {
    let there = takes_all();
    let few = InfluxSink::raw(&server(&there)).batch_wait(Duration::from_hours(1));
    let mut sink = few.batch_points(NonZeroUsize::new(10).unwrap());
    feed(&mut sink, 25).await;
    sink.close().await.unwrap();
    let counts =
        || -> Vec<_> { there.posted().iter().map(|posted| unpacked(&posted.body).lines().count()).collect() };
    assert_eq!(counts(), [10, 10, 5]);
    let small = InfluxSink::raw(&server(&there)).batch_wait(Duration::from_hours(1));
    let mut sink = small.batch_bytes(NonZeroUsize::new(60).unwrap());
    feed(&mut sink, 6).await;
    sink.close().await.unwrap();
    assert_eq!(counts()[3..], [3, 3]);
    // Nobody closes or flushes this one.
    let mut sink = InfluxSink::raw(&server(&there)).batch_wait(Duration::from_millis(20));
    let stats = sink.stats();
    feed(&mut sink, 3).await;
    crate::suite::eventually("they are written", async || stats.written() == 3).await;
    assert_eq!(counts()[5..], [3]);
}

#[tokio::test]
async fn at_once_a_flush_waits_until_all_is_written() {
    let there = takes_all();
    let mut sink = InfluxSink::raw(&server(&there)).at_once();
    for number in 0..3 {
        sink.send(point(number)).await.unwrap();
        assert_eq!(lines(&there).last().unwrap(), &format!("count,of=all n={number}i {number}"));
    }
}

fn answer(status: u16, body: &'static str) -> Reply {
    (StatusCode::from_u16(status).unwrap(), body).into()
}

#[tokio::test]
async fn a_busy_server_is_asked_again_after_the_time_that_it_says() {
    let there = StandIn::answering(|number, _| match number {
        0 => answer(503, ""),
        1 => {
            let mut headers = HeaderMap::new();
            headers.insert("retry-after", HeaderValue::from_static("1"));
            (StatusCode::TOO_MANY_REQUESTS, headers).into_response().into()
        }
        2 => Reply::Cut,
        _ => answer(204, ""),
    });
    let mut sink = InfluxSink::raw(&server(&there)).backoff(soon());
    let stats = sink.stats();
    let begun = Instant::now();
    feed(&mut sink, 100).await;
    sink.close().await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_eq!((stats.written(), stats.retried(), stats.refused()), (100, 3, 0));
    let bodies: Vec<_> = there.posted().iter().map(|posted| unpacked(&posted.body)).collect();
    assert!(bodies.iter().all(|body| *body == bodies[0]), "the same again, with the same times");
}

#[tokio::test]
async fn what_no_waiting_mends_is_given_up_at_once() {
    for status in [401, 403, 404, 301] {
        let there = StandIn::answering(move |_, _| answer(status, r#"{"code":"x","message":"no"}"#));
        let mut sink = InfluxSink::raw(&server(&there));
        let stats = sink.stats();
        let begun = Instant::now();
        feed(&mut sink, 100).await;
        sink.close().await.unwrap();
        assert!(begun.elapsed() < Duration::from_secs(5));
        assert_eq!((stats.refused(), stats.retried(), there.posted().len()), (100, 0, 1), "{status}");
        assert!(stats.last_error().unwrap().contains(&format!("answered {status}: no (")));
    }
}

/// Refuses a body with a bad number in it, and keeps nothing of it.
fn picky(bad: &'static [i64]) -> StandIn {
    StandIn::answering(move |_, posted| {
        let body = unpacked(&posted.body);
        let is_bad = |line: &str| bad.iter().any(|number| line.ends_with(&format!("n={number}i {number}")));
        if body.lines().any(is_bad) {
            return answer(400, r#"{"code":"invalid","message":"unable to parse 'count': it is bad"}"#);
        }
        answer(204, "")
    })
}

#[tokio::test]
async fn a_refused_point_does_not_take_its_batch_along() {
    const BAD: &[i64] = &[0, 17, 18, 500, 999];
    let there = picky(BAD);
    let mut sink = InfluxSink::raw(&server(&there));
    let (stats, refusals) = (sink.stats(), sink.refusals());
    feed(&mut sink, 1000).await;
    sink.close().await.unwrap();
    assert_eq!((stats.written(), stats.refused(), stats.dropped()), (995, 5, 0));
    assert!(there.posted().len() < 200, "{} requests", there.posted().len());
    drop(sink);
    let refused: Vec<_> = futures::StreamExt::collect::<Vec<_>>(refusals).await;
    for (refusal, number) in refused.into_iter().zip(BAD) {
        let mape::stream::Lossy::Item(refusal) = refusal else { panic!("{refusal:?}") };
        assert_eq!(refusal.value, format!("count,of=all n={number}i {number}"));
        assert!(refusal.error.to_string().contains("it is bad"), "{}", refusal.error);
    }
}

#[tokio::test]
async fn a_body_that_is_too_long_is_divided() {
    let there = StandIn::answering(|_, posted| {
        if unpacked(&posted.body).lines().count() > 100 { answer(413, "") } else { answer(204, "") }
    });
    let mut sink = InfluxSink::raw(&server(&there));
    let stats = sink.stats();
    feed(&mut sink, 1000).await;
    sink.close().await.unwrap();
    assert_eq!((stats.written(), stats.refused()), (1000, 0));
}

#[tokio::test]
async fn influxdb_3_says_of_a_line_what_is_wrong_with_it() {
    let there = StandIn::answering(|_, _| {
        answer(
            400,
            r#"{"error":"partial write of line protocol occurred","data":[{"original_line":"m","line_number":1,
            "error_message":"invalid column type"}]}"#,
        )
    });
    let mut sink = InfluxSink::raw(&server(&there));
    let stats = sink.stats();
    feed(&mut sink, 1).await;
    sink.close().await.unwrap();
    assert!(stats.last_error().unwrap().contains("invalid column type"), "{:?}", stats.last_error());
}

#[tokio::test]
async fn a_full_queue_gives_way_as_it_is_told_and_counts() {
    // What is under way when the queue runs full is kept besides.
    for (overflow, kept) in [(Overflow::DropOldest, 9_900..10_000), (Overflow::DropNewest, 0..100)] {
        let address = std::net::SocketAddr::from(([127, 0, 0, 1], crate::server::free_port()));
        let server = mape::edge::InfluxServer::new(&address.to_string()).unwrap().bucket("b");
        let sink = InfluxSink::raw(&server).overflow(overflow).backoff(soon());
        let mut sink = sink.capacity(NonZeroUsize::new(100).unwrap());
        let stats = sink.stats();
        feed(&mut sink, 10_000).await;
        let queued = stats.queued() as u64;
        assert!((100..=200).contains(&queued), "{queued} with those under way");
        assert_eq!(stats.dropped() + queued, 10_000);
        let arrived = Arc::<Mutex<Vec<i64>>>::default();
        let arriving = arrived.clone();
        let router = axum::Router::new().fallback(move |body: axum::body::Bytes| async move {
            let lines = unpacked(&body);
            let numbers = lines.lines().map(|line| line.rsplit(' ').next().unwrap().parse::<i64>().unwrap());
            arriving.lock().unwrap().extend(numbers);
            StatusCode::NO_CONTENT
        });
        let _there = Peer::start_at(address, router);
        sink.close().await.unwrap();
        let arrived = arrived.lock().unwrap().clone();
        assert!(arrived.is_sorted() && arrived.len() as u64 == queued, "{arrived:?}");
        let kept_of_these: Vec<_> = arrived.iter().copied().filter(|number| kept.contains(number)).collect();
        assert_eq!(kept_of_these, kept.collect::<Vec<_>>(), "{overflow:?}");
    }
}

#[tokio::test]
async fn many_bytes_are_as_full_as_many_points() {
    let server = mape::edge::InfluxServer::new("127.0.0.1:1").unwrap().bucket("b");
    let mut sink = InfluxSink::raw(&server)
        .overflow(Overflow::DropOldest)
        .capacity_bytes(NonZeroUsize::new(100_000).unwrap())
        .batch_bytes(NonZeroUsize::new(50_000).unwrap());
    let stats = sink.stats();
    for number in 0..100 {
        let text = "x".repeat(10_000);
        sink.feed(Point::new("m").field("text", text).at_nanoseconds(number)).await.unwrap();
    }
    assert!(stats.queued() <= 16, "{}", stats.queued());
    assert_eq!(stats.dropped() + stats.queued() as u64, 100);
}

#[tokio::test]
async fn what_is_old_is_given_up_and_a_client_has_its_own_headers() {
    let there = StandIn::answering(|_, _| answer(503, ""));
    let client = Client::new().header("X-Tenant", "7").unwrap();
    let server = server(&there).client(&client);
    let mut sink = InfluxSink::raw(&server).backoff(soon()).give_up_after(Duration::from_millis(100));
    let stats = sink.stats();
    feed(&mut sink, 10).await;
    sink.close().await.unwrap();
    assert_eq!((stats.dropped(), stats.written()), (10, 0));
    assert!(stats.last_error().unwrap().contains("given up"));
    assert_eq!(there.posted()[0].header("x-tenant"), "7");
}

#[tokio::test]
async fn texts_that_only_influxdb_reads_go_to_nobody_else() {
    let share = || Point::new("m").tag("share", r"\\server\share").field("v", 1).at_nanoseconds(1);
    let asked = StandIn::answering(|_, posted| {
        if posted.target == "/ping" {
            (StatusCode::NO_CONTENT, [("x-influxdb-build", "OSS")]).into()
        } else {
            answer(204, "")
        }
    });
    let mut sink = InfluxSink::raw(&server(&asked));
    sink.feed(share()).await.unwrap();
    sink.close().await.unwrap();
    let targets: Vec<_> = asked.posted().into_iter().map(|posted| posted.target).collect();
    assert_eq!(targets[0], "/ping");
    assert_eq!(unpacked(&asked.posted()[1].body), "m,share=\\\\server\\share v=1i 1\n");

    let other = takes_all();
    let mut sink = InfluxSink::raw(&server(&other));
    let stats = sink.stats();
    sink.feed(point(1)).await.unwrap();
    sink.feed(share()).await.unwrap();
    sink.feed(point(2)).await.unwrap();
    sink.close().await.unwrap();
    assert_eq!((stats.written(), stats.refused()), (2, 1));
    assert!(stats.last_error().unwrap().contains("only InfluxDB reads"));
}
