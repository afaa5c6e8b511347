//! Conditions judged by pycond itself: `cases.json`, which `tests/python/conditions.py` has written.

use mape::condition::{Condition, Conditions, Syntax, convert_texts};
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Debug, Deserialize)]
struct Case {
    form: String,
    condition: Value,
    data: Value,
    result: Value,
    #[serde(default)]
    options: Map<String, Value>,
}

impl Case {
    fn syntax(&self) -> Syntax {
        let option = |name: &str| self.options.get(name).and_then(Value::as_str).map(|text| text.chars());
        let mut syntax = Syntax::new().convert(self.options.get("autoconv") != Some(&Value::Bool(false)));
        if let Some(mut separator) = option("sep") {
            syntax = syntax.separator(separator.next().unwrap());
        }
        if let Some(mut brackets) = option("brkts") {
            syntax = syntax.brackets(brackets.next().unwrap(), brackets.next().unwrap());
        }
        syntax
    }

    fn data(&self) -> Value {
        let mut data = self.data.clone();
        if self.options.contains_key("autoconv_lookups") {
            convert_texts(&mut data);
        }
        data
    }

    fn condition(&self) -> Condition {
        let condition = match &self.condition {
            Value::String(text) => Condition::parse_with(text, self.syntax()),
            json => Condition::from_json(json),
        };
        let condition = condition.unwrap_or_else(|error| panic!("{self:?}: {error}"));
        match self.options.get("prefix").and_then(Value::as_str) {
            Some(prefix) => condition.below(prefix).unwrap(),
            None => condition,
        }
    }

    /// What a set says of the data, in pycond's shape.
    fn classes(&self) -> Value {
        let set = match &self.condition {
            Value::String(text) => Conditions::parse(text),
            json => Conditions::from_json(json),
        };
        let set = set.unwrap_or_else(|error| panic!("{self:?}: {error}"));
        let fulfilled = set.classify(&self.data());
        let result =
            set.names().map(|name| (name.to_owned(), fulfilled.iter().any(|other| **other == *name).into()));
        Value::Object(result.collect())
    }
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("cases.json")).unwrap()
}

#[test]
fn what_pycond_documents_is_reproduced() {
    let cases = cases();
    assert!(cases.len() >= 500, "{} cases", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let result =
            if case.form == "set" { case.classes() } else { case.condition().holds(&case.data()).into() };
        if result != case.result {
            wrong.push(format!(
                "{} {} on {}: {result}",
                case.condition,
                Value::Object(case.options.clone()),
                case.data
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn every_form_of_every_case_is_the_same_condition() {
    for case in cases().iter().filter(|case| case.form != "set") {
        let condition = case.condition();
        let text = condition.to_string();
        assert_eq!(Condition::parse(&text).as_ref(), Ok(&condition), "{text}");
        let json = serde_json::to_value(&condition).unwrap();
        assert_eq!(Condition::from_json(&json).as_ref(), Ok(&condition), "{json}");
    }
}
