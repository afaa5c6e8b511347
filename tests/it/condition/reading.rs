//! What is said about what is no condition.

use mape::condition::Condition;
use serde_json::{Value, json};

#[test]
fn what_is_wrong_is_said_with_where_and_how_to_mend_it() {
    for (text, said) in [
        ("", "1:1: a key is expected here (help: such as `name eq Joe`)"),
        (
            "a eq",
            "1:5: a value is expected here, for `eq` (help: words such as `and` stand in quotes as a value)",
        ),
        (
            "a eq and",
            "1:6: a value is expected here, for `eq` (help: words such as `and` stand in quotes as a value)",
        ),
        ("a qe 1", "1:3: there is no operator `qe` (help: did you mean `eq`?)"),
        ("a contians x", "1:3: there is no operator `contians` (help: did you mean `contains`?)"),
        (
            "a matches x",
            "1:3: there is no operator `matches` (help: there are no regular expressions; use `contains`)",
        ),
        ("a is 1", "1:3: there is no operator `is` (help: use `eq`, or `is_` for the same type, too)"),
        ("a not", "1:6: an operator is expected here (help: such as `eq`)"),
        (
            "a eq b c",
            "1:8: `and`, `or` or `xor` is expected here (help: a text with blanks stands in quotes)",
        ),
        (
            "a eq b\nand c eq d e",
            "2:12: `and`, `or` or `xor` is expected here (help: a text with blanks stands in quotes)",
        ),
        ("[a] [b]", "1:5: `and`, `or` or `xor` is expected here (help: a text with blanks stands in quotes)"),
        ("[a or b", "1:1: this bracket is not closed"),
        ("a and [", "1:7: this bracket is not closed"),
        ("a in [b", "1:6: this bracket is not closed"),
        ("a]", "1:2: this bracket closes nothing (help: write `\\` before one that is meant itself)"),
        ("[]x", "1:2: a key is expected before this bracket"),
        ("and a", "1:1: a key is expected before `and` (help: a key called so stands in quotes: \"and\")"),
        ("a and", "1:6: a key is expected here (help: such as `name eq Joe`)"),
        ("a eq \"x", "1:6: the quote \" is not closed (help: write `\\\"` for the character itself)"),
        (
            "a eq 'x'y",
            "1:9: `y` follows a closing quote (help: put a blank between them, or `\\` before a quote in a text)",
        ),
        ("a eq b\\", "1:7: nothing follows `\\` (help: write `\\\\` for the character itself)"),
        ("a..b", "1:1: `a..b` has a step without a name"),
        (
            "größe.x eq 1 und b",
            "1:14: `and`, `or` or `xor` is expected here (help: a text with blanks stands in quotes)",
        ),
        ("env:HOME eq x", "1:1: `env:HOME`: a condition knows no environment and no clock, only the data"),
        (
            ":a and b",
            "`:a` stands for another condition, and there are no others (help: name it in a set of conditions, or write `\\:` if the key begins with a colon)",
        ),
        ("[[\"a\",\"eq\",1],\"and\"", "1:19: this is no JSON: EOF while parsing a list"),
    ] {
        let error = Condition::parse(text).expect_err(text).to_string();
        assert_eq!(error.strip_prefix("reading a condition: "), Some(said), "{text}");
    }
}

#[test]
fn in_json_the_place_is_a_pointer() {
    for (json, said) in [
        (json!(1), "a condition is a list, a text, `true` or `false`"),
        (json!([]), "a key or a condition is expected at its end"),
        (json!([["a", "eq", 1], "and"]), "a key or a condition is expected at its end"),
        (
            json!([["a", "eq", 1], "and", ["b", "qe", 1.5]]),
            "/2/1: there is no operator `qe` (help: did you mean `eq`?)",
        ),
        (json!([["a", "eq"]]), "/0: a value is expected at its end, for `eq`"),
        (json!(["a", 5]), "/1: an operator is expected here, not 5"),
        (
            json!(["a", "eq", 1, 2]),
            "/3: \"and\", \"or\" or \"xor\" is expected here (help: conditions that are joined may stand in lists of their own)",
        ),
        (json!([null]), "/0: a key is a text or a list of steps, not null"),
        (json!([{"a": 1}]), "/0: a key is a text or a list of steps, not {\"a\":1}"),
        (json!(["and", "a"]), "/0: a key is expected before \"and\""),
        (json!([["a"], "and", [["b", "**", "**"], "eq", 1]]), "/2/0: a path has `**` at most once"),
    ] {
        let error = Condition::from_json(&json).expect_err("it is wrong").to_string();
        assert_eq!(error.strip_prefix("reading a condition: "), Some(said), "{json}");
    }
}

#[test]
fn a_diagnostic_is_data_for_programs() {
    let error = Condition::parse("a and\n  b qe 1").unwrap_err();
    let diagnostic = error.diagnostic().unwrap();
    assert_eq!((diagnostic.line(), diagnostic.column()), (Some(2), Some(5)));
    let json =
        json!({"message": "there is no operator `qe`", "line": 2, "column": 5, "help": "did you mean `eq`?"});
    assert_eq!(serde_json::to_value(diagnostic).unwrap(), json);
    let error = Condition::from_json(&json!(["a", "qe", 1])).unwrap_err();
    assert_eq!(error.diagnostic().unwrap().pointer(), "/1");
}

#[test]
fn a_condition_is_written_with_as_few_brackets_and_quotes_as_it_takes() {
    for (text, written) in [
        ("[a   eq  1]", "a eq 1"),
        ("[[a] and [b or c]]", "a and [b or c]"),
        ("a == 1 and b != 'x'", "a eq 1 and b ne x"),
        ("a and not b", "a and not b"),
        ("a and [not b]", "a and [not b]"),
        ("not [a or b]", "not [a or b]"),
        ("not a eq 1", "a not eq 1"),
        ("a eq \"42\" or a eq '4 2'", "a eq \"42\" or a eq \"4 2\""),
        ("a in [1, 2,three 'fo ur']", "a in [1 2 three \"fo ur\"]"),
        ("\"a.b\" eq 1", "a\\.b eq 1"),
        ("\"not\"", "\"not\""),
        ("deep: a.b.0", "a.b.0"),
        ("a rev not contains x", "a not rev contains x"),
        ("[true]", "[true]"),
        ("[\"a\", \"eq\", {\"x\": 1}]", "[\"a\",\"eq\",{\"x\":1}]"),
        ("a eq it\\'s\\ \\\"so\\\"", "a eq str:it\\'s\\ \\\"so\\\""),
    ] {
        let condition: Condition = text.parse().unwrap();
        assert_eq!(condition.to_string(), written);
        assert_eq!(written.parse(), Ok(condition), "{written}");
    }
}

#[test]
fn serde_takes_either_form_and_writes_json() {
    let condition: Condition = serde_json::from_value("a.b gt 1 and not c eq 42 or \"and\"".into()).unwrap();
    let json = json!([[["a", "b"], "gt", 1], "and_not", ["c", "eq", 42], "or", ["\\and"]]);
    assert_eq!(serde_json::to_value(&condition).unwrap(), json);
    assert_eq!(serde_json::from_value::<Condition>(json).unwrap(), condition);
    assert!(serde_json::from_value::<Condition>(Value::Null).is_err());
    // What would be read as something else is marked, or has another form.
    for json in [
        json!(["a", "eq", "str:42"]),
        json!(["a", "eq", "str:str:x"]),
        json!(["a.eq", "eq", "x"]),
        json!(["\\:a"]),
    ] {
        assert_eq!(Condition::from_json(&json).unwrap().to_json(), json);
    }
}

#[test]
fn the_paths_that_a_condition_looks_at_are_told() {
    let condition = Condition::parse("b and [a.b gt 1 or b eq 2] and not **.x\\ y").unwrap();
    assert_eq!(condition.paths(), ["**.x\\ y", "a.b", "b"]);
    assert_eq!(condition.below("data.0").unwrap().paths(), ["data.0.**.x\\ y", "data.0.a.b", "data.0.b"]);
}

#[test]
fn anything_that_serialises_is_judged() {
    #[derive(serde::Serialize)]
    struct Order {
        customer: &'static str,
        sums: Vec<f64>,
    }
    let order = Order { customer: "Joe", sums: vec![1.5, 200.0] };
    assert_eq!(Condition::parse("customer eq Joe and sums.* gt 100").unwrap().holds_for(&order), Ok(true));
    let no_json = std::collections::HashMap::from([((1, 2), 3)]);
    let error = Condition::parse("a").unwrap().holds_for(&no_json).unwrap_err();
    assert!(error.to_string().contains("cannot be written as JSON: key must be a string"), "{error}");
}
