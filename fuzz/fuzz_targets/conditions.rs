//! Any condition on any data: it is read or refused, is the same in every form, and an index says what it says.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mape::condition::{Condition, Conditions, Index};
use serde_json::{Value, json};

// The first line is the condition, the rest the data.
fuzz_target!(|text: &str| {
    let (condition, data) = text.split_once('\n').unwrap_or((text, ""));
    let _ = Conditions::parse(text);
    let Ok(condition) = Condition::parse(condition) else { return };
    let usual = || json!({"a": [1, {"b": "x", "a": null}], "b": {"a": 1.5, "c": null}, "c": "aé", "n": -1});
    let data = serde_json::from_str(data).unwrap_or_else(|_| usual());
    assert_eq!(Condition::parse(&condition.to_string()).as_ref(), Ok(&condition));
    assert_eq!(Condition::from_json(&condition.to_json()).as_ref(), Ok(&condition));
    let mut index = Index::new();
    index.insert(0, condition.clone());
    for data in [data, Value::Null] {
        assert_eq!(index.fulfilled(&data).len(), usize::from(condition.holds(&data)));
        let _ = condition.holds_within(&data, 100);
    }
});
