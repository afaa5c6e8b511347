//! Named conditions.

use mape::condition::{Conditions, Error};
use serde_json::json;

#[test]
fn all_forms_of_a_set_are_read_in_their_order() {
    let text = Conditions::parse("z: a gt 10, b: :z or foo eq bar").unwrap();
    let object: Conditions =
        serde_json::from_str(r#"{"z": "a gt 10", "b": [[":z"], "or", ["foo", "eq", "bar"]]}"#).unwrap();
    let list: Conditions =
        serde_json::from_value(json!([["z", ["a", "gt", 10]], ["b", [":z", "or", "foo", "eq", "bar"]]]))
            .unwrap();
    for set in [&text, &object, &list] {
        assert_eq!(set.names().collect::<Vec<_>>(), ["z", "b"]);
        assert_eq!(set.classify(&json!({"foo": "bar", "a": 0})).join(" "), "b");
        assert_eq!(set, &text);
        let written = serde_json::to_value(set).unwrap();
        assert_eq!(serde_json::from_value::<Conditions>(written).unwrap(), text);
    }
    let json_in_text = Conditions::parse(r#"{"z": "a gt 10", "b": ":z or foo eq bar"}"#).unwrap();
    assert_eq!(json_in_text, text);
    assert_eq!(serde_json::from_value::<Conditions>("z: a gt 10, b: :z or foo eq bar".into()).unwrap(), text);
}

#[test]
fn the_first_that_holds_is_found_and_one_is_judged_alone() {
    let set = Conditions::parse("large: sum ge 100, small: sum lt 10, any: sum").unwrap();
    assert_eq!(set.first(&json!({"sum": 5})).as_deref(), Some("small"));
    assert_eq!(set.first(&json!({"sum": 50})).as_deref(), Some("any"));
    assert_eq!(set.first(&json!({})), None);
    assert_eq!(set.holds("large", &json!({"sum": 100})), Some(true));
    assert_eq!(set.holds("huge", &json!({"sum": 100})), None);
}

#[test]
fn what_many_refer_to_is_judged_once() {
    // Without that, the last would take 2^30 steps.
    let doubled = (1..31).map(|i| format!("n{i}: :n{0} and :n{0}", i - 1));
    let text: Vec<_> = std::iter::once("n0: a eq 1".to_owned()).chain(doubled).collect();
    let set = Conditions::parse(&text.join(", ")).unwrap();
    assert_eq!(set.classify_within(&json!({"a": 1}), 200).unwrap().len(), 31);
    assert_eq!(set.classify_within(&json!({"a": 1}), 20), Err(Error::OutOfSteps { steps: 20 }));
}

#[test]
fn what_is_wrong_with_a_set_is_said() {
    let long: Vec<_> = (0..40).map(|i| format!("n{i}: :n{}", i + 1)).chain(["n40: a".into()]).collect();
    let backwards: Vec<_> = long.iter().rev().cloned().collect();
    for (text, said) in [
        ("a: b eq", "1:8: a value is expected here"),
        ("a: b, a: c", "two conditions are called `a`"),
        (
            "a: b, c",
            "1:6: a name and `:` are expected before a condition (help: such as `large: sum gt 100`)",
        ),
        ("a b: c", "1:1: the name of a condition is one word"),
        ("a: b,\nc: d qe 1", "2:6: there is no operator `qe`"),
        (
            "large: a, b: :lrage",
            "`b` refers to `:lrage`, and there is no such condition (help: did you mean `:large`?)",
        ),
        ("a: :a", "`a` refers to itself, over others or at once"),
        ("a: :b, b: not :a", "`a` refers to itself, over others or at once"),
        (&long.join(", "), "refers to others over more than 32 conditions"),
        (&backwards.join(", "), "refers to others over more than 32 conditions"),
        ("", "a name and `:` are expected"),
        ("{}", "a set has 1 to 1000 conditions, not 0"),
        ("{\"a\": ", "this is no JSON"),
        (r#"{"a": ["b", "qe", 1]}"#, "/a/1: there is no operator `qe`"),
        (r#"{"a/b": "c qe 1"}"#, "/a~1b: 1:3: there is no operator `qe`"),
        (r#"{"a": [["b"], ["c", "qe", 1]]}"#, "/a/1/1: there is no operator `qe`"),
        (r#"["a", "eq", 1]"#, "this is one condition, and a set is expected"),
        (r#"{"a": "x", "a": "y"}"#, "two conditions are called `a`"),
    ] {
        let error = Conditions::parse(text).expect_err(text).to_string();
        assert!(error.contains(said), "{text}: {error}");
    }
}
