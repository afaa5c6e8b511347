//! Templates.

use mape::workflow::{Template, TemplateError};
use proptest::prelude::*;
use serde_json::json;

fn filled(text: &str) -> Result<String, TemplateError> {
    let input = json!({"id": 7, "name": "Ada", "a": {"b": [1, {"c": true}]}, "a b": null, "]": "odd"});
    let parameters = json!({"x": "y"});
    Template::parse(text)?.fill(&[("input", &input), ("parameters", &parameters)])
}

#[test]
fn all_spellings_of_a_key_mean_the_same() {
    for text in ["{input[name]}", "{input[\"name\"]}", "{input['name']}", "{input.name}"] {
        assert_eq!(filled(text).unwrap(), "Ada", "{text}");
    }
    for (text, expected) in [
        ("", ""),
        ("no place", "no place"),
        ("{{{input[id]}}}", "{7}"),
        ("{{}}", "{}"),
        ("{input[a][b][0]}/{input.a.b[1].c}", "1/true"),
        ("{input[a][b]}", r#"[1,{"c":true}]"#),
        ("{input[a b]}{input[']']}", "nullodd"),
        ("→ {parameters.x} ←", "→ y ←"),
    ] {
        assert_eq!(filled(text).unwrap(), expected, "{text}");
    }
}

#[test]
fn what_is_wrong_is_said_with_its_column() {
    for (text, column, part) in [
        ("äö {input[gone]}", 4, "`input` has no `gone`, but `]`, `a`, `a b`, `id`, `name`"),
        ("{input.__class__.__init__}", 1, "`input` has no `__class__`"),
        ("{input[a][b][9]}", 1, "`input[a][b]` has 2 items, and no item 9"),
        ("{input[a][b].c}", 1, "is a list: write the number"),
        ("{input[id][x]}", 1, "`input[id]` is a single value"),
        ("{output}", 1, "there is no `output`, but `input`, `parameters`"),
        ("x } y", 3, "a single `}`"),
        ("x {", 3, "a `{` without a name"),
        ("{}", 1, "a `{` without a name"),
        ("{input", 1, "not closed"),
        ("{input[a", 7, "not closed with `]`"),
        ("{input['a]}", 7, "not closed"),
        ("{input[]}", 7, "without a key"),
        ("{input.}", 7, "without a name"),
        ("{input!r}", 7, "formats nothing"),
        ("{input:>10}", 7, "formats nothing"),
        ("{input()}", 7, "`(` where"),
    ] {
        let error = filled(text).unwrap_err();
        assert_eq!(error.column, column, "{text}: {error}");
        assert!(error.message.contains(part), "{text}: {error}");
    }
}

#[test]
fn templates_and_what_they_give_are_bounded() {
    assert!(Template::parse(&"x".repeat(Template::LONGEST + 1)).is_err());
    assert!(Template::parse(&format!("{{input{}}}", "[a]".repeat(Template::DEEPEST + 1))).is_err());
    let large = json!("x".repeat(4 * 1024 * 1024));
    let error = Template::parse(&"{input}".repeat(5)).unwrap().fill(&[("input", &large)]).unwrap_err();
    assert!(error.message.contains("longer than"), "{error}");
}

proptest! {
    #[test]
    fn no_text_makes_a_template_panic(text in "(\\PC|[{}\\[\\].'\"!:]|input|parameters){0,40}") {
        if let Err(error) = filled(&text) {
            prop_assert!(error.column >= 1 && error.column <= text.chars().count() + 1, "{}", error);
        }
    }

    #[test]
    fn text_with_doubled_braces_comes_out_as_it_was(text in "\\PC{0,40}") {
        let doubled = text.replace('{', "{{").replace('}', "}}");
        prop_assert_eq!(filled(&doubled).unwrap(), text);
    }

    #[test]
    fn every_key_can_be_written_in_one_of_the_quotes(key in "[^'\"]{0,12}", value in "\\PC{0,12}") {
        let input = json!({ key.as_str(): value });
        for quote in ['\'', '"'] {
            let template = Template::parse(&format!("{{input[{quote}{key}{quote}]}}")).unwrap();
            prop_assert_eq!(&template.fill(&[("input", &input)]).unwrap(), &value);
        }
    }
}
