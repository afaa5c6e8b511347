//! Conditions and data at random.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Few names, so that conditions and data meet.
const KEYS: [&str; 6] = ["a", "b", "c", "0", "-1", "x y"];
const TEXTS: [&str; 10] =
    ["", "a", "ab", "joe@doe.com", "xx joe@doe.com yy", "42", "true", "and", "it's \"so\" [ok]\\", "größe"];
const OPERATORS: [&str; 24] = [
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "contains",
    "in",
    "eq",
    "contains",
    "gt",
    "lt",
    "is_",
    "is_not",
    "mod",
    "add",
    "mul",
    "and_",
    "rshift",
    "countOf",
    "indexOf",
    "length_hint",
    "truthy",
    "falsy",
];
const JOINS: [&str; 5] = ["and", "or", "xor", "and_not", "or_not"];

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3..5_i64).prop_map(Value::from),
        prop_oneof![Just(2.0), Just(2.5), Just(-0.0), Just(1e300)].prop_map(Value::from),
        prop::sample::select(&TEXTS[..]).prop_map(Value::from),
    ]
}

/// Anything that conditions are asked about.
pub(crate) fn data() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((prop::sample::select(&KEYS[..]), inner), 0..4).prop_map(|fields| {
                Value::Object(
                    fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>(),
                )
            }),
        ]
    })
}

/// A path as a list of steps, with `**` at most once.
fn path() -> impl Strategy<Value = Value> {
    let step = prop_oneof![
        6 => prop::sample::select(&KEYS[..]).prop_map(Value::from),
        2 => Just(json!("*")),
        1 => (-2..3_i64).prop_map(Value::from),
    ];
    (vec(step, 1..4), prop::option::weighted(0.3, 0..4_usize)).prop_map(|(mut steps, deep)| {
        if let Some(at) = deep {
            steps.insert(at.min(steps.len()), json!("**"));
        }
        if steps.len() == 1 {
            // As a text: a list of one step would be a condition.
            return match steps.remove(0) {
                Value::String(key) => key.replace(' ', "\\ ").into(),
                other => other.to_string().into(),
            };
        }
        steps.into()
    })
}

fn literal() -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => scalar(),
        1 => vec(scalar(), 0..4).prop_map(Value::from),
        1 => data(),
    ]
    .prop_map(|value| match value {
        Value::String(text) => format!("str:{text}").into(),
        other => other,
    })
}

fn atom() -> impl Strategy<Value = Value> {
    let prefix = prop_oneof![6 => Just(None), 1 => Just(Some("not")), 1 => Just(Some("rev")), 1 => Just(Some("not_rev"))];
    (path(), prop::option::weighted(0.9, (prefix, prop::sample::select(&OPERATORS[..]), literal()))).prop_map(
        |(path, rest)| {
            let mut items = vec![path];
            if let Some((prefix, operator, literal)) = rest {
                items.extend(prefix.map(Value::from));
                items.extend([operator.into(), literal]);
            }
            items.into()
        },
    )
}

/// A condition in its JSON form.
pub(crate) fn condition() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![12 => atom(), 1 => any::<bool>().prop_map(|is| json!([is]))];
    leaf.prop_recursive(4, 12, 4, |inner| {
        let joined = (inner.clone(), vec((prop::sample::select(&JOINS[..]), inner.clone()), 1..4)).prop_map(
            |(first, rest)| {
                let rest = rest.into_iter().flat_map(|(join, next)| [join.into(), next]);
                Value::Array(std::iter::once(first).chain(rest).collect())
            },
        );
        prop_oneof![4 => joined, 1 => inner.prop_map(|inner| json!(["not", inner]))]
    })
}
