//! What is kept of what was published, for clients that come back.

use super::{Client, Hub, State};
use crate::event::EventId;
use crate::live::audience::Statement;
use crate::live::client::Stated;
use crate::live::{Delivered, Position};
use std::sync::Arc;

impl Hub {
    /// Hands over what was missed, as far as that is known in full and there is room for it.
    pub(super) fn recover(
        &self,
        state: &State,
        client: &Client,
        statements: &[Arc<Statement>],
        since: Option<&Position>,
    ) -> Stated {
        if let Some(since) = since.filter(|since| state.is_behind(since)) {
            client.set_ahead(since.offset);
            return Stated { position: since.clone(), recovered: Some(true) };
        }
        let recovered = since.map(|since| {
            let missed =
                if since.epoch == state.epoch { state.missed(statements, since.offset) } else { None };
            let Some(mut missed) = missed else { return false };
            let wants = |part: &Delivered| {
                statements.iter().any(|statement| statement.wants(part, self.settings.steps))
            };
            missed.retain(|part| wants(part) && self.security.may_see(&client.viewer, part));
            let is_handed = client.queue.push_all(&missed);
            if is_handed {
                for statement in statements {
                    *statement.from.lock() = since.offset;
                }
            }
            is_handed
        });
        Stated { position: state.whereabouts(), recovered }
    }

    /// Keeps a part for clients that come back.
    pub(super) fn keep(&self, state: &mut State, part: &Arc<Delivered>) {
        let Some(offset) = part.offset() else { return };
        let Some(topic) = state.topics.get_mut(part.name()) else { return };
        topic.last = offset;
        if self.settings.history == 0 {
            topic.floor = offset;
            return;
        }
        if topic.kept.len() >= self.settings.history {
            state.kept_bytes -= topic.forget_oldest();
            state.order.remove(&topic.floor);
        }
        topic.kept.push_back(part.clone());
        state.order.insert(offset, part.name.clone());
        state.kept_bytes += part.json().len();
        while state.kept_bytes > self.settings.history_bytes {
            let Some((_, name)) = state.order.pop_first() else { break };
            let Some(topic) = state.topics.get_mut(&name) else { continue };
            state.kept_bytes -= topic.forget_oldest();
        }
    }
}

impl State {
    /// The parts behind `since` under names that interests are in, in their order; `None` if some are not kept any
    /// more.
    pub(super) fn missed(
        &self,
        statements: &[Arc<Statement>],
        since: EventId,
    ) -> Option<Vec<&Arc<Delivered>>> {
        let is_pulled = self.pulled.first().is_some_and(|first| *first <= since);
        if since > self.position || self.floor > since || is_pulled || self.is_beginning {
            return None;
        }
        let mut missed = Vec::new();
        for (name, topic) in &self.topics {
            if !statements.iter().any(|statement| statement.interest.matches_name(name)) {
                continue;
            }
            if topic.floor > since {
                return None;
            }
            let behind = topic.kept.partition_point(|part| part.offset() <= Some(since));
            missed.extend(topic.kept.range(behind..));
        }
        missed.sort_by_key(|part| part.offset());
        Some(missed)
    }

    /// Forgets some of the names that nobody listens to, the longest silent first.
    pub(super) fn forget_names(&mut self, count: usize) {
        let idle = self.topics.iter().filter(|(_, topic)| topic.is_idle());
        let mut idle: Vec<_> = idle.map(|(name, topic)| (topic.last, name.clone())).collect();
        idle.sort();
        for (last, name) in idle.into_iter().take(count) {
            let Some(topic) = self.topics.remove(&name) else { continue };
            for part in &topic.kept {
                self.kept_bytes -= part.json().len();
                if let Some(offset) = part.offset() {
                    self.order.remove(&offset);
                }
            }
            self.floor = self.floor.max(last);
        }
    }
}
