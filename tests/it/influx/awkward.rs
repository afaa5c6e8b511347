//! Texts and points that have all that a line gives a meaning to.

use super::parser::{Field, Read};
use mape::edge::influxdb::{FieldValue, Point};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Anything, with what has a meaning more often than not.
pub(super) fn text() -> impl Strategy<Value = String> {
    let letter = prop_oneof![
        4 => prop::sample::select(vec![',', ' ', '=', '"', '\\', '\n', '#', '\t', '\0', '\r', '\'', '{', 'i']),
        3 => prop::char::range('a', 'e'),
        2 => any::<char>(),
    ];
    prop::collection::vec(letter, 0..9).prop_map(|letters| letters.into_iter().collect())
}

/// One of the texts that servers can be told, mostly.
fn tame() -> impl Strategy<Value = String> {
    let letter = prop_oneof![
        2 => prop::sample::select(vec![',', ' ', '=', '"', '#', '\'', 'ß', '水', '🚰']),
        3 => prop::char::range('a', 'e'),
        1 => any::<char>().prop_filter("no backslash or end of line", |letter| !"\\\n\t\0".contains(*letter)),
    ];
    prop::collection::vec(letter, 1..9).prop_map(|letters| letters.into_iter().collect())
}

fn some_text() -> impl Strategy<Value = String> {
    prop_oneof![text(), tame()]
}

fn value() -> impl Strategy<Value = FieldValue> {
    prop_oneof![
        text().prop_map(FieldValue::Text),
        any::<f64>().prop_map(FieldValue::Float),
        any::<i64>().prop_map(FieldValue::Integer),
        any::<bool>().prop_map(FieldValue::Boolean),
        Just(FieldValue::Null),
    ]
}

/// A point of anything.
pub(super) fn point() -> impl Strategy<Value = Point> {
    let tags = prop::collection::btree_map(some_text(), some_text(), 0..4);
    let fields = prop::collection::btree_map(some_text(), value(), 1..4);
    (some_text(), tags, fields, any::<i64>()).prop_map(|(measurement, tags, fields, time)| {
        let point = Point::new(measurement).at_nanoseconds(time);
        let point = tags.into_iter().fold(point, |point, (name, value)| point.tag(name, value));
        fields.into_iter().fold(point, |point, (name, value)| point.field(name, value))
    })
}

/// What a reader should find of a point.
pub(super) fn meant(point: &Point) -> Read {
    let json = serde_json::to_value(point).unwrap();
    let texts = |value: &serde_json::Value| -> BTreeMap<String, String> {
        let pairs = value.as_object().unwrap().iter();
        pairs.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
    };
    let fields: BTreeMap<String, FieldValue> = serde_json::from_value(json["fields"].clone()).unwrap();
    let fields = fields.into_iter().filter_map(|(name, value)| {
        let value = match value {
            FieldValue::Null => return None,
            FieldValue::Text(text) => Field::Text(text),
            FieldValue::Float(number) => Field::Float(number),
            FieldValue::Integer(number) => Field::Integer(number),
            FieldValue::Unsigned(number) => Field::Unsigned(number),
            FieldValue::Boolean(truth) => Field::Boolean(truth),
        };
        Some((name, value))
    });
    let mut tags = texts(&json["tags"]);
    tags.retain(|_, value| !value.is_empty());
    Read {
        measurement: json["measurement"].as_str().unwrap().to_owned(),
        tags,
        fields: fields.collect(),
        time: json["time"].as_i64(),
    }
}
