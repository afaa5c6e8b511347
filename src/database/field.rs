//! One field of a row as a value of a database.

use super::rows::{Span, Value};
use serde::Serialize;
use serde::ser::{Impossible, Serializer};
use std::fmt::{self, Display};

/// Why something is no value.
#[derive(Debug)]
pub(super) enum Refusal {
    /// It has parts, so it becomes JSON.
    Nested,
    Because(String),
}

impl Refusal {
    pub(super) fn because(reason: impl Into<String>) -> Self {
        Self::Because(reason.into())
    }

    /// Of the field of that name.
    pub(super) fn of(self, name: &str) -> Self {
        Self::Because(format!("`{name}` is {}", self.reason()))
    }

    pub(super) fn reason(self) -> String {
        match self {
            Self::Nested => "something with parts".to_owned(),
            Self::Because(reason) => reason,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if let Self::Because(reason) = self { reason } else { "it has parts" })
    }
}

impl std::error::Error for Refusal {}

impl serde::ser::Error for Refusal {
    fn custom<T: Display>(message: T) -> Self {
        Self::Because(message.to_string())
    }
}

/// The value of a field, whose text goes behind what is in `bytes`.
pub(super) fn value<T: Serialize + ?Sized>(field: &T, bytes: &mut Vec<u8>) -> Result<Value, Refusal> {
    match field.serialize(Field { bytes }) {
        Err(Refusal::Nested) => {
            let start = bytes.len();
            match serde_json::to_writer(&mut *bytes, field) {
                Ok(()) => Ok(Value::Json(Span { start, end: bytes.len() })),
                Err(error) => Err(Refusal::because(format!("no JSON: {error}"))),
            }
        }
        other => other,
    }
}

/// The name that a key of a map is.
pub(super) fn name<T: Serialize + ?Sized>(key: &T) -> Result<String, Refusal> {
    let mut bytes = Vec::new();
    match key.serialize(Field { bytes: &mut bytes })? {
        Value::Text(_) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Value::Integer(number) => Ok(number.to_string()),
        _ => Err(Refusal::because("a key that is no text names no column")),
    }
}

struct Field<'b> {
    bytes: &'b mut Vec<u8>,
}

impl Field<'_> {
    fn put(self, bytes: &[u8]) -> Span {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        Span { start, end: self.bytes.len() }
    }
}

/// A whole number, if databases have it.
fn integer<N: TryInto<i64> + Display + Copy>(number: N) -> Result<Value, Refusal> {
    let too_large = |_| Refusal::because(format!("{number}, and a database counts to {}", i64::MAX));
    number.try_into().map(Value::Integer).map_err(too_large)
}

impl Serializer for Field<'_> {
    type Ok = Value;
    type Error = Refusal;
    type SerializeSeq = Impossible<Value, Refusal>;
    type SerializeTuple = Impossible<Value, Refusal>;
    type SerializeTupleStruct = Impossible<Value, Refusal>;
    type SerializeTupleVariant = Impossible<Value, Refusal>;
    type SerializeMap = Impossible<Value, Refusal>;
    type SerializeStruct = Impossible<Value, Refusal>;
    type SerializeStructVariant = Impossible<Value, Refusal>;

    fn serialize_bool(self, value: bool) -> Result<Value, Refusal> {
        Ok(Value::Boolean(value))
    }

    fn serialize_i8(self, value: i8) -> Result<Value, Refusal> {
        Ok(Value::Integer(value.into()))
    }

    fn serialize_i16(self, value: i16) -> Result<Value, Refusal> {
        Ok(Value::Integer(value.into()))
    }

    fn serialize_i32(self, value: i32) -> Result<Value, Refusal> {
        Ok(Value::Integer(value.into()))
    }

    fn serialize_i64(self, value: i64) -> Result<Value, Refusal> {
        Ok(Value::Integer(value))
    }

    fn serialize_i128(self, value: i128) -> Result<Value, Refusal> {
        integer(value)
    }

    fn serialize_u8(self, value: u8) -> Result<Value, Refusal> {
        Ok(Value::Integer(value.into()))
    }

    fn serialize_u16(self, value: u16) -> Result<Value, Refusal> {
        Ok(Value::Integer(value.into()))
    }

    fn serialize_u32(self, value: u32) -> Result<Value, Refusal> {
        Ok(Value::Integer(value.into()))
    }

    fn serialize_u64(self, value: u64) -> Result<Value, Refusal> {
        integer(value)
    }

    fn serialize_u128(self, value: u128) -> Result<Value, Refusal> {
        integer(value)
    }

    fn serialize_f32(self, value: f32) -> Result<Value, Refusal> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<Value, Refusal> {
        if value.is_nan() {
            return Err(Refusal::because("NaN, which is no number; write nothing instead"));
        }
        Ok(Value::Real(value))
    }

    fn serialize_char(self, value: char) -> Result<Value, Refusal> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<Value, Refusal> {
        Ok(Value::Text(self.put(value.as_bytes())))
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<Value, Refusal> {
        Ok(Value::Bytes(self.put(value)))
    }

    fn serialize_none(self) -> Result<Value, Refusal> {
        Ok(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Value, Refusal> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Value, Refusal> {
        Ok(Value::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Value, Refusal> {
        Ok(Value::Null)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Value, Refusal> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Value, Refusal> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Value, Refusal> {
        Err(Refusal::Nested)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, Refusal> {
        Err(Refusal::Nested)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Refusal> {
        Err(Refusal::Nested)
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, Refusal> {
        Err(Refusal::Nested)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Refusal> {
        Err(Refusal::Nested)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Refusal> {
        Err(Refusal::Nested)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, Refusal> {
        Err(Refusal::Nested)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Refusal> {
        Err(Refusal::Nested)
    }
}
