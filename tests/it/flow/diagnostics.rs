//! What is said about a text: everything at once, where, why, and what to do.

use mape::flow::{Code, Severity, Workflow};
use serde_json::json;

/// What is said about a text: place, code, message and help of each.
fn said(text: &str) -> Vec<(u32, u32, Code, String, String)> {
    let workflow = Workflow::parse(text);
    let diagnostics = workflow.diagnostics().iter();
    diagnostics
        .map(|one| {
            let help = one.help().unwrap_or_default().to_owned();
            (one.line(), one.column(), one.code(), one.message().to_owned(), help)
        })
        .collect()
}

/// The only thing that is said about a text.
#[track_caller]
fn only(text: &str) -> (u32, u32, Code, String, String) {
    let said = said(text);
    assert_eq!(said.len(), 1, "{text}: {said:#?}");
    said.into_iter().next().unwrap()
}

#[test]
fn every_mistake_of_a_text_is_reported_at_once_with_its_line_a_marker_and_help() {
    let text = "\
# a flow with mistakes
@tsk load
load => clean({\"deep\": tru}) → :met;
check ? $.status → :meet report
\"store\" → archive → {
  { A → :end; B :end }
";
    let workflow = Workflow::parse(text);
    assert!(workflow.graph().is_none());
    assert_eq!(
        workflow.diagnostics().report("water.flow", workflow.text()),
        "\
error[declaration]: nothing is declared by `@tsk`
  --> water.flow:2:1
   |
 2 | @tsk load
   | ^^^^
   = help: did you mean `@task`?

error[syntax]: expected `→`, found `=`
  --> water.flow:3:6
   |
 3 | load => clean({\"deep\": tru}) → :met;
   |      ^
   = help: an arrow is written `→` or `->`

error[literal]: the literal is no JSON: expected true, false or null
  --> water.flow:3:27
   |
 3 | load => clean({\"deep\": tru}) → :met;
   |                           ^
   = help: a word in JSON is true, false or null; texts stand in double quotes

error[unknown-label]: nothing begins with `:met`, so nothing can go there
  --> water.flow:3:32
   |
 3 | load => clean({\"deep\": tru}) → :met;
   |                                ^^^^

error[syntax]: expected the guard in back quotes behind `?`, found `$`
  --> water.flow:4:9
   |
 4 | check ? $.status → :meet report
   |         ^
   = help: put the expression in back quotes: ? `$.a`

error[syntax]: expected a statement: a task, a subflow `{ … }`, a label or a source, found `\"`
  --> water.flow:5:1
   |
 5 | \"store\" → archive → {
   | ^
   = help: names are written without quotes

error[reserved-label]: `:end` cannot stand behind a task: it is the end of the flow
  --> water.flow:6:17
   |
 6 |   { A → :end; B :end }
   |                 ^^^^
   = help: write `… → :end`; a statement without a label ends there too

error[unclosed]: `}` is missing
  --> water.flow:7:1
   |
 6 |   { A → :end; B :end }
 7 |
   | ^
   = help: the `{` at 5:21 has no end

"
    );
    assert_eq!(workflow.diagnostics().summary(), "8 errors");
}

#[test]
fn diagnostics_are_json_for_programs() {
    let workflow = Workflow::parse("A → :met;\nB → :meet C");
    assert_eq!(
        serde_json::to_value(workflow.diagnostics()).unwrap(),
        json!({"diagnostics": [{
            "severity": "error", "code": "unknown-label",
            "message": "nothing begins with `:met`, so nothing can go there",
            "line": 1, "column": 5, "help": "did you mean the label `:meet`?",
        }]})
    );
}

#[test]
fn a_marker_stands_below_its_character_whatever_comes_before() {
    for (text, marker) in [
        ("größe → oé ⇒ b", "           ^"),
        ("A\t→\t⇒ b", " \t \t^"),
        ("A(- 日本: 1 -) ⇒ b", "               ^"),
    ] {
        let workflow = Workflow::parse(text);
        let report = workflow.diagnostics().report("it", text);
        let line = report.lines().find(|line| line.contains('^')).unwrap();
        let shown = line.strip_prefix("   | ").unwrap();
        assert_eq!(shown, marker, "\n{report}");
    }
    let long = format!("{}⇒ {}", "A → B ".repeat(1_000), "C ".repeat(1_000));
    let workflow = Workflow::parse(long.as_str());
    let report = workflow.diagnostics().report("it", &long);
    assert!(report.lines().all(|line| line.chars().count() < 200), "{report}");
    let (line, marker) = report
        .lines()
        .zip(report.lines().skip(1))
        .find(|(line, _)| line.contains(" | ") && line.contains('⇒'))
        .unwrap();
    assert_eq!(marker.chars().position(|char| char == '^'), line.chars().position(|char| char == '⇒'));
}

#[test]
fn literals_say_where_in_them_they_are_wrong() {
    for (text, line, column, part, help) in [
        ("A({\"a\":})", 1, 8, "the literal is no JSON: expected value", ""),
        ("A({'a': 1})", 1, 4, "key must be a string", "JSON has double quotes only"),
        ("A({\n \"a\": [1,\n 2,]})", 3, 4, "trailing comma", "take the last comma away"),
        ("A({\"a\": True})", 1, 9, "expected value", "JSON writes true, false and null in lower case"),
        ("A({a: 1})", 1, 4, "key must be a string", "keys stand in double quotes in JSON"),
        ("A({\"a\": 1 \"b\": 2})", 1, 11, "expected `,` or `}`", "a comma may be missing before it"),
        ("gé({\"é\": x})", 1, 10, "expected value", ""),
        (
            "A(- a: b: c -)",
            1,
            9,
            "the literal is no YAML: mapping values",
            "put a text that holds `: ` in quotes",
        ),
        ("A(-\n a: 1\n  b: 2\n-)", 3, 4, "mapping values are not allowed", ""),
        ("A(- a: !special 1 -)", 1, 8, "unsupported tag `!special`", "a literal is data"),
        ("A(- {a: 1, a: 2} -)", 1, 12, "duplicate mapping key: a", ""),
        ("A(- .inf -)", 1, 5, "non-finite float `.inf`", "JSON has finite numbers only"),
        ("A(- {a: !!binary aGk=} -)", 1, 9, "unsupported tag `!!binary`", "a literal is data"),
        ("A(- !<tag:yaml.org,2002:binary> aGk= -)", 1, 24, "unsupported tag `!!binary`", "a literal is data"),
        ("A(- !!timestamp 2020-01-01 -)", 1, 5, "unsupported tag", "a literal is data"),
        ("A(- !!set {a} -)", 1, 5, "unsupported tag `!!set`", "a literal is data"),
        (
            "A(- !!python/object/apply:os.system [ls] -)",
            1,
            5,
            "unsupported tag `!!python/",
            "a literal is data",
        ),
        ("A(- !include /etc/passwd -)", 1, 5, "unsupported tag `!include`", "a literal is data"),
        ("A(- {null: a} -)", 1, 6, "null cannot be a key", "keys are texts, numbers, true or false"),
        ("A(-\n? [a]\n: 1\n-)", 2, 3, "a map or list cannot be a key", "keys are texts"),
        ("A(- &a [*a] -)", 1, 9, "an alias stands in its own anchor", ""),
        ("A(- *x -)", 1, 5, "alias references unknown anchor", ""),
        ("A(- @x -)", 1, 5, "unexpected character", "in quotes"),
        ("A(- a: 1\n---\nb: 2 -)", 3, 1, "multiple YAML documents detected", "a literal is one document"),
    ] {
        let (at_line, at_column, code, message, helps) = only(text);
        assert_eq!((at_line, at_column, code), (line, column, Code::Literal), "{text}: {message}");
        assert!(message.contains(part) && helps.contains(help), "{text}: {message} ({helps})");
    }
    // As deep as it may be, then deeper, in each notation, in the innermost subflow that there can be; on the stack that
    // a thread of tokio has, since that is what depth takes.
    let nested = |open: &str, depth: usize, close: &str| {
        let literal = format!("A({open}{}{}{close})", "[".repeat(depth), "]".repeat(depth));
        let text = format!("{}{literal}{}", "{ ".repeat(100), "}".repeat(100));
        std::thread::Builder::new().stack_size(2 << 20).spawn(move || said(&text)).unwrap().join().unwrap()
    };
    for (open, close, around) in
        [("- ", " -", 0), ("[", "]", 1), ("{\"a\": ", "}", 1), ("- [[{a: ", "}]] -", 3)]
    {
        assert_eq!(nested(open, 64 - around, close), []);
        for depth in [65 - around, 129, 100_000] {
            let said = nested(open, depth, close);
            assert_eq!(said.len(), 1, "{open} {depth}: {said:#?}");
            assert_eq!(said[0].3.split(": ").last(), Some("it is nested more than 64 deep"));
        }
    }
    let (_, column, code, message, _) = only("A → B; <- 5 -> → C");
    assert_eq!((column, code), (8, Code::Literal));
    assert_eq!(message, "a source has to be a map or a list, and this is a number");
}

#[test]
fn yaml_is_data_of_the_core_schema_and_json_what_it_says() {
    for (literal, value) in [
        ("[yes, No, on, OFF, y, n]", json!(["yes", "No", "on", "OFF", "y", "n"])),
        ("[true, True, FALSE, null, Null, ~]", json!([true, true, false, null, null, null])),
        (
            "[2020-01-01, 12:30:45, 1_000, 017, 1.2.3]",
            json!(["2020-01-01", "12:30:45", "1_000", "017", "1.2.3"]),
        ),
        ("[0o17, 0x1F, +1, -0, .5, 1., 1e3]", json!([15, 31, 1, 0, 0.5, 1.0, 1000.0])),
        ("[!!str 5, !!int \"5\", !!float 1, !!seq [1], !!map {a: 1}]", json!(["5", 5, 1.0, [1], {"a": 1}])),
        ("{1: a, true: b, 1.5: c}", json!({"1": "a", "true": "b", "1.5": "c"})),
        ("'!!binary x'", json!("!!binary x")),
        (
            "\na: &x {b: 1}\nc: *x\nd: {<<: *x, e: 2}\n",
            json!({"a": {"b": 1}, "c": {"b": 1}, "d": {"b": 1, "e": 2}}),
        ),
        (
            "\n  a: |\n    one\n    two\n  b: >\n    one\n    two\n",
            json!({"a": "one\ntwo\n", "b": "one two\n"}),
        ),
        ("a: 1\nb: 2", json!({"a": 1, "b": 2})),
        ("a: 1\n    b: 2", json!({"a": 1, "b": 2})),
        ("- a: 1\n      b: 2\n    - 3", json!([{"a": 1, "b": 2}, 3])),
        ("# nothing\n", json!({})),
    ] {
        let text = format!("A(- {literal} -)");
        let workflow = Workflow::parse(text.as_str());
        let graph =
            workflow.graph().unwrap_or_else(|| panic!("{}", workflow.diagnostics().report("it", &text)));
        assert_eq!(graph.node(1).unwrap().parameters(), Some(&value), "{text}");
    }
    let graph: mape::flow::Graph =
        r#"A({"a": [1e2, "\u00e9 }) ]) -)", {"b": {"c": null}}]})"#.parse().unwrap();
    assert_eq!(
        graph.node(1).unwrap().parameters(),
        Some(&json!({"a": [1e2, "é }) ]) -)", {"b": {"c": null}}]}))
    );
}

#[test]
fn what_has_no_end_is_reported_where_it_begins_and_the_next_lines_are_read() {
    for (text, column, part) in [
        ("A({\"a\": 1\nB → → C", 4, "the literal has no end: `})` is missing"),
        ("A([1, 2\nB → → C", 4, "the literal has no end: `])` is missing"),
        ("A(- a: 1\nB → → C", 4, "the literal has no end: `-)` is missing"),
        ("<- a: 1 → A\nB → → C", 3, "the literal has no end: `->` is missing"),
        ("<a.json → A\nB → → C", 2, "the resource has no end: `>` is missing"),
        ("? `$.a A\nB → → C", 4, "the guard has no end: ` is missing"),
        ("@task A '''text\nB → → C", 12, "the documentation has no end: ''' is missing"),
    ] {
        let said = said(text);
        let first = said.first().unwrap();
        assert_eq!((first.0, first.1, first.2), (1, column, Code::Unclosed), "{text}: {said:#?}");
        assert_eq!(first.3, part);
        assert!(said.iter().any(|one| (one.0, one.1, one.2) == (2, 5, Code::Syntax)), "{text}: {said:#?}");
    }
}

#[test]
fn labels_that_lead_nowhere_are_explained() {
    for (text, column, message, help) in [
        (
            ":mett → D; A :meet → B; :meet → C",
            1,
            "nothing goes to `:mett`",
            "did you mean the label `:meet`?",
        ),
        (
            "A → B; :x C → :y; D :y → :x",
            15,
            "nothing begins with `:y`",
            "`:y` is an output here; write `:y A`",
        ),
        (":x → B; :x C", 1, "nothing goes to `:x`", "`:x` is an input here"),
        (
            "A → { B → :x }; C → :x D",
            11,
            "nothing begins with `:x`",
            "`:x` is in another `{ }`; labels do not reach",
        ),
        ("A :x → B :x → C; :x → D", 10, "`:x` labels an output already, at 1:3", "put `;` before it"),
        (
            "A → :x B → :x C; D → :x",
            12,
            "`:x` labels an input already, at 1:5",
            "write `:x → …` to begin several",
        ),
        ("A → :end B", 5, "`:end` cannot stand before a task", "put `;` behind `:end`"),
        (
            "A; :end → B",
            4,
            "`:end` is the end of the flow, and begins no statement",
            "nothing follows the end",
        ),
    ] {
        let said = said(text);
        let first = said.iter().find(|one| one.1 == column).unwrap_or_else(|| panic!("{text}: {said:#?}"));
        assert!(first.3.contains(message), "{text}: {said:#?}");
        assert!(first.4.contains(help), "{text}: {said:#?}");
    }
}

#[test]
fn declarations_that_contradict_are_refused() {
    for (text, line, column, code, part) in [
        ("@flow a\n@flow b\nA", 2, 1, Code::Declaration, "there can be only one `@flow`"),
        ("@flow a { B }\nA", 1, 1, Code::Declaration, "`@flow` has no subflow"),
        ("@flow a = b\nA", 1, 1, Code::Declaration, "`@flow` only names the flow"),
        ("@task A = B { C }\nA", 1, 1, Code::Declaration, "cannot be both another task and a subflow"),
        ("@task A\n@task A\nA", 2, 1, Code::Declaration, "declared already, in line 1"),
        ("@task A = B\n@task B = A\nA", 1, 11, Code::Recursion, "`A` is another name of itself: A → B → A"),
        (
            "@task A { B }\n@task B { A }\nA",
            2,
            11,
            Code::Recursion,
            "the subflow `A` contains itself: A → B → A",
        ),
        (
            "@task A (- a: 1 -)\nA([1])",
            2,
            2,
            Code::Parameters,
            "are a list, and the defaults of `A` are a map",
        ),
        ("{ @task A }", 1, 3, Code::Syntax, "a declaration cannot stand in a subflow"),
    ] {
        let said = said(text);
        let found = said.iter().find(|one| (one.0, one.1, one.2) == (line, column, code));
        assert!(found.is_some_and(|one| one.3.contains(part)), "{text}: {said:#?}");
    }
}

#[test]
fn what_was_surely_not_meant_is_a_warning_and_compiles() {
    for (text, column, code, part) in [
        ("A :x → B", 3, Code::UnusedLabel, "`:x` labels an output that nothing takes"),
        (":x A → B", 1, Code::UnusedLabel, "`:x` labels an input that nothing goes to"),
        ("@task clear A → clean", 7, Code::UnusedDeclaration, "nothing invokes the task `clear`"),
        (
            "@task both { A } both(- a: 1 -)",
            22,
            Code::UnusedParameters,
            "no task in it gets these parameters",
        ),
        ("A({\"k\": 1, \"k\": 2})", 2, Code::DuplicateKey, "the key `k` is there twice"),
        (":x → B → C → :x; A", 6, Code::Unreachable, "no way leads from the start to `B`"),
        (
            "A → :y; :y → D; :x → B → :x; :x → C → :y",
            14,
            Code::NeverReady,
            "`D` waits for `C`, which never runs",
        ),
        ("A → :x B → :x", 8, Code::EndlessCycle, "this cycle never ends: `B` always leads back to `B`"),
        (
            "A → :x B → :x",
            8,
            Code::NeverReady,
            "nothing leaves this cycle, and nothing else leads to the end",
        ),
        (
            "A → ? `$.a` B :y → C → :start; :y → D",
            20,
            Code::EndlessCycle,
            "`C` always leads back to the start",
        ),
        (
            "A → :x { B } → :x; C",
            12,
            Code::EndlessCycle,
            "the end of a subflow always leads back to a subflow",
        ),
        (
            "A → :x B → :y C :z → :x; D → :y; :z → E",
            15,
            Code::NeverReady,
            "`C` waits for `D`, which is outside",
        ),
    ] {
        let workflow = Workflow::parse(text);
        assert!(workflow.graph().is_some(), "{text}");
        assert!(workflow.diagnostics().iter().all(|one| one.severity() == Severity::Warning));
        let said = said(text);
        let found = said.iter().find(|one| (one.1, one.2) == (column, code));
        assert!(found.is_some_and(|one| one.3.contains(part)), "{text}: {said:#?}");
    }
    for (text, column, message, help) in [
        (
            "A → B\n:x → C",
            1,
            "labels the output of what stands in the line before",
            "put `;` before `:x` if it",
        ),
        ("A → B # why\n\n:x → C; :x → D", 1, "labels the output of what stands", "put `;` before `:x`"),
        (
            "A → :x\nB; C → :x",
            5,
            "labels the input of what stands in the next line",
            "put `;` behind `:x` if",
        ),
        (":x # why\n{ A }\nB → :x", 1, "labels the input of what stands in the next line", "put `;` behind"),
    ] {
        let (_, at, code, said, helps) = only(text);
        assert_eq!((at, code), (column, Code::MisleadingLayout), "{text}: {said}");
        assert!(said.contains(message) && helps.contains(help), "{text}: {said} ({helps})");
    }
    for text in [
        "A → B :x → C; :x → D → :end",
        "A → :x B :y → ? `$.a` C → :x; :y → D",
        "A → :x ? `$.a` { B C } → :x; D",
        "A → :x B :y → ? `$.a` C | D → :x; :y → E",
    ] {
        assert_eq!(said(text), [], "{text}");
    }
}

#[test]
fn mistakes_that_habits_make_get_help_of_their_own() {
    for (text, help) in [
        ("A ⇒ B", "an arrow is written `→` or `->`"),
        ("A - B", "an arrow is written `→` or `->`"),
        ("A → [ B C ] → D", "a subflow is written `{ … }`"),
        ("A → 5th", "a name begins with a letter from a to z or with `_`"),
        ("A, B", "statements are separated by blanks"),
        ("A | { B }", "write `{ A { B } }`"),
        ("{ A } | B", "write `{ { A } B }`"),
        ("A : x → B", "a label is written `:name`, without a space"),
        ("A(a: 1)", "parameters are written `(- a: 1 -)` as YAML"),
        ("A({}) ({})", "parameters stand directly behind the name"),
        ("A → `$.a` B", "a guard is written with a question mark"),
        ("A → > * B", "`*` stands once"),
        ("A → * > B", "`>` stands once"),
        ("// text\nA", "a comment begins with `#`"),
        ("a/b → C", "a name has letters, digits, `_`, `-` and `:`"),
        (":x → > :end; A → :x", "`>` stands before a label behind an arrow only"),
        ("A → (B)", "tasks stand without parentheses"),
        ("(A)", "tasks stand without parentheses"),
        ("? A", "put the expression in back quotes"),
        ("? `a.b` A", "a path begins with `$`"),
        ("? `$.a = 1` A", "a comparison stands in a filter: `$[?(@.a=1)]`"),
        ("? `$.a and $.b` A", "a comparison stands in a filter"),
        ("<{\"a\": 1}> A", "put `→` and a task behind it"),
        ("@task A '''d''' (- a: 1 -)\nA", "parameters stand directly behind the name"),
        ("A → <a.json> → B", "a label or resource behind `→` ends the statement"),
        ("@task X { A } → B", "a declaration is no step"),
        ("A → ⟹ B", "an arrow is written `→` or `->`"),
        ("A − B", "`−` is no hyphen: names have `-`, and an arrow"),
        ("A → “B”", "names are written without quotes"),
        ("A | ? `$.a` B", "a guard is for the whole group, and stands before it"),
        (":x → :y;", "a label leads to a step, not to a label: put a task between"),
        (":x;", "a label leads to a step: begin a statement with `:x → A`"),
        ("{ A → :x; :x }", "a label leads to a step: begin a statement with `:x → A`"),
        ("A(- {a: 1 -)", "each `{` needs a `}`, and each `[` a `]`"),
        ("A(- a: [1} -)", "`{` is closed by `}`, and `[` by `]`"),
        ("A(- a: 'it's' -)", "a quote is written twice: `'it''s'`"),
        ("A(- a: \"it\"s\" -)", "a quote is written `\\\"`"),
        ("? `$.a[` A", "each `[` needs a `]`"),
        ("? `$[?@.a == 'b'` A", "each `[` needs a `]`"),
    ] {
        let said = said(text);
        assert!(said.iter().any(|one| one.4.contains(help)), "{text}: {said:#?}");
    }
}

#[test]
fn what_cannot_be_read_does_not_hide_wrong_guards_and_literals() {
    for (text, column, code, part) in [
        ("check => stor | ? `$.a[` pay", 19, Code::Guard, "found the end of the guard"),
        ("A | ? `$.a` B({\"a\": tru})", 24, Code::Literal, "expected true, false or null"),
        ("A | | B(- a: [ -) → C", 14, Code::Literal, "unclosed bracket"),
        ("A | <- a: [ -> → C", 11, Code::Literal, "unclosed bracket"),
        ("@task A ||; ? `$.a[` B", 15, Code::Guard, "found the end of the guard"),
    ] {
        let said = said(text);
        assert!(said.iter().any(|one| one.2 == Code::Syntax), "{text}: {said:#?}");
        let found: Vec<_> = said.iter().filter(|one| (one.1, one.2) == (column, code)).collect();
        assert!(found.len() == 1 && found[0].3.contains(part), "{text}: {said:#?}");
    }
    // What stands between back quotes without a question mark may be anything.
    assert_eq!(only("```\nA → B\n```").2, Code::Syntax);
}

#[test]
fn a_tag_that_is_no_data_is_marked_itself() {
    for (literal, tag) in [
        ("(- a: !!foo x -)", "!!foo"),
        ("(- !!set {a, b} -)", "!!set"),
        ("(- a: !!foo\n  b: 1 -)", "!!foo"),
        ("(- {!foo k: 1} -)", "!foo"),
        ("(- [a, '!x', !x b] -)", "!x"),
        ("(- x: !<tag:yaml.org,2002:set> {a, b} -)", "!<tag:yaml.org,2002:set>"),
        ("(- a: !!binary aGk= -)", "!!binary"),
    ] {
        let text = format!("A → B{literal}");
        let workflow = Workflow::parse(text.as_str());
        let diagnostic = workflow.diagnostics().iter().next().unwrap();
        assert!(diagnostic.message().ends_with(&format!("unsupported tag `{tag}`")), "{text}: {diagnostic}");
        assert_eq!((diagnostic.range().start, &text[diagnostic.range()]), (text.rfind(tag).unwrap(), tag));
        let before = text[..diagnostic.range().start].chars().count();
        assert_eq!((diagnostic.line(), diagnostic.column() as usize), (1, before + 1), "{text}");
    }
}

#[test]
fn too_much_nesting_gets_help() {
    let (open, close) = ("[".repeat(70), "]".repeat(70));
    for text in [format!("A(- {open}{close} -)"), format!("A({open}{close})")] {
        let (.., message, help) = only(&text);
        assert!(
            message.contains("nested more than 64 deep") && help.contains("fewer levels"),
            "{message}: {help}"
        );
    }
    let (.., message, help) = only(&format!("? `$[?({}@.a{})]` A", "(".repeat(40), ")".repeat(40)));
    assert!(message.contains("nested more than 32 deep") && help.contains("let a task"), "{message}: {help}");
}

#[test]
fn a_merge_that_looks_like_an_arrow_is_a_warning() {
    for (text, column) in
        [("a > b", 3), ("a(- x: 1 -) > b", 13), ("a() > { b }", 5), ("{ a } > b", 7), ("z → a | b > c", 11)]
    {
        let (line, at, code, _, help) = only(text);
        assert_eq!((line, at, code), (1, column, Code::MisleadingLayout), "{text}");
        assert!(help.contains("write `→` if the one leads to the other"), "{help}");
    }
    for text in [
        "a; > b",
        "a\n> b",
        "a → > b",
        "a → b :x > c; :x → d",
        "> a",
        "{ > a b }",
        "a > ? `$.a` b",
        "@task b\na → > b",
    ] {
        assert!(said(text).iter().all(|one| one.2 != Code::MisleadingLayout), "{text}: {:#?}", said(text));
    }
}
