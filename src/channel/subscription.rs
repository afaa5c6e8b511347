//! What a subscriber gets.

use super::{ChannelName, Payload, Topics};
use crate::stream::{Lossy, LossyReceiver, LossySender, lossy};
use futures::{Stream, StreamExt};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// One payload that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The channel to which it was published.
    pub channel: ChannelName,
    /// What was published.
    pub payload: Payload,
}

/// What a [`Subscription`] yields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A payload.
    Delivery(Delivery),
    /// The subscriber was too slow: this many payloads were lost here, older than what follows.
    Missed(u64),
    /// The backend was out of reach for a while; payloads may have been lost here.
    Interrupted,
}

/// The payloads for one subscriber, a [`Stream`]; dropping it ends the subscription.
///
/// It ends when the backend is closed.
pub struct Subscription {
    queue: LossyReceiver<Incoming>,
    end: Option<Box<dyn FnOnce() + Send + Sync>>,
}

/// Where a backend puts the payloads for one subscriber.
#[derive(Debug)]
pub struct DeliverySender {
    topics: Topics,
    queue: LossySender<Incoming>,
}

impl Subscription {
    /// A queue for a subscriber of these topics, for a backend to fill; `end` is called when it is dropped.
    pub fn bounded(topics: Topics, end: impl FnOnce() + Send + Sync + 'static) -> (DeliverySender, Self) {
        let (sender, queue) = lossy(topics.queue_capacity());
        (DeliverySender { topics, queue: sender }, Self { queue, end: Some(Box::new(end)) })
    }

    /// How many payloads were lost so far because the subscriber was slow.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.queue.lost()
    }
}

impl DeliverySender {
    /// Hands over a payload of `channel` if one of the topics means it; never waits. Whether it was queued.
    #[must_use]
    pub fn send(&self, channel: &ChannelName, payload: &Payload) -> bool {
        self.topics.match_channel(channel)
            && self
                .queue
                .send(Incoming::Delivery(Delivery { channel: channel.clone(), payload: payload.clone() }))
    }

    /// Says that this many payloads were lost before they came here.
    pub fn missed(&self, count: u64) {
        self.queue.lost(count);
    }

    /// Says that the backend was out of reach.
    pub fn interrupted(&self) {
        self.queue.send(Incoming::Interrupted);
    }

    /// What is subscribed to.
    #[must_use]
    pub fn topics(&self) -> &Topics {
        &self.topics
    }
}

impl Stream for Subscription {
    type Item = Incoming;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Incoming>> {
        self.queue.poll_next_unpin(cx).map(|next| {
            next.map(|next| match next {
                Lossy::Item(incoming) => incoming,
                Lossy::Missed(n) => Incoming::Missed(n),
            })
        })
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(end) = self.end.take() {
            end();
        }
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("queue", &self.queue).finish_non_exhaustive()
    }
}
