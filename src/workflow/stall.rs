//! Who waits for whom when nothing can go on.

use super::Place;
use super::state::State;
use crate::flow::Graph;

/// At most so many are named.
const NAMED: usize = 5;

/// Why a run that has nothing in work has no output.
pub(super) fn explain(graph: &Graph, state: &State) -> String {
    let waits = state.all_slots().filter(|(place, slot)| {
        slot.arrivals > 0 && (slot.arrivals as usize) < graph.threshold(place.index()).max(1)
    });
    let mut waits: Vec<Place> = waits.map(|(place, _)| place).collect();
    waits.sort_unstable();
    if waits.is_empty() {
        return "the run has come to a standstill: nothing leads on from what has ended, and not to the end"
            .into();
    }
    let named: Vec<String> = waits.iter().take(NAMED).map(|place| line(graph, state, *place)).collect();
    let more = waits.len().saturating_sub(NAMED);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    format!("the run has come to a standstill: {}{more}", named.join("; "))
}

fn line(graph: &Graph, state: &State, place: Place) -> String {
    let mut missing: Vec<String> =
        missing(graph, state, place).into_iter().map(|from| graph.label(from)).collect();
    let more = missing.len().saturating_sub(NAMED);
    missing.truncate(NAMED);
    if more > 0 {
        missing.push(format!("{more} more"));
    }
    let whom =
        if missing.is_empty() { "another turn of what it follows".to_owned() } else { missing.join(", ") };
    format!("{} waits for {whom}", graph.label(place.index()))
}

/// What a step follows, and has not got anything from yet.
pub(super) fn missing(graph: &Graph, state: &State, place: Place) -> Vec<usize> {
    let before = graph.predecessors(place.index()).iter().copied().filter(|from| {
        let passed = state.slot(Place::of(*from, place.part)).is_some_and(|slot| slot.has_passed());
        !passed && !super::input::is_back(graph, *from, place.index())
    });
    before.collect()
}
