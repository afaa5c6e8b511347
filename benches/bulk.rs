//! Bulk writing beside what the databases do by themselves: rows a second out of a log into a table, with the cursor.
//!
//! `cargo bench -p mape-benches --bench bulk`, with `--features postgres` also for `PostgreSQL`, of which it starts one;
//! `-- --json` for a line of JSON a case, a word to choose cases, `--seconds N` to measure each for longer. It works in a
//! directory below `target/tmp`, which should be on a real disk. What each case does is in docs/performance.md.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on has to stop")]

#[path = "bulk/ours.rs"]
mod ours;
#[cfg(feature = "postgres")]
#[path = "bulk/postgres.rs"]
mod postgres;
#[path = "bulk/row.rs"]
mod row;
#[path = "bulk/sqlite.rs"]
mod sqlite;

use mape_benches::{Comparison, Run};
use ours::{Batches, Bulk};
use row::{BATCH, ROWS, Turns};
use sqlite::Sqlite;
use std::path::{Path, PathBuf};

const SQLITE: [&str; 4] = ["sqlite_log", "sqlite_log_upsert", "sqlite_write", "sqlite_write_upsert"];

fn main() {
    let mut comparison = Comparison::new("bulk");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let directory = Directory::new();
        for case in SQLITE {
            if comparison.selects(&[case]) {
                sqlite(&mut comparison, &directory, case).await;
            }
        }
        #[cfg(feature = "postgres")]
        postgres::measure(&mut comparison).await;
    });
}

/// Prepared statements in transactions of as many rows, on files of their own.
async fn sqlite(comparison: &mut Comparison, directory: &Directory, case: &str) {
    let upsert = case.ends_with("_upsert");
    let path = |of: &str| directory.0.join(format!("{case}-{of}.db"));
    let url = format!("sqlite:{}", path("ours").display());
    let rows = Turns::new();
    let mut hand = Sqlite::open(&path("hand"), upsert);
    let by_hand = async || Run::of(ROWS, hand.write(&rows.next())).await.wall_only();
    if case.contains("_log") {
        let bulk = Bulk::start(&url, upsert, &rows).await;
        comparison.rates(case, ">= 0.8", async || bulk.run().await, by_hand).await;
    } else {
        let batches = Batches::open(&url, upsert).await;
        let own = Turns::new();
        let ours = async || Run::of(ROWS, batches.write(&own.next())).await.wall_only();
        comparison.rates(case, ">= 0.8", ours, by_hand).await;
    }
    let all = sqlite::count(&path("ours"));
    assert!(
        all > 0 && all.is_multiple_of(ROWS) && (!upsert || all == ROWS),
        "{all} rows of {ROWS} a run, {BATCH} at a time"
    );
}

/// A directory on the disk of the build; it goes with the value.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("bench-bulk-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
