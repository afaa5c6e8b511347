//! What the engine has to know of a built-in task without being asked by it.

use super::super::{Definition, Outcome, Place, State, definition, input};
use serde_json::{Map, Value};
use std::sync::Arc;

/// The task that waits for a person.
pub(super) const APPROVE: &str = "human:approve";

/// Which parameters mean something else for a task of this name than a policy: waits count their `timeout` from their
/// beginning, over all attempts, and may give something when it is over.
pub(in super::super) fn own_parameters(task: &str) -> &'static [&'static str] {
    match task {
        super::began::EVENT | "wait:countdown" | APPROVE => &["timeout"],
        _ => &[],
    }
}

/// One value over another: the keys of objects, the later ones counting. What is no object takes the place of what was
/// there, or is put under a `name` if it is a single value.
pub(in super::super) fn laid_over(below: &Value, above: &Value, name: &str) -> Value {
    let mut object = below.as_object().cloned().unwrap_or_default();
    match above {
        Value::Null => return below.clone(),
        Value::Object(above) => object.extend(above.clone()),
        Value::Array(_) => return above.clone(),
        single => {
            object.insert(name.to_owned(), single.clone());
        }
    }
    Value::Object(object)
}

/// Why an output is no answer to the question of a step, if that waits for a person and it is none.
pub(in super::super) fn no_answer(definition: &Definition, place: Place, output: &Value) -> Option<String> {
    let node = definition.graph().node(place.index());
    let task = node.and_then(|node| definition::task_of(node.kind()));
    wrong_answer(output).filter(|_| task == Some(APPROVE))
}

/// Why a value says neither yes nor no.
pub(in super::super) fn wrong_answer(answer: &Value) -> Option<String> {
    let said = match answer {
        Value::Null | Value::Bool(_) => return None,
        Value::Object(answer) => answer.get("approved").filter(|approved| !approved.is_boolean())?,
        other => other,
    };
    Some(format!("`approved` is true or false, not {}", input::shown(said)))
}

/// What somebody says is the output of a step that waits for a person is laid over its input; who says nothing else
/// approves, and what is no answer is a failure.
pub(in super::super) fn answered(
    definition: &Definition,
    state: &State,
    place: Place,
    outcome: Outcome,
) -> Outcome {
    let node = definition.graph().node(place.index());
    let task = node.and_then(|node| definition::task_of(node.kind()));
    let Outcome::Output(output) = &outcome else { return outcome };
    if task != Some(APPROVE) {
        return outcome;
    }
    if let Some(reason) = wrong_answer(output) {
        return Outcome::failed_for_good(reason);
    }
    let input = state.input(definition, place);
    Outcome::Output(Arc::new(approved(&input, output)))
}

/// An answer over the input it was asked about.
pub(super) fn approved(input: &Value, answer: &Value) -> Value {
    let mut approved = Map::new();
    approved.insert("approved".to_owned(), Value::Bool(true));
    let given = laid_over(input, &Value::Object(approved), "approved");
    laid_over(&given, answer, "approved")
}
