//! The tree of values behind a configuration; every node knows where it comes from.

use super::Origin;
use serde_json::{Number, Value as Json};
use std::collections::BTreeMap;

/// A value and its origin.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) origin: Origin,
    /// The text of an environment variable: what it is depends on the type that is asked for.
    pub(super) raw: Option<String>,
    /// The key under which it was given, where that is an alias of the one it has now.
    pub(super) alias: Option<&'static str>,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Map(BTreeMap<String, Node>),
}

impl Node {
    pub(super) fn new(value: Value, origin: Origin) -> Self {
        Self { value, origin, raw: None, alias: None }
    }

    pub(super) fn empty(origin: Origin) -> Self {
        Self::new(Value::Map(BTreeMap::new()), origin)
    }

    pub(super) fn from_json(json: Json, origin: &Origin) -> Self {
        let value = match json {
            Json::Null => Value::Null,
            Json::Bool(bool) => Value::Bool(bool),
            Json::Number(number) => Value::Number(number),
            Json::String(text) => Value::Text(text),
            Json::Array(items) => {
                Value::List(items.into_iter().map(|item| Self::from_json(item, origin)).collect())
            }
            Json::Object(map) => {
                Value::Map(map.into_iter().map(|(key, item)| (key, Self::from_json(item, origin))).collect())
            }
        };
        Self::new(value, origin.clone())
    }

    pub(super) fn to_json(&self) -> Json {
        match &self.value {
            Value::Null => Json::Null,
            Value::Bool(bool) => Json::Bool(*bool),
            Value::Number(number) => Json::Number(number.clone()),
            Value::Text(text) => Json::String(text.clone()),
            Value::List(items) => items.iter().map(Self::to_json).collect(),
            Value::Map(map) => {
                Json::Object(map.iter().map(|(key, node)| (key.clone(), node.to_json())).collect())
            }
        }
    }

    pub(super) fn map(&self) -> Option<&BTreeMap<String, Self>> {
        match &self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    pub(super) fn map_mut(&mut self) -> Option<&mut BTreeMap<String, Self>> {
        match &mut self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The node at a dotted key; the empty key is the node itself.
    pub(super) fn at(&self, key: &str) -> Option<&Self> {
        if key.is_empty() {
            return Some(self);
        }
        key.split('.').try_fold(self, |node, part| node.map()?.get(part))
    }

    /// Where the node at a dotted key comes from, or the last one on the way to it. Items of a list are called `[0]`.
    pub(super) fn nearest(&self, key: &str) -> &Origin {
        let mut here = self;
        for step in key.split(['.', '[']).filter(|step| !step.is_empty()) {
            let next = match &here.value {
                Value::Map(map) => map.get(step),
                Value::List(items) => {
                    step.trim_end_matches(']').parse().ok().and_then(|at: usize| items.get(at))
                }
                _ => None,
            };
            let Some(next) = next else { break };
            here = next;
        }
        &here.origin
    }

    /// Removes and returns the node at a dotted key.
    pub(super) fn take(&mut self, key: &str) -> Option<Self> {
        match key.split_once('.') {
            None => self.map_mut()?.remove(key),
            Some((head, tail)) => self.map_mut()?.get_mut(head)?.take(tail),
        }
    }

    /// Puts a node at the end of a path of keys, making the maps on the way.
    ///
    /// Refused, with the node that is in the way, where a value stands where a map would have to be.
    pub(super) fn put(&mut self, path: &[String], node: Self) -> Result<(), Origin> {
        let in_the_way = self.origin.clone();
        let origin = node.origin.clone();
        let Some((head, tail)) = path.split_first() else {
            self.merge(node);
            return Ok(());
        };
        if matches!(self.value, Value::Null) {
            self.value = Value::Map(BTreeMap::new());
        }
        let map = self.map_mut().ok_or(in_the_way)?;
        if tail.is_empty() {
            match map.get_mut(head) {
                Some(old) => old.merge(node),
                None => drop(map.insert(head.clone(), node)),
            }
            return Ok(());
        }
        map.entry(head.clone()).or_insert_with(|| Self::empty(origin)).put(tail, node)
    }

    /// Lays another layer over this one: maps are merged, anything else is replaced.
    ///
    /// A section written down without any key in it (`rest:` and nothing more) leaves what is there.
    pub(super) fn merge(&mut self, over: Self) {
        match (&mut self.value, over.value) {
            (Value::Map(_), Value::Null) => {}
            (Value::Map(map), Value::Map(layer)) => {
                if map.is_empty() {
                    self.origin = over.origin;
                }
                for (key, node) in layer {
                    match map.get_mut(&key) {
                        Some(old) => old.merge(node),
                        None => drop(map.insert(key, node)),
                    }
                }
            }
            (_, value) => *self = Self { value, ..over },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn node(json: Json) -> Node {
        Node::from_json(json, &Origin::Code)
    }

    #[test]
    fn a_layer_merges_maps_and_replaces_everything_else() {
        let mut base = node(json!({"a": {"x": 1, "y": [1, 2]}, "b": 1, "c": {"z": 0}}));
        base.merge(node(json!({"a": {"y": [3]}, "b": {"n": 1}, "c": null, "d": 4})));
        assert_eq!(base.to_json(), json!({"a": {"x": 1, "y": [3]}, "b": {"n": 1}, "c": {"z": 0}, "d": 4}));
    }

    #[test]
    fn a_path_is_put_at_taken_and_refused_below_a_value() {
        let mut base = node(json!({"a": 1}));
        let path = |text: &str| text.split('.').map(String::from).collect::<Vec<_>>();
        assert_eq!(base.put(&path("b.c"), node(json!(2))), Ok(()));
        assert_eq!(base.put(&path("a.x"), node(json!(2))), Err(Origin::Code));
        assert_eq!(base.at("b.c").map(Node::to_json), Some(json!(2)));
        assert_eq!(base.take("b.c").map(|node| node.to_json()), Some(json!(2)));
        assert!(base.at("b.c").is_none() && base.take("a.b").is_none());
    }
}
