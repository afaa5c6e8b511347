//! The values of fields.

use super::line::Scalar;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The value of a field of a point. Servers keep the type that a field had first, and refuse another.
///
/// In serde it is the value itself: a number with a point or exponent is a float, one without an integer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FieldValue {
    /// Nothing: the field is left out.
    #[default]
    Null,
    /// True or false.
    Boolean(bool),
    /// A whole number of 64 bits.
    Integer(i64),
    /// A whole number of 64 bits without a sign, which InfluxDB 1.x does not have.
    Unsigned(u64),
    /// A number; infinite ones and those that are none can't be written.
    Float(f64),
    /// A text.
    Text(String),
}

macro_rules! from {
    ($($kind:ident: $($type:ty),*);*) => {
        $($(impl From<$type> for FieldValue {
            fn from(value: $type) -> Self {
                Self::$kind(value.into())
            }
        })*)*
    };
}

from!(Boolean: bool; Integer: i8, i16, i32, i64, u8, u16, u32; Float: f64; Text: &str, String, char);

impl From<f32> for FieldValue {
    /// The number with the same digits, not the nearest one of 64 bits.
    fn from(value: f32) -> Self {
        Self::Float(value.to_string().parse().unwrap_or_else(|_| value.into()))
    }
}

impl From<u64> for FieldValue {
    /// An integer if it is one, as all servers have these.
    fn from(value: u64) -> Self {
        i64::try_from(value).map_or(Self::Unsigned(value), Self::Integer)
    }
}

impl From<usize> for FieldValue {
    fn from(value: usize) -> Self {
        (value as u64).into()
    }
}

impl From<isize> for FieldValue {
    fn from(value: isize) -> Self {
        Self::Integer(value as i64)
    }
}

impl<V: Into<FieldValue>> From<Option<V>> for FieldValue {
    fn from(value: Option<V>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl FieldValue {
    pub(super) fn scalar(&self) -> Scalar<'_> {
        match self {
            Self::Null => Scalar::Null,
            Self::Boolean(value) => Scalar::Boolean(*value),
            Self::Integer(value) => Scalar::Integer(*value),
            Self::Unsigned(value) => Scalar::Unsigned(*value),
            Self::Float(value) => Scalar::Float(*value),
            Self::Text(text) => Scalar::Text(text),
        }
    }

    /// As a tag has it.
    pub(super) fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            other => other.to_string(),
        }
    }
}

/// As a tag has it.
impl fmt::Display for FieldValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => Ok(()),
            Self::Boolean(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            Self::Unsigned(value) => value.fmt(f),
            Self::Float(value) => value.fmt(f),
            Self::Text(value) => value.fmt(f),
        }
    }
}

impl From<Scalar<'_>> for FieldValue {
    fn from(value: Scalar<'_>) -> Self {
        match value {
            Scalar::Null => Self::Null,
            Scalar::Boolean(value) => Self::Boolean(value),
            Scalar::Integer(value) => Self::Integer(value),
            Scalar::Unsigned(value) => Self::Unsigned(value),
            Scalar::Float(value) => Self::Float(value),
            Scalar::Text(text) => Self::Text(text.to_owned()),
        }
    }
}
