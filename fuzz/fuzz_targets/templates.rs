//! Any template on any input: it is filled in with what is there, or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mape::workflow::Template;
use serde_json::{Value, json};

// The first line is the template, the rest the input.
fuzz_target!(|text: &str| {
    let (template, input) = text.split_once('\n').unwrap_or((text, ""));
    let Ok(template) = Template::parse(template) else { return };
    let usual = || json!({"id": 7, "a": [1, {"b": "é", "a": null}], "": {"a.b": 1.5}});
    let input: Value = serde_json::from_str(input).unwrap_or_else(|_| usual());
    let none = json!({});
    let filled = template.fill(&[("input", &input), ("parameters", &none)]);
    if let Ok(filled) = &filled {
        assert!(filled.len() <= Template::LONGEST_RESULT);
    }
    assert_eq!(filled, template.fill(&[("input", &input), ("parameters", &none)]));
});
