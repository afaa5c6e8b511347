//! Channels in memory.

use crate::backend::keeper::Keeper;
use crate::channel::{ChannelName, DeliverySender, Error, Payload, PubSub, Subscription, Topic, Topics};
use crate::stream::Answer;
use foldhash::fast::RandomState;
use parking_lot::RwLock;
use std::collections::HashMap;
use std::fmt;
use std::mem;
use std::sync::{Arc, Weak};

/// A [`PubSub`] in this process' memory; clones share it.
#[derive(Clone, Default)]
pub(in crate::backend) struct MemoryPubSub {
    subscribers: Arc<RwLock<Subscribers>>,
    /// Ends with the last handle; what goes on by itself has none.
    _keeper: Option<Arc<dyn Keeper>>,
}

/// Found by name; those that have a pattern are asked one after the other.
#[derive(Default)]
struct Subscribers {
    by_name: HashMap<ChannelName, Vec<Entry>, RandomState>,
    by_pattern: Vec<Entry>,
    next: u64,
    closed: bool,
}

#[derive(Clone)]
struct Entry {
    id: u64,
    sender: Arc<DeliverySender>,
}

impl Subscribers {
    fn add(&mut self, id: u64, sender: DeliverySender) {
        let entry = Entry { id, sender: Arc::new(sender) };
        let topics = entry.sender.topics().topics();
        if topics.iter().any(|topic| matches!(topic, Topic::Pattern(_))) {
            // Once, so that nothing is delivered twice where a pattern matches one of the names.
            self.by_pattern.push(entry.clone());
            return;
        }
        for topic in topics {
            if let Topic::Name(name) = topic {
                let entries = self.by_name.entry(name.clone()).or_default();
                if entries.iter().all(|other| other.id != id) {
                    entries.push(entry.clone());
                }
            }
        }
    }

    fn remove(&mut self, id: u64) {
        self.by_pattern.retain(|entry| entry.id != id);
        self.by_name.retain(|_, entries| {
            entries.retain(|entry| entry.id != id);
            !entries.is_empty()
        });
    }
}

impl MemoryPubSub {
    /// A handle as users have it.
    pub(in crate::backend) fn kept_by(self, keeper: Arc<dyn Keeper>) -> Self {
        Self { _keeper: Some(keeper), ..self }
    }

    /// Ends all subscriptions, and those to come.
    pub(in crate::backend) fn close(&self) {
        let mut subscribers = self.subscribers.write();
        subscribers.closed = true;
        let ended = (mem::take(&mut subscribers.by_name), mem::take(&mut subscribers.by_pattern));
        drop(subscribers);
        drop(ended);
    }
}

impl PubSub for MemoryPubSub {
    fn publish(&self, channel: &ChannelName, payloads: &[Payload]) -> Answer<Result<u64, Error>> {
        let subscribers = self.subscribers.read();
        let by_name = subscribers.by_name.get(channel).into_iter().flatten();
        let mut reached = 0;
        for Entry { sender, .. } in by_name.chain(&subscribers.by_pattern) {
            for payload in payloads {
                reached += u64::from(sender.send(channel, payload));
            }
        }
        Answer::ready(Ok(reached))
    }

    fn subscribe(&self, topics: Topics) -> Answer<Result<Subscription, Error>> {
        let mut subscribers = self.subscribers.write();
        subscribers.next += 1;
        let id = subscribers.next;
        let gone: Weak<RwLock<Subscribers>> = Arc::downgrade(&self.subscribers);
        let (sender, subscription) = Subscription::bounded(topics, move || {
            if let Some(subscribers) = gone.upgrade() {
                subscribers.write().remove(id);
            }
        });
        if !subscribers.closed {
            subscribers.add(id, sender);
        }
        Answer::ready(Ok(subscription))
    }
}

impl fmt::Debug for MemoryPubSub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("memory")
    }
}
