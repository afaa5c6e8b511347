//! A thousand clients that ask at once for twenty parts each, five milliseconds apart.

use super::client::{Client, get};
use super::server::Server;
use super::{figure, part};
use mape_benches::{Comparison, Side};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const CLIENTS: usize = 1000;
const PARTS: u64 = 20;
const APART: u64 = 5;
/// Who has not got everything by then has lost it.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) async fn case(comparison: &mut Comparison) {
    if !comparison.selects(&["completes"]) {
        return;
    }
    let only = comparison.arguments().only;
    let ours = if only == Some(Side::Hand) { [f64::NAN; 3] } else { complete("ours").await };
    let bare = if only == Some(Side::Ours) { [f64::NAN; 3] } else { complete("bare").await };
    let pair = |index: usize| [ours[index], bare[index]];
    comparison.write(&figure("completes", pair(0), "clients", "all of 1,000"));
    comparison.write(&figure("completes_within", pair(1), "ms", "from the first request to the last end"));
    comparison.write(&figure(
        "completes_p50",
        pair(2),
        "ms",
        "from a request to its end; 100 ms is all it needs",
    ));
}

/// How many got everything, when the last of them had it, and how long the one in the middle took.
async fn complete(of: &str) -> [f64; 3] {
    let server = Server::start(of).await;
    let request = get(server.port, &super::job_path(of, PARTS, APART));
    let (port, begin, mut clients) = (server.port, Instant::now(), JoinSet::new());
    for number in 0..CLIENTS {
        let request = request.clone();
        clients.spawn(async move {
            let begin = Instant::now();
            match tokio::time::timeout(PATIENCE, whole(port, number, &request)).await {
                Ok(Ok(true)) => Some(begin.elapsed()),
                Ok(Err(error)) => {
                    eprintln!("client {number}: {error}");
                    None
                }
                Ok(Ok(false)) | Err(_) => None,
            }
        });
    }
    let (mut times, mut last) = (Vec::new(), Duration::ZERO);
    while let Some(ended) = clients.join_next().await {
        if let Some(time) = ended.unwrap() {
            times.push(time);
            last = begin.elapsed();
        }
    }
    times.sort_unstable();
    let middle = times.get(times.len() / 2).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3);
    [times.len() as f64, last.as_secs_f64() * 1e3, middle]
}

/// Whether all parts came, each once and in order, and then the end.
async fn whole(port: u16, number: usize, request: &str) -> std::io::Result<bool> {
    let mut client = Client::open(port, number, request).await?;
    let (mut next, mut is_right) = (0, true);
    let mut read = |line: &[u8]| {
        if let Some((tick, _)) = part::read(line) {
            is_right &= tick == next;
            next += 1;
        }
    };
    while client.read(&mut read).await? {}
    Ok(is_right && next == PARTS)
}
