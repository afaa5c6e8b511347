//! The corpus: flows with what the original makes of them, or what its specification asks for.
//!
//! `corpus/agreed.jsonl` has flows that both agree on, `invalid.jsonl` what both refuse, `disputed.jsonl` what they
//! disagree on, with what the specification asks for; a flow a line. Their runs are for the engine.

use mape::flow::{Graph, Workflow};
use serde_json::{Value, json};

/// The lines of a file of the corpus.
fn corpus(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub(super) fn agreed() -> Vec<Value> {
    corpus(include_str!("corpus/agreed.jsonl"))
}

fn source(flow: &Value) -> &str {
    flow["source"].as_str().unwrap()
}

/// A compiled flow in the form of the corpus, which knows no places, no names behind aliases, and iteration only where
/// the original can compile it.
fn outline(graph: &Graph) -> Value {
    let mut outline = serde_json::to_value(graph.outline()).unwrap();
    for node in outline["nodes"].as_array_mut().unwrap() {
        for key in ["line", "column", "base"] {
            node.as_object_mut().unwrap().remove(key);
        }
    }
    outline
}

fn complain(about: &str, complaints: &[String]) {
    let shown = complaints.iter().take(10).cloned().collect::<Vec<_>>().join("\n");
    assert!(complaints.is_empty(), "{} {about}:\n{shown}", complaints.len());
}

/// What a text compiles to, or why it does not, as a word of complaint.
fn compiled(flow: &Value) -> Result<Graph, String> {
    source(flow).parse::<Graph>().map_err(|error| format!("{}: {error}\n{}", flow["id"], source(flow)))
}

fn difference(flow: &Value, expected: &Value) -> Option<String> {
    match compiled(flow) {
        Ok(graph) if outline(&graph) == *expected => None,
        Ok(graph) => Some(format!(
            "{}:\n{}\nis\n{}\nand should be\n{expected}",
            flow["id"],
            source(flow),
            outline(&graph)
        )),
        Err(complaint) => Some(complaint),
    }
}

#[test]
fn all_agreed_flows_compile_to_the_nodes_and_edges_of_the_original() {
    let flows = agreed();
    assert!(flows.len() > 400);
    let complaints: Vec<_> = flows.iter().filter_map(|flow| difference(flow, &flow["expect"])).collect();
    complain("differ", &complaints);
}

#[test]
fn all_invalid_flows_are_refused_where_they_are_wrong() {
    // JSON and YAML say where in the literal they are wrong, which is more than the place of the literal.
    let by_themselves = ["bad-json", "bad-yaml"];
    let mut complaints = Vec::new();
    for flow in corpus(include_str!("corpus/invalid.jsonl")) {
        let workflow = Workflow::parse(source(&flow));
        let mut places =
            workflow.diagnostics().errors().map(|error| (u64::from(error.line()), u64::from(error.column())));
        let expected = (flow["line"].as_u64().unwrap(), flow["column"].as_u64().unwrap());
        let inside = by_themselves.contains(&flow["category"].as_str().unwrap());
        // There may be more errors than the first one, which is what the corpus has.
        let fits = places.any(|place| place == expected || (inside && place > expected));
        if workflow.graph().is_some() || !fits {
            complaints.push(format!(
                "{} at {expected:?}:\n{}\n{}",
                flow["id"],
                source(&flow),
                workflow.diagnostics().report("it", workflow.text())
            ));
        }
    }
    complain("are not refused, or elsewhere", &complaints);
}

#[test]
fn disputed_flows_compile_as_the_specification_asks() {
    let mut complaints = Vec::new();
    for flow in corpus(include_str!("corpus/disputed.jsonl")) {
        let Some(expected) = flow.get("spec") else { continue };
        match expected.get("error") {
            None => complaints.extend(difference(&flow, expected)),
            Some(error) => {
                let workflow = Workflow::parse(source(&flow));
                let first = workflow.diagnostics().errors().next();
                let at = first.map(|error| json!([error.line(), error.column()]));
                if workflow.graph().is_some() || (error["line"].is_u64() && at.is_none()) {
                    complaints.push(format!("{} should be refused: {error}\n{}", flow["id"], source(&flow)));
                }
            }
        }
    }
    complain("differ", &complaints);
}
