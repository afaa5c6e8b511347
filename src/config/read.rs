//! From a tree of values to a type of the user's, with errors that name the key and who gave it.

use super::node::{Node, Value};
use super::secret::{is_secret, without_passwords};
use super::{Origin, Problem};
use crate::config::error::spelled;
use crate::hint::nearest;
use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Expected, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::Number;
use std::collections::{BTreeMap, btree_map};
use std::fmt;
use std::iter::Enumerate;
use std::slice;

/// Reads the node at `key` as a `T`.
pub(super) fn read<T: DeserializeOwned>(key: &str, node: &Node) -> Result<T, Problem> {
    T::deserialize(Reader(node)).map_err(|fault| fault.into_problem(key, node))
}

/// A node as a source of data for serde.
struct Reader<'a>(&'a Node);

impl<'de> Deserializer<'de> for Reader<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let read = match &self.0.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(bool) => visitor.visit_bool(*bool),
            Value::Number(number) => visit_number(number, visitor),
            Value::Text(text) => visitor.visit_str(text),
            Value::List(items) => visitor.visit_seq(Items { rest: items.iter().enumerate() }),
            Value::Map(map) => visitor.visit_map(Entries::of(map)),
        };
        read.map_err(|fault: Fault| fault.at(&self.0.origin))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.0.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.0.raw {
            Some(text) => visitor.visit_str(text).map_err(|fault: Fault| fault.at(&self.0.origin)),
            None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let read = match (&self.0.value, &self.0.raw) {
            (Value::Map(map), _) => visitor.visit_enum(MapAccessDeserializer::new(Entries::of(map))),
            (_, Some(text)) | (Value::Text(text), None) => {
                visitor.visit_enum(text.as_str().into_deserializer())
            }
            _ => return self.deserialize_any(visitor),
        };
        read.map_err(|fault: Fault| fault.at(&self.0.origin))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct ignored_any
    }
}

fn visit_number<'de, V: Visitor<'de>>(number: &Number, visitor: V) -> Result<V::Value, Fault> {
    match (number.as_u64(), number.as_i64(), number.as_f64()) {
        (Some(number), ..) => visitor.visit_u64(number),
        (_, Some(number), _) => visitor.visit_i64(number),
        (.., number) => visitor.visit_f64(number.unwrap_or(f64::NAN)),
    }
}

/// The entries of a map; an error in one learns its name and who gave it.
struct Entries<'a> {
    rest: btree_map::Iter<'a, String, Node>,
    value: Option<(&'a str, &'a Node)>,
}

impl<'a> Entries<'a> {
    fn of(map: &'a BTreeMap<String, Node>) -> Self {
        Self { rest: map.iter(), value: None }
    }
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        let Some((name, node)) = self.rest.next() else { return Ok(None) };
        self.value = Some((name, node));
        let name: StrDeserializer<'_, Fault> = name.as_str().into_deserializer();
        seed.deserialize(name).map(Some).map_err(|fault| fault.at(&node.origin))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let Some((name, node)) = self.value.take() else {
            return Err(serde::de::Error::custom("a value was asked for before its key"));
        };
        seed.deserialize(Reader(node)).map_err(|fault| fault.at(&node.origin).below(name.to_owned()))
    }
}

/// The items of a list.
struct Items<'a> {
    rest: Enumerate<slice::Iter<'a, Node>>,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        let Some((index, node)) = self.rest.next() else { return Ok(None) };
        let item = seed.deserialize(Reader(node)).map(Some);
        item.map_err(|fault| fault.at(&node.origin).below(index.to_string()))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

/// An error on its way up the tree.
#[derive(Debug)]
struct Fault(Box<Details>);

#[derive(Debug, Default)]
struct Details {
    /// What stood there, if that is the point.
    found: Option<String>,
    message: String,
    help: Option<String>,
    /// From the innermost name to the outermost.
    path: Vec<String>,
    origin: Option<Origin>,
}

impl Fault {
    fn at(mut self, origin: &Origin) -> Self {
        self.0.origin.get_or_insert_with(|| origin.clone());
        self
    }

    fn below(mut self, name: String) -> Self {
        self.0.path.push(name);
        self
    }

    fn into_problem(self, key: &str, node: &Node) -> Problem {
        let Details { found, message, help, path, origin } = *self.0;
        let below = path.iter().rev().map(String::as_str);
        let key = (!key.is_empty()).then_some(key).into_iter().chain(below).collect::<Vec<_>>().join(".");
        let origin = origin.unwrap_or_else(|| node.origin.clone());
        let shown = spelled(&key, &origin);
        let message = match (found, is_secret(&key)) {
            (Some(_), true) => format!("`{shown}` (not shown) must be {message}"),
            (Some(found), false) => format!("`{shown}` must be {message}, not {}", without_passwords(&found)),
            (None, true) => format!("`{shown}` (not shown) does not fit"),
            (None, false) => format!("`{shown}`: {}", without_passwords(&message)),
        };
        Problem { help, ..Problem::new(key, &origin, message) }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Fault {}

impl serde::de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(Box::new(Details { message: message.to_string(), ..Details::default() }))
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let found = match found {
            Unexpected::Unit => "nothing".to_owned(),
            Unexpected::Bool(bool) => bool.to_string(),
            Unexpected::Signed(number) => number.to_string(),
            Unexpected::Unsigned(number) => number.to_string(),
            Unexpected::Float(number) => number.to_string(),
            Unexpected::Str(text) => format!("the text \"{text}\""),
            Unexpected::Seq => "a list".to_owned(),
            Unexpected::Map => "a section".to_owned(),
            other => other.to_string(),
        };
        must_be(plain(&expected.to_string()), found)
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        must_be(&quoted(expected).join(" or "), format!("`{variant}`"))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let help = match nearest(field, expected.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it has the keys {}", quoted(expected).join(", ")),
        };
        Self(Box::new(Details {
            message: format!("unknown key `{field}`"),
            help: Some(help),
            ..Details::default()
        }))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::custom(format!("the key `{field}` is missing"))
    }
}

fn must_be(expected: &str, found: String) -> Fault {
    let message = expected.to_owned();
    Fault(Box::new(Details { found: Some(found), message, ..Details::default() }))
}

fn quoted(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| format!("`{name}`")).collect()
}

/// Rust's names of types in words.
fn plain(expected: &str) -> &str {
    match expected {
        "a string" => "a text",
        "a boolean" => "true or false",
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" | "u64" | "usize" | "u128" => "a whole number from 0 up",
        "i8" | "i16" | "i32" | "i64" | "isize" | "i128" => "a whole number",
        "a nonzero u32" | "a nonzero u64" | "a nonzero usize" => "1 or more",
        "f32" | "f64" => "a number",
        "a sequence" => "a list",
        "a map" => "a section",
        other => other.strip_prefix("struct ").map_or(other, |_| "a section"),
    }
}
