//! YAML with the places of its values.

use super::InvalidPipelines;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};
use serde_saphyr::Spanned;
use serde_saphyr::options::NonFiniteFloatPolicy;
use std::fmt;

/// A value, with its line and column.
pub(super) struct Tree {
    at: (usize, usize),
    content: Content,
}

enum Content {
    Scalar(Value),
    List(Vec<Tree>),
    /// The place of an entry is that of its key.
    Map(Vec<(String, Tree)>),
}

impl Tree {
    pub(super) fn read(text: &str) -> Result<Self, InvalidPipelines> {
        let options = serde_saphyr::options! {
            strict_booleans: true,
            reject_unsupported_tags: true,
            non_finite_float_policy: NonFiniteFloatPolicy::Reject,
            alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 100_000 },
            with_snippet: false,
        };
        serde_saphyr::from_str_with_options(text, options).map_err(|error: serde_saphyr::Error| {
            let at = error.location().map(|place| (number(place.line()), number(place.column())));
            let full = error.without_snippet().to_string();
            let message = full.split(" at line ").next().unwrap_or(&full).to_owned();
            InvalidPipelines::new("", format!("it is no YAML: {message}")).at(at)
        })
    }

    pub(super) fn to_json(&self) -> Value {
        match &self.content {
            Content::Scalar(value) => value.clone(),
            Content::List(items) => items.iter().map(Self::to_json).collect(),
            Content::Map(map) => {
                Value::Object(map.iter().map(|(key, value)| (key.clone(), value.to_json())).collect())
            }
        }
    }

    /// Where a path such as `jobs[0].stages[1].batch.most` leads to, as far as it goes.
    pub(super) fn place(&self, path: &str) -> (usize, usize) {
        let mut here = self;
        for step in path.split(['.', '[']).filter(|step| !step.is_empty()) {
            let next = match &here.content {
                Content::List(items) => {
                    step.trim_end_matches(']').parse().ok().and_then(|at: usize| items.get(at))
                }
                Content::Map(map) => map.iter().find(|(key, _)| key == step).map(|(_, value)| value),
                Content::Scalar(_) => None,
            };
            let Some(next) = next else { break };
            here = next;
        }
        here.at
    }
}

fn number(place: u64) -> usize {
    usize::try_from(place).unwrap_or(usize::MAX)
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Content>::deserialize(deserializer)?;
        let place = &spanned.referenced;
        Ok(Self { at: (number(place.line()), number(place.column())), content: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContentVisitor)
    }
}

struct ContentVisitor;

impl<'de> Visitor<'de> for ContentVisitor {
    type Value = Content;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Content, E> {
        Ok(Content::Scalar(Value::Null))
    }

    fn visit_bool<E>(self, bool: bool) -> Result<Content, E> {
        Ok(Content::Scalar(bool.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Content, E> {
        Ok(Content::Scalar(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Content, E> {
        Ok(Content::Scalar(number.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Content, E> {
        let number = Number::from_f64(number).ok_or_else(|| E::custom("a number must be finite"))?;
        Ok(Content::Scalar(number.into()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Content, E> {
        Ok(Content::Scalar(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Content, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Content::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Content, A::Error> {
        let mut map = Vec::new();
        while let Some(key) = entries.next_key::<Spanned<String>>()? {
            let value: Tree = entries.next_value()?;
            let place = &key.referenced;
            map.push((key.value, Tree { at: (number(place.line()), number(place.column())), ..value }));
        }
        Ok(Content::Map(map))
    }
}
