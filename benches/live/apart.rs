//! Cases in one process, but one of its own, so that none finds the memory or the tasks of another.

use super::{hub, interests};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

/// Runs a side of a case on two threads, as a server would; its figures.
pub(super) fn run<const N: usize>(case: &str, words: &[&str]) -> [f64; N] {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let output = command.args(["--role", case]).args(words).output().unwrap();
    assert!(output.status.success(), "{case}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let figures: Vec<f64> = text.split_whitespace().map(|figure| figure.parse().unwrap()).collect();
    figures.try_into().unwrap()
}

pub(super) async fn play(case: &str, words: &[String]) {
    let words: Vec<&str> = words.iter().map(|word| &**word).collect();
    let figures = match case {
        "hub" => hub::play(&words).await.to_vec(),
        "interests" => interests::play(&words).await.to_vec(),
        other => panic!("there is no role {other}"),
    };
    println!("{}", figures.iter().map(f64::to_string).collect::<Vec<_>>().join(" "));
}

/// What receivers have been given, and a producer that waits for them.
pub(super) struct Tally {
    /// A receiver says so whenever it has as many more.
    round: u64,
    /// How many that are of all receivers.
    all: u64,
    delivered: AtomicU64,
    lost: AtomicU64,
    whole: Notify,
}

impl Tally {
    pub(super) fn new(round: u64, receivers: u64) -> Arc<Self> {
        let (delivered, lost) = (AtomicU64::new(0), AtomicU64::new(0));
        Arc::new(Self { round, all: round * receivers, delivered, lost, whole: Notify::new() })
    }

    /// A receiver that has had `count` got another.
    #[inline]
    pub(super) fn deliver(&self, count: &mut u64) {
        *count += 1;
        if count.is_multiple_of(self.round) {
            let before = self.delivered.fetch_add(self.round, Ordering::Relaxed);
            if (before + self.round).is_multiple_of(self.all) {
                self.whole.notify_one();
            }
        }
    }

    /// A receiver was told that it lost so many.
    pub(super) fn lose(&self, parts: u64) {
        self.lost.fetch_add(parts, Ordering::Relaxed);
    }

    /// Until all receivers have a round more.
    pub(super) async fn whole(&self) {
        self.whole.notified().await;
    }

    pub(super) fn delivered(&self) -> f64 {
        self.delivered.load(Ordering::Relaxed) as f64
    }

    pub(super) fn lost(&self) -> f64 {
        self.lost.load(Ordering::Relaxed) as f64
    }
}

/// The processor's time that this process has used so far.
pub(super) fn cpu() -> Duration {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(used.tv_sec.try_into().unwrap(), used.tv_nsec.try_into().unwrap())
}
