//! Channels on Redis.

use super::client::Client;
use super::failure::Failure;
use crate::channel::{ChannelName, Error, Payload, PubSub, Subscription, Topics};
use crate::stream::Answer;
use redis::{Pipeline, Value};
use std::fmt;
use std::sync::Arc;

/// A [`PubSub`] on a Redis server.
#[derive(Clone)]
pub(in crate::backend) struct RedisPubSub {
    client: Client,
}

impl RedisPubSub {
    pub(in crate::backend) fn new(client: Client) -> Self {
        Self { client }
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
        let topic = format!("{:?}", topics.topics());
        Answer::ready(Err(told(Failure::NotSent("not there yet".into()), topic)))
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
