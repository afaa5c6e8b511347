//! A graph as JSON: `{"name", "nodes", "edges"}`.

use super::edges::Edges;
use super::{Error, Graph, Guard, Node, NodeKind};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use std::sync::Arc;

/// A graph in the form that is saved.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Saved {
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    doc: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parameters: Option<Value>,
    nodes: Vec<Step>,
    edges: Vec<(u32, u32)>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    i: usize,
    kind: Kind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<Arc<str>>,
    /// Of an alias, the task that it stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base: Option<Arc<str>>,
    /// The name of that alias, or of a declared subflow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alias: Option<Arc<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uri: Option<Arc<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    params: Option<Arc<Value>>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    value: Option<Arc<Value>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    merge: Option<bool>,
    /// Tasks and subflows without a guard have `null`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    guard: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bar: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    iterate: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    doc: Option<Arc<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    column: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Start,
    Task,
    Source,
    Resource,
    SinkResource,
    Flow,
    End,
}

/// A key that is there has a value, which may be `null`.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl Saved {
    fn of(graph: &Graph) -> Self {
        Self {
            name: graph.name.clone(),
            doc: graph.doc.clone(),
            parameters: graph.parameters.clone(),
            nodes: graph.nodes.iter().enumerate().map(|(index, node)| Step::of(index, node)).collect(),
            edges: graph.edges().map(|(from, to)| (short(from), short(to))).collect(),
        }
    }

    fn without_what_only_loading_needs(mut self) -> Self {
        self.doc = None;
        self.parameters = None;
        for node in &mut self.nodes {
            node.alias = None;
            if node.kind == Kind::Flow {
                node.doc = None;
            }
        }
        self
    }

    fn into_graph(self) -> Result<Graph, String> {
        let mut nodes = Vec::with_capacity(self.nodes.len());
        for (index, step) in self.nodes.into_iter().enumerate() {
            nodes.push(step.into_node(index).map_err(|reason| format!("the node {index}: {reason}"))?);
        }
        built(nodes, self.edges, self.name, self.doc, self.parameters)
    }
}

/// A graph of loaded parts, if they make one.
pub(super) fn built(
    mut nodes: Vec<Node>,
    pairs: Vec<(u32, u32)>,
    name: Option<String>,
    doc: Option<String>,
    parameters: Option<Value>,
) -> Result<Graph, String> {
    nest(&mut nodes)?;
    let outside = |at: u32| at as usize >= nodes.len();
    if let Some((from, to)) = pairs.iter().find(|(from, to)| outside(*from) || outside(*to)) {
        return Err(format!("the edge from {from} to {to} leads to no node; there are {}", nodes.len()));
    }
    let edges = Edges::new(nodes.len(), pairs);
    Ok(Graph { name, doc, parameters, nodes, edges })
}

/// Checks that each subflow has its end, and tells each end its entry.
fn nest(nodes: &mut [Node]) -> Result<(), String> {
    let last = nodes.len().saturating_sub(1);
    let mut open: Vec<(usize, usize)> = Vec::new();
    for (index, node) in nodes.iter_mut().enumerate() {
        match &mut node.kind {
            NodeKind::Start if index == 0 => open.push((0, last)),
            NodeKind::Start => return Err(format!("the node {index} is a second start")),
            _ if index == 0 => return Err("the first node is not the start".to_owned()),
            NodeKind::Subflow { end, .. } => open.push((index, *end)),
            NodeKind::End { entry } => match open.pop() {
                Some((begun, end)) if end == index => *entry = begun,
                _ => return Err(format!("the node {index} is the end of nothing")),
            },
            _ => {}
        }
    }
    match open.last() {
        _ if nodes.is_empty() => Err("there are no nodes".to_owned()),
        Some((begun, end)) => Err(format!("the node {begun} ends at {end}, which is no end")),
        None => Ok(()),
    }
}

impl Step {
    fn of(index: usize, node: &Node) -> Self {
        let kind = match node.kind {
            NodeKind::Start => Kind::Start,
            NodeKind::Task { .. } => Kind::Task,
            NodeKind::Source { .. } => Kind::Source,
            NodeKind::Resource { .. } => Kind::Resource,
            NodeKind::Sink { .. } => Kind::SinkResource,
            NodeKind::Subflow { .. } => Kind::Flow,
            NodeKind::End { .. } => Kind::End,
        };
        let merges = !matches!(kind, Kind::Start | Kind::Source | Kind::Resource) || node.merge;
        let guarded = matches!(kind, Kind::Task | Kind::Flow);
        let mut step = Self {
            i: index,
            kind,
            name: None,
            base: None,
            alias: None,
            uri: None,
            params: None,
            value: None,
            end: None,
            merge: merges.then_some(node.merge),
            guard: guarded.then(|| node.guard.as_ref().map(Guard::text).into()),
            bar: None,
            iterate: node.iterate.then_some(true),
            doc: node.doc.clone(),
            line: node.line(),
            column: node.column(),
        };
        match &node.kind {
            NodeKind::Task { name, alias, parameters } => {
                step.name = Some(name.clone());
                step.base = alias.as_ref().map(|_| name.clone());
                step.alias.clone_from(alias);
                step.params = Some(parameters.clone());
            }
            NodeKind::Source { value } => step.value = Some(value.clone()),
            NodeKind::Resource { uri, parameters } | NodeKind::Sink { uri, parameters } => {
                step.uri = Some(uri.clone());
                step.params = Some(parameters.clone());
            }
            NodeKind::Subflow { end, group, declared } => {
                step.alias.clone_from(declared);
                step.end = Some(*end);
                step.bar = Some(*group);
            }
            NodeKind::Start | NodeKind::End { .. } => {}
        }
        step
    }

    fn into_node(self, index: usize) -> Result<Node, String> {
        if self.i != index {
            return Err(format!("it says that it is the node {}", self.i));
        }
        let parameters = self.params.unwrap_or_else(|| Arc::new(Value::Object(serde_json::Map::new())));
        let kind = match self.kind {
            Kind::Start => NodeKind::Start,
            Kind::Task => {
                NodeKind::Task { name: self.name.ok_or("it has no name")?, alias: self.alias, parameters }
            }
            Kind::Source => {
                let value = self.value.ok_or("it has no value")?;
                if !value.is_object() && !value.is_array() {
                    return Err("its value is neither an object nor an array".to_owned());
                }
                NodeKind::Source { value }
            }
            Kind::Resource => NodeKind::Resource { uri: self.uri.ok_or("it has no uri")?, parameters },
            Kind::SinkResource => NodeKind::Sink { uri: self.uri.ok_or("it has no uri")?, parameters },
            Kind::Flow => NodeKind::Subflow {
                end: self.end.ok_or("it has no end")?,
                group: self.bar.unwrap_or(false),
                declared: self.alias,
            },
            Kind::End => NodeKind::End { entry: 0 },
        };
        let guard = match &self.guard {
            Some(Value::String(guard)) => Some(Guard::parse(guard).map_err(|error| error.to_string())?),
            None | Some(Value::Null) => None,
            Some(other) => return Err(format!("its guard is {other}, and has to be a text")),
        };
        Ok(Node {
            kind,
            merge: self.merge.unwrap_or(false),
            iterate: self.iterate.unwrap_or(false),
            guard,
            doc: self.doc,
            place: self.line.zip(self.column),
        })
    }
}

fn short(index: usize) -> u32 {
    // A graph has fewer nodes than that.
    u32::try_from(index).unwrap_or(u32::MAX)
}

impl Graph {
    /// Reads a graph from JSON, in the form that it is serialized in or in [Python's](Self::to_python).
    ///
    /// # Errors
    ///
    /// [`Error::NoGraph`] if the text is no graph, or one that could not have been compiled.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Keys {
            #[serde(rename = "F")]
            matrix: Option<serde::de::IgnoredAny>,
        }
        let keys: Keys = serde_json::from_str(text).map_err(|error| Error::NoGraph(error.to_string()))?;
        if keys.matrix.is_some() {
            return super::python::read(text).map_err(Error::NoGraph);
        }
        serde_json::from_str(text).map_err(|error| Error::NoGraph(error.to_string()))
    }

    /// The graph as what `mape flow compile --json` writes: name, nodes and edges, and in the nodes only what takes
    /// part in a run, and their places.
    #[must_use]
    pub fn outline(&self) -> impl Serialize + use<> {
        Saved::of(self).without_what_only_loading_needs()
    }
}

/// In the form that [`Graph::from_json`] reads.
impl Serialize for Graph {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Saved::of(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Graph {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Saved::deserialize(deserializer)?.into_graph().map_err(D::Error::custom)
    }
}
