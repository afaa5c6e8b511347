//! Engines, workers and the server killed at random moments: every run comes to its end, and nothing happens twice.

use super::hand::{Hand, LOG};
use super::processes::Program;
use crate::server::RedisServer;
use fastrand::Rng;
use mape::event::EventId;
use mape::workflow::{RunId, Status};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// For how long things are killed.
const STORM: Duration = Duration::from_secs(6);
/// How long everything may take afterwards: what was in dead hands is taken up when its lease has ended.
const CALM: Duration = Duration::from_secs(30);
const FLOWS: [&str; 5] = [
    "a → { b c } → d",
    "a → b → c → d",
    "{ a b } → wait:delay (- duration: 0.3 -) → c",
    "@task a (- retry: {attempts: 1, wait: 100ms} -)\na → { b c }",
    "* a → b",
];

/// Some programs on a server that are killed, and the runs that they work on.
struct Storm {
    hand: Hand,
    programs: Vec<Program>,
    runs: Vec<RunId>,
    random: Rng,
    kills: usize,
}

impl Storm {
    async fn new(server: RedisServer, engines: &[&str]) -> Self {
        let mut programs: Vec<_> = engines
            .iter()
            .map(|engine| Program::new(&server, &engine.split(' ').collect::<Vec<_>>()))
            .collect();
        for longest in ["0", "0.2"] {
            let words = ["simulate", "--wait-period", longest, "--failures", "8", "--seed", "7"];
            programs.push(Program::new(&server, &words));
        }
        programs.iter_mut().for_each(Program::start);
        let hand = Hand::on(server).await;
        Self { hand, programs, runs: Vec::new(), random: Rng::new(), kills: 0 }
    }

    /// Begins a run; done again until it is known to be begun.
    async fn submit(&mut self) {
        let number = self.runs.len();
        let id = RunId::from(format!("r{number}"));
        let input = json!([{"n": number}, {"n": 2}, {"n": 3}]);
        let deadline = Instant::now() + CALM;
        while let Err(error) =
            self.hand.workflows().submit(Some(id.clone()), FLOWS[number % FLOWS.len()], input.clone()).await
        {
            assert!(Instant::now() < deadline, "{error}");
            sleep(Duration::from_millis(50)).await;
        }
        self.runs.push(id);
    }

    /// Kills one, and starts it again a moment later.
    async fn kill_one(&mut self) {
        let victim = self.random.usize(..self.programs.len());
        self.programs[victim].kill();
        self.kills += 1;
        sleep(Duration::from_millis(self.random.u64(..100))).await;
        self.programs[victim].start();
    }

    /// Lets one hang for longer than its lease, so that others take up what it has; then it goes on.
    async fn pause_one(&mut self, victim: usize) {
        self.programs[victim].signal("STOP");
        let until = Instant::now() + Duration::from_millis(self.random.u64(3_200..4_500));
        while Instant::now() < until {
            self.submit().await;
            self.look().await;
            sleep(Duration::from_millis(self.random.u64(50..400))).await;
        }
        self.programs[victim].signal("CONT");
        self.kills += 1;
    }

    /// Restarts what has failed; whether all is finished.
    async fn look(&self) -> bool {
        let mut all = true;
        for id in &self.runs {
            let status = self.hand.workflows().status(id).await;
            all &= matches!(status, Ok(Status::Finished));
            if matches!(status, Ok(Status::Failed)) {
                // Another may come before, or the server may be away: it is looked at again.
                let _ = self.hand.workflows().restart(id, None).await;
            }
        }
        all
    }

    async fn calm(&self) {
        let deadline = Instant::now() + CALM;
        while !self.look().await {
            if Instant::now() >= deadline {
                self.lament().await;
            }
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// Tells all there is to know of a run that does not come to its end.
    async fn lament(&self) {
        for id in &self.runs {
            let run = self.hand.workflows().inspect(id).await.unwrap();
            if run.status != Status::Finished {
                let archive = self.hand.workflows().archive(id).await.unwrap();
                let said: Vec<_> = self.programs.iter().map(Program::said).collect();
                let pending = ["ending", "lifecycle", "wait", "starting"].map(|group| {
                    self.hand.server.cli(&["XINFO", "CONSUMERS", LOG, group]).replace('\n', " ")
                });
                panic!("{id} does not end: {run:#?}\n{archive:#}\n{said:#?}\n{pending:#?}");
            }
        }
    }

    /// What has to hold once all runs have ended.
    async fn check(&mut self, groups: &[&str]) {
        let hand = &self.hand;
        let mut starts = HashMap::<String, usize>::new();
        for (_, start) in hand.events("start-task").await {
            let of = |name: &str| start.get(name).cloned().unwrap_or_default();
            let attempt = [of("workflow"), of("index"), of("part"), of("attempt")];
            *starts.entry(json!(attempt).to_string()).or_default() += 1;
        }
        assert!(starts.len() >= 3 * self.runs.len(), "{}", starts.len());
        let twice: Vec<_> = starts.iter().filter(|(_, count)| **count != 1).collect();
        assert!(twice.is_empty(), "announced more than once: {twice:?}");
        for group in groups {
            nothing_left(hand, group).await;
        }
        for id in &self.runs {
            let zeros = vec![0; hand.sum(id, "S").len()];
            assert_eq!((hand.sum(id, "S"), hand.sum(id, "A")), (zeros.clone(), zeros), "{id}");
        }
        assert_eq!(hand.server.cli(&["SCARD", "workflows:inprogress"]), "0");
        assert_eq!(hand.server.cli(&["LLEN", "workflows:all"]), self.runs.len().to_string());
        for key in ["mape:owners", "mape:waiting"] {
            assert_eq!(hand.server.cli(&["EXISTS", key]), "0", "{key}");
        }
        assert_eq!(groups_of(hand), groups);
        assert!(hand.log().info().await.unwrap().len < 10_000, "entries were removed");
        for id in &self.runs {
            hand.workflows().delete(id).await.unwrap();
        }
        self.programs.iter_mut().for_each(Program::end);
        let mut keys: Vec<_> = self.hand.keys().into_keys().collect();
        // The signs of life of those who were killed end by themselves.
        keys.retain(|key| !key.starts_with("mape:engine:") && key != "mape:watchers");
        assert_eq!(keys, ["mape:changed", LOG]);
    }

    /// Of all events of these kinds, each has one receipt.
    async fn each_has_a_receipt(&self, kinds: &[&str]) {
        for group in COMPATIBLE {
            nothing_left(&self.hand, group).await;
        }
        let mut receipts = HashMap::<EventId, usize>::new();
        for (_, receipt) in self.hand.events("receipt").await {
            *receipts.entry(receipt["for"].as_str().unwrap().parse().unwrap()).or_default() += 1;
        }
        for kind in kinds {
            for (id, event) in self.hand.events(kind).await {
                assert_eq!(receipts.get(&id), Some(&1), "{id} {event}");
            }
        }
    }

    async fn rage(&mut self) {
        let until = Instant::now() + STORM;
        while Instant::now() < until {
            self.submit().await;
            self.submit().await;
            sleep(Duration::from_millis(self.random.u64(50..400))).await;
            self.kill_one().await;
            self.look().await;
        }
    }
}

/// Waits until nothing of a log is left for a group.
async fn nothing_left(hand: &Hand, group: &str) {
    let deadline = Instant::now() + CALM;
    loop {
        let info = hand.log().group(group).info().await.unwrap().unwrap();
        if (info.pending, info.lag) == (0, 0) {
            return;
        }
        if Instant::now() >= deadline {
            let pending = hand.log().group(group).pending(10).await.unwrap();
            panic!("{group}: {info:?} {pending:?}");
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// The groups of the log, in order.
pub(super) fn groups_of(hand: &Hand) -> Vec<String> {
    let told = hand.server.cli(&["XINFO", "GROUPS", LOG]);
    let lines: Vec<_> = told.lines().collect();
    let mut groups: Vec<_> =
        lines.windows(2).filter(|two| two[0] == "name").map(|two| two[1].to_owned()).collect();
    groups.sort();
    groups
}

const KINDS: [&str; 5] = ["start-workflow", "start-task", "end-task", "end-workflow", "failed-workflow"];
const NATIVE: [&str; 2] = ["ending", "starting"];
pub(super) const COMPATIBLE: [&str; 6] = ["ending", "lifecycle", "redis", "request", "starting", "wait"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn engines_and_workers_that_are_killed_again_and_again_do_everything_once() {
    let engines = ["worker --native"; 3];
    let mut storm = Storm::new(RedisServer::start(), &engines).await;
    storm.rage().await;
    storm.calm().await;
    storm.check(&NATIVE).await;
    assert!(storm.kills >= 8, "{}", storm.kills);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_engines_that_are_like_littleflows_give_one_receipt_for_each_event() {
    let mut storm = Storm::new(RedisServer::start(), &["worker"; 3]).await;
    storm.rage().await;
    storm.calm().await;
    storm.each_has_a_receipt(&KINDS).await;
    storm.check(&COMPATIBLE).await;
    assert!(storm.kills >= 8, "{}", storm.kills);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_and_started_again_loses_nothing_and_has_nothing_done_twice() {
    let server = RedisServer::options().aof().start();
    let mut storm = Storm::new(server, &["worker"; 2]).await;
    for _ in 0..4 {
        let until = Instant::now() + STORM / 4;
        while Instant::now() < until {
            storm.submit().await;
            storm.look().await;
            sleep(Duration::from_millis(storm.random.u64(20..200))).await;
        }
        storm.hand.server.kill_9();
        sleep(Duration::from_millis(storm.random.u64(..300))).await;
        storm.hand.server.restart();
        storm.kill_one().await;
    }
    storm.calm().await;
    storm.each_has_a_receipt(&KINDS).await;
    storm.check(&COMPATIBLE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_hangs_for_longer_than_its_lease_and_then_goes_on_does_nothing_twice() {
    let mut storm = Storm::new(RedisServer::start(), &["worker", "worker --native"]).await;
    // Two engines, and one of the workers.
    for victim in 0..3 {
        storm.pause_one(victim).await;
    }
    storm.calm().await;
    storm.check(&COMPATIBLE).await;
    assert_eq!(storm.kills, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_engines_start_each_step_once_whatever_order_ends_come_in_and_however_often() {
    let hand = Hand::new().await;
    let mut engines = Vec::new();
    for _ in 0..20 {
        engines.push(hand.engine().await);
    }
    let mut runs = Vec::new();
    for engine in engines.iter().take(12) {
        let run = engine.run("{ a b c } → { d e } → f → g", Value::Null).await.unwrap();
        runs.push(run.id().clone());
    }
    let (mut random, mut told, mut seen) = (Rng::with_seed(4), Vec::new(), 0);
    let deadline = Instant::now() + CALM;
    loop {
        let starts = hand.events("start-task").await;
        for (_, start) in starts.iter().skip(seen) {
            let times = random.usize(1..4);
            told.extend((0..times).map(|_| start.clone()));
        }
        seen = starts.len();
        random.shuffle(&mut told);
        // Some wait until what follows has begun, or the run is over.
        let kept = told.split_off(told.len() - told.len() / 3);
        for start in std::mem::replace(&mut told, kept) {
            hand.end(&start, Some(&json!({"by": start["name"]}))).await;
        }
        if told.len() <= 2 && seen >= 12 * 7 {
            let mut over = true;
            for id in &runs {
                over &= hand.workflows().status(id).await.unwrap() == Status::Finished;
            }
            if over && told.is_empty() {
                break;
            }
            for start in told.drain(..) {
                hand.end(&start, None).await;
            }
        }
        assert!(Instant::now() < deadline, "{seen} starts");
        sleep(Duration::from_millis(20)).await;
    }
    nothing_left(&hand, "ending").await;
    let mut counts = HashMap::<String, usize>::new();
    for (_, start) in hand.events("start-task").await {
        *counts.entry(format!("{} {}", start["workflow"], start["index"])).or_default() += 1;
    }
    assert_eq!((counts.len(), counts.values().max()), (12 * 7, Some(&1)), "{counts:?}");
    for id in &runs {
        let zeros = vec![0; hand.sum(id, "S").len()];
        assert_eq!((hand.sum(id, "S"), hand.sum(id, "A")), (zeros.clone(), zeros));
    }
    assert_eq!(hand.events("end-workflow").await.len(), 12);
}
