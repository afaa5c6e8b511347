//! Durable writes to `file:`, beside bare `SQLite` that commits the same rows in a loop, in the same batches.
//!
//! `cargo bench -p mape-benches --bench file`, with `-- --json` for a line of JSON a case, and `--dir=DIR` for another
//! disk than that of the build. Both write in turns, on the same disk, and the median of their rounds is compared: what else the disk does meanwhile hits both.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on has to stop")]
#![allow(clippy::print_stdout, reason = "its figures are its output")]

use mape::backend::Backend;
use mape::event::Event;
use mape::knowledge::{Key, ValueCommand};
use rusqlite::{Connection, params};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;
use tokio::runtime::Runtime;

/// Writes that wait for their commit at the same time, of a round in all.
const CASES: [(&str, usize, usize); 3] =
    [("one_writer", 1, 500), ("writers64", 64, 6400), ("appenders64", 64, 6400)];
const ROUNDS: usize = 15;
const KEYS: usize = 1000;
const VALUE: &str =
    "a value of a hundred bytes, which is what a fact about a managed system takes in most of the cases";

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    // Names given select benchmarks, as they do for the other targets of `cargo bench`.
    let asked =
        |case: &str| args.iter().all(|a| a.starts_with('-') || format!("file/{case}").contains(a.as_str()));
    if !CASES.iter().any(|(case, ..)| asked(case)) {
        return;
    }
    let json = args.iter().any(|a| a == "--json");
    if !json {
        println!("durable writes a second\n");
        println!("{:<14}{:>10}{:>10}{:>8}", "case", "file:", "SQLite", "ratio");
    }
    let below = args.iter().find_map(|a| a.strip_prefix("--dir=")).unwrap_or(env!("CARGO_TARGET_TMPDIR"));
    let dir = Path::new(below).join(format!("bench-{}", std::process::id()));
    for (case, writers, total) in CASES.into_iter().filter(|(case, ..)| asked(case)) {
        let (value, baseline) = measure(&dir, case, writers, total);
        let ratio = value / baseline;
        if json {
            println!(
                r#"{{"bench":"file","case":"{case}","value":{value:.0},"unit":"writes/s","baseline":{baseline:.0},"ratio":{ratio:.3}}}"#
            );
        } else {
            println!("{case:<14}{value:>10.0}{baseline:>10.0}{ratio:>8.2}");
        }
    }
    fs::remove_dir_all(&dir).unwrap();
}

fn measure(dir: &Path, case: &str, writers: usize, total: usize) -> (f64, f64) {
    let runtime = Runtime::new().unwrap();
    let ours = dir.join(format!("{case}-file"));
    let backend = runtime.block_on(Backend::open(&format!("file:{}", ours.display()))).unwrap();
    let bare = bare(&dir.join(format!("{case}-sqlite")));
    let (mut of_ours, mut of_bare) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        // Others in each round: what is there already would not be written again.
        let first = round * total;
        of_ours
            .push(per_second(total, || runtime.block_on(write_all(&backend, case, writers, first, total))));
        of_bare.push(per_second(total, || commit_all(&bare, case, writers, first, total)));
    }
    (median(of_ours), median(of_bare))
}

fn per_second(total: usize, work: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    work();
    total as f64 / begun.elapsed().as_secs_f64()
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of.get(of.len() / 2).copied().unwrap()
}

async fn write_all(backend: &Backend, case: &str, writers: usize, first: usize, total: usize) {
    let tasks: Vec<_> = (0..writers)
        .map(|writer| {
            let (store, log) = (backend.store(), backend.events().log("log"));
            let numbers = (first + writer..first + total).step_by(writers);
            if case == "appenders64" {
                tokio::spawn(async move {
                    for n in numbers {
                        log.append(event(n)).await.unwrap();
                    }
                })
            } else {
                tokio::spawn(async move {
                    for n in numbers {
                        let set = ValueCommand::Set { value: value(n).into(), expiry: None };
                        store.run(&Key::from(key(n)), set.into()).await.unwrap();
                    }
                })
            }
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

fn key(n: usize) -> String {
    format!("k.app.{}", n % KEYS)
}

fn value(n: usize) -> String {
    format!("{n:10} {VALUE}")
}

fn event(n: usize) -> Event {
    Event::new("fact").with("n", n).with("text", VALUE)
}

/// A table of the same form, with the same care for what is written.
fn bare(dir: &PathBuf) -> Connection {
    fs::create_dir_all(dir).unwrap();
    let connection = Connection::open(dir.join("bare.db")).unwrap();
    connection.pragma_update(None, "journal_mode", "WAL").unwrap();
    connection.pragma_update(None, "synchronous", "FULL").unwrap();
    connection
        .execute_batch(
            "CREATE TABLE parts (space INTEGER NOT NULL, key TEXT NOT NULL, part ANY NOT NULL, value ANY NOT NULL,
             PRIMARY KEY (space, key, part)) STRICT, WITHOUT ROWID",
        )
        .unwrap();
    connection
}

fn commit_all(connection: &Connection, case: &str, batch: usize, first: usize, total: usize) {
    for begin in (first..first + total).step_by(batch) {
        let transaction = connection.unchecked_transaction().unwrap();
        let mut put =
            transaction.prepare_cached("INSERT OR REPLACE INTO parts VALUES (?1, ?2, ?3, ?4)").unwrap();
        for n in begin..begin + batch {
            if case == "appenders64" {
                put.execute(params![7, "log", format!("1795292903818-{n}"), event(n).to_string()]).unwrap();
            } else {
                put.execute(params![1, key(n), "", value(n)]).unwrap();
            }
        }
        drop(put);
        transaction.commit().unwrap();
    }
}
