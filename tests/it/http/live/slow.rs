//! Clients that read slowly, or not at all, or have gone without a word.

use super::{Settings, Site, idle, site_with};
use crate::suite::eventually;
use mape::live::{Live, WhenFull};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpSocket, TcpStream};

/// A connection on which everything is asked for, whose kernel keeps little for it.
async fn listening(site: &Site) -> BufReader<TcpStream> {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(site.serving.address()).await.unwrap();
    stream.write_all(b"GET /live/stream?all=true HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    BufReader::new(stream)
}

/// The next line that is JSON: what chunks it comes in is of no interest.
async fn json_line(stream: &mut BufReader<TcpStream>) -> Option<Value> {
    loop {
        let mut line = String::new();
        let read = tokio::time::timeout(Duration::from_secs(20), stream.read_line(&mut line));
        if read.await.expect("something comes").unwrap_or(0) == 0 {
            return None;
        }
        // The last chunk of an answer; the connection stays.
        if line == "0\r\n" {
            return None;
        }
        if line.starts_with('{') {
            return Some(serde_json::from_str(&line).unwrap());
        }
    }
}

/// Publishes parts of 10 kB, one after another.
async fn publish(live: &Live, count: u64) {
    let text = "x".repeat(10_000);
    for n in 0..count {
        live.publish("n", json!([n, text])).unwrap();
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn who_reads_slowly_loses_the_oldest_is_told_and_holds_nobody_up() {
    let mut settings = Settings::default();
    settings.client_buffer = 10;
    let (site, live) = site_with(settings, |service| service).await;
    let mut slow = listening(&site).await;
    json_line(&mut slow).await.unwrap();
    let (mut quick, mut seen) = (listening(&site).await, 0);
    json_line(&mut quick).await.unwrap();
    let text = "x".repeat(10_000);
    for n in 0..2000u64 {
        live.publish("n", json!([n, text])).unwrap();
        let part = json_line(&mut quick).await.unwrap();
        assert_eq!(part["data"][0], n);
        seen += 1;
    }
    assert_eq!(seen, 2000);
    let (mut next, mut missed) = (0, 0);
    while next < 2000 {
        let told = json_line(&mut slow).await.unwrap();
        if let Some(count) = told.get("missed").and_then(Value::as_u64) {
            missed += count;
            next += count;
        } else {
            assert_eq!(told["data"][0], next, "nothing is lost in silence");
            next += 1;
        }
    }
    assert!(missed > 0);
}

#[tokio::test]
async fn who_reads_too_slowly_is_closed_where_that_is_wanted() {
    let mut settings = Settings::default();
    (settings.client_buffer, settings.when_full) = (10, WhenFull::Disconnect);
    let (site, live) = site_with(settings, |service| service).await;
    let mut slow = listening(&site).await;
    json_line(&mut slow).await.unwrap();
    publish(&live, 2000).await;
    let mut last = None;
    while let Some(line) = json_line(&mut slow).await {
        last = Some(line);
    }
    assert_eq!(last.unwrap(), json!({"closed": "too_slow"}));
    idle(&live).await;
}

#[tokio::test]
async fn who_has_gone_without_reading_is_noticed() {
    let (site, live) = site_with(Settings::default(), |service| service).await;
    let clients: Vec<_> = futures::future::join_all((0..20).map(|_| listening(&site))).await;
    eventually("all are there", || async { live.counts().clients == 20 }).await;
    publish(&live, 50).await;
    drop(clients);
    idle(&live).await;
}

#[tokio::test]
async fn half_a_request_costs_a_place_for_a_while_alone() {
    let limits = |service: mape::http::Service| {
        let mut limits = mape::http::Limits::default();
        (limits.head_within, limits.body_within) = (Duration::from_millis(100), Duration::from_millis(100));
        service.limits(limits)
    };
    let (site, live) = site_with(Settings::default(), limits).await;
    for half in [
        "GET /live/stream?all=true HT",
        "POST /live/jobs HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{\"name\"",
        "GET /live/socket HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\n",
    ] {
        let mut stream = TcpStream::connect(site.serving.address()).await.unwrap();
        stream.write_all(half.as_bytes()).await.unwrap();
        let mut stream = BufReader::new(stream);
        let mut answer = String::new();
        let all = tokio::io::AsyncReadExt::read_to_string(&mut stream, &mut answer);
        tokio::time::timeout(Duration::from_secs(20), all).await.expect("it is closed").unwrap();
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    }
    assert_eq!(live.counts().clients, 0);
}
