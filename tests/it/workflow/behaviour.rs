//! What tasks do in the runs of the corpus.

use serde_json::{Map, Value, json};

/// The output of the task `name` at node `index`.
pub(super) fn behave(behaviour: &str, name: &str, index: usize, parameters: &Value, input: &Value) -> Value {
    let key = format!("{name}#{index}");
    match behaviour {
        "hash" => json!({key: fnv(&json!([input, parameters]))}),
        "echo" => input.clone(),
        "lineage" => {
            let mut line = Map::new();
            collect(input, &mut line);
            if let Value::Object(parameters) = parameters {
                line.extend(parameters.clone());
            }
            line.insert(key, 1.into());
            line.into()
        }
        "empty" => json!({}),
        "sparse" if index.is_multiple_of(2) => json!({}),
        "tag" | "sparse" => json!({key: 1}),
        other => panic!("nobody knows the behaviour {other}"),
    }
}

pub(super) const ALL: [&str; 6] = ["tag", "hash", "echo", "lineage", "empty", "sparse"];

fn collect(value: &Value, into: &mut Map<String, Value>) {
    match value {
        Value::Object(object) => into.extend(object.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
        _ => {}
    }
}

/// FNV-1a, 64 bits, of the canonical text; keys are sorted as they are.
fn fnv(value: &Value) -> String {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    format!("{:016x}", value.to_string().bytes().fold(0xcbf2_9ce4_8422_2325, step))
}

/// A value as the corpus writes it: long ones by their digest.
pub(super) fn canonical(value: &Value) -> Value {
    let text = value.to_string();
    if text.chars().count() <= 160 {
        return value.clone();
    }
    json!({"$fnv": fnv(value), "$len": text.len()})
}
