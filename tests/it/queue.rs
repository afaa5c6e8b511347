//! Task queues: the suite that every backend passes, and what is the memory's own.

pub(crate) mod batches;
pub(crate) mod conformance;
pub(crate) mod holding;
#[cfg(feature = "redis")]
mod killed;
mod outside;

use mape::backend::Backend;

holding::suite! { memory_holds, mape::backend::Backend::memory(), start_paused = true }
conformance::suite! { memory_conforms, mape::backend::Backend::memory(), start_paused = true }

fn memory() -> Backend {
    Backend::memory()
}
