//! How a run moves on from node to node.

use super::input::{empty, gather, merge};
use super::iteration::{Iteration, Part};
use super::policy::ItemFailure;
use super::slot::{Phase, Slot};
use super::state::{Marked, State};
use super::status::{Failure, Status};
use super::{Command, Definition, Place, Time, stall};
use crate::flow::{Graph, NodeKind};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::Arc;

/// One step in the making.
pub(super) struct Turn<'a> {
    pub(super) definition: &'a Definition,
    pub(super) state: &'a mut State,
    pub(super) now: Time,
    pub(super) commands: &'a mut Vec<Command>,
    /// What may be ready to be fired.
    work: VecDeque<Place>,
    /// The iterations whose items are just being begun.
    iterating: Vec<Place>,
}

/// What is started with an input, after its merge.
pub(super) fn merged(graph: &Graph, place: Place, input: Arc<Value>) -> Arc<Value> {
    let merges = graph.node(place.index()).is_some_and(crate::flow::Node::merge);
    if merges { merge(&input).unwrap_or(input) } else { input }
}

impl<'a> Turn<'a> {
    pub(super) fn new(
        definition: &'a Definition,
        state: &'a mut State,
        now: Time,
        commands: &'a mut Vec<Command>,
    ) -> Self {
        Self { definition, state, now, commands, work: VecDeque::new(), iterating: Vec::new() }
    }

    fn graph(&self) -> &'a Graph {
        self.definition.graph()
    }

    /// Fires all that is ready, until nothing is; then says what has become of the run.
    pub(super) fn settle(&mut self) {
        if self.state.starts() {
            self.release();
        }
        while let Some(place) = self.work.pop_front() {
            if self.state.starts() { self.fire(place) } else { self.state.held.push(place) }
        }
        if self.state.open > 0 {
            return;
        }
        match self.state.status {
            Status::Terminating => self.state.status = Status::Terminated,
            Status::Running if self.state.held.is_empty() && !self.state.paused => {
                if self.state.output.is_none() && self.is_left_ready() {
                    return self.settle();
                }
                self.conclude();
            }
            _ => {}
        }
    }

    /// Looks for what others have left ready and not started, before a standstill is a failure.
    fn is_left_ready(&mut self) -> bool {
        for node in 0..self.graph().nodes().len() {
            self.look(Place::of(node, 0));
        }
        !self.work.is_empty()
    }

    fn conclude(&mut self) {
        let (graph, end) = (self.graph(), self.graph().end());
        let leads_to_end = graph.is_reached(end);
        if self.state.output.is_none() && leads_to_end {
            let (index, step) = (Place::of(end, 0).node, graph.label(end));
            let reason = stall::explain(graph, self.state);
            self.state.failures.push(Failure { index, step, reason, at: self.now });
            self.state.status = Status::Failed;
            return;
        }
        self.state.output.get_or_insert_with(empty);
        self.state.status = Status::Finished;
    }

    /// Looks again at what was held back.
    pub(super) fn release(&mut self) {
        self.work.extend(self.state.held.drain(..));
    }

    pub(super) fn arrive_at_start(&mut self, input: Arc<Value>) {
        self.arrive(Place::node(0), None);
        if let Some(start) = self.state.slots.first_mut() {
            start.input = Some(input);
        }
    }

    /// Something has come over an edge: a forward one, or a back edge with what it brings.
    fn arrive(&mut self, place: Place, over_back: Option<Arc<Value>>) {
        let Some(slot) = self.state.slot_mut(place) else { return };
        match over_back {
            Some(token) => slot.tokens.push(token),
            None => slot.arrivals = slot.arrivals.saturating_add(1),
        }
        self.state.mark(self.now, place, Marked::Activations(1));
        self.look(place);
    }

    fn look(&mut self, place: Place) {
        if self.state.can_fire(self.graph(), place) {
            self.work.push_back(place);
        }
    }

    fn fire(&mut self, place: Place) {
        let graph = self.graph();
        if !self.state.can_fire(graph, place) {
            return;
        }
        let threshold = graph.threshold(place.index()).max(1);
        let turns = self.definition.turns();
        let Some(slot) = self.state.slot_mut(place) else { return };
        slot.tries = 0;
        if slot.tokens.is_empty() {
            let needed = u32::try_from(threshold).unwrap_or(u32::MAX);
            slot.arrivals = slot.arrivals.saturating_sub(needed);
            let given = slot.input.take();
            self.state.mark(
                self.now,
                place,
                Marked::Activations(-i32::try_from(threshold).unwrap_or(i32::MAX)),
            );
            let input = match given {
                Some(input) if place == Place::node(0) => input,
                _ => gather(graph, self.state, place),
            };
            return self.enter(place, input);
        }
        let token = slot.tokens.remove(0);
        slot.turns += 1;
        let turned = slot.turns;
        self.state.mark(self.now, place, Marked::Activations(-1));
        if turned > turns {
            if let Some(slot) = self.state.slot_mut(place) {
                slot.input = Some(token);
            }
            self.state.mark(self.now, place, Marked::Active(1));
            let reason =
                format!("the cycle it is in has turned {turns} times, which is the limit (`turns` of @flow)");
            return self.fail(place, &reason);
        }
        self.enter(place, token);
    }

    /// A node begins with an input, before its merge.
    pub(super) fn enter(&mut self, place: Place, input: Arc<Value>) {
        let graph = self.graph();
        let Some(node) = graph.node(place.index()) else { return };
        let now = self.now;
        if let Some(slot) = self.state.slot_mut(place) {
            slot.input = Some(input.clone());
            slot.started = now;
        }
        self.state.mark(now, place, Marked::Active(1));
        if node.iterate() && input.is_array() && !self.is_item(place) {
            return self.iterate(place, input);
        }
        let input = if node.merge() {
            match merge(&input) {
                Ok(input) => input,
                Err(reason) => return self.fail(place, &reason),
            }
        } else {
            input
        };
        match node.guard().map_or(Ok(true), |guard| guard.holds(&input)) {
            Ok(true) => {}
            Ok(false) => return self.skip(place, input),
            Err(error) => return self.fail(place, &format!("its guard: {error}")),
        }
        match node.kind() {
            NodeKind::Task { .. } | NodeKind::Resource { .. } | NodeKind::Sink { .. } => {
                self.start(place, input);
            }
            NodeKind::Source { value } => self.done(place, value.clone(), false),
            NodeKind::End { entry } => self.end(place, *entry, input),
            _ => self.done(place, input, false),
        }
    }

    /// Whether it is a step that is done for one item of an iteration, and not the iteration.
    fn is_item(&self, place: Place) -> bool {
        place.part != 0 && self.state.parts.get(&place.part).is_some_and(|part| part.of.node == place.node)
    }

    fn start(&mut self, place: Place, input: Arc<Value>) {
        let Some(slot) = self.state.slot_mut(place) else { return };
        slot.phase = Phase::Active;
        slot.attempt += 1;
        let attempt = slot.attempt;
        self.state.open += 1;
        self.commands.push(Command::Start { place, attempt, input });
    }

    /// Another attempt with the same input.
    pub(super) fn start_again(&mut self, place: Place) {
        let input = self.state.slot(place).and_then(|slot| slot.input.clone()).unwrap_or_else(empty);
        self.close();
        let input = merged(self.graph(), place, input);
        self.start(place, input);
    }

    /// One attempt less in work.
    pub(super) fn close(&mut self) {
        self.state.open = self.state.open.saturating_sub(1);
    }

    fn skip(&mut self, place: Place, input: Arc<Value>) {
        let end = match self.graph().node(place.index()).map(crate::flow::Node::kind) {
            Some(NodeKind::Subflow { end, .. }) => *end,
            _ => return self.done(place, input, true),
        };
        let now = self.now;
        if let Some(slot) = self.state.slot_mut(place) {
            (slot.phase, slot.ended, slot.input) = (Phase::Skipped, now, None);
        }
        self.state.mark(now, place, Marked::Active(-1));
        // The end has no merge of its own then: what was skipped passes on as it came.
        let end = Place::of(end, place.part);
        if let Some(slot) = self.state.slot_mut(end) {
            slot.started = now;
        }
        self.state.mark(now, end, Marked::Active(1));
        self.done(end, input, true);
        self.look(place);
    }

    fn end(&mut self, place: Place, entry: usize, input: Arc<Value>) {
        if place.index() == self.graph().end() {
            self.state.output = Some(input.clone());
        }
        let of_item = self.state.parts.get(&place.part).is_some_and(|part| part.of.index() == entry);
        if place.part != 0 && of_item {
            return self.item_done(place.part, Some(input));
        }
        self.done(place, input, false);
    }

    /// A node gives its output to those that follow.
    pub(super) fn done(&mut self, place: Place, output: Arc<Value>, skipped: bool) {
        if self.is_item(place) {
            return self.item_done(place.part, Some(output));
        }
        let (graph, now) = (self.graph(), self.now);
        let Some(slot) = self.state.slot_mut(place) else { return };
        slot.phase = if skipped { Phase::Skipped } else { Phase::Done };
        slot.ended = now;
        slot.input = None;
        slot.output = Some(output.clone());
        self.state.mark(now, place, Marked::Active(-1));
        for (to, back) in graph.successors(place.index()).iter().zip(graph.back(place.index())) {
            if *back && skipped {
                continue;
            }
            self.arrive(Place::of(*to, place.part), back.then(|| output.clone()));
        }
        self.look(place);
    }

    fn is_entry(&self, place: Place) -> bool {
        let kind = self.graph().node(place.index()).map(crate::flow::Node::kind);
        matches!(kind, Some(NodeKind::Subflow { .. }))
    }

    // --- iterations -------------------------------------------------------------------------------------------

    fn iterate(&mut self, place: Place, input: Arc<Value>) {
        let iteration = Iteration::new(self.state.next_part, input, self.definition.iterate(place.node));
        let count = u32::try_from(iteration.outputs.len()).unwrap_or(u32::MAX);
        self.state.next_part = self.state.next_part.saturating_add(count);
        if let Some(slot) = self.state.slot_mut(place) {
            slot.phase = Phase::Iterating;
        }
        self.state.iterations.insert(place, iteration);
        self.next_items(place);
    }

    /// Begins as many items as may be in work, or ends the iteration.
    fn next_items(&mut self, place: Place) {
        while let Some((number, item, input)) =
            self.state.iterations.get_mut(&place).and_then(Iteration::begin_next)
        {
            let (base, slots) = match self.graph().node(place.index()).map(crate::flow::Node::kind) {
                Some(NodeKind::Subflow { end, .. }) => (place.index() + 1, end - place.index()),
                _ => (place.index(), 1),
            };
            let slots = vec![Slot::default(); slots];
            self.state.parts.insert(number, Part { of: place, item, input: input.clone(), base, slots });
            self.enter_item(Place { node: place.node, part: number }, input);
        }
        if self.state.iterations.get(&place).is_some_and(Iteration::is_over)
            && let Some(iteration) = self.state.iterations.remove(&place)
        {
            self.iterated(place, iteration.output());
        }
    }

    /// An item begins: as the step itself, or at the entry of its own copy of the subflow.
    fn enter_item(&mut self, place: Place, input: Arc<Value>) {
        if !self.is_entry(place) {
            return self.enter(place, input);
        }
        let guard = self.graph().node(place.index()).and_then(crate::flow::Node::guard);
        match guard.map_or(Ok(true), |guard| guard.holds(&input)) {
            Ok(true) => {
                for to in self.graph().successors(place.index()) {
                    self.arrive(Place::of(*to, place.part), None);
                }
            }
            Ok(false) => self.item_done(place.part, Some(input)),
            Err(error) => self.fail(place, &format!("its guard: {error}")),
        }
    }

    /// The last item is over.
    fn iterated(&mut self, place: Place, output: Arc<Value>) {
        let Some(NodeKind::Subflow { end, .. }) =
            self.graph().node(place.index()).map(crate::flow::Node::kind)
        else {
            return self.done(place, output, false);
        };
        let now = self.now;
        if let Some(slot) = self.state.slot_mut(place) {
            (slot.phase, slot.ended, slot.input) = (Phase::Done, now, None);
        }
        self.state.mark(now, place, Marked::Active(-1));
        let end = Place::of(*end, place.part);
        self.state.mark(now, end, Marked::Active(1));
        self.done(end, output, false);
        self.look(place);
    }

    /// An item is over, with an output or left out.
    fn item_done(&mut self, part: u32, output: Option<Arc<Value>>) {
        let Some(held) = self.state.parts.remove(&part) else { return };
        if let Some(iteration) = self.state.iterations.get_mut(&held.of) {
            iteration.open = iteration.open.saturating_sub(1);
            if let Some(place) = iteration.outputs.get_mut(held.item as usize) {
                *place = output;
            }
        }
        // Not by itself: a thousand items that end at once must not be a thousand calls deep.
        self.work_on_items(held.of);
    }

    fn work_on_items(&mut self, place: Place) {
        let busy = self.iterating.contains(&place);
        if !busy {
            self.iterating.push(place);
            self.next_items(place);
            self.iterating.retain(|other| *other != place);
        }
    }

    // --- failure ----------------------------------------------------------------------------------------------

    /// A step has failed for good.
    pub(super) fn fail(&mut self, place: Place, reason: &str) {
        let (now, step) = (self.now, self.graph().label(place.index()));
        // Before anything else looks at it: its attempt is no longer in work.
        if let Some(slot) = self.state.slot_mut(place) {
            (slot.phase, slot.ended) = (Phase::Failed, now);
            slot.reason = Some(reason.into());
        }
        if self.item_may_fail(place, reason, &step) {
            return;
        }
        let items = self.state.items(place.part);
        let step = match items.last() {
            Some(_) => {
                let items: Vec<String> = items.iter().map(u32::to_string).collect();
                format!("{step} for item {}", items.join("."))
            }
            None => step,
        };
        self.state.failures.push(Failure { index: place.node, step, reason: reason.to_owned(), at: now });
        if self.state.status == Status::Running {
            self.state.status = Status::Failed;
        }
    }

    /// Whether it belongs to an item whose failure the iteration puts up with; the item is over then.
    fn item_may_fail(&mut self, place: Place, reason: &str, step: &str) -> bool {
        let mut part = place.part;
        while let Some(held) = self.state.parts.get(&part) {
            let of = held.of;
            let how = self.state.iterations.get(&of).map(|iteration| iteration.how.failed);
            let output = match how {
                Some(ItemFailure::Skip) => None,
                Some(ItemFailure::Keep) => Some(Arc::new(json!({"failed": reason, "step": step}))),
                _ => {
                    part = of.part;
                    continue;
                }
            };
            self.empty_part(part);
            self.item_done(part, output);
            return true;
        }
        false
    }

    /// Cancels all that is in work in a part and the parts within it.
    pub(super) fn empty_part(&mut self, part: u32) {
        let mut within = vec![part];
        let mut at = 0;
        while let Some(part) = within.get(at).copied() {
            at += 1;
            within.extend(
                self.state.parts.iter().filter(|(_, held)| held.of.part == part).map(|(number, _)| *number),
            );
        }
        for number in within {
            let Some(held) = self.state.parts.get_mut(&number) else { continue };
            let (base, slots) = (held.base, std::mem::take(&mut held.slots));
            for (at, slot) in slots.iter().enumerate() {
                self.drop_slot(Place::of(base + at, number), slot);
            }
            if number != part {
                self.state.parts.remove(&number);
            }
        }
    }

    /// What was in work there is of no interest any more.
    pub(super) fn drop_slot(&mut self, place: Place, slot: &Slot) {
        match slot.phase {
            Phase::Active => {
                self.close();
                self.commands.push(Command::Cancel { place, attempt: slot.attempt });
            }
            Phase::BackingOff => self.close(),
            Phase::Iterating => {
                self.state.iterations.remove(&place);
            }
            _ => {}
        }
    }
}
