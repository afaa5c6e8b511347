//! How far a run is.

use super::iteration::{Iteration, Part};
use super::slot::{Phase, Slot};
use super::status::{Failure, Status};
use super::{Definition, Place, Time};
use crate::flow::Graph;
use foldhash::fast::RandomState;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;

/// How far a run is: what [`step`](super::step()) changes, and nothing else does.
///
/// It holds a few words for each node, and the outputs; a step touches those of the nodes it is about.
#[derive(Clone, Debug)]
pub struct State {
    pub(super) status: Status,
    pub(super) paused: bool,
    pub(super) slots: Vec<Slot>,
    pub(super) parts: HashMap<u32, Part, RandomState>,
    pub(super) iterations: HashMap<Place, Iteration, RandomState>,
    pub(super) next_part: u32,
    /// Attempts that run or wait for their time.
    pub(super) open: usize,
    /// What could start, but for a pause or a failure.
    pub(super) held: Vec<Place>,
    pub(super) output: Option<Arc<Value>>,
    pub(super) failures: Vec<Failure>,
    pub(super) began: Option<Time>,
    pub(super) ended: Option<Time>,
    /// What happened to the nodes of the flow itself, if it is asked for.
    pub(super) marks: Option<Vec<Mark>>,
}

/// A change at a node, of which littleflow's vectors are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) at: Time,
    pub(super) node: u32,
    pub(super) what: Marked,
}

/// What changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marked {
    /// The activations, by this.
    Activations(i32),
    /// Whether it is active, by this.
    Active(i32),
}

impl State {
    /// A run that has not begun.
    #[must_use]
    pub fn new(definition: &Definition) -> Self {
        Self {
            status: Status::Running,
            paused: false,
            slots: vec![Slot::default(); definition.graph().nodes().len()],
            parts: HashMap::default(),
            iterations: HashMap::default(),
            next_part: 1,
            open: 0,
            held: Vec::new(),
            output: None,
            failures: Vec::new(),
            began: None,
            ended: None,
            marks: None,
        }
    }

    /// How far it is.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status
    }

    /// Whether nothing starts until it is resumed.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.paused
    }

    /// The output of the flow, once its end has given it.
    #[must_use]
    pub fn output(&self) -> Option<&Arc<Value>> {
        self.output.as_ref()
    }

    /// What failed for good.
    #[must_use]
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }

    /// When it began.
    #[must_use]
    pub fn began(&self) -> Option<Time> {
        self.began
    }

    /// When it was over.
    #[must_use]
    pub fn ended(&self) -> Option<Time> {
        self.ended
    }

    /// How many attempts run, or wait for their time.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open
    }

    /// How far a step is.
    #[must_use]
    pub fn phase(&self, place: Place) -> Phase {
        self.slot(place).map_or(Phase::Idle, |slot| slot.phase)
    }

    /// The number of the last start of a step.
    #[must_use]
    pub fn attempt(&self, place: Place) -> u32 {
        self.slot(place).map_or(0, |slot| slot.attempt)
    }

    /// The last output of a node of the flow itself.
    #[must_use]
    pub fn output_of(&self, node: usize) -> Option<&Arc<Value>> {
        self.slots.get(node)?.output.as_ref()
    }

    /// When a step was started last, and when it ended.
    #[must_use]
    pub fn times(&self, place: Place) -> (Option<Time>, Option<Time>) {
        let some = |time: Time| (time > Time::default()).then_some(time);
        self.slot(place).map_or((None, None), |slot| (some(slot.started), some(slot.ended)))
    }

    /// Why the last attempt at a step failed.
    #[must_use]
    pub fn reason(&self, place: Place) -> Option<&str> {
        self.slot(place)?.reason.as_deref()
    }

    /// Every attempt that runs: its step, its number, its input.
    pub fn running(&self, definition: &Definition) -> Vec<(Place, u32, Arc<Value>)> {
        let graph = definition.graph();
        let running = self.all_slots().filter(|(_, slot)| slot.phase == Phase::Active);
        let mut running: Vec<_> = running
            .map(|(place, slot)| {
                let input = slot.input.clone().unwrap_or_else(super::input::empty);
                (place, slot.attempt, super::advance::merged(graph, place, input))
            })
            .collect();
        running.sort_by_key(|(place, ..)| *place);
        running
    }

    /// The input of a step in work, after its merge; `{}` of any other.
    pub(super) fn input(&self, definition: &Definition, place: Place) -> Arc<Value> {
        let input = self.slot(place).and_then(|slot| slot.input.clone()).unwrap_or_else(super::input::empty);
        super::advance::merged(definition.graph(), place, input)
    }

    /// Every attempt that waits for its time: the step, the attempt that failed, and when.
    #[must_use]
    pub fn waiting(&self) -> Vec<(Place, u32, Time)> {
        let waiting = self.all_slots().filter(|(_, slot)| slot.phase == Phase::BackingOff);
        let mut waiting: Vec<_> = waiting.map(|(place, slot)| (place, slot.attempt, slot.due)).collect();
        waiting.sort_by_key(|(place, ..)| *place);
        waiting
    }

    /// The item of the iteration that a part is, from the outside in; nothing for the flow itself.
    #[must_use]
    pub fn items(&self, part: u32) -> Vec<u32> {
        let mut items = Vec::new();
        let mut part = part;
        while let Some(held) = self.parts.get(&part) {
            items.push(held.item);
            part = held.of.part;
        }
        items.reverse();
        items
    }

    pub(super) fn slot(&self, place: Place) -> Option<&Slot> {
        if place.part == 0 {
            return self.slots.get(place.index());
        }
        let part = self.parts.get(&place.part)?;
        part.slots.get(place.index().checked_sub(part.base)?)
    }

    pub(super) fn slot_mut(&mut self, place: Place) -> Option<&mut Slot> {
        if place.part == 0 {
            return self.slots.get_mut(place.index());
        }
        let part = self.parts.get_mut(&place.part)?;
        part.slots.get_mut(place.index().checked_sub(part.base)?)
    }

    /// All slots with their places, those of the flow itself first.
    pub(super) fn all_slots(&self) -> impl Iterator<Item = (Place, &Slot)> {
        let flow = self.slots.iter().enumerate().map(|(node, slot)| (Place::of(node, 0), slot));
        let parts = self.parts.iter().flat_map(|(part, held)| {
            let slots = held.slots.iter().enumerate();
            slots.map(move |(at, slot)| (Place::of(held.base + at, *part), slot))
        });
        flow.chain(parts)
    }

    /// The places whose phase fulfils something, in order.
    pub(super) fn places(&self, is: impl Fn(Phase) -> bool) -> Vec<Place> {
        let mut places: Vec<_> =
            self.all_slots().filter(|(_, slot)| is(slot.phase)).map(|(place, _)| place).collect();
        places.sort_unstable();
        places
    }

    pub(super) fn mark(&mut self, at: Time, place: Place, what: Marked) {
        if place.part == 0
            && let Some(marks) = &mut self.marks
        {
            marks.push(Mark { at, node: place.node, what });
        }
    }

    /// Whether things may start.
    pub(super) fn starts(&self) -> bool {
        self.status == Status::Running && !self.paused
    }

    /// Whether a node is ready to be fired.
    pub(super) fn can_fire(&self, graph: &Graph, place: Place) -> bool {
        self.slot(place).is_some_and(|slot| {
            let enough = slot.arrivals as usize >= graph.threshold(place.index()).max(1);
            !slot.phase.is_open() && !slot.phase.is_to_be_restarted() && (enough || !slot.tokens.is_empty())
        })
    }
}

impl PartialEq for State {
    /// As far as it decides what happens next.
    fn eq(&self, other: &Self) -> bool {
        self.status == other.status
            && self.paused == other.paused
            && self.slots == other.slots
            && self.parts == other.parts
            && self.iterations == other.iterations
            && self.next_part == other.next_part
            && self.open == other.open
            && self.held == other.held
            && self.output == other.output
            && self.failures == other.failures
    }
}
