//! The file backend beside bare `SQLite`: durable appends and writes, by one writer and by 64; and flows on it beside its
//! own transactions.
//!
//! `cargo bench --bench file`, with `-- --json` for a line of JSON a case, a word to choose cases, `--seconds N` to
//! measure each for longer. It works in a directory below `target/tmp`, which should be on a real disk. What each case
//! does and how to read it is in docs/performance.md.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on has to stop")]

#[path = "file/engine.rs"]
mod engine;
#[path = "file/flows.rs"]
mod flows;
#[path = "file/ours.rs"]
mod ours;
#[path = "file/row.rs"]
mod row;

use engine::{Gatherer, Lone, Many};
use flows::{Flows, Steps};
use mape_benches::{Comparison, Run};
use ours::Ours;
use row::What;
use std::fs;
use std::path::{Path, PathBuf};

const CASES: [&str; 7] = [
    "file_append_1",
    "file_append_64",
    "file_append_64_own",
    "file_set_1",
    "file_set_64",
    "file_flow_1",
    "file_flow_64",
];

/// Writers at the same time where there are many.
const WRITERS: u64 = 64;
/// Writes of a run by one writer, and of each of many: runs are short, because what a disk can do changes soon.
const ALONE: u64 = 100;
const EACH: u64 = 30;
/// Tasks of each of many chains: so many that what a run costs besides does not count.
const LONG: u64 = 300;

fn main() {
    let mut comparison = Comparison::new("file");
    if !comparison.selects(&CASES) {
        return;
    }
    let directory = Directory::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        for (case, what, writers) in [
            ("file_append_1", What::Event, 1),
            ("file_append_64", What::Event, WRITERS),
            ("file_append_64_own", What::Event, WRITERS),
            ("file_set_1", What::Fact, 1),
            ("file_set_64", What::Fact, WRITERS),
        ] {
            if comparison.selects(&[case]) {
                measure(&mut comparison, &directory, case, what, writers).await;
            }
        }
        for (case, chains, each) in [("file_flow_1", 1, ALONE), ("file_flow_64", WRITERS, LONG)] {
            if comparison.selects(&[case]) {
                flow(&mut comparison, &directory, case, chains, each).await;
            }
        }
    });
}

async fn measure(comparison: &mut Comparison, directory: &Directory, case: &str, what: What, writers: u64) {
    let ours = Ours::open(&directory.make(&format!("{case}-ours")), what).await;
    let by_hand = directory.make(&format!("{case}-hand"));
    let each = if writers == 1 { ALONE } else { EACH };
    let run = async || Run::of(writers * each, ours.write(writers, each)).await.wall_only();
    if case.ends_with("_own") {
        let mut hand = Many::open(&by_hand, what, writers);
        // A few are enough: they are slow.
        let hand = async || Run::of(writers * (each / 10), hand.write(each / 10)).await.wall_only();
        comparison.rates(case, "", run, hand).await;
    } else if writers == 1 {
        let mut hand = Lone::open(&by_hand, what);
        let hand = async || Run::of(each, hand.write(each)).await.wall_only();
        comparison.rates(case, ">= 0.8", run, hand).await;
    } else {
        let hand = Gatherer::open(&by_hand, what);
        let hand = async || Run::of(writers * each, hand.write(writers, each)).await.wall_only();
        comparison.rates(case, ">= 0.8", run, hand).await;
    }
    ours.close_and_check().await;
    engine::check(&by_hand, what);
}

/// Chains of tasks that do nothing, and as many transactions of the store as they need.
async fn flow(comparison: &mut Comparison, directory: &Directory, case: &str, chains: u64, each: u64) {
    let flows = Flows::open(&directory.make(&format!("{case}-ours"))).await;
    let steps = Steps::open(&directory.make(&format!("{case}-hand"))).await;
    let ours = async || Run::of(chains * each, flows.run(chains, each)).await.wall_only();
    let hand = async || Run::of(chains * each, steps.write(chains, each)).await.wall_only();
    comparison.rates(case, ">= 0.7", ours, hand).await;
    flows.close().await;
    steps.close().await;
}

/// A directory on the disk of the build; it goes with the value.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("bench-file-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn make(&self, name: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir(&path).unwrap();
        path
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
