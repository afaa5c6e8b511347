//! Who wants to hear what.

use super::failure::Failure;
use crate::channel::{ChannelName, DeliverySender, Payload, Topic, Topics};
use foldhash::fast::RandomState;
use parking_lot::Mutex;
use redis::{PushInfo, PushKind, Value};
use std::collections::{HashMap, HashSet};
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use tokio::sync::{Notify, oneshot};
use tracing::warn;

/// All subscriptions of one handle. Each topic is subscribed to once on the server, however many want it; each payload
/// goes straight from the driver of the connection into the bounded queues of those who do.
#[derive(Default)]
pub(super) struct Subscriptions {
    table: Mutex<Table>,
    changes: Notify,
    odd_name: AtomicBool,
}

#[derive(Default)]
struct Table {
    all: HashMap<u64, Subscriber, RandomState>,
    names: HashMap<ChannelName, Vec<Entry>, RandomState>,
    patterns: HashMap<String, Vec<Entry>, RandomState>,
    next: u64,
    /// Who came since the server was told.
    new: Vec<u64>,
    /// Topics for which somebody came or went since the server was told.
    changed: HashSet<Topic, RandomState>,
    /// The connection whose payloads are handed on.
    open: Option<u64>,
}

struct Subscriber {
    sender: Arc<DeliverySender>,
    /// Who waits for the server to confirm; none once it has.
    waiting: Option<oneshot::Sender<Result<(), Failure>>>,
}

#[derive(Clone)]
struct Entry {
    id: u64,
    sender: Arc<DeliverySender>,
}

/// What is to be told to the server.
pub(super) struct Changes {
    pub(super) wanted: Vec<Topic>,
    pub(super) unwanted: Vec<Topic>,
    /// Who waits for these changes.
    waiting: Vec<u64>,
}

impl Subscriptions {
    /// A further subscriber: its number, and the server's answer when it comes.
    pub(super) fn add(&self, id: u64, sender: DeliverySender) -> oneshot::Receiver<Result<(), Failure>> {
        let (confirm, confirmed) = oneshot::channel();
        let sender = Arc::new(sender);
        let mut table = self.table.lock();
        for topic in sender.topics().topics() {
            let entry = Entry { id, sender: sender.clone() };
            let entries = match topic {
                Topic::Name(name) => table.names.entry(name.clone()).or_default(),
                Topic::Pattern(pattern) => table.patterns.entry(pattern.as_str().to_owned()).or_default(),
            };
            if entries.iter().all(|other| other.id != id) {
                entries.push(entry);
            }
            table.changed.insert(topic.clone());
        }
        table.all.insert(id, Subscriber { sender, waiting: Some(confirm) });
        table.new.push(id);
        drop(table);
        self.changes.notify_one();
        confirmed
    }

    /// A number for a subscriber.
    pub(super) fn number(&self) -> u64 {
        let mut table = self.table.lock();
        table.next += 1;
        table.next
    }

    pub(super) fn remove(&self, id: u64) {
        let mut table = self.table.lock();
        let Some(subscriber) = table.all.remove(&id) else { return };
        for topic in subscriber.sender.topics().topics() {
            let table = &mut *table;
            let left = match topic {
                Topic::Name(name) => without(id, table.names.get_mut(name)),
                Topic::Pattern(pattern) => without(id, table.patterns.get_mut(pattern.as_str())),
            };
            if left == Some(0) {
                match topic {
                    Topic::Name(name) => drop(table.names.remove(name)),
                    Topic::Pattern(pattern) => drop(table.patterns.remove(pattern.as_str())),
                }
                table.changed.insert(topic.clone());
            }
        }
        drop(table);
        self.changes.notify_one();
    }

    /// Ends all subscriptions.
    pub(super) fn clear(&self) {
        *self.table.lock() = Table::default();
    }

    /// Resolves once there may be something to tell to the server.
    pub(super) async fn changed(&self) {
        self.changes.notified().await;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.table.lock().all.is_empty()
    }

    /// What has changed since it was asked the last time.
    pub(super) fn changes(&self) -> Changes {
        let mut table = self.table.lock();
        let changed = mem::take(&mut table.changed);
        let (wanted, unwanted) = changed.into_iter().partition(|topic| table.wants(topic));
        Changes { wanted, unwanted, waiting: mem::take(&mut table.new) }
    }

    /// Everything, for a server that knows nothing yet.
    pub(super) fn everything(&self) -> Changes {
        let mut table = self.table.lock();
        table.changed.clear();
        table.new.clear();
        let names = table.names.keys().cloned().map(Topic::Name);
        let patterns = table.patterns.keys().map(|pattern| Topic::Pattern(pattern.as_str().into()));
        let wanted = names.chain(patterns).collect();
        let waits = |(id, subscriber): (&u64, &Subscriber)| subscriber.waiting.is_some().then_some(*id);
        Changes { wanted, unwanted: Vec::new(), waiting: table.all.iter().filter_map(waits).collect() }
    }

    /// The server has confirmed these changes, but for what it refused.
    pub(super) fn confirm(&self, changes: &Changes, refused: &HashMap<Topic, Failure>) {
        let mut table = self.table.lock();
        for id in &changes.waiting {
            let Some(subscriber) = table.all.get_mut(id) else { continue };
            let Some(waiting) = subscriber.waiting.take() else { continue };
            let refusal = subscriber.sender.topics().topics().iter().find_map(|topic| refused.get(topic));
            // Who does not wait any more will drop the subscription, too.
            let _ = waiting.send(refusal.cloned().map_or(Ok(()), Err));
        }
    }

    /// From now on the payloads of this connection are handed on. Who was subscribed before is told, in its place
    /// between what came before the outage and what comes after, that there may be a gap.
    pub(super) fn open(&self, epoch: u64) {
        let mut table = self.table.lock();
        table.open = Some(epoch);
        for subscriber in table.all.values().filter(|subscriber| subscriber.waiting.is_none()) {
            subscriber.sender.interrupted();
        }
    }

    /// Takes what the connection `epoch` says.
    pub(super) fn take(&self, epoch: u64, push: PushInfo) {
        let mut parts = push.data.into_iter();
        let pattern = match push.kind {
            PushKind::Message => None,
            PushKind::PMessage => parts.next(),
            _ => return,
        };
        let (Some(Value::BulkString(channel)), Some(Value::BulkString(payload))) =
            (parts.next(), parts.next())
        else {
            return;
        };
        let channel = String::from_utf8_lossy(&channel);
        if matches!(channel, std::borrow::Cow::Owned(_)) && !self.odd_name.swap(true, Relaxed) {
            warn!(%channel, "a channel whose name is no UTF-8 is heard under another name");
        }
        let table = self.table.lock();
        // Until all topics are subscribed to again the outage is not over: what comes meanwhile would stand before the
        // gap and yet behind a part of it.
        if table.open != Some(epoch) {
            return;
        }
        match pattern {
            None => {
                let Some((name, entries)) = table.names.get_key_value(&*channel) else { return };
                deliver(entries, name, payload, |topic| matches!(topic, Topic::Name(_)));
            }
            Some(Value::BulkString(pattern)) => {
                let Ok(pattern) = str::from_utf8(&pattern) else { return };
                let Some(entries) = table.patterns.get(pattern) else { return };
                let is_it =
                    |topic: &Topic| matches!(topic, Topic::Pattern(other) if other.as_str() == pattern);
                deliver(entries, &ChannelName::from(&*channel), payload, is_it);
            }
            Some(_) => {}
        }
    }
}

impl Table {
    fn wants(&self, topic: &Topic) -> bool {
        match topic {
            Topic::Name(name) => self.names.contains_key(name),
            Topic::Pattern(pattern) => self.patterns.contains_key(pattern.as_str()),
        }
    }
}

/// Removes a subscriber and says how many are left.
fn without(id: u64, entries: Option<&mut Vec<Entry>>) -> Option<usize> {
    let entries = entries?;
    entries.retain(|entry| entry.id != id);
    Some(entries.len())
}

/// The server sends a payload once for each topic it matches. A subscription with several of them takes it for the first.
fn deliver(entries: &[Entry], channel: &ChannelName, payload: Vec<u8>, is_it: impl Fn(&Topic) -> bool) {
    let payload = Payload::from(payload);
    for Entry { sender, .. } in entries {
        if first(sender.topics(), channel).is_some_and(&is_it) {
            // One that is gone leaves the table by itself.
            let _ = sender.send(channel, &payload);
        }
    }
}

fn first<'a>(topics: &'a Topics, channel: &ChannelName) -> Option<&'a Topic> {
    match topics.topics() {
        [only] => Some(only),
        several => several.iter().find(|topic| topic.matches(channel)),
    }
}
