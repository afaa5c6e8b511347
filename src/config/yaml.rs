//! From the text of a file to a tree of values, each with its line.

use super::node::{Node, Value};
use super::{Error, Origin};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Number;
use serde_saphyr::Spanned;
use serde_saphyr::options::NonFiniteFloatPolicy;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// Reads a file; an empty one is an empty map.
pub(super) fn file(text: &str, file: &Path) -> Result<Node, Error> {
    let origin = |line| Origin::File { file: file.to_owned(), line };
    let parsed: Located = parse(text).map_err(|error| syntax(&error, file))?;
    let root = parsed.into_node(&origin);
    match root.value {
        Value::Null => Ok(Node::empty(root.origin)),
        Value::Map(_) => Ok(root),
        _ => Err(Error::Syntax {
            file: file.to_owned(),
            line: 1,
            column: 1,
            message: "a configuration is a map of sections, such as `rest:` with keys below it".to_owned(),
        }),
    }
}

/// What the text of an environment variable is, if it is YAML; else the text.
pub(super) fn variable(text: &str, origin: &Origin) -> Node {
    let value = parse::<Located>(text).map(|parsed| parsed.into_node(&|_| origin.clone()).value);
    Node {
        raw: Some(text.to_owned()),
        ..Node::new(value.unwrap_or_else(|_| Value::Text(text.to_owned())), origin.clone())
    }
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, serde_saphyr::Error> {
    let options = serde_saphyr::options! {
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        reject_unsupported_tags: true,
        non_finite_float_policy: NonFiniteFloatPolicy::Reject,
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 100_000 },
        // The lines around an error may hold a secret.
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options)
}

fn syntax(error: &serde_saphyr::Error, file: &Path) -> Error {
    let place = error.location();
    let text = error.without_snippet().to_string();
    // The library ends its messages with the place, which ours begin with.
    let message = text.split(" at line ").next().unwrap_or(&text).to_owned();
    Error::Syntax {
        file: file.to_owned(),
        line: place.map_or(1, |place| place.line()),
        column: place.map_or(1, |place| place.column()),
        message,
    }
}

/// A value with the line it starts in.
struct Located {
    line: u64,
    content: Content,
}

enum Content {
    Scalar(Value),
    List(Vec<Located>),
    Map(BTreeMap<String, Located>),
}

impl Located {
    fn into_node(self, origin: &impl Fn(u64) -> Origin) -> Node {
        let value = match self.content {
            Content::Scalar(value) => value,
            Content::List(items) => {
                Value::List(items.into_iter().map(|item| item.into_node(origin)).collect())
            }
            Content::Map(map) => {
                Value::Map(map.into_iter().map(|(key, item)| (key, item.into_node(origin))).collect())
            }
        };
        Node::new(value, origin(self.line))
    }
}

impl<'de> Deserialize<'de> for Located {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Content>::deserialize(deserializer)?;
        Ok(Self { line: spanned.referenced.line(), content: spanned.value })
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
        Ok(Content::Scalar(Value::Bool(bool)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Content, E> {
        Ok(Content::Scalar(Value::Number(number.into())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Content, E> {
        Ok(Content::Scalar(Value::Number(number.into())))
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Content, E> {
        Number::from_f64(number)
            .map(|number| Content::Scalar(Value::Number(number)))
            .ok_or_else(|| E::custom("a number must be finite"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Content, E> {
        Ok(Content::Scalar(Value::Text(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Content, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Content::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Content, A::Error> {
        let mut map = BTreeMap::new();
        while let Some(key) = entries.next_key::<Spanned<String>>()? {
            let value: Located = entries.next_value()?;
            // A value may stand below its key; people look for the key.
            map.insert(key.value, Located { line: key.referenced.line(), ..value });
        }
        Ok(Content::Map(map))
    }
}
