//! Ten thousand clients that are held, with a part each per second: in turns, and all at once.

use super::crowd::{Crowd, Heard};
use super::figure;
use super::role::Publish;
use super::server::Server;
use mape_benches::{Comparison, Side};
use std::time::Duration;

const CLIENTS: usize = 10_000;
const SECONDS: u64 = 20;
/// Clients of as many groups get their part in turns, one group every ten milliseconds.
const GROUPS: usize = 100;

struct Held {
    heard: Heard,
    /// Bytes of the server for each client.
    bytes: f64,
    /// Seconds of a processor for each part of a client.
    cpu: f64,
}

pub(super) async fn cases(comparison: &mut Comparison) {
    for (case, groups) in [("held", GROUPS), ("held_at_once", 1)] {
        if !comparison.selects(&[case]) {
            continue;
        }
        let only = comparison.arguments().only;
        let ours = if only == Some(Side::Hand) { None } else { hold("ours", groups).await };
        let bare = if only == Some(Side::Ours) { None } else { hold("bare", groups).await };
        let mut write = |name: &str, unit, aim, of: &dyn Fn(&Held) -> f64| {
            let values = [&ours, &bare].map(|side| side.as_ref().map_or(f64::NAN, of));
            comparison.write(&figure(&format!("{case}_{name}"), values, unit, aim));
        };
        write("parts", "parts", "each of 10,000 a part a second for 20 seconds", &|held| {
            held.heard.parts as f64
        });
        write("lost", "parts", "0", &|held| (held.heard.lost + held.heard.again) as f64);
        write("memory", "bytes", "<= 20,000 a client", &|held| held.bytes);
        write("p50", "ms", "", &|held| held.heard.age(500));
        write("p99", "ms", "< 100 ms", &|held| held.heard.age(990));
        write("max", "ms", "", &|held| held.heard.age(1000));
        write("cpu", "us", "of a processor for each part of a client", &|held| held.cpu * 1e6);
    }
}

async fn hold(of: &str, groups: usize) -> Option<Held> {
    let mut server = Server::start(of).await;
    let idle = server.resident();
    let crowd = Crowd::hold(server.port, CLIENTS, |number| super::path(of, number % groups)).await;
    // Until the last is known to its group.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let publish =
        Publish { groups: groups as u64, times: SECONDS, apart: Duration::from_secs(1), together: 1 };
    let before = server.cpu();
    server.ask(&publish.line()).await;
    crowd.hear(SECONDS * CLIENTS as u64).await;
    let (bytes, cpu) = ((server.resident() - idle) / CLIENTS as f64, server.cpu() - before);
    let heard = crowd.leave(publish.each());
    let cpu = cpu / heard.parts as f64;
    Some(Held { heard, bytes, cpu })
}
