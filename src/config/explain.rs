//! Every value and where it comes from.

use super::Origin;
use super::node::Node;
use super::secret::{REDACTED, is_secret, without_passwords};
use serde::Serialize;
use serde_json::Value as Json;
use std::fmt;

/// Every effective value of a configuration with its origin: made by [`Config::explain`](super::Config::explain).
///
/// `Display` is a table for people, `Serialize` a list of [`Entry`] for programs. Known sections come first, in
/// alphabetical order, then the user's own. Secrets are shown as `[redacted]`: passwords in URLs, and everything
/// under a key that has a word such as `password` or `token` in it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Explanation {
    entries: Vec<Entry>,
}

/// One effective value.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Entry {
    /// The dotted key.
    pub key: String,
    /// The value, redacted where it is a secret.
    pub value: Json,
    /// Where it comes from.
    pub origin: Origin,
    /// The name under which it was given, where that is an alias of the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alias: Option<&'static str>,
}

impl Explanation {
    pub(super) fn new(tree: &Node, known: &Node) -> Self {
        let is_known = |name: &str| known.map().is_some_and(|known| known.contains_key(name));
        let sections = || tree.map().into_iter().flatten();
        let mut entries = Vec::new();
        for (name, node) in sections().filter(|(name, _)| is_known(name)) {
            leaves(name, node, &mut entries);
        }
        for (name, node) in sections().filter(|(name, _)| !is_known(name)) {
            leaves(name, node, &mut entries);
        }
        Self { entries }
    }

    /// The values in the order in which they are shown.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry of a dotted key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }
}

impl Entry {
    /// The value as it would be written in the file.
    fn shown(&self) -> String {
        match &self.value {
            Json::Null => "-".to_owned(),
            Json::String(text) => text.clone(),
            other => other.to_string(),
        }
    }

    fn source(&self) -> String {
        match self.alias {
            Some(alias) => format!("{} (as {alias})", self.origin),
            None => self.origin.to_string(),
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A value longer than this moves only its own line.
        const WIDEST: usize = 44;
        let rows: Vec<_> =
            self.entries.iter().map(|entry| (&entry.key, entry.shown(), entry.source())).collect();
        let width = |widths: &mut dyn Iterator<Item = usize>| widths.max().unwrap_or(0).max(5);
        let keys = width(&mut rows.iter().map(|(key, ..)| key.chars().count()));
        let values = width(&mut rows.iter().map(|(_, value, _)| value.chars().count().min(WIDEST)));
        writeln!(f, "{:keys$}  {:values$}  ORIGIN", "KEY", "VALUE")?;
        rows.iter().try_for_each(|(key, value, source)| writeln!(f, "{key:keys$}  {value:values$}  {source}"))
    }
}

fn leaves(key: &str, node: &Node, entries: &mut Vec<Entry>) {
    match node.map() {
        Some(map) if !map.is_empty() => {
            for (name, node) in map {
                leaves(&format!("{key}.{name}"), node, entries);
            }
        }
        _ => entries.push(Entry {
            key: key.to_owned(),
            value: redacted(key, node.to_json()),
            origin: node.origin.clone(),
            alias: node.alias,
        }),
    }
}

fn redacted(key: &str, value: Json) -> Json {
    match value {
        Json::Null => Json::Null,
        Json::Object(map) if map.is_empty() => Json::Object(map),
        _ if is_secret(key) => REDACTED.into(),
        Json::String(text) => without_passwords(&text).into(),
        Json::Array(items) => items.into_iter().map(|item| redacted(key, item)).collect(),
        Json::Object(map) => Json::Object(
            map.into_iter()
                .map(|(name, item)| {
                    let item = redacted(&name, item);
                    (name, item)
                })
                .collect(),
        ),
        other => other,
    }
}
