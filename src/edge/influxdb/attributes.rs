//! The attributes of an item, as serde tells them.

use super::FieldValue;
use super::line::Scalar;
use serde::Serialize;
use serde::ser::{self, Error as _, Impossible, Serializer};
use serde_json::Error;
use std::fmt::{Display, Write};

/// What an item is, or one of its attributes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Attribute {
    Null,
    Boolean(bool),
    Integer(i64),
    Unsigned(u64),
    Float(f64),
    Text(Span),
    /// A point in time, in nanoseconds since 1970.
    Time(i64),
    /// Attributes with names.
    Named,
    /// A list, or whatever else has neither a value nor names.
    #[default]
    Other,
}

/// Where a text is among those that were told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Span {
    begin: usize,
    end: usize,
}

/// The attributes of an item. Those of the next one are kept in the same place, so that nothing is allocated.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    /// The item itself.
    pub(super) whole: Attribute,
    named: Vec<Named>,
    texts: String,
}

/// An attribute with its name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named {
    name: Name,
    pub(super) value: Attribute,
    /// Zero for the item's own, one for those of its `value`.
    depth: u8,
}

#[derive(Clone, Copy, Debug)]
enum Name {
    Fixed(&'static str),
    Told(Span),
}

impl Attributes {
    /// Reads an item and its attributes; of what is within them, only `value` of a message.
    pub(super) fn read<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), String> {
        self.clear();
        self.whole = item.serialize(Reader { all: self, depth: 0 }).map_err(|error| error.to_string())?;
        Ok(())
    }

    pub(super) fn clear(&mut self) {
        self.whole = Attribute::Other;
        self.named.clear();
        self.texts.clear();
    }

    /// The attribute of this name, and which one it is.
    pub(super) fn find(&self, depth: u8, name: &str) -> Option<(usize, Attribute)> {
        let is_it = |named: &&Named| named.depth == depth && self.name(named) == name;
        let place = self.named.iter().position(|named| is_it(&named))?;
        Some((place, self.named.get(place)?.value))
    }

    /// Those so deep, in order.
    pub(super) fn at(&self, depth: u8) -> impl Iterator<Item = (usize, &Named)> {
        self.named.iter().enumerate().filter(move |(_, named)| named.depth == depth)
    }

    pub(super) fn get(&self, place: usize) -> Option<&Named> {
        self.named.get(place)
    }

    pub(super) fn name(&self, named: &Named) -> &str {
        match named.name {
            Name::Fixed(name) => name,
            Name::Told(span) => self.text(span),
        }
    }

    pub(super) fn text(&self, span: Span) -> &str {
        self.texts.get(span.begin..span.end).unwrap_or_default()
    }

    /// What a tag or field can be.
    pub(super) fn scalar(&self, attribute: Attribute) -> Option<Scalar<'_>> {
        Some(match attribute {
            Attribute::Null => Scalar::Null,
            Attribute::Boolean(value) => Scalar::Boolean(value),
            Attribute::Integer(value) => Scalar::Integer(value),
            Attribute::Unsigned(value) => Scalar::Unsigned(value),
            Attribute::Float(value) => Scalar::Float(value),
            Attribute::Text(span) => Scalar::Text(self.text(span)),
            Attribute::Time(_) | Attribute::Named | Attribute::Other => return None,
        })
    }

    fn keep(&mut self, text: &str) -> Attribute {
        let begin = self.texts.len();
        self.texts.push_str(text);
        Attribute::Text(Span { begin, end: self.texts.len() })
    }

    fn keep_shown(&mut self, value: impl Display) -> Attribute {
        let begin = self.texts.len();
        // A text takes whatever is written to it.
        let _ = write!(self.texts, "{value}");
        Attribute::Text(Span { begin, end: self.texts.len() })
    }
}

/// How deep attributes are read: of an item, those of its `value`.
const DEEPEST: u8 = 1;

/// Keeps what it is told as an [`Attribute`]; it goes only as deep as it may.
struct Reader<'a> {
    all: &'a mut Attributes,
    depth: u8,
}

/// Attributes that are being read.
struct Parts<'a> {
    all: &'a mut Attributes,
    depth: u8,
    shape: Shape,
    key: Option<Span>,
}

/// What attributes are for.
enum Shape {
    /// Nobody wants them, or they have no names.
    Other,
    Named,
    /// std's time, which has a form of its own in serde: seconds and nanoseconds.
    Time([Option<i64>; 2]),
}

impl<'a> Reader<'a> {
    fn parts(self, has_names: bool) -> Parts<'a> {
        let shape = if has_names && self.depth <= DEEPEST { Shape::Named } else { Shape::Other };
        Parts { all: self.all, depth: self.depth, shape, key: None }
    }
}

impl Parts<'_> {
    fn add<T: Serialize + ?Sized>(&mut self, name: Name, value: &T) -> Result<(), Error> {
        if matches!(self.shape, Shape::Other) {
            return Ok(());
        }
        let is_value = match name {
            Name::Fixed(name) => name == "value",
            Name::Told(span) => self.all.text(span) == "value",
        };
        let depth = if is_value { self.depth + 1 } else { DEEPEST + 1 };
        let value = value.serialize(Reader { all: self.all, depth })?;
        match &mut self.shape {
            Shape::Time([_, last]) if last.is_some() => self.shape = Shape::Other,
            Shape::Time(counts) => {
                let Attribute::Integer(count) = value else {
                    self.shape = Shape::Other;
                    return Ok(());
                };
                *counts = if counts[0].is_none() { [Some(count), None] } else { [counts[0], Some(count)] };
            }
            _ => self.all.named.push(Named { name, value, depth: self.depth }),
        }
        Ok(())
    }

    fn done(self) -> Attribute {
        match self.shape {
            Shape::Other => Attribute::Other,
            Shape::Named => Attribute::Named,
            Shape::Time([seconds, nanoseconds]) => {
                let time = seconds.zip(nanoseconds);
                let time = time.and_then(|(s, n)| s.checked_mul(1_000_000_000)?.checked_add(n));
                time.map_or(Attribute::Other, Attribute::Time)
            }
        }
    }
}

impl From<FieldValue> for Attribute {
    /// Of what is no text.
    fn from(value: FieldValue) -> Self {
        match value {
            FieldValue::Null => Self::Null,
            FieldValue::Boolean(value) => Self::Boolean(value),
            FieldValue::Integer(value) => Self::Integer(value),
            FieldValue::Unsigned(value) => Self::Unsigned(value),
            FieldValue::Float(value) => Self::Float(value),
            FieldValue::Text(_) => Self::Other,
        }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "what a serializer returns")]
fn scalar<V>(value: V) -> Result<Attribute, Error>
where
    FieldValue: From<V>,
{
    Ok(FieldValue::from(value).into())
}

macro_rules! scalars {
    ($($name:ident: $type:ty),*) => {
        $(fn $name(self, value: $type) -> Result<Attribute, Error> {
            scalar(value)
        })*
    };
}

impl<'a> Serializer for Reader<'a> {
    type Ok = Attribute;
    type Error = Error;
    type SerializeSeq = Parts<'a>;
    type SerializeTuple = Parts<'a>;
    type SerializeTupleStruct = Parts<'a>;
    type SerializeTupleVariant = Parts<'a>;
    type SerializeMap = Parts<'a>;
    type SerializeStruct = Parts<'a>;
    type SerializeStructVariant = Impossible<Attribute, Error>;

    scalars!(
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_f32: f32,
        serialize_f64: f64
    );

    fn serialize_char(self, value: char) -> Result<Attribute, Error> {
        Ok(self.all.keep_shown(value))
    }

    fn serialize_str(self, value: &str) -> Result<Attribute, Error> {
        Ok(self.all.keep(value))
    }

    fn serialize_i128(self, value: i128) -> Result<Attribute, Error> {
        i64::try_from(value).map_or(Ok(Attribute::Other), scalar)
    }

    fn serialize_u128(self, value: u128) -> Result<Attribute, Error> {
        u64::try_from(value).map_or(Ok(Attribute::Other), scalar)
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<Attribute, Error> {
        Ok(Attribute::Other)
    }

    fn serialize_none(self) -> Result<Attribute, Error> {
        Ok(Attribute::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Attribute, Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Attribute, Error> {
        Ok(Attribute::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Attribute, Error> {
        Ok(Attribute::Null)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Attribute, Error> {
        Ok(self.all.keep(variant))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Attribute, Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Attribute, Error> {
        Ok(Attribute::Other)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Parts<'a>, Error> {
        Ok(self.parts(false))
    }

    fn serialize_tuple(self, _: usize) -> Result<Parts<'a>, Error> {
        Ok(self.parts(false))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Parts<'a>, Error> {
        Ok(self.parts(false))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Parts<'a>, Error> {
        Ok(self.parts(false))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Parts<'a>, Error> {
        Ok(self.parts(true))
    }

    fn serialize_struct(self, name: &'static str, count: usize) -> Result<Parts<'a>, Error> {
        if name == "SystemTime" && count == 2 {
            let shape = Shape::Time([None; 2]);
            return Ok(Parts { all: self.all, depth: DEEPEST, shape, key: None });
        }
        Ok(self.parts(true))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Error> {
        Err(Error::custom(format!(
            "the variant `{variant}` with attributes has no one measurement: make points of it"
        )))
    }
}

macro_rules! unnamed {
    ($($trait:ident: $method:ident),*) => {
        $(impl ser::$trait for Parts<'_> {
            type Ok = Attribute;
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, _: &T) -> Result<(), Error> {
                Ok(())
            }

            fn end(self) -> Result<Attribute, Error> {
                Ok(Attribute::Other)
            }
        })*
    };
}

unnamed!(
    SerializeSeq: serialize_element,
    SerializeTuple: serialize_element,
    SerializeTupleStruct: serialize_field,
    SerializeTupleVariant: serialize_field
);

impl ser::SerializeStruct for Parts<'_> {
    type Ok = Attribute;
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
        self.add(Name::Fixed(key), value)
    }

    fn end(self) -> Result<Attribute, Error> {
        Ok(self.done())
    }
}

impl ser::SerializeMap for Parts<'_> {
    type Ok = Attribute;
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        let key = key.serialize(Reader { all: self.all, depth: DEEPEST + 1 })?;
        let key = match key {
            Attribute::Null => self.all.keep(""),
            Attribute::Boolean(key) => self.all.keep_shown(key),
            Attribute::Integer(key) => self.all.keep_shown(key),
            Attribute::Unsigned(key) => self.all.keep_shown(key),
            Attribute::Float(key) => self.all.keep_shown(key),
            other => other,
        };
        self.key = if let Attribute::Text(span) = key { Some(span) } else { None };
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        match self.key.take() {
            Some(key) => self.add(Name::Told(key), value),
            None => Ok(()),
        }
    }

    fn end(self) -> Result<Attribute, Error> {
        Ok(self.done())
    }
}
