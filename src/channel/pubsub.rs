//! What a backend has to be able to do to carry channels.

use super::{ChannelName, Error, Pattern, Subscription};
use crate::stream::Answer;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

/// What is published: bytes, cheap to clone.
pub type Payload = Arc<[u8]>;

/// Carries payloads from publishers to whoever subscribes at that moment.
///
/// # Delivery
///
/// At most once. What one handle publishes to one channel arrives in that order. A subscription whose queue is full
/// loses the oldest and is told how many; publishers never wait for subscribers.
pub trait PubSub: fmt::Debug + Send + Sync + 'static {
    /// Publishes these payloads one after the other; how many subscriptions were reached in all, as far as known.
    ///
    /// # Cancel safety
    ///
    /// Dropping a pending answer leaves open what is published.
    fn publish(&self, channel: &ChannelName, payloads: &[Payload]) -> Answer<Result<u64, Error>>;

    /// Everything published to these topics from the moment the answer is there.
    ///
    /// A payload is delivered once, however many of the topics its channel matches.
    fn subscribe(&self, topics: Topics) -> Answer<Result<Subscription, Error>>;
}

/// One thing to subscribe to: an exact name or a pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Topic {
    /// The channel of exactly this name.
    Name(ChannelName),
    /// All channels whose name matches.
    Pattern(Pattern),
}

impl Topic {
    /// Whether `channel` is one of those meant.
    #[must_use]
    pub fn matches(&self, channel: &ChannelName) -> bool {
        match self {
            Self::Name(name) => name == channel,
            Self::Pattern(pattern) => pattern.matches(channel.as_str()),
        }
    }
}

impl From<ChannelName> for Topic {
    fn from(name: ChannelName) -> Self {
        Self::Name(name)
    }
}

impl From<Pattern> for Topic {
    fn from(pattern: Pattern) -> Self {
        Self::Pattern(pattern)
    }
}

impl fmt::Display for Topics {
    /// Names and patterns, separated by commas.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, topic) in self.list.iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            match topic {
                Topic::Name(name) => write!(f, "{comma}{name}")?,
                Topic::Pattern(pattern) => write!(f, "{comma}{pattern}")?,
            }
        }
        Ok(())
    }
}

/// What a subscription is to, and how many payloads may wait for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topics {
    list: Vec<Topic>,
    capacity: NonZeroUsize,
}

impl Topics {
    /// How many payloads wait for a subscription unless it asks for another number.
    pub const CAPACITY: NonZeroUsize = NonZeroUsize::new(1024).unwrap();

    /// The channels of exactly these names, whatever characters they have.
    #[must_use]
    pub fn names<N: Into<ChannelName>>(names: impl IntoIterator<Item = N>) -> Self {
        names.into_iter().map(|name| Topic::Name(name.into())).collect()
    }

    /// The channels that match any of these patterns.
    #[must_use]
    pub fn patterns<P: Into<Pattern>>(patterns: impl IntoIterator<Item = P>) -> Self {
        patterns.into_iter().map(|pattern| Topic::Pattern(pattern.into())).collect()
    }

    /// And these.
    #[must_use]
    pub fn and(mut self, more: impl Into<Self>) -> Self {
        self.list.extend(more.into().list);
        self
    }

    /// How many payloads may wait before the oldest is lost and counted.
    #[must_use]
    pub fn capacity(mut self, capacity: NonZeroUsize) -> Self {
        self.capacity = capacity;
        self
    }

    /// Whether `channel` is one of those meant.
    #[must_use]
    pub fn match_channel(&self, channel: &ChannelName) -> bool {
        self.list.iter().any(|topic| topic.matches(channel))
    }

    /// What is subscribed to.
    #[must_use]
    pub fn topics(&self) -> &[Topic] {
        &self.list
    }

    pub(super) fn queue_capacity(&self) -> NonZeroUsize {
        self.capacity
    }
}

impl FromIterator<Topic> for Topics {
    fn from_iter<I: IntoIterator<Item = Topic>>(topics: I) -> Self {
        Self { list: topics.into_iter().collect(), capacity: Self::CAPACITY }
    }
}

impl From<ChannelName> for Topics {
    fn from(name: ChannelName) -> Self {
        Self::names([name])
    }
}

impl From<Pattern> for Topics {
    fn from(pattern: Pattern) -> Self {
        Self::patterns([pattern])
    }
}

/// One pattern.
impl From<&str> for Topics {
    fn from(pattern: &str) -> Self {
        Self::patterns([pattern])
    }
}

/// Several patterns.
impl<const N: usize> From<[&str; N]> for Topics {
    fn from(patterns: [&str; N]) -> Self {
        Self::patterns(patterns)
    }
}
