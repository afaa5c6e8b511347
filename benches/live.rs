//! The live server: parts that reach thousands of clients, beside a bare axum handler over tokio's broadcast.
//!
//! `cargo bench -p mape-benches --bench live -- [--json] [CASE…]`. The servers are processes of their own, which end with
//! this one; this one is the load. What each case does and how to read it is in docs/performance.md.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark that cannot go on has to stop, and its figures are its output"
)]

#[path = "live/apart.rs"]
mod apart;
#[path = "live/bare.rs"]
mod bare;
#[path = "live/client.rs"]
mod client;
#[path = "live/completes.rs"]
mod completes;
#[path = "live/crowd.rs"]
mod crowd;
#[path = "live/fanout.rs"]
mod fanout;
#[path = "live/held.rs"]
mod held;
#[path = "live/hub.rs"]
mod hub;
#[path = "core/interest.rs"]
mod interest;
#[path = "live/interests.rs"]
mod interests;
#[path = "live/ours.rs"]
mod ours;
#[path = "live/part.rs"]
mod part;
#[path = "live/role.rs"]
mod role;
#[path = "live/server.rs"]
mod server;

use mape_benches::{Comparison, Figure};
use std::time::Duration;

/// No case takes as long as that.
const LIMIT: Duration = Duration::from_mins(5);

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    allow_files();
    if let [flag, of, rest @ ..] = &args[..]
        && flag == "--role"
    {
        return role::play(of, rest);
    }
    let mut comparison = Comparison::new("live");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        within(held::cases(&mut comparison)).await;
        within(completes::case(&mut comparison)).await;
        within(fanout::cases(&mut comparison)).await;
    });
    hub::cases(&mut comparison);
    interests::cases(&mut comparison);
}

async fn within(cases: impl Future<Output = ()>) {
    let ended = tokio::time::timeout(LIMIT, cases).await;
    assert!(ended.is_ok(), "a case did not end within {LIMIT:?}");
}

/// As many files as this process may have open, for every client is one.
fn allow_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let wanted = rustix::process::Rlimit { current: limit.maximum, ..limit };
    if let Err(error) = setrlimit(Resource::Nofile, wanted) {
        eprintln!("the limit of open files stays {:?}: {error}", limit.current);
    }
}

/// A value beside that of the bare server.
fn figure<'a>(case: &'a str, [value, baseline]: [f64; 2], unit: &'a str, aim: &'a str) -> Figure<'a> {
    Figure { case, value, unit, baseline, ratio: value / baseline, cpu_ratio: None, aim }
}

/// Where a server has the parts of a group.
fn path(of: &str, group: usize) -> String {
    if of == "ours" { format!("/live/stream?names=group{group}") } else { format!("/groups/{group}") }
}

/// Where a server has a job that makes so many parts, that many milliseconds apart.
fn job_path(of: &str, parts: u64, millis: u64) -> String {
    if of == "ours" {
        format!("/live/jobs/count?parts={parts}&millis={millis}")
    } else {
        format!("/count/{parts}/{millis}")
    }
}
