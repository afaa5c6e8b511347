//! Texts that are named by flows, and shown to nobody.

use serde_json::{Map, Value};
use std::fmt;
use std::sync::Arc;

/// Secrets by name. Flows have the names; the texts are put in at the last moment, and taken out of whatever comes back.
#[derive(Clone, Default)]
pub(in super::super) struct Secrets {
    by_name: Arc<Map<String, Value>>,
    texts: Arc<Vec<String>>,
}

/// What is shown in place of a secret.
const REDACTED: &str = "[redacted]";
/// A shorter text is no secret: it would be found everywhere.
const SHORTEST: usize = 4;

impl Secrets {
    pub(in super::super) fn add(&mut self, name: &str, text: &str) {
        Arc::make_mut(&mut self.by_name).insert(name.to_owned(), text.into());
        self.hide(text);
    }

    /// Takes a text out of answers that has no name.
    pub(in super::super) fn hide(&mut self, text: &str) {
        if text.len() >= SHORTEST {
            let texts = Arc::make_mut(&mut self.texts);
            texts.push(text.to_owned());
            // The longest first, since one may hold another.
            texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
        }
    }

    /// What templates find under `secrets`.
    pub(super) fn data(&self) -> Value {
        Value::Object(Map::clone(&self.by_name))
    }

    /// A text without secrets in it.
    pub(super) fn without(&self, text: &str) -> String {
        let mut shown = text.to_owned();
        for secret in self.texts.iter() {
            if shown.contains(secret.as_str()) {
                shown = shown.replace(secret.as_str(), REDACTED);
            }
        }
        shown
    }

    /// A value without secrets in it, keys included.
    pub(in super::super) fn without_in(&self, value: Value) -> Value {
        match value {
            _ if self.texts.is_empty() => value,
            Value::String(text) => Value::String(self.without(&text)),
            Value::Array(items) => items.into_iter().map(|item| self.without_in(item)).collect(),
            Value::Object(fields) => {
                let fields =
                    fields.into_iter().map(|(key, value)| (self.without(&key), self.without_in(value)));
                Value::Object(fields.collect())
            }
            other => other,
        }
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.by_name.keys()).finish()
    }
}
