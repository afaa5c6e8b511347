//! Channels on Redis.

use super::client::{Client, PATIENCE};
use super::failure::Failure;
use super::hearing::Hearing;
use super::subscriptions::Subscriptions;
use crate::channel::{ChannelName, Error, Payload, PubSub, Subscription, Topic, Topics};
use crate::stream::Answer;
use redis::{Pipeline, Value};
use std::fmt;
use std::sync::Arc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// A [`PubSub`] on a Redis server; clones share it.
#[derive(Clone)]
pub(in crate::backend) struct RedisPubSub {
    client: Client,
    heard: Arc<Heard>,
}

struct Heard {
    subscriptions: Arc<Subscriptions>,
    keeper: JoinHandle<()>,
}

impl Drop for Heard {
    fn drop(&mut self) {
        self.keeper.abort();
        self.subscriptions.clear();
    }
}

impl RedisPubSub {
    pub(in crate::backend) fn new(client: Client) -> Self {
        let subscriptions = Arc::<Subscriptions>::default();
        let (shared, settings) = (client.shared().clone(), client.settings().clone());
        let hearing = Hearing { shared, settings, subscriptions: subscriptions.clone() };
        let keeper = tokio::spawn(hearing.keep());
        Self { client, heard: Arc::new(Heard { subscriptions, keeper }) }
    }
}

impl PubSub for RedisPubSub {
    fn publish(&self, channel: &ChannelName, payloads: &[Payload]) -> Answer<Result<u64, Error>> {
        let mut pipe = Pipeline::with_capacity(payloads.len());
        for payload in payloads {
            pipe.cmd("PUBLISH").arg(channel.as_str()).arg(&**payload);
        }
        let client = self.client.clone();
        let channel = channel.clone();
        Answer::pending(async move {
            let reached = async {
                let mut reached = 0;
                for value in client.pipeline(pipe).await? {
                    if let Value::Int(n) = Failure::check(value)? {
                        reached += u64::try_from(n).unwrap_or_default();
                    }
                }
                Ok(reached)
            };
            reached.await.map_err(|failure: Failure| told(failure, channel.to_string()))
        })
    }

    fn subscribe(&self, topics: Topics) -> Answer<Result<Subscription, Error>> {
        let subscriptions = self.heard.subscriptions.clone();
        let shared = self.client.shared().clone();
        Answer::pending(async move {
            if topics.topics().is_empty() {
                let (_, subscription) = Subscription::bounded(topics, || ());
                return Ok(subscription);
            }
            let topic = topics.topics().iter().map(named).collect::<Vec<_>>().join(", ");
            let id = subscriptions.number();
            let gone = Arc::downgrade(&subscriptions);
            let (sender, subscription) = Subscription::bounded(topics, move || {
                if let Some(subscriptions) = gone.upgrade() {
                    subscriptions.remove(id);
                }
            });
            let confirmed = subscriptions.add(id, sender);
            drop(subscriptions);
            match timeout(PATIENCE, confirmed).await {
                Ok(Ok(Ok(()))) => Ok(subscription),
                Ok(Ok(Err(failure))) => Err(told(failure, topic)),
                Ok(Err(_)) | Err(_) => Err(told(Failure::NotSent(shared.cause()), topic)),
            }
        })
    }
}

fn named(topic: &Topic) -> &str {
    match topic {
        Topic::Name(name) => name.as_str(),
        Topic::Pattern(pattern) => pattern.as_str(),
    }
}

fn told(failure: Failure, topic: String) -> Error {
    let retryable = failure.is_retryable();
    let source = Arc::new(failure);
    if retryable { Error::Unavailable { topic, source } } else { Error::Refused { topic, source } }
}

impl fmt::Debug for RedisPubSub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RedisPubSub").field(&self.client).finish()
    }
}
