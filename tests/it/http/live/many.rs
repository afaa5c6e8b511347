//! Thousands of clients at a time.

use super::{Settings, Site, idle, site_with};
use futures::future::join_all;
use mape::http::{Limits, Service};
use mape::live::Live;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How many clients there are at a time.
const MANY: usize = 2000;
/// In how long all has to be done, on a machine that does much else.
const PATIENCE: Duration = Duration::from_mins(2);

async fn many() -> (Site, Live) {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit, setrlimit};
        let mut limit = getrlimit(Resource::Nofile);
        limit.current = limit.maximum;
        let _ = setrlimit(Resource::Nofile, limit);
    }
    let connections = |service: Service| {
        let mut limits = Limits::default();
        limits.connections = 2 * MANY;
        service.limits(limits)
    };
    site_with(Settings::default(), connections).await
}

async fn connect(site: &Site, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(site.serving.address()).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// Reads until there are so many of something.
async fn until(stream: &mut TcpStream, what: &str, count: usize) -> String {
    let mut read = Vec::new();
    let mut buffer = vec![0; 4096];
    loop {
        let text = String::from_utf8_lossy(&read);
        if text.matches(what).count() >= count {
            return text.into_owned();
        }
        let got = stream.read(&mut buffer).await.unwrap();
        assert_ne!(got, 0, "it ended too soon: {text}");
        read.extend_from_slice(&buffer[..got]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_clients_get_every_part() {
    let (site, live) = many().await;
    let mut clients =
        timeout(PATIENCE, join_all((0..MANY).map(|_| connect(&site, "/live/stream?names=n")))).await.unwrap();
    timeout(PATIENCE, join_all(clients.iter_mut().map(|client| until(client, "\"position\"", 1))))
        .await
        .unwrap();
    assert_eq!(live.counts().clients, MANY);
    for n in 0..20 {
        live.publish("n", n).unwrap();
    }
    let all = join_all(clients.iter_mut().map(|client| until(client, "\"data\":", 20)));
    let all = timeout(PATIENCE, all).await.expect("all get all in time");
    for text in all {
        let data = text.match_indices("\"data\":").map(|(at, found)| {
            let rest = &text[at + found.len()..];
            rest[..rest.find('}').unwrap()].parse::<u64>().unwrap()
        });
        assert!(data.eq(0..20), "{text}");
        assert!(!text.contains("missed"));
    }
    drop(clients);
    idle(&live).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_jobs_at_a_time_are_done() {
    let (site, live) = many().await;
    let clients = join_all((0..MANY).map(|_| async {
        let mut client = connect(&site, "/live/jobs/count?parts=20&dt=5").await;
        until(&mut client, "\"end\":true", 1).await
    }));
    for text in timeout(PATIENCE, clients).await.expect("all are done in time") {
        assert_eq!(text.matches("\"data\":").count(), 20);
    }
    idle(&live).await;
}
