//! How values of JSON compare: as Python compares what they are there.

use serde_json::{Number, Value};
use std::cmp::Ordering;

/// A number as exact as JSON has it. `true` is 1 and `false` is 0.
#[derive(Clone, Copy, Debug)]
pub(super) enum Numeric {
    Whole(i128),
    Real(f64),
}

impl Numeric {
    pub(super) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(is) => Some(Self::Whole(i128::from(*is))),
            Value::Number(number) => Some(Self::from(number)),
            _ => None,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "where a nearest number is asked for")]
    pub(super) fn nearest(self) -> f64 {
        match self {
            Self::Whole(whole) => whole as f64,
            Self::Real(real) => real,
        }
    }

    /// The same for all numbers that are equal: whole where it is.
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    pub(super) fn canonical(self) -> Self {
        match self {
            // 2^120 is far beyond any whole number that JSON keeps exactly.
            Self::Real(real) if real.fract() == 0.0 && real.abs() < 1e36 => Self::Whole(real as i128),
            other => other,
        }
    }

    pub(super) fn order(self, other: Self) -> Option<Ordering> {
        match (self.canonical(), other.canonical()) {
            (Self::Whole(a), Self::Whole(b)) => Some(a.cmp(&b)),
            (Self::Real(a), Self::Real(b)) => a.partial_cmp(&b),
            (Self::Whole(a), Self::Real(b)) => whole_and_real(a, b),
            (Self::Real(a), Self::Whole(b)) => whole_and_real(b, a).map(Ordering::reverse),
        }
    }
}

impl From<&Number> for Numeric {
    fn from(number: &Number) -> Self {
        let whole = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
        whole.map_or_else(|| Self::Real(number.as_f64().unwrap_or(f64::NAN)), Self::Whole)
    }
}

/// Exactly: the real one is beyond all whole ones, or has a fraction.
#[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
fn whole_and_real(whole: i128, real: f64) -> Option<Ordering> {
    if real.is_nan() {
        return None;
    }
    if real.abs() >= 1e36 {
        return Some(if real > 0.0 { Ordering::Less } else { Ordering::Greater });
    }
    let floor = real.floor();
    Some(whole.cmp(&(floor as i128)).then(if real > floor { Ordering::Less } else { Ordering::Equal }))
}

/// Whether a value counts as true: not `null`, `false`, 0, and nothing that is empty.
pub(super) fn truth(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(is) => *is,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}

/// Whether two values are equal, numbers by what they are worth.
pub(super) fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Null, Value::Null) => true,
        (Value::String(a), Value::String(b)) => a == b,
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| equal(a, b)))
        }
        _ => match (Numeric::of(a), Numeric::of(b)) {
            (Some(a), Some(b)) => a.order(b) == Some(Ordering::Equal),
            _ => false,
        },
    }
}

/// Which of two values is less, if they can be compared at all: two numbers, texts or lists.
pub(super) fn order(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        (Value::Array(a), Value::Array(b)) => {
            let differing = a.iter().zip(b).find(|(a, b)| !equal(a, b));
            differing.map_or_else(|| Some(a.len().cmp(&b.len())), |(a, b)| order(a, b))
        }
        _ => Numeric::of(a)?.order(Numeric::of(b)?),
    }
}

/// Whether one value is in another: a text in a text, an item in a list, a key in an object.
pub(super) fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::String(whole), Value::String(part)) => {
            memchr::memmem::find(whole.as_bytes(), part.as_bytes()).is_some()
        }
        (Value::Array(items), part) => items.iter().any(|item| equal(item, part)),
        (Value::Object(fields), Value::String(key)) => fields.contains_key(key),
        _ => false,
    }
}

/// How many values there are in one, itself not counted.
pub(super) fn size(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(|item| 1 + size(item)).sum(),
        Value::Object(fields) => fields.values().map(|field| 1 + size(field)).sum(),
        _ => 0,
    }
}

/// The items of a list, or the values of an object.
pub(super) fn children(value: &Value) -> impl DoubleEndedIterator<Item = &Value> {
    let (items, fields) = match value {
        Value::Array(items) => (Some(items), None),
        Value::Object(fields) => (None, Some(fields)),
        _ => (None, None),
    };
    items.into_iter().flatten().chain(fields.into_iter().flat_map(|fields| fields.values()))
}
