//! The event log: the suites that every backend passes, and what is the memory's own.

pub(crate) mod conformance;
pub(crate) mod groups;
pub(crate) mod model;
pub(crate) mod receipts;
pub(crate) mod together;

use mape::backend::Backend;

fn memory() -> Backend {
    Backend::memory()
}

conformance::suite! { memory_conforms, super::memory(), start_paused = true }
groups::suite! { memory_groups, super::memory(), start_paused = true }
receipts::suite! { memory_receipts, super::memory(), start_paused = true }
together::suite! { memory_together, super::memory(), start_paused = true }

#[tokio::test]
async fn two_memories_have_logs_of_their_own() {
    let (one, other) = (memory(), memory());
    one.events().log("orders").append(mape::event::Event::new("order")).await.unwrap();
    assert_eq!(other.events().log("orders").info().await.unwrap().len, 0);
}
