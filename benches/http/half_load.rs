//! How long answers take at half of what the service can do, alone and with a thousand who watch.

use super::load::{Connection, flood};
use super::servers::Servers;
use super::{CONNECTIONS, REQUESTS};
use mape_benches::{Comparison, Figure};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

const WATCHERS: usize = 1000;

pub(super) async fn all(servers: &Servers, comparison: &mut Comparison) {
    if !comparison.selects(&["half_load_p99", "half_load_watched_p99", "watchers"]) {
        return;
    }
    let seconds = comparison.arguments().seconds;
    let body = br#"{"sensor":"north","value":20.5}"#;
    let request = |port| Connection::post(port, "readings", "application/json", body);
    let (ours, bare) = (request(servers.ours), request(servers.bare));
    let rate = flood(servers.ours, &ours, CONNECTIONS, REQUESTS, 1).await.per_second() / 2.0;
    let bare = p99(servers.bare, bare, rate, seconds).await;
    let figure = |case, value: f64, baseline: f64, unit, aim| Figure {
        case,
        value,
        unit,
        baseline,
        ratio: value / baseline,
        cpu_ratio: None,
        aim,
    };
    let alone = p99(servers.ours, ours.clone(), rate, seconds).await;
    comparison.write(&figure("half_load_p99", alone, bare, "ms", "5 ms"));
    let (mut watchers, heard) = watch(servers.ours).await;
    let before = heard.load(Ordering::Relaxed);
    let watched = p99(servers.ours, ours, rate, seconds).await;
    comparison.write(&figure("half_load_watched_p99", watched, bare, "ms", "5 ms"));
    // Twice a second something has changed, since items came in.
    let told = heard.load(Ordering::Relaxed) - before;
    let each_second = told as f64 / WATCHERS as f64 / seconds.as_secs_f64();
    comparison.write(&figure("watchers", each_second, 2.0, "per_second", "each told twice a second"));
    watchers.abort_all();
}

/// The time that all but one of a hundred answers take, in milliseconds, if requests are sent at a rate whether or not
/// earlier ones have been answered.
async fn p99(port: u16, request: Vec<u8>, rate: f64, seconds: Duration) -> f64 {
    let mut senders = JoinSet::new();
    let (begin, request) = (Instant::now() + Duration::from_millis(50), Arc::new(request));
    for sender in 0..CONNECTIONS {
        let (mut connection, request) = (Connection::open(port).await, request.clone());
        senders.spawn(async move {
            let mut times = Vec::new();
            let between = Duration::from_secs_f64(CONNECTIONS as f64 / rate);
            let mut due = begin + between.mul_f64(sender as f64 / CONNECTIONS as f64);
            while due < begin + seconds {
                sleep_until(due).await;
                connection.ask(&request).await;
                // From when it was to be sent: a late one is late because of the service.
                times.push(due.elapsed().as_secs_f64() * 1e3);
                due += between;
            }
            times
        });
    }
    let mut times: Vec<f64> = senders.join_all().await.into_iter().flatten().collect();
    times.sort_by(f64::total_cmp);
    times[times.len() * 99 / 100]
}

/// A thousand who watch everything; how often they were told something.
async fn watch(port: u16) -> (JoinSet<()>, Arc<AtomicU64>) {
    let (mut watchers, heard) = (JoinSet::new(), Arc::new(AtomicU64::new(0)));
    for _ in 0..WATCHERS {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let request = format!("GET /topology/stream HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let heard = heard.clone();
        watchers.spawn(async move {
            let (mut text, mut last) = (vec![0; 65536], Vec::new());
            loop {
                let count = stream.read(&mut text).await.unwrap();
                assert!(count > 0, "a watcher was let go of");
                last.extend_from_slice(&text[..count]);
                let told = last.windows(15).filter(|some| *some == b"event: counters").count();
                heard.fetch_add(told as u64, Ordering::Relaxed);
                let keep = last.len().saturating_sub(14);
                last.drain(..keep);
            }
        });
    }
    // Until the first picture of everything has reached them all.
    tokio::time::sleep(Duration::from_secs(3)).await;
    (watchers, heard)
}
