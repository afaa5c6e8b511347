//! Inside this process: shared memory.
//!
//! A key lives in one of [`SHARDS`](store::SHARDS) maps behind a lock each; an operation locks one, a transaction those
//! of its keys in their order. Watchers and waiting takers are told while the shard is locked, so what they see is in
//! the order in which it happened; with nobody watching or waiting that costs one load of an atomic each.

mod contents;
mod durable;
mod event_log;
mod expiry;
mod hash;
mod journal;
mod list;
mod log;
mod pubsub;
mod redo;
mod restore;
mod set;
mod shard;
mod size;
mod sorted;
mod store;
mod transaction;
mod value;
mod waiters;
mod watchers;

pub(super) use durable::{Durable, Written};
pub(super) use pubsub::MemoryPubSub;
pub(super) use redo::{Content, Owner, Part, Redo, Space};
pub(super) use restore::Restoring;
pub(super) use store::MemoryStore;
