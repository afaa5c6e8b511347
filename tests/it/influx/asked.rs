//! Who one is to a server, and what it says of that and of itself.

use super::defaults::{server, takes_all, unpacked};
use crate::http::edge::peer::{Reply, StandIn};
use axum::http::StatusCode;
use futures::{SinkExt, StreamExt};
use mape::app::App;
use mape::edge::influxdb::Point;
use mape::edge::{InfluxServer, InfluxSink};
use mape::stream::{Backoff, Lossy};
use mape::telemetry::{Format, Snapshot};
use std::num::NonZeroUsize;
use std::time::Duration;

fn answer(status: u16, body: &'static str) -> Reply {
    (StatusCode::from_u16(status).unwrap(), body).into()
}

fn point(number: i64) -> Point {
    Point::new("bucket").field("n", number).at_nanoseconds(number)
}

/// A point that only InfluxDB reads as it is meant.
fn share(number: i64) -> Point {
    point(number).tag("share", r"\\server\share")
}

#[tokio::test]
async fn a_login_in_the_url_is_shown_to_the_server_as_it_is_meant() {
    let there = takes_all();
    for (login, shown) in [
        ("me:p%40ss", "Basic bWU6cEBzcw=="),
        (":pw", "Basic OnB3"),
        ("m%3Ae", "Basic bTplOg=="),
        ("me:p%C3%A4ss", "Basic bWU6cMOkc3M="),
    ] {
        let server = InfluxServer::new(&format!("http://{login}@{}", there.peer.service())).unwrap();
        let mut sink = InfluxSink::raw(&server.bucket("b"));
        sink.feed(point(1)).await.unwrap();
        sink.close().await.unwrap();
        assert_eq!(there.posted().last().unwrap().header("authorization"), shown, "{login}");
    }
}

#[tokio::test]
async fn also_without_a_bucket_a_bad_point_costs_no_other() {
    let there = StandIn::answering(|_, posted| {
        if unpacked(&posted.body).lines().any(|line| line.ends_with(" 17")) {
            return answer(400, r#"{"message":"unable to parse 'bucket n=17i 17': it is bad"}"#);
        }
        answer(204, "")
    });
    let mut sink = InfluxSink::raw(&InfluxServer::new(&there.peer.service()).unwrap());
    let stats = sink.stats();
    for number in 0..100 {
        sink.feed(point(number)).await.unwrap();
    }
    sink.close().await.unwrap();
    assert_eq!((stats.written(), stats.refused()), (99, 1), "{:?}", stats.last_error());
}

#[tokio::test]
async fn an_organisation_or_bucket_that_was_forgotten_is_told_at_once() {
    for (org, bucket, said, help) in [
        (None, Some("b"), "Please provide either orgID or org", "no organisation is given: set `org`"),
        (Some("o"), None, "bucket is required", "no bucket is given: set `bucket`"),
        (None, None, "database is required", "no bucket is given: set `bucket`"),
    ] {
        let there = StandIn::answering(move |_, _| answer(400, said));
        let mut server = InfluxServer::new(&there.peer.service()).unwrap();
        if let Some(org) = org {
            server = server.org(org);
        }
        if let Some(bucket) = bucket {
            server = server.bucket(bucket);
        }
        let mut sink = InfluxSink::raw(&server);
        let stats = sink.stats();
        for number in 0..100 {
            sink.feed(point(number)).await.unwrap();
        }
        sink.close().await.unwrap();
        assert_eq!((stats.refused(), there.posted().len()), (100, 1), "{said}");
        let told = stats.last_error().unwrap();
        assert!(told.ends_with(&format!("answered 400: {said} ({help})")), "{told}");
    }
}

#[tokio::test]
async fn another_bucket_leaves_counters_and_refusals_as_they_were_taken() {
    let there = StandIn::answering(|_, _| answer(401, "no"));
    let mut sink = InfluxSink::<Point>::raw(&server(&there));
    let (stats, mut refusals) = (sink.stats(), sink.refusals());
    let mut sink = sink.bucket("other");
    sink.feed(point(1)).await.unwrap();
    sink.close().await.unwrap();
    assert_eq!((stats.refused(), sink.stats().refused()), (1, 1));
    let Some(Lossy::Item(refusal)) = refusals.next().await else { panic!("it was not told") };
    assert!(refusal.error.to_string().contains("/other answered 401"), "{}", refusal.error);
    assert!(there.posted()[0].target.contains("bucket=other"));
    let metrics = Snapshot::of(&App::new()).text(Format::Prometheus);
    let names: Vec<_> = metrics
        .lines()
        .filter(|line| line.starts_with("mape_sink_refused_total") && line.contains(&there.peer.service()))
        .collect();
    assert!(matches!(names[..], [name] if name.contains("/other") && name.ends_with(" 1")), "{names:?}");
}

#[tokio::test]
async fn an_answer_at_ping_that_says_nothing_of_the_server_is_not_its_last() {
    for status in [301, 401, 404] {
        let there = StandIn::answering(move |number, posted| match posted.target.as_str() {
            "/ping" if number == 0 => answer(status, ""),
            "/ping" => (StatusCode::NO_CONTENT, [("x-influxdb-build", "OSS")]).into(),
            _ => answer(204, ""),
        });
        let mut sink = InfluxSink::raw(&server(&there)).at_once();
        let stats = sink.stats();
        sink.send(share(1)).await.unwrap();
        assert_eq!((stats.written(), stats.refused()), (0, 1), "{status}");
        assert!(stats.last_error().unwrap().contains("did not say at /ping"), "{:?}", stats.last_error());
        sink.send(share(2)).await.unwrap();
        assert_eq!((stats.written(), stats.refused()), (1, 1), "{status}");
    }
}

#[tokio::test]
async fn a_server_that_is_busy_at_ping_is_asked_again_before_anything_is_written() {
    for status in [408, 425, 429, 500, 503] {
        let there = StandIn::answering(move |number, posted| match posted.target.as_str() {
            "/ping" if number < 2 => answer(status, "busy"),
            "/ping" => (StatusCode::NO_CONTENT, [("x-influxdb-build", "OSS")]).into(),
            _ => answer(204, ""),
        });
        let soon = Backoff::exponential(Duration::from_millis(5), Duration::from_millis(50));
        let mut sink = InfluxSink::raw(&server(&there)).backoff(soon);
        let stats = sink.stats();
        sink.feed(share(1)).await.unwrap();
        sink.close().await.unwrap();
        assert_eq!((stats.written(), stats.refused(), there.posted().len()), (1, 0, 4), "{status}");
        assert!(stats.last_error().unwrap().contains(&format!("answered {status}: busy (at /ping)")));
    }
}

#[tokio::test]
async fn a_slow_server_loses_nothing_however_long_points_wait_for_their_turn() {
    let there = StandIn::answering(|_, _| {
        // It is busy for a while.
        let (_open, never) = std::sync::mpsc::channel::<()>();
        let _nothing = never.recv_timeout(Duration::from_millis(20));
        answer(204, "")
    });
    let sink = InfluxSink::raw(&server(&there)).batch_points(NonZeroUsize::new(10).unwrap());
    let mut sink = sink.give_up_after(Duration::from_millis(100));
    let stats = sink.stats();
    for number in 0..200 {
        sink.feed(point(number)).await.unwrap();
    }
    sink.close().await.unwrap();
    assert_eq!((stats.written(), stats.dropped()), (200, 0), "{:?}", stats.last_error());
}

#[cfg(feature = "redis")]
#[tokio::test]
async fn every_request_is_logged_also_at_ping_and_where_nobody_answers() {
    let there = takes_all();
    let (log, _guard) = crate::redis::log::Log::listen();
    let with_secret = |url: &str| InfluxServer::new(url).unwrap().bucket("b").token("s3cret").unwrap();
    let mut sink = InfluxSink::raw(&with_secret(&there.peer.service()).debug(true));
    sink.feed(share(1)).await.unwrap();
    sink.close().await.unwrap();
    let away = with_secret("127.0.0.1:1").debug(true);
    let mut rows = mape::edge::InfluxSource::<serde_json::Value>::influxql(&away, "SELECT s3cret FROM m");
    assert!(rows.next().await.unwrap().is_err());
    let mut sink =
        InfluxSink::raw(&away).backoff(Backoff::exponential(Duration::ZERO, Duration::ZERO).max_attempts(1));
    sink.feed(share(1)).await.unwrap();
    sink.close().await.unwrap();
    let said: Vec<_> = log.all().into_iter().map(|(_, line)| line).collect();
    let has = |words: &[&str]| said.iter().any(|line| words.iter().all(|word| line.contains(word)));
    assert!(has(&["asked InfluxDB who it is", "status=204", "/ping"]), "{said:?}");
    assert!(has(&["asked InfluxDB who it is", "status=0", "error="]), "{said:?}");
    assert!(has(&["queried InfluxDB", "status=0", "error="]), "{said:?}");
    let ours = |line: &&String| line.contains("InfluxDB");
    assert!(!said.iter().filter(ours).any(|line| line.contains("s3cret")), "{said:?}");
}
