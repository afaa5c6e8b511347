//! The attributes of an item, as serde tells them.

use super::FieldValue;
use serde::Serialize;
use serde::ser::{self, Error as _, Impossible, Serializer};
use serde_json::Error;
use std::borrow::Cow;

/// What an item is, or one of its attributes.
#[derive(Debug, PartialEq)]
pub(super) enum Attribute {
    /// A number, truth value, text or nothing.
    Scalar(FieldValue),
    /// A point in time, in nanoseconds since 1970.
    Time(i64),
    /// Attributes with names.
    Named(Vec<(Cow<'static, str>, Attribute)>),
    /// A list, or whatever else has neither a value nor names.
    Other,
}

impl Attribute {
    /// Reads an item and its attributes; of what is within them, only `value` of a message.
    pub(super) fn of<T: Serialize + ?Sized>(item: &T) -> Result<Self, String> {
        item.serialize(Reader { depth: 0 }).map_err(|error| error.to_string())
    }

    /// Takes an attribute out.
    pub(super) fn take(&mut self, name: &str) -> Option<Self> {
        let Self::Named(all) = self else { return None };
        let found = all.iter().position(|(key, _)| key == name)?;
        Some(all.swap_remove(found).1)
    }
}

/// How deep attributes are read: of an item, those of its `value`.
const DEEPEST: u8 = 1;

/// Makes an [`Attribute`] of what it is told; it goes only as deep as it may.
#[derive(Clone, Copy)]
struct Reader {
    depth: u8,
}

/// Attributes that are being read.
struct Parts {
    depth: u8,
    /// Nothing where only names have attributes, or nobody wants them.
    named: Option<Vec<(Cow<'static, str>, Attribute)>>,
    key: Option<String>,
    /// std's time, which has a form of its own in serde.
    is_time: bool,
}

impl Reader {
    fn parts(self, has_names: bool) -> Parts {
        let named = (has_names && self.depth <= DEEPEST).then(Vec::new);
        Parts { depth: self.depth, named, key: None, is_time: false }
    }
}

impl Parts {
    fn add<T: Serialize + ?Sized>(&mut self, name: Cow<'static, str>, value: &T) -> Result<(), Error> {
        let Some(named) = &mut self.named else { return Ok(()) };
        let depth = if name == "value" { self.depth + 1 } else { DEEPEST + 1 };
        named.push((name, value.serialize(Reader { depth })?));
        Ok(())
    }

    fn done(self) -> Attribute {
        let Some(named) = self.named else { return Attribute::Other };
        if !self.is_time {
            return Attribute::Named(named);
        }
        let count = |(_, attribute): &(_, Attribute)| match attribute {
            Attribute::Scalar(FieldValue::Integer(count)) => Some(*count),
            _ => None,
        };
        let [seconds, nanoseconds] = named.as_slice() else { return Attribute::Other };
        let time = count(seconds).zip(count(nanoseconds));
        let time = time.and_then(|(s, n)| s.checked_mul(1_000_000_000)?.checked_add(n));
        time.map_or(Attribute::Other, Attribute::Time)
    }
}

#[expect(clippy::unnecessary_wraps, reason = "what a serializer returns")]
fn scalar(value: impl Into<FieldValue>) -> Result<Attribute, Error> {
    Ok(Attribute::Scalar(value.into()))
}

macro_rules! scalars {
    ($($name:ident: $type:ty),*) => {
        $(fn $name(self, value: $type) -> Result<Attribute, Error> {
            scalar(value)
        })*
    };
}

impl Serializer for Reader {
    type Ok = Attribute;
    type Error = Error;
    type SerializeSeq = Parts;
    type SerializeTuple = Parts;
    type SerializeTupleStruct = Parts;
    type SerializeTupleVariant = Parts;
    type SerializeMap = Parts;
    type SerializeStruct = Parts;
    type SerializeStructVariant = Impossible<Attribute, Error>;

    scalars!(
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_f32: f32,
        serialize_f64: f64, serialize_char: char, serialize_str: &str
    );

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
        scalar(FieldValue::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Attribute, Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Attribute, Error> {
        scalar(FieldValue::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Attribute, Error> {
        scalar(FieldValue::Null)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Attribute, Error> {
        scalar(variant)
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

    fn serialize_seq(self, _: Option<usize>) -> Result<Parts, Error> {
        Ok(self.parts(false))
    }

    fn serialize_tuple(self, _: usize) -> Result<Parts, Error> {
        Ok(self.parts(false))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Parts, Error> {
        Ok(self.parts(false))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Parts, Error> {
        Ok(self.parts(false))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Parts, Error> {
        Ok(self.parts(true))
    }

    fn serialize_struct(self, name: &'static str, count: usize) -> Result<Parts, Error> {
        let is_time = name == "SystemTime" && count == 2;
        let depth = if is_time { DEEPEST } else { self.depth };
        Ok(Parts { is_time, ..Self { depth }.parts(true) })
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
        $(impl ser::$trait for Parts {
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

impl ser::SerializeStruct for Parts {
    type Ok = Attribute;
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
        self.add(Cow::Borrowed(key), value)
    }

    fn end(self) -> Result<Attribute, Error> {
        Ok(self.done())
    }
}

impl ser::SerializeMap for Parts {
    type Ok = Attribute;
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.key = match key.serialize(Reader { depth: DEEPEST + 1 })? {
            Attribute::Scalar(key) => Some(key.to_string()),
            _ => None,
        };
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        match self.key.take() {
            Some(key) => self.add(Cow::Owned(key), value),
            None => Ok(()),
        }
    }

    fn end(self) -> Result<Attribute, Error> {
        Ok(self.done())
    }
}
