//! Parameters over their defaults.

use super::super::diagnostic::Code;
use super::super::tree::Parameters;
use super::Compiler;
use super::declarations::Resolved;
use serde_json::Value;
use std::sync::Arc;

/// Entries that defaults may be copied into parameters with, in a whole flow.
const MOST_COPIED: usize = 1_000_000;

impl<'a> Compiler<'a, '_> {
    /// Parameters over the defaults of what they are given to: keys of objects by themselves, all else as a whole.
    pub(super) fn merged(&mut self, resolved: &Resolved<'a>, own: Option<Parameters>) -> Arc<Value> {
        let defaults = resolved.defaults.clone();
        let Some(own) = own else { return defaults };
        let given = self.contents.parameters(own, self.sink);
        if is_nothing(&given) {
            return defaults;
        }
        if is_nothing(&defaults) {
            return given;
        }
        match (&*defaults, &*given) {
            (Value::Object(defaults), Value::Object(given)) => {
                if !self.declarations.copy(weight(defaults.values())) {
                    let token = self.contents.parameters_token(own);
                    let message = format!("defaults are copied into more than {MOST_COPIED} parameters");
                    self.sink.error_at(Code::Limit, token, message).help("give the task fewer defaults");
                    self.full = true;
                    return self.contents.nothing();
                }
                let mut merged = defaults.clone();
                merged.extend(given.iter().map(|(key, value)| (key.clone(), value.clone())));
                Arc::new(Value::Object(merged))
            }
            (Value::Object(_), Value::Array(_)) | (Value::Array(_), Value::Object(_)) => {
                let kind = |value: &Value| if value.is_array() { "a list" } else { "a map" };
                let message = format!(
                    "the parameters are {}, and the defaults of `{}` are {}",
                    kind(&given),
                    resolved.name,
                    kind(&defaults)
                );
                let token = self.contents.parameters_token(own);
                self.sink.error_at(Code::Parameters, token, message).help("write both in the same way");
                given
            }
            _ => given,
        }
    }
}

/// Whether parameters say nothing.
fn is_nothing(value: &Value) -> bool {
    value.as_object().is_some_and(serde_json::Map::is_empty)
}

/// How many values there are, with all that is in them.
fn weight<'v>(values: impl Iterator<Item = &'v Value>) -> usize {
    values
        .map(|value| match value {
            Value::Array(items) => 1 + weight(items.iter()),
            Value::Object(map) => 1 + weight(map.values()),
            _ => 1,
        })
        .sum()
}

impl super::declarations::Declarations<'_> {
    /// Takes note of a copy; whether there may be one more.
    fn copy(&mut self, weight: usize) -> bool {
        self.copied += weight;
        self.copied <= MOST_COPIED
    }
}
