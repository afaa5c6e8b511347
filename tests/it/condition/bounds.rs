//! No text, JSON or data does harm.

use super::generate::{condition, data};
use mape::condition::{Condition, Conditions, Error, Syntax};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::time::Instant;

proptest! {
    #[test]
    fn no_text_makes_reading_panic_and_what_is_read_is_read_again(text in "\\PC{0,60}") {
        if let Ok(condition) = Condition::parse(&text) {
            prop_assert_eq!(Condition::parse(&condition.to_string()), Ok(condition.clone()));
            let _ = condition.holds(&json!({"a": 1}));
        }
        let _ = Conditions::parse(&text);
        let _ = Condition::parse_with(&text, Syntax::new().separator('.').brackets('(', ')'));
    }

    #[test]
    fn no_mix_of_words_makes_reading_panic_and_what_is_read_is_read_again(
        words in prop::collection::vec(prop::sample::select(vec![
            "a", "b.c", "and", "or", "not", "xor", "rev", "eq", "in", "contains", "mod", "[", "]", "1", "2.5", "\"x y\"", "'z'",
            "\\ ", "\\", ",", ":a", "*", "**", "**.a", "None", "true", "str:1", "deep:", "\n", "a\\.b", "and_not", "", "{", "\"",
        ]), 0..12),
    ) {
        let text = words.join(" ");
        for text in [text.clone(), words.concat(), format!("a: {text}, b: {text}")] {
            if let Ok(condition) = Condition::parse(&text) {
                let written = condition.to_string();
                prop_assert_eq!(Condition::parse(&written), Ok(condition.clone()), "{} -> {}", text, written);
            }
            if let Ok(set) = Conditions::parse(&text) {
                let again = Conditions::from_json(&serde_json::to_value(&set).unwrap());
                prop_assert_eq!(again.as_ref(), Ok(&set), "{}", text);
            }
        }
    }

    #[test]
    fn both_forms_of_any_condition_are_the_same_condition(json in condition(), data in data()) {
        let condition = Condition::from_json(&json).unwrap();
        let (text, again) = (condition.to_string(), condition.to_json());
        prop_assert_eq!(Condition::parse(&text), Ok(condition.clone()), "{}", text);
        prop_assert_eq!(Condition::from_json(&again), Ok(condition.clone()), "{}", again);
        let read: Condition = serde_json::from_str(&serde_json::to_string(&condition).unwrap()).unwrap();
        prop_assert_eq!(read.holds(&data), condition.holds(&data));
        let negated = Condition::from_json(&json!(["not", json])).unwrap();
        prop_assert_eq!(negated.holds(&data), !condition.holds(&data));
    }

    #[test]
    fn no_json_makes_reading_panic(value in data()) {
        let _ = Condition::from_json(&value);
        let _ = Conditions::from_json(&value);
    }

    #[test]
    fn with_enough_steps_the_answer_is_that_without_a_bound(json in condition(), data in data(), steps in 0..200_u64) {
        let condition = Condition::from_json(&json).unwrap();
        match condition.holds_within(&data, steps) {
            Ok(holds) => prop_assert_eq!(holds, condition.holds(&data)),
            Err(error) => prop_assert_eq!(error, Error::OutOfSteps { steps }),
        }
        prop_assert_eq!(condition.holds_within(&data, 1 << 40), Ok(condition.holds(&data)));
    }
}

fn refused(text: &str) -> String {
    Condition::parse(text).expect_err("it should be refused").to_string()
}

#[test]
fn what_is_too_large_or_too_deep_is_refused_with_the_limit() {
    assert!(refused(&"a and ".repeat(20_000)).contains("longer than 65536 bytes"));
    assert!(refused(&format!("a{}", " and a".repeat(Condition::MOST_PARTS))).contains("at most 1000 parts"));
    let deep = |depth: usize| format!("{}a{}", "[".repeat(depth), "]".repeat(depth));
    assert!(Condition::parse(&deep(Condition::DEEPEST)).is_ok());
    assert!(refused(&deep(Condition::DEEPEST + 1)).contains("at most 32 deep"));
    assert!(refused(&deep(30_000)).contains("at most 32 deep"));
    assert!(refused(&format!("{}a", "not ".repeat(10_000))).contains("at most 32 deep"));
    assert!(
        refused(&format!("a in [{}]", "x ".repeat(Condition::MOST_VALUES + 1)))
            .contains("at most 10000 values")
    );
    assert!(
        refused(&format!("a in [{}]", "x,".repeat(Condition::MOST_VALUES + 1)))
            .contains("at most 10000 values")
    );
    assert!(refused(&format!("a in {}x", "[".repeat(40))).contains("at most 32 deep"));
    assert!(refused(&["a"; 40].join(".")).contains("at most 32 steps"));
    assert!(refused("**.a.**").contains("at most once"));
    assert!(refused(&["**"; 20].join(" and ")).contains("at most 16 paths"));
    let mut nested = json!(1);
    for _ in 0..100 {
        nested = json!([nested]);
    }
    assert!(
        Condition::from_json(&json!(["a", "eq", nested]))
            .unwrap_err()
            .to_string()
            .contains("at most 32 deep")
    );
    assert!(Condition::from_json(&nested).is_err());
}

#[test]
fn a_condition_at_all_limits_is_read_written_and_judged_at_once() {
    let began = Instant::now();
    let text = format!("{} eq 1{}", "a", " xor b not eq 2".repeat(Condition::MOST_PARTS - 1));
    let condition = Condition::parse(&text).unwrap();
    assert_eq!(Condition::parse(&condition.to_string()).unwrap(), condition);
    assert!(!condition.holds(&json!({"a": 1, "b": 3})));
    let wild = vec!["**.* eq never"; Condition::MOST_WILD_PATHS].join(" or ");
    let wide: Value = (0..10_000).map(|i| json!({"a": [i, i]})).collect();
    let wild = Condition::parse(&wild).unwrap();
    assert!(!wild.holds(&wide));
    assert_eq!(wild.holds_within(&wide, 10_000), Err(Error::OutOfSteps { steps: 10_000 }));
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
}

#[test]
fn data_of_any_depth_are_walked_through() {
    let mut data = json!("joe@doe.com");
    for _ in 0..1_000 {
        data = Value::Object([("a".to_owned(), data)].into_iter().collect());
    }
    assert!(Condition::parse("** contains joe@doe.com").unwrap().holds(&data));
    assert!(!Condition::parse("** contains eve@doe.com").unwrap().holds(&data));
    let mut index = mape::condition::Index::new();
    index.insert(1, Condition::parse("** contains joe@doe.com").unwrap());
    assert_eq!(index.fulfilled(&data), [&1]);
}

#[test]
fn what_calculates_takes_no_time() {
    for text in ["a pow 9999999", "a lshift 99999999999", "a mul 99999999999", "a rshift 99999999999999"] {
        let condition = Condition::parse(text).unwrap();
        for data in
            [json!({"a": 99}), json!({"a": "x"}), json!({"a": [1]}), json!({"a": -5}), json!({"a": 2.5})]
        {
            let began = Instant::now();
            let _ = condition.holds(&data);
            assert!(began.elapsed().as_millis() < 500, "{text}");
        }
    }
}
