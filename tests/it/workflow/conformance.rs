//! The runs of the corpus.

use super::behaviour::{behave, canonical};
use super::driver::Driver;
use mape::workflow::{Definition, Status};
use serde_json::{Value, json};

fn corpus(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub(super) fn agreed() -> Vec<Value> {
    corpus(include_str!("../flow/corpus/agreed.jsonl"))
}

/// What a run gives, in the form of the corpus.
fn outcome(definition: &Definition, run: &Value) -> Value {
    let mut driver = Driver::of(definition.clone());
    driver.begin(&run["input"]);
    let behaviour = run["behaviour"].as_str().unwrap();
    let mut calls = Vec::new();
    driver.finish(
        |_| 0,
        |name, index, parameters, input| {
            let output = behave(behaviour, name, index, parameters, input);
            calls.push((
                index,
                json!({"i": index, "name": name, "in": canonical(input), "out": canonical(&output)}),
            ));
            output
        },
    );
    calls.sort_by_key(|(index, _)| *index);
    let calls: Vec<Value> = calls.into_iter().map(|(_, call)| call).collect();
    match driver.status() {
        Status::Finished => json!({"calls": calls, "ended": 1, "final": canonical(&driver.output())}),
        other => json!({"calls": calls, "status": other.word(), "failure": driver.failure()}),
    }
}

/// The runs that differ: flow, behaviour, ambiguity, what is expected and what came.
fn differences(flows: &[Value], expected: &str) -> (usize, Vec<(String, String, Value, Value)>) {
    let (mut count, mut different) = (0, Vec::new());
    for flow in flows {
        let Ok(graph) = flow["source"].as_str().unwrap().parse::<mape::flow::Graph>() else { continue };
        let definition = Definition::new(graph).unwrap();
        for run in flow["runs"].as_array().into_iter().flatten() {
            let expected = &run[expected];
            if expected["calls"].is_null() {
                continue;
            }
            count += 1;
            let got = outcome(&definition, run);
            let mut expected = expected.clone();
            expected.as_object_mut().unwrap().remove("S_left");
            if got != expected {
                let id = format!(
                    "{} {} {}",
                    flow["id"].as_str().unwrap(),
                    run["behaviour"].as_str().unwrap(),
                    run["input"]
                );
                let ambiguous = run["ambiguous"].as_array().cloned().unwrap_or_default();
                let why = ambiguous.iter().map(|a| a.as_str().unwrap()).collect::<Vec<_>>().join(" ");
                different.push((id, why, expected, got));
            }
        }
    }
    (count, different)
}

#[test]
fn all_agreed_runs_are_reproduced_the_ambiguous_ones_too() {
    let (count, different) = differences(&agreed(), "expect");
    assert!(count > 2600, "only {count} runs");
    complain(count, &different);
}

#[test]
fn disputed_runs_go_as_the_specification_asks() {
    let (count, different) = differences(&corpus(include_str!("../flow/corpus/disputed.jsonl")), "spec");
    assert!(count > 400, "only {count} runs");
    complain(count, &different);
}

fn complain(count: usize, different: &[(String, String, Value, Value)]) {
    let shown = different
        .iter()
        .take(5)
        .map(|(id, why, expected, got)| format!("{id} ({why})\nexpected {expected}\ngot      {got}\n"));
    assert!(different.is_empty(), "{} of {count} differ:\n{}", different.len(), shown.collect::<String>());
}
