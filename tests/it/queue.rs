//! Task queues: the suite that every backend passes, and what is the memory's own.

pub(crate) mod batches;
pub(crate) mod conformance;
mod outside;

use mape::backend::Backend;

conformance::suite! { memory_conforms, mape::backend::Backend::memory(), start_paused = true }

fn memory() -> Backend {
    Backend::memory()
}
