//! What programs of other kinds have made of a run.

use super::advance::Turn;
use super::input::gather;
use super::slot::{Phase, Slot};
use super::status::{Failure, Status};
use super::{Definition, Place, Time};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;

/// How a run stands that programs of other kinds have begun, or changed: as far as littleflow's form of it says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// Its status.
    pub status: Status,
    /// When it began, if it was not known before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began: Option<Time>,
    /// Its input, if it was not known before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Arc<Value>>,
    /// The steps in work.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub active: Vec<u32>,
    /// The steps that have failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<u32>,
    /// The steps that have ended, and their outputs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ended: Vec<(u32, Option<Arc<Value>>)>,
    /// What has come to steps that are not started.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arrivals: Vec<(u32, u32)>,
}

/// The lists of a run as they were read, added up.
pub(super) struct Read<'r> {
    pub(super) status: Status,
    pub(super) active: &'r [i64],
    pub(super) activations: &'r [i64],
    pub(super) failed: &'r [i64],
    /// Which steps have ended at least once.
    pub(super) ended: &'r [bool],
    pub(super) outputs: HashMap<u32, Arc<Value>>,
    pub(super) began: Option<Time>,
    pub(super) input: Option<Arc<Value>>,
}

impl Found {
    pub(super) fn of(definition: &Definition, read: Read<'_>) -> Self {
        let at = |of: &[i64], node: usize| of.get(node).copied().unwrap_or(0);
        let graph = definition.graph();
        let mut found = Self {
            status: read.status,
            began: read.began,
            input: read.input,
            active: Vec::new(),
            failed: Vec::new(),
            ended: Vec::new(),
            arrivals: Vec::new(),
        };
        for node in 0..graph.nodes().len() {
            let index = Place::of(node, 0).node;
            // Python tells the end of a run before it writes that its last step has ended.
            let is_active = at(read.active, node) > 0 && read.status != Status::Finished;
            let threshold = i64::try_from(graph.threshold(node).max(1)).unwrap_or(i64::MAX);
            // Python takes off what a start uses up only after the start.
            let used_up = if is_active { threshold } else { 0 };
            let come = at(read.activations, node);
            let come = if come >= used_up { come - used_up } else { come };
            if let Some(come) = u32::try_from(come).ok().filter(|come| *come > 0) {
                found.arrivals.push((index, come));
            }
            if is_active && at(read.failed, node) > 0 {
                found.failed.push(index);
            } else if is_active {
                found.active.push(index);
            } else if read.ended.get(node).copied().unwrap_or(false)
                || read.status == Status::Finished && read.outputs.contains_key(&index)
            {
                found.ended.push((index, read.outputs.get(&index).cloned()));
            }
        }
        found
    }
}

impl Turn<'_> {
    /// The run is as others have made it. Nothing is started for that: they have done it.
    pub(super) fn found(&mut self, found: &Found) {
        let now = self.now;
        let (state, graph) = (&mut *self.state, self.definition.graph());
        state.began = state.began.or(found.began).or(Some(now));
        if let (Some(input), Some(start)) = (&found.input, state.slots.first_mut()) {
            start.output = Some(input.clone());
        }
        let before: Vec<Slot> = std::mem::take(&mut state.slots);
        state.slots = before.iter().map(|slot| Slot { attempt: slot.attempt, ..Slot::default() }).collect();
        state.parts.clear();
        state.iterations.clear();
        for (node, output) in &found.ended {
            if let Some((slot, before)) = pair(&mut state.slots, &before, *node) {
                let known = before.has_passed().then(|| before.output.clone()).flatten();
                slot.phase = Phase::Done;
                slot.output = output.clone().or(known).or_else(|| Some(super::input::empty()));
                (slot.started, slot.ended) =
                    (before.started, if before.has_passed() { before.ended } else { now });
            }
        }
        for (node, come) in &found.arrivals {
            if let Some(slot) = state.slots.get_mut(*node as usize) {
                slot.arrivals = *come;
            }
        }
        let is_over = found.status.is_over();
        for node in found.active.iter().chain(&found.failed) {
            let place = Place::node(*node);
            let input = gather(graph, state, place);
            let Some((slot, before)) = pair(&mut state.slots, &before, *node) else { continue };
            let phase = match (found.failed.contains(node), before.phase) {
                (true, _) => Phase::Failed,
                (false, Phase::Cancelled) if found.status == Status::Terminated => Phase::Cancelled,
                _ => Phase::Active,
            };
            let goes_on = before.phase == phase;
            slot.phase = phase;
            slot.input = Some(if goes_on { before.input.clone().unwrap_or(input) } else { input });
            slot.started = if goes_on { before.started } else { now };
            if phase == Phase::Active && !goes_on {
                slot.attempt = before.attempt.saturating_add(1);
            }
            slot.reason.clone_from(&before.reason);
        }
        state.failures.retain(|failure| found.failed.contains(&failure.index));
        for node in &found.failed {
            if state.failures.iter().all(|failure| failure.index != *node) {
                let step = graph.label(*node as usize);
                let reason = "another program says so".to_owned();
                state.failures.push(Failure { index: *node, step, reason, at: now });
            }
        }
        state.open = state.slots.iter().filter(|slot| slot.phase.is_open()).count();
        state.status = found.status;
        state.paused = false;
        state.output =
            state.slots.last().filter(|slot| slot.has_passed()).and_then(|slot| slot.output.clone());
        let ready = (0..graph.nodes().len()).map(|node| Place::of(node, 0));
        // What others would start if the run went on, they start when it does. A restart of theirs only begins again what
        // was in work; what was held back then starts with the next end of a task.
        let held = std::mem::take(&mut state.held);
        let is_held = |place: &Place| is_over || held.contains(place);
        state.held = ready.filter(|place| is_held(place) && state.can_fire(graph, *place)).collect();
    }
}

fn pair<'s>(slots: &'s mut [Slot], before: &'s [Slot], node: u32) -> Option<(&'s mut Slot, &'s Slot)> {
    Some((slots.get_mut(node as usize)?, before.get(node as usize)?))
}
