//! Channels: the suite that every carrier passes, and what sinks and sources do when a carrier fails.

pub(crate) mod conformance;
mod failing;

use mape::backend::Backend;
use mape::channel::Channels;

fn memory() -> Channels {
    Backend::memory().channels()
}

conformance::suite! { memory_conforms, super::memory(), start_paused = true }

#[tokio::test]
async fn two_memories_do_not_hear_each_other() {
    let (one, other) = (memory(), memory());
    let _heard = other.subscribe("*").await.unwrap();
    assert_eq!(one.publish("a", &1).await.unwrap(), 0);
}

#[tokio::test]
async fn a_subscription_ends_with_the_last_handle_of_the_memory() {
    use futures::StreamExt;
    let channels = memory();
    let heard = channels.subscribe("*").await.unwrap();
    channels.publish("a", &1).await.unwrap();
    drop(channels);
    assert_eq!(heard.count().await, 1);
}
