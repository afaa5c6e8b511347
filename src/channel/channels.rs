//! The handle from which sinks and sources are made.

use super::envelope::{Envelope, EnvelopeKind};
use super::{ChannelName, ChannelSink, ChannelSource, Error, Payload, PubSub, Subscription, Topics};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::any::type_name;
use std::sync::Arc;

/// The channels of one backend; a cheap handle.
#[derive(Clone, Debug)]
pub struct Channels {
    pubsub: Arc<dyn PubSub>,
}

impl Channels {
    /// The channels that `pubsub` carries.
    #[must_use]
    pub fn new(pubsub: Arc<dyn PubSub>) -> Self {
        Self { pubsub }
    }

    /// A sink whose items are published on `channel`.
    pub fn sink<T: Serialize>(&self, channel: impl Into<ChannelName>) -> ChannelSink<T> {
        ChannelSink::new(self.pubsub.clone(), channel.into())
    }

    /// The items published on these channels from now on: text is a pattern ([`Topics`] has exact names too).
    ///
    /// # Delivery
    ///
    /// As the [module](super) says.
    ///
    /// # Cancel safety
    ///
    /// Yes: dropping the future subscribes to nothing.
    pub async fn source<T: DeserializeOwned>(
        &self,
        topics: impl Into<Topics>,
    ) -> Result<ChannelSource<T>, Error> {
        let topics = topics.into();
        let name = topics.to_string();
        Ok(ChannelSource::new(self.subscribe(topics).await?, &name))
    }

    /// The payloads published on these channels from now on, as they are.
    ///
    /// # Delivery
    ///
    /// As the [module](super) says.
    ///
    /// # Cancel safety
    ///
    /// Yes: dropping the future subscribes to nothing.
    pub async fn subscribe(&self, topics: impl Into<Topics>) -> Result<Subscription, Error> {
        self.pubsub.subscribe(topics.into()).await
    }

    /// Publishes one value as plain JSON, without an envelope; how many subscriptions were reached, as far as known.
    ///
    /// # Delivery
    ///
    /// As the [module](super) says.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it is published.
    pub async fn publish<T>(&self, channel: impl Into<ChannelName>, value: &T) -> Result<u64, Error>
    where
        T: Serialize + ?Sized,
    {
        self.publish_once(&channel.into(), value, true).await
    }

    /// Publishes one value, plain or in an envelope of its own; how many subscriptions were reached, as far as known.
    ///
    /// # Delivery
    ///
    /// As the [module](super) says; unlike a sink, it tries once.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it is published.
    pub async fn publish_once<T>(&self, channel: &ChannelName, value: &T, bare: bool) -> Result<u64, Error>
    where
        T: Serialize + ?Sized,
    {
        let json = if bare {
            serde_json::to_vec(value)
        } else {
            let envelope =
                Envelope::now(EnvelopeKind::Next, Some(value), channel.as_str(), super::sink::epoch(), 1);
            serde_json::to_vec(&envelope)
        };
        let payload: Payload = match json {
            Ok(json) => json.into(),
            Err(error) => {
                let (channel, type_name) = (channel.clone(), type_name::<T>());
                return Err(Error::Encode { channel, type_name, source: Arc::new(error) });
            }
        };
        self.pubsub.publish(channel, &[payload]).await
    }

    /// What carries them.
    #[must_use]
    pub fn pubsub(&self) -> &Arc<dyn PubSub> {
        &self.pubsub
    }
}
