//! Tasks of which only some run at a time.

use super::policy::Concurrency;
use super::{Invocation, Place, RunId};
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

/// Who runs of each concurrency key, and who waits for that.
#[derive(Default)]
pub(super) struct Lanes {
    by_key: HashMap<Arc<str>, Lane>,
}

#[derive(Default)]
struct Lane {
    running: HashSet<(RunId, Place)>,
    waiting: VecDeque<(Invocation, usize)>,
}

impl Lanes {
    /// The invocation back if it may run; else it waits.
    pub(super) fn enter(
        &mut self,
        how: &Concurrency,
        invocation: Invocation,
        kind: usize,
    ) -> Option<Invocation> {
        let lane = self.by_key.entry(how.key.clone()).or_default();
        let who = (invocation.workflow().clone(), invocation.place());
        if lane.running.contains(&who) || lane.running.len() < how.limit as usize {
            lane.running.insert(who);
            return Some(invocation);
        }
        lane.waiting.push_back((invocation, kind));
        None
    }

    /// Somebody has ended; who may run now, with its kind.
    pub(super) fn leave(&mut self, how: &Concurrency, run: &RunId, place: Place) -> Vec<(Invocation, usize)> {
        let Some(lane) = self.by_key.get_mut(&how.key) else { return Vec::new() };
        lane.running.remove(&(run.clone(), place));
        let mut next = Vec::new();
        while lane.running.len() < how.limit as usize
            && let Some((invocation, kind)) = lane.waiting.pop_front()
        {
            if !invocation.is_cancelled() {
                lane.running.insert((invocation.workflow().clone(), invocation.place()));
                next.push((invocation, kind));
            }
        }
        if lane.running.is_empty() && lane.waiting.is_empty() {
            self.by_key.remove(&how.key);
        }
        next
    }

    /// Whether an invocation waited, which it does no more.
    pub(super) fn withdraw(&mut self, how: &Concurrency, invocation: &Invocation) -> bool {
        let Some(lane) = self.by_key.get_mut(&how.key) else { return false };
        let is = |other: &Invocation| {
            (other.workflow(), other.place(), other.attempt())
                == (invocation.workflow(), invocation.place(), invocation.attempt())
        };
        let before = lane.waiting.len();
        lane.waiting.retain(|(other, _)| !is(other));
        lane.waiting.len() < before
    }
}
