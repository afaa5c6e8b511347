//! Figures of workflows on a server: an engine and workers, each a process of its own, on a redis-server of the bench's own.
//!
//! `cargo bench -p mape-benches --bench distributed -- [--json] [CASE…]`; what each case does and how to read it is in
//! docs/performance.md.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark that cannot go on has to stop, and its figures are its output"
)]

#[path = "distributed/bare.rs"]
mod bare;
#[path = "distributed/latency.rs"]
mod latency;
#[path = "distributed/peer.rs"]
mod peer;
#[path = "distributed/roles.rs"]
mod roles;
#[path = "distributed/throughput.rs"]
mod throughput;

use mape_benches::Comparison;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [role, of, url, rest @ ..] = &args[..]
        && role == "--role"
    {
        return roles::play(of, url, rest).await;
    }
    let mut comparison = Comparison::new("distributed");
    throughput::cases(&mut comparison).await;
    latency::case(&mut comparison).await;
    throughput::memory(&mut comparison);
    latency::idle(&mut comparison).await;
}
