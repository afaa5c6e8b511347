//! Who is in which group.

use super::{Hub, State};
use crate::live::topic::{Present, Topic};
use crate::live::{Delivery, Member};
use std::sync::Arc;

impl Hub {
    pub(in crate::live) fn members(&self, group: &str) -> Vec<Member> {
        let state = self.state.lock();
        let present = state.topics.get(group).map(|topic| topic.present.values());
        let here = present.into_iter().flatten().map(|present| &*present.member);
        here.chain(state.elsewhere.members(group)).cloned().collect()
    }
}

impl State {
    /// How many words of it were lost.
    pub(super) fn come(&mut self, group: &Arc<str>, present: Present) -> u64 {
        let Some(topic) = self.topics.get_mut(group) else { return 0 };
        let lost = topic.tell_presence(group, &present.member, true);
        topic.present.insert(present.client.key, present);
        lost
    }

    /// How many words of it were lost.
    pub(super) fn depart(&mut self, group: &Arc<str>, client: u64) -> u64 {
        let Some(topic) = self.topics.get_mut(group) else { return 0 };
        match topic.present.remove(&client) {
            Some(present) => topic.tell_presence(group, &present.member, false),
            None => 0,
        }
    }
}

impl Topic {
    /// Tells those who want to know; how many words gave way for that, at clients that read slowly.
    pub(super) fn tell_presence(&self, group: &Arc<str>, member: &Arc<Member>, joined: bool) -> u64 {
        let wanting = self.present.values().filter(|present| present.wants_presence);
        let told = wanting.map(|present| {
            let (group, member) = (group.clone(), member.clone());
            present.client.queue.tell(Delivery::Presence { group, member, joined })
        });
        told.sum()
    }
}
