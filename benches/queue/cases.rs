//! The cases.

use super::bullmq::BullMq;
use super::role::{self, Process, now};
use mape::backend::Backend;
use mape::prelude::App;
use mape::queue::Queue;
use mape_benches::{Comparison, Figure, RedisServer, median};
use std::time::{Duration, Instant};

/// How many jobs are worked off.
const JOBS: usize = 100_000;
/// How many are added in one step.
const TOGETHER: usize = 1000;
/// Runs of each, of which the median counts.
const RUNS: usize = 3;
/// How many jobs are added one by one, 500 a second.
const PACED: usize = 2500;
const PACE: Duration = Duration::from_millis(2);

struct Ours {
    server: RedisServer,
    app: App,
}

impl Ours {
    async fn start() -> Self {
        let server = RedisServer::start();
        let app = App::with_backend(Backend::open(&server.url()).await.unwrap());
        Self { server, app }
    }
}

/// Removes all that is on a server.
pub(super) fn flush(port: u16) {
    use std::io::{Read, Write};
    let mut line = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    line.write_all(b"FLUSHALL\r\n").unwrap();
    line.read_exact(&mut [0; 5]).unwrap();
}

async fn add(queue: &Queue) -> f64 {
    let begun = Instant::now();
    for at in (0..JOBS).step_by(TOGETHER) {
        queue.add_all(at..(at + TOGETHER).min(JOBS)).await.unwrap();
    }
    rate(begun)
}

/// How many jobs a second these were.
fn rate(begun: Instant) -> f64 {
    JOBS as f64 / begun.elapsed().as_secs_f64()
}

fn said(process: &mut Process, expected: &str) {
    assert_eq!(process.line(), expected);
}

fn write(comparison: &mut Comparison, case: &str, values: [f64; 2], unit: &str, aim: &str) {
    let [value, baseline] = values;
    let ratio = if unit == "per_second" { value / baseline } else { baseline / value };
    comparison.write(&Figure { case, value, unit, baseline, ratio, cpu_ratio: None, aim });
}

/// Jobs that are there are worked off by one process, with outcomes and without; and what adding them took.
pub(super) async fn work_off(comparison: &mut Comparison) {
    if !comparison.selects(&["add", "work_off", "work_off_keep_0"]) {
        return;
    }
    let (ours, peer) = (Ours::start().await, BullMq::find());
    for (keep, case) in [(10_000, "work_off"), (0, "work_off_keep_0")] {
        let mut all = [const { Vec::new() }; 4];
        for _ in 0..RUNS {
            flush(ours.server.port());
            let queue = role::queue(&ours.app, keep).await;
            all[0].push(add(&queue).await);
            let numbers = [usize::try_from(keep).unwrap(), JOBS];
            let mut worker = Process::ours("work", &ours.server.url(), &numbers);
            let begun = Instant::now();
            worker.go("");
            said(&mut worker, "done");
            all[1].push(rate(begun));
            let Some(peer) = &peer else { continue };
            peer.flush();
            for (n, role) in [(2, "add"), (3, "work")] {
                let mut process = peer.process(role, &numbers);
                let begun = Instant::now();
                process.go("");
                said(&mut process, "done");
                all[n].push(rate(begun));
            }
        }
        let [add, work, peer_add, peer_work] = all.map(median);
        if keep > 0 {
            write(comparison, "add", [add, peer_add], "per_second", "");
        }
        write(comparison, case, [work, peer_work], "per_second", ">= 40,000, and BullMQ's");
    }
}

/// Jobs are worked off while they are added.
pub(super) async fn add_and_work(comparison: &mut Comparison) {
    if !comparison.selects(&["add_and_work"]) {
        return;
    }
    let (ours, peer) = (Ours::start().await, BullMq::find());
    let (mut mine, mut others) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        flush(ours.server.port());
        let queue = role::queue(&ours.app, 10_000).await;
        let numbers = [10_000, JOBS];
        let mut worker = Process::ours("work", &ours.server.url(), &numbers);
        let begun = Instant::now();
        worker.go("");
        add(&queue).await;
        said(&mut worker, "done");
        mine.push(rate(begun));
        let Some(peer) = &peer else { continue };
        peer.flush();
        let [mut worker, mut adder] = ["work", "add"].map(|role| peer.process(role, &numbers));
        let begun = Instant::now();
        worker.go("");
        adder.go("");
        said(&mut worker, "done");
        others.push(rate(begun));
    }
    write(comparison, "add_and_work", [median(mine), median(others)], "per_second", "BullMQ's");
}

/// How long it takes from when a job is about to be added until it begins, at 500 jobs a second.
pub(super) async fn begin(comparison: &mut Comparison) {
    if !comparison.selects(&["begin_p50", "begin_p99"]) {
        return;
    }
    let (ours, peer) = (Ours::start().await, BullMq::find());
    let numbers = [10_000, PACED];
    let waits = |process: &mut Process| {
        let line = process.line();
        let waits: Vec<f64> = line.split(' ').map(|nanos| nanos.parse::<f64>().unwrap() / 1e6).collect();
        [waits[0], waits[1]]
    };
    let mut all = [const { Vec::new() }; 4];
    for _ in 0..RUNS {
        flush(ours.server.port());
        let queue = role::queue(&ours.app, 10_000).await;
        let mut worker = Process::ours("begin", &ours.server.url(), &numbers);
        worker.go("");
        said(&mut worker, "works");
        tokio::time::sleep(Duration::from_millis(300)).await;
        let mut ticks = tokio::time::interval(PACE);
        for _ in 0..PACED {
            ticks.tick().await;
            let _ = queue.add(&now()).await.unwrap();
        }
        let [p50, p99] = waits(&mut worker);
        all[0].push(p50);
        all[1].push(p99);
        let Some(peer) = &peer else { continue };
        peer.flush();
        let [mut worker, mut adder] = ["begin", "pace"].map(|role| peer.process(role, &numbers));
        worker.go("");
        said(&mut worker, "works");
        adder.go("");
        let [p50, p99] = waits(&mut worker);
        all[2].push(p50);
        all[3].push(p99);
    }
    let [p50, p99, peer_p50, peer_p99] = all.map(median);
    write(comparison, "begin_p50", [p50, peer_p50], "ms", "< 0.3");
    write(comparison, "begin_p99", [p99, peer_p99], "ms", "< 2");
}

/// How long after its worker was killed a job begins again, in another worker.
pub(super) async fn killed(comparison: &mut Comparison) {
    if !comparison.selects(&["killed"]) {
        return;
    }
    let (ours, peer) = (Ours::start().await, BullMq::find());
    let queue = role::queue(&ours.app, 10_000).await;
    let mut waits = Vec::new();
    for _ in 0..RUNS {
        let start = || {
            let mut process = Process::ours("hold", &ours.server.url(), &[]);
            process.go("");
            said(&mut process, "works");
            process
        };
        let mut first = start();
        let _ = queue.add(&1).await.unwrap();
        first.line();
        let mut second = start();
        waits.push(until_again(first, &mut second));
        drop(second);
        flush(ours.server.port());
        role::queue(&ours.app, 10_000).await;
    }
    let mut others = f64::NAN;
    if let Some(peer) = &peer {
        let start = || {
            let mut process = peer.process("hold", &[]);
            process.go("");
            said(&mut process, "works");
            process
        };
        let mut first = start();
        let mut adder = peer.process("add", &[10_000, 1]);
        adder.go("");
        said(&mut adder, "done");
        first.line();
        let mut second = start();
        others = until_again(first, &mut second);
    }
    write(comparison, "killed", [median(waits), others], "s", "< 5");
}

/// Kills one, and waits until the other says when it began.
fn until_again(first: Process, second: &mut Process) -> f64 {
    let killed = now();
    drop(first);
    let begun: u64 = second.line().parse().unwrap();
    begun.saturating_sub(killed) as f64 / 1e9
}

/// The same jobs in memory and in a directory, added and worked off in one process.
pub(super) async fn elsewhere(comparison: &mut Comparison) {
    for case in ["memory", "file"] {
        if !comparison.selects(&[case]) {
            continue;
        }
        let directory = std::env::temp_dir().join(format!("mape-queue-{}", std::process::id()));
        let url = if case == "file" { format!("file:{}", directory.display()) } else { "memory:".to_owned() };
        let backend = Backend::open(&url).await.unwrap();
        let mut rates = Vec::new();
        for _ in 0..RUNS {
            let app = App::with_backend(backend.clone());
            let queue = role::queue(&app, 10_000).await;
            add(&queue).await;
            let begun = Instant::now();
            role::work_off(&app, &queue, JOBS).await;
            rates.push(rate(begun));
            queue.remove().await.unwrap();
        }
        drop(std::fs::remove_dir_all(directory));
        write(comparison, case, [median(rates), f64::NAN], "per_second", "");
    }
}
