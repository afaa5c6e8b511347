//! One producer and many clients: what a delivery costs the server.

use super::crowd::Crowd;
use super::figure;
use super::role::Publish;
use super::server::Server;
use mape_benches::{Comparison, Side, median};
use std::time::Duration;

/// Runs of each side, in turns.
const PAIRS: usize = 3;

/// How many clients get how many parts at a time, that many milliseconds apart.
const CASES: [(&str, usize, u64, u64); 4] = [
    ("fanout_100", 100, 1, 2),
    ("fanout_1000", 1000, 1, 25),
    ("fanout_100_burst", 100, 20, 20),
    ("fanout_1000_burst", 1000, 20, 200),
];

pub(super) async fn cases(comparison: &mut Comparison) {
    for (case, clients, together, millis) in CASES {
        if !comparison.selects(&[case]) {
            continue;
        }
        let (only, apart) = (comparison.arguments().only, Duration::from_millis(millis));
        let times = comparison.arguments().seconds.as_secs() * 1000 / millis;
        let publish = Publish { groups: 1, times, apart, together };
        let (mut ours, mut bare) = (Vec::new(), Vec::new());
        for _ in 0..PAIRS {
            if only != Some(Side::Hand) {
                ours.push(run("ours", clients, publish).await);
            }
            if only != Some(Side::Ours) {
                bare.push(run("bare", clients, publish).await);
            }
        }
        let of = |runs: &[[f64; 3]], index: usize| median(runs.iter().map(|run| run[index]).collect());
        let mut write = |name: &str, index, unit, aim| {
            comparison.write(&figure(
                &format!("{case}_{name}"),
                [of(&ours, index), of(&bare, index)],
                unit,
                aim,
            ));
        };
        write("cpu", 0, "us", "<= 1.3 of the bare handler, for each delivery");
        write("lost", 1, "parts", "0");
        write("p99", 2, "ms", "");
    }
}

/// Microseconds of a processor for each delivery, parts that were lost, and the delay of all but one of a hundred.
async fn run(of: &str, clients: usize, publish: Publish) -> [f64; 3] {
    let mut server = Server::start(of).await;
    let crowd = Crowd::hold(server.port, clients, |_| super::path(of, 0)).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let before = server.cpu();
    server.ask(&publish.line()).await;
    crowd.hear(publish.each() * crowd.len() as u64).await;
    let cpu = server.cpu() - before;
    let heard = crowd.leave(publish.each());
    [cpu * 1e6 / heard.parts as f64, (heard.lost + heard.again) as f64, heard.age(990)]
}
