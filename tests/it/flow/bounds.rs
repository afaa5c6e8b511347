//! Any text: never a panic, never more than linear work, never a lie about where.

use super::generate::{self, Random};
use mape::flow::{Diagram, DiagramFormat, Graph, Guard, Workflow};
use proptest::prelude::*;
use std::time::{Duration, Instant};

/// Whatever can be done with a text.
fn everything(text: &str) {
    let workflow = Workflow::parse(text);
    let joined: String = workflow.tokens().map(|(_, text)| text).collect();
    assert_eq!(joined, text, "the tokens are the text");
    let lines: Vec<&str> = text.split('\n').collect();
    for one in workflow.diagnostics() {
        let line =
            lines.get(one.line() as usize - 1).unwrap_or_else(|| panic!("{one} is in no line of {text:?}"));
        let longest = line.chars().count() + 1;
        assert!((1..=longest).contains(&(one.column() as usize)), "{one} is not in {line:?}");
        assert!(text.is_char_boundary(one.range().start), "{one}");
    }
    let _ = workflow.diagnostics().report("it", text);
    assert_eq!(workflow.graph().is_some(), workflow.diagnostics().errors().next().is_none());
    if let Ok(formatted) = workflow.format() {
        let again = Workflow::parse(formatted.as_str());
        assert_eq!(again.graph().is_some(), workflow.graph().is_some(), "{text:?} and {formatted:?}");
    }
    if let Some(graph) = workflow.graph() {
        let saved = serde_json::to_string(graph).unwrap();
        assert_eq!(&Graph::from_json(&saved).unwrap(), graph, "{text:?}");
        for format in [DiagramFormat::Mermaid, DiagramFormat::Dot, DiagramFormat::Svg] {
            let _ = Diagram::new(graph).render(format);
        }
    }
}

/// A text with a few characters changed.
fn mutated(text: &str, random: &mut Random) -> String {
    const SIGNS: &str = "(){}[]<>-→:;|?*@='\"`#,.\\/ \n\té0aA_$&!";
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..=random.below(4) {
        let at = random.below(chars.len() + 1);
        match random.below(4) {
            0 if at < chars.len() => drop(chars.remove(at)),
            1 if at < chars.len() => chars.truncate(at),
            2 if at + 1 < chars.len() => chars.swap(at, at + 1),
            _ => {
                let sign = SIGNS.chars().nth(random.below(SIGNS.chars().count())).unwrap();
                chars.insert(at, sign);
            }
        }
    }
    chars.into_iter().collect()
}

#[test]
fn flows_with_a_few_characters_changed_do_not_break_anything() {
    let mut random = Random::new(1);
    for flow in super::conformance::agreed() {
        let text = flow["source"].as_str().unwrap();
        for _ in 0..4 {
            everything(&mutated(text, &mut random));
        }
    }
    for seed in 0..2_000 {
        everything(&mutated(&generate::flow(seed), &mut random));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read(text in any::<String>()) {
        everything(&text);
    }

    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        everything(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_signs_of_the_language_are_read(text in "[A-C:;{}()<>|?*@='\"`#→\\-\\[\\] \n,0-2$.&!]{0,60}") {
        everything(&text);
    }

    #[test]
    fn any_guard_is_read(text in "[$@.\\[\\]()?*:,0-2\"'a-c =!<>&|\\\\-]{0,40}", input in "[a-c0-2]{0,3}") {
        for text in [text.clone(), format!("$[?({text})]"), format!("rfc:$[?{text}]")] {
            if let Ok(guard) = Guard::parse(&text) {
                let _ = guard.holds(&serde_json::json!({"a": [1, {"b": input}], "b": {"a": 1.5, "c": null}}));
            }
        }
    }
}

#[test]
fn texts_made_to_be_slow_are_read_in_a_time_that_grows_with_their_length_only() {
    let many = |text: &str| text.repeat(40_000);
    let mut slow = Vec::new();
    for (name, text) in [
        ("brackets", many("{")),
        ("parentheses", many("(")),
        ("objects", many("({")),
        ("objects with texts", many("({\"")),
        ("objects that end in texts", many("({\"})\",")),
        ("yaml", many("(-")),
        ("sources", many("<{ <[ <- ")),
        ("resources", many("< ")),
        ("quotes", many("`") + "`"),
        ("documentation", many("'''") + "'''"),
        ("bars", many("A | ")),
        ("guards", many("? ")),
        ("declarations", many("@task A\n")),
        ("labels", many(":x A ")),
        ("unknown labels", lines(20_000, |n| format!(":u{n} → A → :v{n};"))),
        ("unused declarations", lines(20_000, |n| format!("@task t{n}\n")) + "A"),
        ("one long line", many("A :u B ")),
        ("each with each", "A → :x;".repeat(5_000) + &":x → B;".repeat(5_000)),
        ("subflows in subflows", lines(40, |n| format!("@task X{n} {{ X{0} X{0} }}\n", n + 1)) + "X0"),
        ("aliases", lines(5_000, |n| format!("@task X{n} = X{} (- k{n}: 1 -)\n", n + 1)) + "X0"),
        ("defaults", {
            let keys: Vec<_> = (0..2_000).map(|n| format!("\"k{n}\":1")).collect();
            format!("@task X ({{{}}})\n{}", keys.join(","), "X({\"a\":1}) ".repeat(2_000))
        }),
        (
            "aliases of yaml",
            "A(- {a: &a [1,1,1,1,1,1,1,1], b: &b [*a,*a,*a,*a,*a,*a,*a,*a], c: [*b,*b,*b,*b]} -) "
                .repeat(500),
        ),
    ] {
        let begun = Instant::now();
        everything_but_pictures(&text);
        if begun.elapsed() > Duration::from_secs(30) {
            slow.push(format!("{name}: {} bytes in {:?}", text.len(), begun.elapsed()));
        }
    }
    assert!(slow.is_empty(), "{slow:#?}");
}

fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(line).collect()
}

fn everything_but_pictures(text: &str) {
    let workflow = Workflow::parse(text);
    let _ = workflow.diagnostics().report("it", text);
    let _ = workflow.format();
}

#[test]
fn limits_say_what_is_too_much() {
    for (text, part) in [
        (format!("{}A{}", "{ ".repeat(101), " }".repeat(101)), "subflows are nested more than 100 deep"),
        (
            lines(30, |n| format!("@task X{n} {{ X{0} X{0} }}\n", n + 1)) + "X0",
            "the flow has more than 250000 steps",
        ),
        ("A → :x;".repeat(2_000) + &":x → B;".repeat(2_000), "the flow has more than 1000000 edges"),
        (
            lines(70, |n| format!("@task X{n} = X{}\n", n + 1)) + "X0",
            "more than 64 names stand for one another",
        ),
        (format!("A(- [{}] -)", "&a [*b], ".repeat(2)), "unknown anchor"),
        (
            "A(- {a: &a [1,1,1,1,1,1,1,1,1], b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a], c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b], \
             d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c], e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d], f: [*e,*e,*e,*e,*e,*e]} -)"
                .to_owned(),
            "aliases stand for more than 100000 values in this flow",
        ),
    ] {
        let workflow = Workflow::parse(text.as_str());
        let errors: Vec<_> = workflow.diagnostics().errors().map(ToString::to_string).collect();
        assert!(errors.iter().any(|error| error.contains(part)), "{part}: {errors:?}");
    }
    let workflow = Workflow::parse(" ".repeat((16 << 20) + 1));
    assert!(workflow.diagnostics().to_string().contains("at most 16777216 are read"));
    let crowded = Workflow::parse(": \n".repeat(3_000));
    assert_eq!((crowded.diagnostics().len(), crowded.diagnostics().left_out()), (1_000, 2_000));
}

#[test]
fn the_deepest_flow_takes_no_more_than_the_stack_of_a_thread() {
    let deepest = || {
        let text = format!("{}A :x → B{}", "{ ? `$.a` C → ".repeat(100), " }".repeat(100));
        everything(&text);
        everything(&(0..99).map(|n| format!("@task X{n} {{ X{} }}\n", n + 1)).collect::<Vec<_>>().concat());
        let chain = (0..99).map(|n| format!("@task X{n} {{ X{} }};", n + 1)).collect::<Vec<_>>().concat();
        let workflow = Workflow::parse(chain + " X0");
        let graph = workflow.graph().unwrap();
        assert_eq!(graph.nodes().len(), 201);
        assert!(Diagram::new(graph).vertical(true).svg().is_ok());
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(deepest).unwrap().join().unwrap();
}
