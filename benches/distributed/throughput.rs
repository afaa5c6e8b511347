//! How many tasks a second an engine and a worker do.

use super::peer;
use super::roles::{Role, TASKS};
use mape_benches::{Comparison, Figure, RedisServer, Run, median};
use std::time::Instant;

const RUNS: u64 = 1_000;

/// An engine and its workers on a server.
struct World {
    _server: RedisServer,
    engines: Vec<Role>,
    _worker: Role,
}

impl World {
    fn start(engines: usize, mode: &str) -> Self {
        let server = RedisServer::start();
        let url = server.url();
        let engines = (0..engines).map(|_| Role::start("engine", &url, &[mode])).collect();
        let worker = Role::start("worker", &url, &[mode]);
        Self { _server: server, engines, _worker: worker }
    }

    /// How much memory the first engine has, in MiB.
    fn memory(&self) -> f64 {
        self.engines.first().map_or(f64::NAN, Role::memory)
    }

    /// Tasks a second over concurrent runs.
    fn run(&mut self, runs: u64) -> Run {
        let begun = Instant::now();
        let each = runs / self.engines.len() as u64;
        for engine in &mut self.engines {
            engine.tell(&each.to_string());
        }
        for engine in &mut self.engines {
            assert_eq!(engine.line(), "done");
        }
        let count = each * self.engines.len() as u64 * TASKS;
        Run { count, wall: begun.elapsed(), cpu: std::time::Duration::ZERO }
    }
}

pub(super) async fn cases(comparison: &mut Comparison) {
    if comparison.selects(&["native"]) {
        match peer::BullMq::start() {
            Ok(mut peer) => {
                let mut world = World::start(1, "native");
                let aim = "25,000 a second, and more than BullMQ";
                comparison.rates("native", aim, async || world.run(RUNS), async || peer.run(RUNS)).await;
            }
            Err(reason) => {
                eprintln!("native: BullMQ is not there ({reason}); without it");
                let mut world = World::start(1, "native");
                alone(comparison, "native", &mut world);
            }
        }
    }
    if comparison.selects(&["compatible"]) {
        let mut world = World::start(1, "compatible");
        let server = RedisServer::start();
        let mut bare = Role::start("bare", &server.url(), &["throughput"]);
        let by_hand = async || {
            let begun = Instant::now();
            assert_eq!(bare.ask(&RUNS.to_string()), "done");
            Run { count: RUNS * TASKS, wall: begun.elapsed(), cpu: std::time::Duration::ZERO }
        };
        comparison.rates("compatible", ">= 0.7 of bare redis-rs", async || world.run(RUNS), by_hand).await;
    }
    if comparison.selects(&["two_engines"]) {
        let (mut two, mut one) = (World::start(2, "native"), World::start(1, "native"));
        let aim = ">= 1.2 of one, where there are processors for it";
        comparison.rates("two_engines", aim, async || two.run(RUNS), async || one.run(RUNS)).await;
    }
}

/// A case whose peer is not there.
fn alone(comparison: &mut Comparison, case: &str, world: &mut World) {
    world.run(RUNS);
    let rates = (0..5).map(|_| world.run(RUNS).per_second()).collect();
    let (baseline, ratio) = (f64::NAN, f64::NAN);
    let (value, unit) = (median(rates).round(), "per_second");
    comparison.write(&Figure {
        case,
        value,
        unit,
        baseline,
        ratio,
        cpu_ratio: None,
        aim: "its peer is absent",
    });
}

/// The memory of an engine after many runs, beside that after a fifth of them.
pub(super) fn memory(comparison: &mut Comparison) {
    if !comparison.selects(&["memory"]) {
        return;
    }
    let runs = 100_000;
    let mut world = World::start(1, "native");
    world.run(runs / 5);
    let early = world.memory();
    world.run(runs / 5 * 4);
    let late = world.memory();
    comparison.write(&Figure {
        case: "memory",
        value: late,
        unit: "MiB",
        baseline: early,
        ratio: late / early,
        cpu_ratio: None,
        aim: "flat over 100,000 runs: <= 1.2 of that after 20,000",
    });
}
