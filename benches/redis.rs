//! The Redis backend beside hand-pipelined redis-rs: channels, event log, knowledge, and what waits.
//!
//! `cargo bench --bench redis`, with `-- --json` for a line of JSON a case, a word to choose cases, `--seconds N` to
//! measure each for longer, `--idle N` to leave the idle ones alone for longer. It starts a redis-server of its own. What
//! each case does and how to read it is in docs/performance.md.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on has to stop")]
#![allow(clippy::indexing_slicing, reason = "an answer of another form stops the benchmark")]
#![allow(clippy::panic, reason = "a benchmark that cannot go on has to stop")]

#[path = "redis/captured.rs"]
mod captured;
#[path = "redis/channel_latency.rs"]
mod channel_latency;
#[path = "redis/envelope.rs"]
mod envelope;
#[path = "redis/event_log.rs"]
mod event_log;
#[path = "redis/flood.rs"]
mod flood;
#[path = "redis/idle.rs"]
mod idle;
#[path = "redis/knowledge.rs"]
mod knowledge;
#[path = "redis/publish.rs"]
mod publish;
#[path = "redis/server.rs"]
mod server;
#[path = "redis/subscribe.rs"]
mod subscribe;

use mape_benches::Comparison;
use server::Server;

fn main() {
    let mut comparison = Comparison::new("redis");
    let all = [
        publish::CASES,
        subscribe::CASES,
        event_log::CASES,
        channel_latency::CASES,
        knowledge::CASES,
        idle::CASES,
    ];
    if !all.iter().any(|cases| comparison.selects(cases)) {
        return;
    }
    // One thread, as for the other benchmarks: it leaves the other processor to the server.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let server = Server::start().await;
        publish::all(&server, &mut comparison).await;
        subscribe::all(&server, &mut comparison).await;
        event_log::all(&server, &mut comparison).await;
        channel_latency::all(&server, &mut comparison).await;
        knowledge::all(&server, &mut comparison).await;
        idle::all(&server, &mut comparison).await;
    });
}
