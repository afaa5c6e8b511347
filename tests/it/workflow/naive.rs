//! The rules of runs as simply as they can be written: dense vectors, one scope at a time, without order or failure.

use mape::flow::{Graph, NodeKind};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

type Task<'t> = &'t dyn Fn(&str, usize, &Value, &Value) -> Value;

/// The outputs of all nodes of an acyclic flow, and its own.
pub(crate) fn run(graph: &Graph, input: &Value, task: Task) -> (BTreeMap<usize, Value>, Value) {
    let mut naive = Naive { graph, task, outputs: vec![None; graph.nodes().len()] };
    let input = if input.is_null() { json!({}) } else { input.clone() };
    let output = naive.scope(0, graph.end(), input);
    let outputs = naive.outputs.iter().enumerate();
    (outputs.filter_map(|(node, output)| Some((node, output.clone()?))).collect(), output)
}

struct Naive<'a> {
    graph: &'a Graph,
    task: Task<'a>,
    outputs: Vec<Option<Value>>,
}

impl Naive<'_> {
    /// Runs what is between an entry and its end.
    fn scope(&mut self, entry: usize, end: usize, input: Value) -> Value {
        let n = self.graph.nodes().len();
        let mut f = vec![vec![0; n]; n];
        for (from, to) in self.graph.edges() {
            if from >= entry && to <= end {
                f[from][to] = 1;
            }
        }
        let t: Vec<usize> = (0..n).map(|j| (0..n).map(|i| f[i][j]).sum::<usize>().max(1)).collect();
        let mut a = vec![0; n];
        for node in entry..=end {
            self.outputs[node] = None;
        }
        self.outputs[entry] = Some(input);
        let mut ended = vec![entry];
        while let Some(node) = ended.pop() {
            for j in 0..n {
                a[j] += f[node][j];
                if f[node][j] == 0 || a[j] < t[j] {
                    continue;
                }
                a[j] -= t[j];
                let given = (0..n).filter(|i| f[*i][j] == 1).filter_map(|i| self.outputs[i].clone());
                let (last, output) = self.enter(j, aggregate(given.collect()));
                self.outputs[last] = Some(output);
                ended.push(last);
            }
        }
        self.outputs[end].clone().unwrap_or(Value::Null)
    }

    /// What a node gives, and which node it is that gives it.
    fn enter(&mut self, index: usize, input: Value) -> (usize, Value) {
        let node = self.graph.node(index).unwrap();
        let input = if node.merge() { merge(&input) } else { input };
        let last = match node.kind() {
            NodeKind::Subflow { end, .. } => *end,
            _ => index,
        };
        if node.iterate() && input.is_array() {
            let items = input.as_array().cloned().unwrap();
            let outputs =
                items.into_iter().map(|item| self.once(index, item, true).unwrap_or_else(|item| item));
            let outputs: Vec<Value> = outputs.collect();
            // The copies of the subflow are not the flow's own nodes.
            for inner in index..=last {
                self.outputs[inner] = None;
            }
            return (last, outputs.into());
        }
        match self.once(index, input, false) {
            Ok(output) => (index, output),
            Err(input) => (last, input),
        }
    }

    /// What a node makes of an input, or the input back if its guard is not fulfilled.
    fn once(&mut self, index: usize, input: Value, whole: bool) -> Result<Value, Value> {
        let node = self.graph.node(index).unwrap();
        if node.guard().is_some_and(|guard| !guard.holds(&input).unwrap()) {
            return Err(input);
        }
        Ok(match node.kind() {
            NodeKind::Task { name, parameters, .. } => (self.task)(name, index, parameters, &input),
            NodeKind::Source { value } => Value::clone(value),
            NodeKind::Subflow { end, .. } if whole => self.scope(index, *end, input),
            _ => input,
        })
    }
}

fn aggregate(given: Vec<Value>) -> Value {
    let mut given: Vec<Value> = given.into_iter().filter(|value| *value != json!({})).collect();
    match given.len() {
        0 => json!({}),
        1 => given.remove(0),
        _ => given.into(),
    }
}

fn merge(value: &Value) -> Value {
    fn put(value: &Value, into: &mut Map<String, Value>) {
        match value {
            Value::Object(object) => into.extend(object.clone()),
            Value::Array(items) => items.iter().for_each(|item| put(item, into)),
            _ => panic!("no object"),
        }
    }
    let mut merged = Map::new();
    put(value, &mut merged);
    merged.into()
}
