//! `docs/spec/flow.md`: what it shows is so, and all that there is, is in it.
//!
//! A block of code is marked by what it holds: `flow` compiles without a word, `flow warning` and `flow error` are
//! followed by a `text` block with exactly what is said about it, `flow part` is part of what cannot stand alone,
//! `nodes` after a `flow` has its outline, `fmt` after a `flow` has its layout.

use mape::flow::{Code, Diagram, Graph, Guard, GuardLanguage, Workflow};
use serde_json::{Value, json};

const SPECIFICATION: &str = include_str!("../../../docs/spec/flow.md");
/// What flows are called in the text.
const NAME: &str = "some.flow";

struct Block<'a> {
    line: usize,
    kind: &'a str,
    text: String,
}

fn blocks() -> Vec<Block<'static>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut open = false;
    for (index, line) in SPECIFICATION.lines().enumerate() {
        match (line.strip_prefix("```"), open) {
            (Some(kind), false) => {
                open = true;
                blocks.push(Block { line: index + 1, kind, text: String::new() });
            }
            (Some(_), true) => open = false,
            (None, true) => {
                let block = blocks.last_mut().unwrap();
                block.text += line;
                block.text.push('\n');
            }
            (None, false) => {}
        }
    }
    assert!(!open, "a block has no end");
    blocks
}

/// Rows of the tables whose header begins so, cell by cell, without back quotes and escapes.
fn rows(header: &str) -> Vec<Vec<String>> {
    let begun = SPECIFICATION.lines().skip_while(|line| !line.starts_with(header));
    let rows = begun.skip(2).take_while(|line| line.starts_with('|'));
    let rows: Vec<Vec<String>> = rows
        .map(|row| {
            let row = row.trim_matches('|').replace("\\|", "\u{1}");
            row.split('|').map(|cell| cell.trim().replace('\u{1}', "|")).collect()
        })
        .collect();
    assert!(!rows.is_empty(), "there is no table {header}");
    rows
}

/// What stands between the back quotes of a cell.
fn code(cell: &str) -> String {
    cell.trim_matches('`').trim().to_owned()
}

fn outline(graph: &Graph) -> Value {
    serde_json::to_value(graph.outline()).unwrap()
}

#[test]
fn every_flow_in_the_text_is_what_the_text_says_of_it() {
    let blocks = blocks();
    let mut seen = 0;
    for (block, next) in blocks.iter().zip(blocks.iter().skip(1).map(Some).chain([None])) {
        let Some(kind) = block.kind.strip_prefix("flow") else { continue };
        let workflow = Workflow::parse(block.text.as_str());
        let report = workflow.diagnostics().report(NAME, &block.text);
        seen += 1;
        match kind.trim() {
            "" => assert_eq!(report, "", "line {}", block.line),
            "warning" | "error" => {
                assert_eq!(
                    workflow.graph().is_none(),
                    kind.trim() == "error",
                    "line {}:\n{report}",
                    block.line
                );
                let said = next.filter(|next| next.kind == "text").expect("what is said follows");
                assert_eq!(said.text.trim_end(), report.trim_end(), "line {}", said.line);
            }
            "part" => {}
            other => panic!("line {}: what is `flow {other}`?", block.line),
        }
        match next {
            Some(next) if next.kind == "fmt" => {
                assert_eq!(workflow.format().unwrap(), next.text, "line {}", next.line);
            }
            Some(next) if next.kind == "json nodes" => {
                let expected: Value = serde_json::from_str(&next.text).unwrap();
                assert_eq!(outline(workflow.graph().unwrap()), expected, "line {}", next.line);
            }
            _ => {}
        }
    }
    assert!(seen > 15, "{seen}");
}

#[test]
fn what_is_equal_in_the_text_has_the_same_edges() {
    for row in rows("| a flow | is the same as |") {
        let [left, right] = [0, 1].map(|at| {
            let graph: Graph = code(&row[at]).parse().unwrap_or_else(|error| panic!("{error}: {row:?}"));
            let mut outline = outline(&graph);
            for node in outline["nodes"].as_array_mut().unwrap() {
                for key in ["line", "column", "base", "doc"] {
                    node.as_object_mut().unwrap().remove(key);
                }
            }
            json!([outline["nodes"], outline["edges"]])
        });
        assert_eq!(left, right, "{row:?}");
    }
}

#[test]
fn what_is_refused_in_the_text_is_refused_with_that_code() {
    for row in rows("| it says | about | such as |") {
        let code_name = code(&row[0]);
        let text = code(&row[2]).replace('⏎', "\n");
        let workflow = Workflow::parse(text.as_str());
        let found: Vec<&str> = workflow.diagnostics().iter().map(|one| one.code().as_str()).collect();
        assert!(found.contains(&code_name.as_str()), "{row:?} gives {found:?}");
    }
    let explained: Vec<String> =
        rows("| it says | about | such as |").iter().map(|row| code(&row[0])).collect();
    for code in Code::ALL {
        let beyond = [Code::Limit, Code::Encoding];
        assert!(beyond.contains(code) || explained.contains(&code.to_string()), "`{code}` is not explained");
    }
}

#[test]
fn every_guard_in_the_text_answers_as_the_text_says() {
    let mut languages = [0, 0];
    for row in rows("| guard | asks | holds for | and not for |") {
        let text = code(&row[0]);
        let guard = Guard::parse(&text).unwrap_or_else(|error| panic!("{error}"));
        languages[usize::from(guard.language() == GuardLanguage::Rfc9535)] += 1;
        for (cell, expected) in [(&row[2], true), (&row[3], false)] {
            let input: Value =
                serde_json::from_str(&code(cell)).unwrap_or_else(|error| panic!("{error}: {cell}"));
            assert_eq!(guard.holds(&input), Ok(expected), "{text} of {input}");
        }
    }
    assert!(languages[0] > 5 && languages[1] > 5, "{languages:?}");
}

#[test]
fn every_difference_from_the_original_is_in_the_table() {
    let ids: Vec<String> = rows("| | the original |").into_iter().map(|row| row[0].clone()).collect();
    let expected: Vec<String> = (1..=39).map(|id| format!("D{id:02}")).collect();
    assert_eq!(ids, expected);
}

#[test]
fn the_example_flows_say_nothing_are_laid_out_and_drawn_as_in_the_text() {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/flows");
    let mut seen = 0;
    for file in std::fs::read_dir(&directory).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "flow") {
            continue;
        }
        seen += 1;
        let workflow = Workflow::parse(std::fs::read_to_string(&path).unwrap());
        assert!(workflow.diagnostics().is_empty(), "{}: {}", path.display(), workflow.diagnostics());
        assert_eq!(workflow.format().unwrap(), workflow.text(), "{}", path.display());
    }
    assert!(seen >= 4, "{seen}");
    let flow = std::fs::read_to_string(directory.join("parcels.flow")).unwrap();
    let graph: Graph = flow.parse().unwrap();
    let drawn = Diagram::new(&graph).svg().unwrap();
    assert!(
        drawn == include_str!("../../../docs/spec/parcels.svg"),
        "docs/spec/parcels.svg is old: mape flow doc --format svg examples/flows/parcels.flow > docs/spec/parcels.svg"
    );
}
