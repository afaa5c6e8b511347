//! Runs that go on after a failure, or do a part of themselves again.

use super::advance::Turn;
use super::input::gather;
use super::slot::{Phase, Slot};
use super::state::Marked;
use super::status::Status;
use super::step::Unchanged;
use super::{Place, input};
use crate::flow::{Graph, NodeKind};

impl Turn<'_> {
    /// What failed or was cancelled starts again, and what was held back goes on.
    pub(super) fn restart(&mut self) -> Result<(), Unchanged> {
        if !matches!(self.state.status, Status::Failed | Status::Terminated) {
            return Err(self.wrong_status("what failed or was terminated can be restarted; any run from a task it has been at (`--from`)"));
        }
        let again = self.state.places(Phase::is_to_be_restarted);
        if again.is_empty() && self.state.held.is_empty() && self.state.open == 0 {
            return Err(Unchanged::NothingToRestart);
        }
        self.mark_inactive(&again);
        self.go_on(again);
        Ok(())
    }

    /// What has failed or was cancelled counts as active until it is started again.
    fn mark_inactive(&mut self, places: &[Place]) {
        for place in places {
            self.state.mark(self.now, *place, Marked::Active(-1));
        }
    }

    fn go_on(&mut self, again: Vec<Place>) {
        self.state.status = Status::Running;
        self.state.paused = false;
        self.state.failures.clear();
        for place in again {
            let Some(slot) = self.state.slot_mut(place) else { continue };
            slot.phase = Phase::Idle;
            (slot.tries, slot.turns) = (0, 0);
            let given = slot.input.clone().unwrap_or_else(input::empty);
            self.enter(place, given);
        }
        self.release();
    }

    /// One step is done again, and all that follows from it.
    pub(super) fn restart_from(&mut self, node: u32) -> Result<(), Unchanged> {
        let graph = self.definition.graph().clone();
        let from = Place::node(node);
        let not = |reason| Unchanged::NotFromThere { step: graph.label(from.index()), reason };
        if !self.state.status.is_over() {
            return Err(self.wrong_status("terminate it before it is restarted from a step"));
        }
        match graph.node(from.index()).map(crate::flow::Node::kind) {
            Some(NodeKind::Start | NodeKind::End { .. }) => return Err(not("it is no task and no subflow")),
            Some(_) => {}
            None => return Err(not("the flow has no such step")),
        }
        if inside_iteration(&graph, from.index()) {
            return Err(not("it is inside of a step with `*`; restart from that one"));
        }
        let slot = self.state.slot(from);
        if slot.is_none_or(|slot| slot.phase == Phase::Idle) {
            return Err(not("the run has not got there yet"));
        }
        let given = slot.and_then(|slot| slot.input.clone());
        let given = given.unwrap_or_else(|| gather(&graph, self.state, from));
        let behind = behind(&graph, from.index());
        let before: Vec<_> = self.state.slots.iter().map(levels).collect();
        self.clear(&graph, &behind);
        let mut again = self.state.places(Phase::is_to_be_restarted);
        if let Some(slot) = self.state.slot_mut(from) {
            slot.arrivals = 0;
            slot.phase = Phase::Idle;
            slot.input = Some(given);
        }
        for (node, (active, come)) in before.into_iter().enumerate() {
            let Some((is_active, has_come)) = self.state.slots.get(node).map(levels) else { continue };
            let place = Place::of(node, 0);
            if is_active != active {
                self.state.mark(self.now, place, Marked::Active(is_active - active));
            }
            if has_come != come {
                self.state.mark(self.now, place, Marked::Activations(has_come - come));
            }
        }
        self.mark_inactive(&again);
        again.push(from);
        self.go_on(again);
        Ok(())
    }

    /// Makes these nodes as if the run had not got to them yet.
    fn clear(&mut self, graph: &Graph, behind: &[bool]) {
        let is_behind = |node: usize| behind.get(node).copied().unwrap_or(false);
        // What is held in an item is held where its iteration is.
        let held = std::mem::take(&mut self.state.held);
        let stays = |place: &Place| {
            let mut place = *place;
            while let Some(part) = self.state.parts.get(&place.part) {
                place = part.of;
            }
            place.part == 0 && !is_behind(place.index())
        };
        self.state.held = held.into_iter().filter(stays).collect();
        let parts: Vec<u32> =
            self.state.parts.iter().filter(|(_, part)| part.of.part == 0).map(|(n, _)| *n).collect();
        for part in parts {
            if self.state.parts.get(&part).is_some_and(|held| is_behind(held.of.index())) {
                self.empty_part(part);
                self.state.parts.remove(&part);
            }
        }
        let nodes: Vec<usize> =
            behind.iter().enumerate().filter(|(_, is)| **is).map(|(node, _)| node).collect();
        for node in &nodes {
            let place = Place::of(*node, 0);
            let Some(slot) = self.state.slot(place).cloned() else { continue };
            self.drop_slot(place, &slot);
            let come = graph.predecessors(*node).iter().filter(|before| {
                !is_behind(**before)
                    && self.has_passed(graph, **before)
                    && !input::is_back(graph, **before, *node)
            });
            let come = u32::try_from(come.count()).unwrap_or(u32::MAX);
            if let Some(slot) = self.state.slot_mut(place) {
                slot.reset();
                slot.arrivals = come;
            }
        }
        if is_behind(graph.end()) {
            self.state.output = None;
        }
    }

    /// Whether a node has passed something on to those that follow it.
    fn has_passed(&self, graph: &Graph, node: usize) -> bool {
        let is_entry =
            matches!(graph.node(node).map(crate::flow::Node::kind), Some(NodeKind::Subflow { .. }));
        let phase = self.state.phase(Place::of(node, 0));
        phase == Phase::Done || (phase == Phase::Skipped && !is_entry)
    }
}

/// Whether a step counts as active, and what has come to it.
fn levels(slot: &Slot) -> (i32, i32) {
    let come = slot.arrivals as usize + slot.tokens.len();
    (
        i32::from(slot.phase.is_open() || slot.phase.is_to_be_restarted()),
        i32::try_from(come).unwrap_or(i32::MAX),
    )
}

/// A node and all that can be reached from it.
fn behind(graph: &Graph, from: usize) -> Vec<bool> {
    let mut behind = vec![false; graph.nodes().len()];
    let mut next = vec![from];
    while let Some(node) = next.pop() {
        if let Some(seen) = behind.get_mut(node).filter(|seen| !**seen) {
            *seen = true;
            next.extend(graph.successors(node));
        }
    }
    behind
}

fn inside_iteration(graph: &Graph, node: usize) -> bool {
    let parents = graph.parents();
    let mut next = parents.get(node).copied().flatten();
    while let Some(entry) = next {
        if graph.node(entry).is_some_and(crate::flow::Node::iterate) {
            return true;
        }
        next = parents.get(entry).copied().flatten();
    }
    false
}
