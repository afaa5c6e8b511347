//! Any guard on any input: it is read or refused, and gives an answer or is too costly.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mape::flow::Guard;
use serde_json::{Value, json};

// The first line is the guard, the rest the input.
fuzz_target!(|text: &str| {
    let (guard, input) = text.split_once('\n').unwrap_or((text, ""));
    let Ok(guard) = Guard::parse(guard) else { return };
    let usual = || json!({"a": [1, {"b": "x", "a": null}], "b": {"a": 1.5, "c": null}, "c": "aé", "n": -1});
    let input = serde_json::from_str(input).unwrap_or_else(|_| usual());
    let answer = guard.holds(&input);
    assert_eq!(answer, guard.holds(&input));
    let _ = guard.holds(&Value::Null);
    assert_eq!(Guard::parse(guard.text()).as_ref(), Ok(&guard));
});
