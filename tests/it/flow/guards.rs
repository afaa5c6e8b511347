//! Guards: two languages, what each says, and what it costs at most.

use mape::flow::{Guard, GuardError, GuardLanguage};
use serde_json::{Value, json};

fn holds(guard: &str, input: &Value) -> bool {
    Guard::parse(guard).unwrap_or_else(|error| panic!("{error}")).holds(input).unwrap()
}

#[test]
fn guards_answer_as_the_packages_that_their_languages_are_known_from() {
    // Recorded from the Python package jsonpath2 0.4.5 and the crate serde_json_path 0.7.2.
    let mut complaints = Vec::new();
    for line in include_str!("corpus/guards.jsonl").lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let text = case["guard"].as_str().unwrap();
        let wanted =
            if case["language"] == "rfc" { GuardLanguage::Rfc9535 } else { GuardLanguage::Littleflow };
        let guard = Guard::parse(text).ok().filter(|guard| guard.language() == wanted);
        let answer = guard.map(|guard| guard.holds(&case["input"]).unwrap());
        if answer != case["holds"].as_bool() {
            complaints.push(format!("{case} answers {answer:?}"));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn a_boolean_is_no_number_and_and_binds_tighter_than_or() {
    let flag = json!({"flag": true, "n": 1});
    assert!(!holds("$[?(@.flag=1)]", &flag));
    assert!(holds("$[?(@.n=1.0)]", &flag));
    assert!(holds("$[?(@.flag>0)]", &flag), "its order counts as that of a number");
    let or_and = "$[?(@.n=1 or @.n=2 and @.n=3)]";
    assert!(holds(or_and, &flag));
    assert!(!holds("$[?((@.n=1 or @.n=2) and @.n=3)]", &flag));
}

#[test]
fn the_language_is_known_by_what_only_one_of_the_two_can_say() {
    let language = |text: &str| Guard::parse(text).unwrap().language();
    for text in ["$", "$.a", "$[?(@.a=1)]", "$['a']", "$.é", "$[?(@.a)]"] {
        let rfc = text.contains(['\'', 'é']);
        let expected = if rfc { GuardLanguage::Rfc9535 } else { GuardLanguage::Littleflow };
        assert_eq!(language(text), expected, "{text}");
    }
    for text in [
        "$[?@.a==1]",
        "$[?(@.a==1 && @.b==2)]",
        "$[?(@.a=='x')]",
        "$[?length(@.a) > 1]",
        "$[1::0]",
        "rfc:$.a",
    ] {
        assert_eq!(language(text), GuardLanguage::Rfc9535, "{text}");
    }
    // The same text would ask an object about itself in one language, and about its members in the other.
    assert!(holds("$[?(@.a=1)]", &json!({"a": 1})));
    assert!(!holds("rfc:$[?(@.a==1)]", &json!({"a": 1})));
    let error = Guard::parse("$[?(@.a==1)]").unwrap_err().to_string();
    assert!(error.contains("two ways") && error.contains("write `=`"), "{error}");
}

#[test]
fn wrong_guards_say_where_and_why() {
    for (text, part) in [
        ("", "expected `$`, found the end of the guard, at character 1"),
        ("status", "expected `$`, found `s`, at character 1"),
        ("$[?@.a=1]", "a filter stands in parentheses"),
        ("$[?(@.é && @.a = 1)]", "equality is written `==` in RFC 9535"),
        ("$.and[a]", "write it in brackets and quotes"),
        ("$.[a=1]", "brackets stand without a dot before them"),
        ("$[a=1]", "a comparison stands in a filter: `$[?(@.a=1)]`"),
        ("$[a]", "the name `a` needs double quotes in brackets, at character 3"),
        ("$.a.size()", "there is no function `size()`; there are length"),
        (
            "$[?foo(@.a) == 'x']",
            "there is no function `foo()`, at character 4; there are the functions length",
        ),
        ("$[?@.* == 'x']", "a path that is compared must match one value at most"),
        ("$[\"a]", "the text has no end"),
    ] {
        let error = Guard::parse(text).unwrap_err().to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
    let deep = format!("$[?({}@.a{})]", "(".repeat(10_000), ")".repeat(10_000));
    assert!(Guard::parse(&deep).unwrap_err().to_string().contains("nested more than 32 deep"));
    let deep = format!("$[?{}@.a{}]", "!(".repeat(10_000), ")".repeat(10_000));
    assert!(Guard::parse(&deep).unwrap_err().to_string().contains("nested more than 32 deep"));
    let many = format!("$[?({}@.a)]", "not ".repeat(10_000));
    assert!(Guard::parse(&many).unwrap_err().to_string().contains("nested more than 32 deep"));
}

#[test]
fn a_guard_that_would_never_end_fails() {
    let wide: Vec<Value> = (0..2_000).map(|n| json!({"n": n, "text": "x".repeat(100)})).collect();
    let wide = Value::Array(wide);
    for text in [
        "$..*..*[?($..*..n = -1)]",
        "$[*][?($[*].n = @.missing or $[*].n > $[*].n and $[*].n < 0)]",
        "rfc:$[?count($..*..*) == 0]",
        "$.values().values()[*][?($.values().length() = @.values().length())]",
        "rfc:$[?match(@.text, $[0].text) && @.n == -1]",
    ] {
        let guard = Guard::parse(text).unwrap();
        let begun = std::time::Instant::now();
        match guard.holds(&wide) {
            Err(GuardError::TooCostly { text: named }) => assert_eq!(named, text),
            other => assert!(other.is_ok(), "{text}: {other:?}"),
        }
        assert!(begun.elapsed().as_secs() < 20, "{text} took {:?}", begun.elapsed());
    }
    let costly = Guard::parse("$[?($[*].n = $[*].missing or $[*].n + 0)]");
    assert!(costly.is_err());
    let costly = Guard::parse("$[*][?($[*].n < @.missing or $[*].n < -1)]").unwrap();
    assert!(costly.holds(&wide).unwrap_err().to_string().contains("looked at 1000000 values"));
}
