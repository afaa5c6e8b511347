//! What the tests of Redis have in common.

use crate::server::RedisServer;
use futures::{Stream, StreamExt};
use mape::backend::Backend;
use mape::channel::{ChannelName, Channels, Error, Payload, PubSub, Subscription, Topics};
use mape::knowledge::{Change, Knowledge, Notice, Scope};
use mape::stream::Answer;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

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

/// The knowledge behind a URL, through a client of its own.
pub(crate) async fn knowledge(url: &str) -> Knowledge {
    Backend::open(url).await.unwrap().knowledge(Scope::App)
}

/// Two clients of one server.
pub(crate) async fn two(url: &str) -> [Knowledge; 2] {
    [knowledge(url).await, knowledge(url).await]
}

/// The next notice, in time.
pub(crate) async fn next<N>(notices: &mut (impl Stream<Item = N> + Unpin)) -> N {
    timeout(Duration::from_secs(20), notices.next()).await.expect("a notice in time").expect("it goes on")
}

/// The next notice, which is a change.
pub(crate) async fn next_change(changes: &mut (impl Stream<Item = Notice> + Unpin)) -> Change {
    match next(changes).await {
        Notice::Change(change) => change,
        other => panic!("{other:?}"),
    }
}
