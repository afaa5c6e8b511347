//! Where we differ from pycond, each as listed in `docs/spec/condition.md`. In comments: what pycond says there.

use mape::condition::{Condition, Conditions};
use serde_json::{Value, json};

#[expect(clippy::needless_pass_by_value, reason = "a case reads better without references")]
#[track_caller]
fn holds(text: &str, data: Value) -> bool {
    Condition::parse(text).unwrap_or_else(|error| panic!("{text}: {error}")).holds(&data)
}

#[expect(clippy::needless_pass_by_value, reason = "a case reads better without references")]
#[track_caller]
fn of_json(condition: Value, data: Value) -> bool {
    Condition::from_json(&condition).unwrap_or_else(|error| panic!("{condition}: {error}")).holds(&data)
}

#[test]
fn any_blanks_separate_words() {
    // Operator `` not known.
    assert!(holds("  a   eq\n\tb ", json!({"a": "b"})));
}

#[test]
fn words_are_joined_as_words_not_as_text() {
    // "band note" becomes "band_note", also in quotes.
    assert!(holds("a eq 'band note'", json!({"a": "band note"})));
    assert!(holds("a eq \"x and not y\"", json!({"a": "x and not y"})));
    // Operator xor_not not known.
    assert!(holds("a xor not b", json!({"a": 0, "b": 0})));
}

#[test]
fn signs_stand_for_operators_beside_their_names() {
    // Only after a switch for the whole process.
    for text in ["a == 3", "a = 3", "a != 4", "a < 4", "a <= 3", "a > 2", "a >= 3", "a % 2", "a ^ 1", "a & 1"]
    {
        assert!(holds(text, json!({"a": 3})), "{text}");
    }
}

#[test]
fn not_denies_a_comparison_or_a_bracket_behind_it() {
    // Operator a not known; unhashable type.
    assert!(!holds("not a eq b", json!({"a": "b"})));
    assert!(holds("not [a eq b and c]", json!({"a": "b"})));
    // A path of two steps, `not` and `foo`.
    assert!(holds("[not foo] and a", json!({"a": 1})));
    assert!(of_json(json!([["not", "foo"], "and", "a"]), json!({"a": 1})));
}

#[test]
fn what_is_left_over_is_refused() {
    // `c` is ignored; all but the last bracket is ignored; the bracket is ignored.
    for text in ["a eq b c", "[a] [b]", "a eq b]", "[a eq b", "a eq 'b", ""] {
        assert!(Condition::parse(text).is_err(), "{text}");
    }
}

#[test]
fn what_cannot_be_compared_does_not_hold() {
    // TypeError.
    for text in ["a gt 2", "a lt x", "a contains 4", "a in 5", "a mod 2", "a mul x", "a contains [x]"] {
        for data in [json!({}), json!({"a": {}}), json!({"a": null})] {
            assert!(!holds(text, data.clone()), "{text} {data}");
            assert!(holds(&text.replace("a ", "a not "), data.clone()), "{text} {data}");
        }
    }
    assert!(!holds("a contains 4", json!({"a": "42"})));
    // ZeroDivisionError, ValueError.
    assert!(!holds("a mod 0", json!({"a": 1})));
    assert!(!holds("a lshift -1", json!({"a": 1})));
    assert!(!holds("a indexOf x", json!({"a": ["y"]})));
}

#[test]
fn numbers_with_a_zero_behind_the_point_are_numbers() {
    // The text "42.0", "1e3".
    assert!(holds("a eq 42.0", json!({"a": 42})));
    assert!(holds("a eq 1e3", json!({"a": 1000})));
    assert!(holds("a gt 20.0", json!({"a": 20.5})));
    // 1000.
    assert!(holds("a eq 1_000", json!({"a": "1_000"})));
}

#[test]
fn lists_in_a_text_have_numbers_and_commas() {
    // ["1,", "2"]; ["str:x y"].
    assert!(holds("a in [1, 2]", json!({"a": 1})));
    assert!(holds("a in [1 2]", json!({"a": 2})));
    assert!(holds("a in ['x y', None]", json!({"a": "x y"})));
    assert!(holds("a in ['x y', None]", json!({})));
}

#[test]
fn keys_can_stand_in_quotes() {
    // Lookup provider function not found: str:a b.
    assert!(holds("\"a b\" eq 1", json!({"a b": 1})));
    assert!(holds("'and' and \"a.b\"", json!({"and": 1, "a.b": 1})));
}

#[test]
fn a_quote_within_a_word_is_a_character() {
    // The text "Ostr:Brien".
    assert!(holds("name eq O'Brien", json!({"name": "O'Brien"})));
}

#[test]
fn a_point_in_a_key_always_leads_deeper() {
    // A key `a.b`, unless there is `deep`.
    assert!(holds("a.b eq 1", json!({"a": {"b": 1}})));
    assert!(!holds("a.b eq 1", json!({"a.b": 1})));
    assert!(holds("a\\.b eq 1", json!({"a.b": 1})));
    assert!(of_json(json!(["a.b", "eq", 1]), json!({"a": {"b": 1}})));
}

#[test]
fn nothing_is_found_below_what_is_empty_or_no_container() {
    // 0, the empty object, "t", a method.
    assert!(!holds("a.b eq 0", json!({"a": 0})));
    assert!(holds("a.b eq None", json!({"a": {}})));
    assert!(!holds("a.0", json!({"a": "text"})));
    assert!(!holds("a.upper", json!({"a": "text"})));
    // TypeError.
    assert!(!holds("a.0", json!({"a": 5})));
    // A step is the same as text and as number.
    assert!(of_json(json!([["a", 0], "eq", 1]), json!({"a": {"0": 1}})));
}

#[test]
fn stars_look_everywhere() {
    let data = json!({"jobs": [{"to": "eve@doe.com"}, {"to": "joe@doe.com", "n": 3}], "n": 1});
    // Keys called `*` and `**`.
    assert!(holds("** contains joe@", data.clone()));
    assert!(holds("**.to eq eve@doe.com", data.clone()));
    assert!(holds("jobs.*.n gt 2", data.clone()));
    assert!(!holds("jobs.*.n gt 3", data.clone()));
    assert!(holds("jobs.**.n gt 2 and **.n lt 2", data.clone()));
    // `not` denies that there is any.
    assert!(!holds("**.n not gt 2", data.clone()));
    assert!(holds("** not contains ann@", data.clone()));
    assert!(holds("not jobs.*.x", data.clone()));
    // What is not there is passed over.
    assert!(!holds("jobs.*.n eq None", data));
    assert!(holds("\\* eq 1 and \\*\\* eq 2", json!({"*": 1, "**": 2})));
    assert!(of_json(json!([["a", "\\*"], "eq", 1]), json!({"a": {"*": 1}})));
}

#[test]
fn nothing_is_looked_up_but_data() {
    // Functions of the program, the environment, the clock.
    for text in ["env:HOME eq x", "dt:hour eq 3", "utc:hour eq 3", ":func eq 1"] {
        assert!(Condition::parse(text).is_err(), "{text}");
    }
    // MissingLookupFunction.
    assert!(holds("dc:title eq x", json!({"dc:title": "x"})));
}

#[test]
fn operators_that_call_or_change_are_not_there() {
    // Products and powers have names; their signs are steps of paths.
    assert!(Condition::parse("a ** 2").is_err() && Condition::parse("a * 2").is_err());
    for name in ["methodcaller", "attrgetter", "itemgetter", "iadd", "iconcat", "ipow", "ixor", "+=", "maybe"]
    {
        assert!(Condition::parse(&format!("a {name} b")).is_err(), "{name}");
    }
}

#[test]
fn results_are_true_or_false() {
    // 1 and 2 are not the same object: true.
    assert!(!holds("a mod 10 xor b mod 10", json!({"a": 1, "b": 2})));
    // `'%s' % x`, a union of sets.
    assert!(!holds("a mod x", json!({"a": "%s"})));
    assert!(!of_json(json!(["a", "or_", {"x": 1}]), json!({"a": {"y": 1}})));
    // By identity, which depends on the interpreter.
    assert!(holds("a is_ 100000", json!({"a": 100_000})));
    assert!(holds("a is_not 1", json!({"a": true})));
}

#[test]
fn whole_numbers_beyond_64_bits_are_the_nearest_real_ones() {
    // Exact.
    assert!(holds("a eq 36893488147419103233", json!({"a": 36_893_488_147_419_103_232.0})));
}

#[test]
fn in_json_a_value_may_be_any_word() {
    // IndexError.
    assert!(of_json(json!(["a", "eq", "and"]), json!({"a": "and"})));
    assert!(of_json(json!(["a", "truthy"]), json!({"a": 1})));
    assert!(of_json(json!(true), json!({})));
}

#[test]
fn sets_differ_in_what_is_wrong_and_in_lists() {
    // RecursionError while a value is judged.
    let circle = Conditions::parse("a: :b or x, b: :c, c: :a").unwrap_err().to_string();
    assert!(circle.contains("`a` refers to itself"), "{circle}");
    // Commas end a condition, wherever they stand.
    let set = Conditions::parse("one: a in [1, 2], two: a eq 'x, y'").unwrap();
    assert_eq!(set.classify(&json!({"a": "x, y"})).join(" "), "two");
    // A list in the place of a truth.
    let set = Conditions::from_json(&json!({"l": [["a"], ["b"]]})).unwrap();
    assert_eq!(set.names().collect::<Vec<_>>(), ["l.0", "l.1"]);
    // A bare truth.
    assert!(Conditions::from_json(&json!([["a", "eq", 1], "and", "b"])).is_err());
}
