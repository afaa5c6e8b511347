//! All integration tests in one binary: linking is what costs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test that can't go on has failed"
)]

mod app;
mod channel;
#[cfg(feature = "cli")]
mod cli;
mod condition;
#[cfg(feature = "config")]
mod config;
#[cfg(feature = "database")]
mod database;
#[cfg(all(feature = "http", feature = "cli", feature = "redis", unix))]
mod deploy;
#[cfg(all(feature = "flow", feature = "redis"))]
mod distributed;
mod element;
mod event;
#[cfg(feature = "file")]
mod file;
#[cfg(feature = "flow")]
mod flow;
mod goal;
#[cfg(all(feature = "http", feature = "cli"))]
mod http;
#[cfg(feature = "inference")]
mod infer;
#[cfg(all(feature = "http", feature = "cli"))]
mod influx;
mod knowledge;
mod live;
mod patterns;
#[cfg(all(feature = "flow", feature = "redis"))]
mod python;
#[cfg(feature = "flow")]
mod queue;
#[cfg(feature = "redis")]
mod redis;
mod remote;
mod server;
#[cfg(feature = "flow")]
mod simulation;
mod stream;
mod suite;
mod telemetry;
#[cfg(feature = "text")]
mod text;
#[cfg(all(feature = "cli", feature = "database", feature = "inference", feature = "text"))]
mod volunteers;
#[cfg(feature = "flow")]
mod worker;
#[cfg(feature = "flow")]
mod workflow;
