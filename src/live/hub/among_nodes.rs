//! The hub of a node among others: parts come by the log that all nodes read, in its order.

use super::{Client, Hub, State};
use crate::event::EventId;
use crate::live::audience::Statement;
use crate::live::client::takes;
use crate::live::nodes::{Groups, Present};
use crate::live::{Delivered, Delivery, Member, Part, Position, metered};
use crate::stream::clock;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, UNIX_EPOCH};
use tokio::time::Instant;

/// How much clocks may differ.
const SKEW: Duration = Duration::from_secs(10);

/// A part that the log has brought.
pub(in crate::live) struct Arrived {
    pub(in crate::live) part: Arc<Delivered>,
    /// Those who asked for it and do not have it.
    pub(in crate::live) owners: Vec<Arc<Client>>,
    /// Those who asked for it and have it.
    pub(in crate::live) have: Vec<u64>,
    /// It was published before this node was there: it is kept, and handed to nobody.
    pub(in crate::live) is_old: bool,
}

impl Hub {
    /// Hands parts to those who asked for the jobs, ahead of all others; who got each.
    pub(in crate::live) fn serve(&self, parts: &[Part]) -> Vec<Vec<u64>> {
        let mut handed = 0;
        let mut lost = 0;
        // Who comes to share a job gets what is recorded of it, and then what comes here.
        let _state = self.state.lock();
        let served = parts.iter().map(|part| {
            let Some(job) = &part.job else { return Vec::new() };
            let (owners, record) = (job.owners(), job.recorded());
            if owners.is_empty() && record.is_none() {
                return Vec::new();
            }
            let delivered = part.delivered(None);
            if let Some(record) = record {
                record.lock().push(&delivered);
            }
            for owner in &owners {
                if delivered.error().is_some() || self.security.may_see(&owner.viewer, &delivered) {
                    handed += 1;
                    lost += owner.queue.push(&delivered).0;
                }
            }
            owners.iter().map(|owner| owner.key).collect()
        });
        let served = served.collect();
        self.meter.add(metered::HANDED, handed);
        self.meter.add(metered::MISSED, lost);
        served
    }

    /// Hands out what the log has brought, in its order.
    pub(in crate::live) fn arrive(&self, arrived: Vec<Arrived>) {
        if arrived.is_empty() {
            return;
        }
        let mut state = self.state.lock();
        let now = Instant::now();
        for Arrived { part, owners, have, is_old } in &arrived {
            match part.offset() {
                Some(offset) => state.position = offset,
                // Whoever was not there does not get it by coming back.
                None => state.floor = state.floor.max(state.position.next()),
            }
            if *is_old {
                self.topic(&mut state, &part.name);
            } else {
                self.hand(&mut state, part, owners, have, now);
            }
            self.keep(&mut state, part);
        }
        drop(state);
        // Not under the lock: jobs of owners may end with it.
        drop(arrived);
    }

    /// Hands out a part that every node hears of by itself: it has no place, so who comes back is told of a gap under its
    /// name.
    pub(in crate::live) fn arrive_here(&self, part: &Arc<Delivered>) {
        let mut state = self.state.lock();
        self.hand(&mut state, part, &[], &[], Instant::now());
        let behind = state.position.next();
        if let Some(topic) = state.topics.get_mut(&part.name) {
            topic.floor = topic.floor.max(behind);
            topic.last = topic.last.max(behind);
        }
    }

    /// A part is at this place of which only some values are known here: who is interested in those, to be handed it
    /// [late](Self::hand_late); nobody if it is old.
    pub(in crate::live) fn interested_in(
        &self,
        name: &Arc<str>,
        values: Option<&Value>,
        offset: EventId,
        is_old: bool,
    ) -> Vec<Arc<Statement>> {
        let mut state = self.state.lock();
        let now = Instant::now();
        state.position = offset;
        self.topic(&mut state, name);
        let State { topics, unnamed, search, .. } = &mut *state;
        let Some(topic) = topics.get_mut(name) else { return Vec::new() };
        // Who comes back for what is not here is told so.
        topic.floor = offset;
        topic.last = offset;
        let mut found = Vec::new();
        if is_old {
            return found;
        }
        for audience in [&topic.audience, &*unnamed] {
            audience.find(values, search, |statement| {
                if statement.holds_at(now) {
                    found.push(statement.clone());
                }
            });
        }
        if !found.is_empty() {
            state.pulled.insert(offset);
        }
        found
    }

    /// Hands a part to those of these whose conditions it fulfils and who are interested still. If it comes behind later
    /// ones it has no place: who came back to it would get those again.
    pub(in crate::live) fn hand_late(&self, part: &Arc<Delivered>, to: &[Arc<Statement>]) {
        let mut state = self.state.lock();
        let state = &mut *state;
        let offset = part.offset().unwrap_or(state.position);
        state.pulled.remove(&offset);
        let is_in_order = offset == state.position && state.pulled.is_empty();
        let handed_out = if is_in_order { part.clone() } else { Arc::new(part.without_offset()) };
        if to.iter().any(|statement| !state.clients.contains_key(&statement.client.key))
            && let Some(topic) = state.topics.get_mut(part.name())
        {
            // They may have gone with a later place.
            topic.floor = topic.floor.max(state.position.next());
        }
        state.numbers += 1;
        let (number, now) = (state.numbers, Instant::now());
        let (mut handed, mut lost) = (0, 0);
        for statement in to {
            let client = &statement.client;
            let is_stated = state.clients.get(&client.key).is_some_and(|known| {
                [&known.statements, &known.groups]
                    .iter()
                    .any(|list| list.get(&statement.name).is_some_and(|other| Arc::ptr_eq(other, statement)))
            });
            let is_wanted = is_stated
                && statement.holds_at(now)
                && match (&statement.interest.condition, part.data()) {
                    (Some(condition), Some(data)) => {
                        condition.holds_within(data, self.settings.steps).unwrap_or(false)
                    }
                    // That something is lost is told to all who may have wanted it.
                    (_, None) | (None, _) => true,
                };
            if is_wanted && takes(client, number, part, &*self.security, false) {
                handed += 1;
                lost += client.queue.push(&handed_out).0;
            }
        }
        self.meter.add(metered::HANDED, handed);
        self.meter.add(metered::MISSED, lost);
    }

    /// Tells all who are interested in anything that parts were lost on their way here, and remembers it for those who come
    /// back to a place before this one. If they are old it is told to nobody.
    pub(in crate::live) fn lost(&self, count: u64, up_to: EventId, is_old: bool) {
        let mut state = self.state.lock();
        state.floor = state.floor.max(up_to);
        if is_old {
            return;
        }
        for known in state.clients.values() {
            if known.client.interests.load(Ordering::Acquire) > 0 {
                known.client.queue.tell(Delivery::Missed { count });
            }
        }
        drop(state);
        self.meter.add(metered::MISSED, count);
    }

    /// Whoever comes back to a place before this one is told that the gap is not known.
    pub(in crate::live) fn forget_up_to(&self, at: EventId) {
        let mut state = self.state.lock();
        state.floor = state.floor.max(at);
    }

    /// How many histories there were.
    #[cfg(feature = "http")]
    pub(in crate::live) fn epochs(&self) -> u64 {
        self.epochs.load(Ordering::Acquire)
    }

    /// All that was published before this node was there has been read.
    pub(in crate::live) fn begun(&self) {
        self.state.lock().is_beginning = false;
    }

    /// Begins a history, of which nothing is known up to a place. Nobody comes back to it until it [has](Self::begun).
    pub(in crate::live) fn begin(&self, at: &Position) {
        let mut state = self.state.lock();
        let state = &mut *state;
        state.is_shared = true;
        state.is_beginning = true;
        state.epoch = at.epoch.clone();
        state.position = at.offset;
        state.floor = at.offset;
        state.order.clear();
        state.kept_bytes = 0;
        for topic in state.topics.values_mut() {
            topic.kept.clear();
            topic.floor = at.offset;
            topic.last = at.offset;
        }
        self.epochs.fetch_add(1, Ordering::Release);
    }

    /// Who is in which group here, up to so many; whether that are all.
    pub(in crate::live) fn present(&self, most: usize) -> (Present, bool) {
        let mut all: Vec<(Arc<str>, Arc<Member>)> = Vec::new();
        let state = self.state.lock();
        let groups = state.topics.iter().filter(|(_, topic)| !topic.present.is_empty());
        let members = groups.flat_map(|(name, topic)| {
            topic.present.values().map(move |present| (name.clone(), present.member.clone()))
        });
        all.extend(members.take(most + 1));
        drop(state);
        let is_all = all.len() <= most;
        let mut present = Present::new();
        for (group, member) in all.into_iter().take(most) {
            present.entry(group).or_default().insert(member.client.clone(), member);
        }
        (present, is_all)
    }

    /// Who is in which group at another node, from now on.
    pub(in crate::live) fn present_elsewhere(&self, node: &Arc<str>, groups: Groups) {
        let mut state = self.state.lock();
        let mut lost = 0;
        let moves = state.elsewhere.replace(node, groups);
        for moved in moves {
            if let Some(topic) = state.topics.get(&moved.group) {
                lost += topic.tell_presence(&moved.group, &Arc::new(moved.member), moved.joined);
            }
        }
        self.meter.add(metered::MISSED, lost);
    }
}

impl State {
    /// Whether this node has not read yet what a client has seen at another.
    pub(super) fn is_behind(&self, since: &Position) -> bool {
        self.is_shared
            && !self.is_beginning
            && since.epoch == self.epoch
            && since.offset > self.position
            && UNIX_EPOCH
                .checked_add(Duration::from_millis(since.offset.millis))
                .is_some_and(|at| at <= clock::now() + SKEW)
    }
}
