//! Servers that are away.

use super::defaults::unpacked;
use crate::http::edge::peer::{Peer, Reply, StandIn};
use crate::server::{InfluxDb, free_port};
use crate::suite::eventually;
use futures::SinkExt;
use mape::app::App;
use mape::edge::influxdb::Point;
use mape::edge::{InfluxServer, InfluxSink};
use mape::element::LinkOptions;
use mape::stream::Backoff;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

fn soon() -> Backoff {
    Backoff::exponential(Duration::from_millis(10), Duration::from_millis(200))
}

fn point(number: i64) -> Point {
    Point::new("count").field("n", number).at_nanoseconds(number)
}

#[tokio::test]
async fn killed_and_started_again_a_server_has_everything_and_the_queue_stayed_bounded() {
    const ALL: i64 = 60_000;
    let mut server = InfluxDb::start();
    server.create("db");
    let target = InfluxServer::new(&server.url()).unwrap().bucket("db");
    let mut sink = InfluxSink::raw(&target)
        .backoff(soon())
        .batch_points(NonZeroUsize::new(1000).unwrap())
        .batch_wait(Duration::from_millis(10))
        .capacity(NonZeroUsize::new(10_000).unwrap());
    let stats = sink.stats();
    let fed = tokio::spawn(async move {
        for number in 0..ALL {
            sink.feed(point(number)).await?;
        }
        sink.close().await
    });
    eventually("some is written", async || stats.written() > 5_000).await;
    let server = tokio::task::spawn_blocking(move || {
        server.kill_9();
        server
    });
    let mut server = server.await.unwrap();
    eventually("the queue is full", async || stats.queued() >= 10_000).await;
    assert!(stats.queued() <= 11_000, "{} wait or are under way", stats.queued());
    eventually("it is tried again", async || stats.retried() > 3).await;
    let server = tokio::task::spawn_blocking(move || {
        server.restart();
        server
    });
    let server = server.await.unwrap();
    fed.await.unwrap().unwrap();
    assert_eq!(
        (stats.written(), stats.dropped(), stats.refused()),
        (ALL as u64, 0, 0),
        "{:?}",
        stats.last_error()
    );
    let counted = server.ask("db", "SELECT count(n), sum(n), max(n) FROM count");
    let row = &counted["results"][0]["series"][0]["values"][0];
    assert_eq!((row[1].as_i64(), row[2].as_i64()), (Some(ALL), Some(ALL * (ALL - 1) / 2)), "{counted}");
}

#[tokio::test]
async fn a_server_that_comes_later_gets_all_of_it_in_order() {
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], free_port()));
    let mut sink = InfluxSink::raw(&InfluxServer::new(&address.to_string()).unwrap().bucket("b"))
        .backoff(soon())
        .batch_points(NonZeroUsize::new(100).unwrap());
    let stats = sink.stats();
    for number in 0..2_000 {
        sink.feed(point(number)).await.unwrap();
    }
    eventually("it is tried again", async || stats.retried() > 2).await;
    assert!(stats.last_error().unwrap().contains("no answer from"), "{:?}", stats.last_error());
    let seen = Arc::<Mutex<Vec<String>>>::default();
    let keep = seen.clone();
    let router = axum::Router::new().fallback(move |body: axum::body::Bytes| async move {
        let lines: Vec<_> = unpacked(&body).lines().map(String::from).collect();
        keep.lock().unwrap().extend(lines);
        axum::http::StatusCode::NO_CONTENT
    });
    let _peer = Peer::start_at(address, router);
    sink.close().await.unwrap();
    let wanted: Vec<_> = (0..2_000).map(|n| format!("count n={n}i {n}")).collect();
    assert_eq!(*seen.lock().unwrap(), wanted);
    assert_eq!((stats.written(), stats.dropped()), (2_000, 0));
}

#[tokio::test]
async fn connections_that_break_lose_nothing_and_keep_the_order() {
    let there = StandIn::answering(|number, _| {
        if number % 3 == 1 { Reply::Cut } else { axum::http::StatusCode::NO_CONTENT.into() }
    });
    let mut sink = InfluxSink::raw(&InfluxServer::new(&there.peer.service()).unwrap().bucket("b"))
        .backoff(soon())
        .batch_points(NonZeroUsize::new(10).unwrap());
    let stats = sink.stats();
    for number in 0..500 {
        sink.feed(point(number)).await.unwrap();
    }
    sink.close().await.unwrap();
    let lines = super::defaults::lines(&there);
    let numbers = lines.iter().map(|line| line.rsplit(' ').next().unwrap().parse::<i64>().unwrap());
    assert!(stats.retried() >= 20 && numbers.len() > 500);
    // What broke after it was taken came again: the same points, which are there once.
    let mut seen = std::collections::HashSet::new();
    let first: Vec<_> = numbers.filter(|number| seen.insert(*number)).collect();
    assert_eq!(first, (0..500).collect::<Vec<_>>());
    assert_eq!((stats.written(), stats.dropped()), (500, 0));
}

#[tokio::test]
async fn a_shutdown_names_the_server_that_is_away_and_counts_what_is_lost_before_it_returns() {
    let url = format!("127.0.0.1:{}", free_port());
    let app = App::new();
    let flows = app.create_loop("water").unwrap().monitor("flows").map(|flow: f64| flow).spawn().unwrap();
    let sink =
        InfluxSink::new(&InfluxServer::new(&url).unwrap().bucket("b")).measurement("flow").backoff(soon());
    let stats = sink.stats();
    flows.link_sink(sink, LinkOptions::new()).unwrap();
    for flow in 0..8 {
        flows.push(flow.into()).await.unwrap();
    }
    let ended = app.shutdown(Duration::from_millis(300)).await;
    assert_eq!((stats.written(), stats.dropped(), stats.queued()), (0, 8, 0), "at once");
    let [unfinished] = ended.unfinished.as_slice() else { panic!("{ended:?}") };
    assert_eq!(unfinished.sink.as_deref(), Some(format!("http://{url}/b").as_str()));
    assert_eq!(
        unfinished.to_string(),
        format!("`water.flows` did not hand all its items to http://{url}/b within 300ms; items waiting: 8")
    );
}

#[tokio::test]
async fn what_is_lost_with_its_sink_is_counted_once_whatever_the_answer_under_way_says() {
    for _ in 0..20 {
        let there = StandIn::answering(|_, _| axum::http::StatusCode::NO_CONTENT.into());
        let server = InfluxServer::new(&there.peer.service()).unwrap().bucket("b");
        let mut sink = InfluxSink::raw(&server).at_once();
        let stats = sink.stats();
        for number in 0..100 {
            sink.feed(point(number)).await.unwrap();
        }
        let _under_way = futures::FutureExt::now_or_never(sink.flush());
        eventually("it is under way", async || !there.posted().is_empty()).await;
        drop(sink);
        let (written, dropped) = (stats.written(), stats.dropped());
        assert_eq!((written + dropped, stats.queued()), (100, 0));
        tokio::task::yield_now().await;
        assert_eq!((stats.written(), stats.dropped()), (written, dropped));
    }
}
