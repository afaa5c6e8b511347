//! A graph as the Python package littleflow saves it: `{"F": matrix, "T": steps}`.

use super::saved::built;
use super::{Error, Graph, Guard, Node, NodeKind};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::Arc;

/// The matrix grows with the square of the steps, and Python cannot read its vectors back beyond.
const MOST: usize = 1_000;

impl Graph {
    /// The graph as the Python package littleflow saves it: `F`, the matrix of edges, and `T`, the steps.
    ///
    /// Its steps have exactly the keys that the package knows, since it fails at any other. A graph that is
    /// [read](Self::from_json) from this form has no places and does not know which subflows were written with `|`.
    ///
    /// # Errors
    ///
    /// [`Error::NotInPython`] if the graph has more than 1,000 steps, or something that the package has not:
    /// iteration, resources, a merge at the start.
    pub fn to_python(&self) -> Result<Value, Error> {
        let count = self.nodes.len();
        if count > MOST {
            let reason = format!("the flow has {count} steps, and that form holds at most {MOST}");
            return Err(Error::NotInPython(reason));
        }
        let steps = self.nodes.iter().enumerate().map(|(index, node)| step(self, index, node));
        let steps = steps.collect::<Result<Vec<_>, _>>().map_err(Error::NotInPython)?;
        let matrix = self.matrix();
        let mut saved = json!({"F": matrix, "T": steps});
        if let (Some(name), Some(keys)) = (&self.name, saved.as_object_mut()) {
            // Other keys at the top are left alone by the package.
            keys.insert("name".to_owned(), name.as_str().into());
        }
        Ok(saved)
    }

    /// The edges as a matrix: 1 where the step of the column follows that of the row.
    fn matrix(&self) -> Vec<Vec<u8>> {
        let count = self.nodes.len();
        let row = |from| {
            let mut row = vec![0; count];
            for to in self.successors(from) {
                if let Some(edge) = row.get_mut(*to) {
                    *edge = 1;
                }
            }
            row
        };
        (0..count).map(row).collect()
    }

    /// As [`to_python`](Self::to_python) writes it, whatever is in the graph, and whether that says all of it.
    ///
    /// What the package has not is left out, or written as the nearest thing: a resource as a task, a graph of more
    /// than 1,000 steps with a list of edges for `F`.
    pub(crate) fn to_python_as_far_as_possible(&self) -> (Value, bool) {
        let edges: usize = (0..self.nodes.len()).filter(|from| self.back(*from).contains(&true)).count();
        let mut says_all = edges == 0 && self.nodes.len() <= MOST;
        let steps = self.nodes.iter().enumerate().map(|(index, node)| {
            let told = Node { guard: None, iterate: false, ..node.clone() };
            says_all &= node.guard.is_none() && !node.iterate;
            let told = match &node.kind {
                NodeKind::Start if node.merge => {
                    says_all = false;
                    Node { merge: false, ..told }
                }
                NodeKind::Resource { uri, .. } | NodeKind::Sink { uri, .. } => {
                    says_all = false;
                    let name = if matches!(node.kind, NodeKind::Sink { .. }) {
                        "resource:store"
                    } else {
                        "resource:load"
                    };
                    let parameters = Arc::new(json!({"uri": &**uri}));
                    Node { kind: NodeKind::Task { name: name.into(), alias: None, parameters }, ..told }
                }
                _ => told,
            };
            step(self, index, &told).unwrap_or_default()
        });
        let steps: Vec<Value> = steps.collect();
        let count = self.nodes.len();
        let matrix = if count > MOST {
            json!({"steps": count, "edges": self.edges().collect::<Vec<_>>()})
        } else {
            json!(self.matrix())
        };
        (json!({"F": matrix, "T": steps}), says_all)
    }
}

fn step(graph: &Graph, index: usize, node: &Node) -> Result<Value, String> {
    let label = graph.label(index);
    if node.iterate {
        return Err(format!("{label} is done for each item of its input (`*`)"));
    }
    let guard = node.guard.as_ref().map(Guard::text);
    Ok(match &node.kind {
        NodeKind::Start if node.merge => return Err("the start merges what comes back to it".to_owned()),
        NodeKind::Start => json!(["StartFlow", {"index": index}]),
        NodeKind::Source { value } => json!(["Source", {"index": index, "value": value}]),
        NodeKind::Task { name, alias, parameters } => {
            let base = alias.as_ref().map(|_| name);
            json!(["InvokeTask", {
                "index": index, "name": name, "parameters": parameters, "base": base, "doc": node.doc,
                "merge": node.merge, "guard": guard,
            }])
        }
        NodeKind::Subflow { end, .. } => {
            json!(["InvokeFlow", {"index": index, "end": end, "merge": node.merge, "guard": guard}])
        }
        NodeKind::End { .. } => json!(["Sink", {"index": index, "merge": node.merge}]),
        NodeKind::Resource { .. } | NodeKind::Sink { .. } => return Err(format!("{label} is a resource")),
    })
}

/// What is saved. Keys beyond these are left alone, as the package does.
#[derive(Deserialize)]
struct Saved {
    #[serde(rename = "F")]
    matrix: Vec<Vec<u8>>,
    #[serde(rename = "T")]
    steps: Vec<Step>,
    #[serde(default)]
    name: Option<String>,
}

/// A step: what it is called, and its keys.
type Step = (String, Value);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Start {
    index: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    index: usize,
    value: Arc<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Task {
    index: usize,
    name: Arc<str>,
    #[serde(default)]
    parameters: Arc<Value>,
    #[serde(default)]
    base: Option<Arc<str>>,
    #[serde(default)]
    doc: Option<Arc<str>>,
    #[serde(default)]
    merge: bool,
    #[serde(default)]
    guard: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Flow {
    index: usize,
    end: usize,
    #[serde(default)]
    merge: bool,
    #[serde(default)]
    guard: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sink {
    index: usize,
    #[serde(default)]
    merge: bool,
}

/// Reads what the package, or [`Graph::to_python`], has saved.
pub(super) fn read(text: &str) -> Result<Graph, String> {
    let saved: Saved = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let count = saved.steps.len();
    if count > MOST {
        return Err(format!("it has {count} steps, and Python's form holds at most {MOST}"));
    }
    if saved.matrix.len() != count || saved.matrix.iter().any(|row| row.len() != count) {
        return Err(format!("`F` must have {count} rows of {count} numbers, as `T` has {count} steps"));
    }
    let mut edges = Vec::new();
    for (from, row) in (0..).zip(&saved.matrix) {
        edges.extend((0..).zip(row).filter(|(_, edge)| **edge != 0).map(|(to, _)| (from, to)));
    }
    let mut nodes = Vec::with_capacity(count);
    for (index, step) in saved.steps.into_iter().enumerate() {
        let (at, node) = into_node(step).map_err(|reason| format!("the step {index}: {reason}"))?;
        if at != index {
            return Err(format!("the step {index} says that it is the step {at}"));
        }
        nodes.push(node);
    }
    built(nodes, edges, saved.name, None, None)
}

fn into_node((name, keys): Step) -> Result<(usize, Node), String> {
    fn read<T: DeserializeOwned>(keys: Value) -> Result<T, String> {
        serde_json::from_value(keys).map_err(|error| error.to_string())
    }
    let parsed = |guard: Option<String>| {
        guard.map(|guard| Guard::parse(&guard)).transpose().map_err(|error| error.to_string())
    };
    let (index, kind, merge, guard, doc) = match name.as_str() {
        "StartFlow" => (read::<Start>(keys)?.index, NodeKind::Start, false, None, None),
        "Source" => {
            let step: Source = read(keys)?;
            (step.index, NodeKind::Source { value: step.value }, false, None, None)
        }
        "InvokeTask" => {
            let step: Task = read(keys)?;
            // The package runs an alias by its own name; what it stands for is the task that is meant.
            let alias = step.base.as_ref().map(|_| step.name.clone());
            let name = step.base.unwrap_or(step.name);
            let alias = alias.filter(|alias| *alias != name);
            let kind = NodeKind::Task { name, alias, parameters: step.parameters };
            (step.index, kind, step.merge, parsed(step.guard)?, step.doc)
        }
        "InvokeFlow" => {
            let step: Flow = read(keys)?;
            let kind = NodeKind::Subflow { end: step.end, group: false, declared: None };
            (step.index, kind, step.merge, parsed(step.guard)?, None)
        }
        "Sink" => {
            let step: Sink = read(keys)?;
            (step.index, NodeKind::End { entry: 0 }, step.merge, None, None)
        }
        other => {
            return Err(format!(
                "there are no steps `{other}`, only StartFlow, Source, InvokeTask, InvokeFlow, Sink"
            ));
        }
    };
    Ok((index, Node { merge, guard, doc, ..Node::new(kind, None) }))
}
