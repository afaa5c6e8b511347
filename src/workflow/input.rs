//! What a step is given, by the rules of the language.

use super::state::State;
use super::{Error, Place};
use crate::flow::Graph;
use serde_json::{Map, Value};
use std::sync::{Arc, OnceLock};

/// `{}`.
pub(super) fn empty() -> Arc<Value> {
    static EMPTY: OnceLock<Arc<Value>> = OnceLock::new();
    EMPTY.get_or_init(|| Arc::new(Value::Object(Map::new()))).clone()
}

/// The input of a flow: an object or list, or nothing.
pub(super) fn checked(input: Value) -> Result<Option<Arc<Value>>, Error> {
    match input {
        Value::Null => Ok(None),
        Value::Object(_) | Value::Array(_) => Ok(Some(Arc::new(input))),
        other => Err(Error::Input { found: shown(&other) }),
    }
}

/// Whether it counts as nothing among several inputs.
fn is_nothing(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty)
}

/// The outputs of what a node follows over forward edges, in the order of their indices: `{}` is left out where there is
/// anything else, one is given as it is, several are a list.
pub(super) fn gather(graph: &Graph, state: &State, place: Place) -> Arc<Value> {
    let before = graph.predecessors(place.index());
    let all_forward = before.len() == graph.threshold(place.index());
    let outputs = before.iter().filter(|from| all_forward || !is_back(graph, **from, place.index()));
    let mut given =
        outputs.filter_map(|from| output(state, *from, place.part)).filter(|value| !is_nothing(value));
    let Some(first) = given.next() else { return empty() };
    let Some(second) = given.next() else { return first.clone() };
    let both = [Value::clone(first), Value::clone(second)];
    Arc::new(both.into_iter().chain(given.map(|value| Value::clone(value))).collect())
}

/// The output that a node has given to those that follow it in this part.
fn output(state: &State, node: usize, part: u32) -> Option<&Arc<Value>> {
    if part != 0
        && let Some(held) = state.parts.get(&part)
        && held.of.index() == node
    {
        return Some(&held.input);
    }
    state.slot(Place::of(node, part)).filter(|slot| slot.has_passed())?.output.as_ref()
}

pub(super) fn is_back(graph: &Graph, from: usize, to: usize) -> bool {
    let at = graph.successors(from).binary_search(&to);
    at.is_ok_and(|at| graph.back(from).get(at).copied().unwrap_or(false))
}

/// Several inputs as one object: lists are flattened in their order, and of two values of a key the later counts.
pub(super) fn merge(input: &Arc<Value>) -> Result<Arc<Value>, String> {
    if input.is_object() {
        return Ok(input.clone());
    }
    let mut merged = Map::new();
    let mut rest = vec![&**input];
    while let Some(value) = rest.pop() {
        match value {
            Value::Object(object) => {
                merged.extend(object.iter().map(|(key, value)| (key.clone(), value.clone())));
            }
            Value::Array(items) => rest.extend(items.iter().rev()),
            other => {
                return Err(format!("cannot merge its inputs: {} is no object", shown(other)));
            }
        }
    }
    Ok(Arc::new(merged.into()))
}

/// A value as messages show it.
pub(super) fn shown(value: &Value) -> String {
    let what = match value {
        Value::Null => return "null".to_owned(),
        Value::Bool(_) => "the boolean",
        Value::Number(_) => "the number",
        Value::String(_) => "the text",
        Value::Array(_) => "the list",
        Value::Object(_) => "the object",
    };
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((at, _)) => format!("{what} {}…", text.get(..at).unwrap_or_default()),
        None => format!("{what} {text}"),
    }
}
