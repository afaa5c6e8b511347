//! Workflows: how runs go, by the rules of the language and beside simple models, and the engine that turns them.

mod behaviour;
mod builtin;
mod conformance;
mod driver;
mod engine;
#[cfg(all(feature = "file", unix))]
mod killed;
mod model;
pub(crate) mod naive;
#[cfg(feature = "cli")]
mod program;
mod rules;
mod schedule;
#[cfg(all(feature = "cli", feature = "redis", unix))]
mod server;
mod sharing;
