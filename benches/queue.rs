//! Task queues beside `BullMQ`: how many jobs a second one worker process does, how soon a job begins, and how soon one that a
//! killed worker had begins again.
//!
//! `cargo bench -p mape-benches --bench queue -- [--json] [CASE…]`. It starts redis-servers of its own; workers are processes
//! of their own, which end with this one. What each case does and how to read it is in docs/performance.md.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark that cannot go on has to stop, and its figures are its output"
)]

#[path = "queue/bullmq.rs"]
mod bullmq;
#[path = "queue/cases.rs"]
mod cases;
#[path = "queue/role.rs"]
mod role;

use mape_benches::Comparison;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, role, url, rest @ ..] = &args[..]
        && flag == "--role"
    {
        return role::play(role, url, rest).await;
    }
    let mut comparison = Comparison::new("queue");
    cases::work_off(&mut comparison).await;
    cases::add_and_work(&mut comparison).await;
    cases::begin(&mut comparison).await;
    cases::killed(&mut comparison).await;
    cases::elsewhere(&mut comparison).await;
}
