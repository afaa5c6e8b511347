//! Channels on Redis.

use super::client::{Client, PATIENCE};
use super::failure::Failure;
use super::hearing::Hearing;
use super::subscriptions::Subscriptions;
use crate::channel::{ChannelName, Error, Payload, PubSub, Subscription, Topic, Topics};
use crate::stream::Answer;
use redis::{Cmd, Pipeline, Value};
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
        let (client, channel) = (self.client.clone(), channel.clone());
        if let [payload] = payloads {
            let cmd = publish(&channel, payload);
            return Answer::pending(async move {
                let reached = client.query(cmd).await.and_then(reached);
                reached.map_err(|failure| told(failure, channel.to_string()))
            });
        }
        let mut pipe = Pipeline::with_capacity(payloads.len());
        for payload in payloads {
            pipe.add_command(publish(&channel, payload));
        }
        Answer::pending(async move {
            let answers = client.pipeline(pipe).await;
            let all = answers.and_then(|answers| answers.into_iter().map(reached).sum());
            all.map_err(|failure| told(failure, channel.to_string()))
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
                Ok(Err(_)) | Err(_) => Err(told(Failure::not_sent(&shared.cause()), topic)),
            }
        })
    }
}

fn publish(channel: &ChannelName, payload: &[u8]) -> Cmd {
    let mut cmd = Cmd::with_capacity(3, 8 + channel.as_str().len() + payload.len());
    cmd.arg("PUBLISH").arg(channel.as_str()).arg(payload);
    cmd
}

/// How many a server says that it has reached.
fn reached(answer: Value) -> Result<u64, Failure> {
    match Failure::check(answer)? {
        Value::Int(n) => Ok(u64::try_from(n).unwrap_or_default()),
        _ => Ok(0),
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
