//! The vectors of littleflow, made of a history.

use super::record::{Record, replay};
use super::state::{Marked, State};
use super::{Definition, Time};

/// A vector with its time.
type Entry = (String, Vec<i32>);

/// At most so many nodes have vectors: littleflow cannot read longer ones.
const LONGEST: usize = 1000;

/// The changes of what is active, and of the activations, newest first; empty for a flow of more than 1,000 nodes.
pub(super) fn vectors(definition: &Definition, records: &[Record]) -> (Vec<Entry>, Vec<Entry>) {
    let n = definition.graph().nodes().len();
    if n > LONGEST {
        return (Vec::new(), Vec::new());
    }
    let mut state = State::new(definition);
    state.marks = Some(Vec::new());
    replay(definition, &mut state, records, &mut Vec::new());
    let (mut s, mut a) = (Vec::new(), Vec::new());
    for mark in state.marks.take().unwrap_or_default() {
        let (to, by) = match mark.what {
            Marked::Active(by) => (&mut s, by),
            Marked::Activations(by) => (&mut a, by),
        };
        let mut vector = vec![0; n];
        if let Some(at) = vector.get_mut(mark.node as usize) {
            *at = by;
        }
        to.push((mark.at, vector));
    }
    let written = |entries: Vec<(Time, Vec<i32>)>| {
        entries.into_iter().rev().map(|(at, vector)| (at.to_string(), vector)).collect()
    };
    (written(s), written(a))
}
