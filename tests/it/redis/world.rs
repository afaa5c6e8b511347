//! What the tests of Redis have in common.

use crate::server::RedisServer;
use mape::backend::Backend;
use mape::channel::{ChannelName, Channels, Error, Payload, PubSub, Subscription, Topics};
use mape::stream::Answer;
use std::sync::Arc;

/// The channels of a server of their own, which ends with them.
pub(crate) async fn channels_of(server: RedisServer) -> Channels {
    let backend = Backend::open(&server.url()).await.unwrap();
    Channels::new(Arc::new(Owned { pubsub: backend.channels().pubsub().clone(), _server: server }))
}

struct Owned {
    pubsub: Arc<dyn PubSub>,
    _server: RedisServer,
}

impl PubSub for Owned {
    fn publish(&self, channel: &ChannelName, payloads: &[Payload]) -> Answer<Result<u64, Error>> {
        self.pubsub.publish(channel, payloads)
    }

    fn subscribe(&self, topics: Topics) -> Answer<Result<Subscription, Error>> {
        self.pubsub.subscribe(topics)
    }
}

impl std::fmt::Debug for Owned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.pubsub.fmt(f)
    }
}
