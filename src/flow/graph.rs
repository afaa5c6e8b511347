//! The compiled form of a flow.

use super::edges::Edges;
use super::{Error, Node, NodeKind, Workflow};
use serde_json::Value;
use std::str::FromStr;

/// The compiled form of a flow: steps, and edges that say which follows which.
///
/// The first node is the start, the last one the end; all others are in the order of the text. A subflow is an entry,
/// its content and its end, so the nodes of one are a range. Each place where a task is written is a node of its own,
/// and so is each place where a declared subflow is.
///
/// ```
/// use mape::flow::Graph;
///
/// let graph: Graph = "fetch → { clean  count } → store".parse()?;
/// let tasks: Vec<_> = graph.nodes().iter().filter_map(|node| node.task()).collect();
/// assert_eq!(tasks, ["fetch", "clean", "count", "store"]);
/// assert_eq!(graph.successors(2), [3, 4]); // the entry of the subflow, to `clean` and `count`
/// assert_eq!(graph.threshold(5), 2); // its end waits for both
/// # Ok::<(), mape::flow::Error>(())
/// ```
///
/// # Cycles
///
/// An edge that closes a cycle, as a walk from the start finds them that goes deep first and takes successors by their
/// index, is a *back edge*: what comes over it starts its target by itself. All other edges into a node are waited for
/// together; their number is the node's [`threshold`](Self::threshold).
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    pub(super) name: Option<String>,
    pub(super) doc: Option<String>,
    pub(super) parameters: Option<Value>,
    pub(super) nodes: Vec<Node>,
    pub(super) edges: Edges,
}

impl Graph {
    /// What `@flow` calls it.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// What `@flow` says about it.
    #[must_use]
    pub fn doc(&self) -> Option<&str> {
        self.doc.as_deref()
    }

    /// The parameters of `@flow`, which mean nothing to the language.
    #[must_use]
    pub fn parameters(&self) -> Option<&Value> {
        self.parameters.as_ref()
    }

    /// All nodes; the place of each is its index.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// One node.
    #[must_use]
    pub fn node(&self, index: usize) -> Option<&Node> {
        self.nodes.get(index)
    }

    /// The index of the end of the flow.
    #[must_use]
    pub fn end(&self) -> usize {
        self.nodes.len().saturating_sub(1)
    }

    /// All edges, sorted, each once.
    pub fn edges(&self) -> impl Iterator<Item = (usize, usize)> {
        (0..self.nodes.len()).flat_map(|from| self.successors(from).iter().map(move |to| (from, *to)))
    }

    /// How many edges there are.
    #[must_use]
    pub fn edge_count(&self) -> usize {
        self.edges.len()
    }

    /// What follows a node, sorted.
    #[must_use]
    pub fn successors(&self, index: usize) -> &[usize] {
        self.edges.successors(index)
    }

    /// What a node follows, sorted. Its input is made of their outputs in this order.
    #[must_use]
    pub fn predecessors(&self, index: usize) -> &[usize] {
        self.edges.predecessors(index)
    }

    /// Of each [successor](Self::successors), whether the edge to it is a back edge.
    #[must_use]
    pub fn back(&self, index: usize) -> &[bool] {
        self.edges.back(index)
    }

    /// How many edges into a node are waited for together: all but the back edges.
    ///
    /// It is 0 for the start of the flow, and for what only back edges lead to.
    #[must_use]
    #[doc(alias = "T")]
    pub fn threshold(&self, index: usize) -> usize {
        self.edges.forward(index)
    }

    /// Whether any way leads to a node from the start. What is not reached never runs.
    #[must_use]
    pub fn is_reached(&self, index: usize) -> bool {
        self.edges.is_reached(index)
    }

    /// The entry of the innermost subflow that each node is in; nothing for those at the top. Entry and end of a
    /// subflow are outside of it themselves.
    #[must_use]
    pub fn parents(&self) -> Vec<Option<usize>> {
        let mut open: Vec<usize> = Vec::new();
        let mut parents = Vec::with_capacity(self.nodes.len());
        for (index, node) in self.nodes.iter().enumerate() {
            if matches!(node.kind, NodeKind::End { .. }) {
                open.pop();
            }
            parents.push(open.last().copied());
            if matches!(node.kind, NodeKind::Subflow { .. }) {
                open.push(index);
            }
        }
        parents
    }

    /// What messages call a node: its task, or what else it is, with its index.
    #[must_use]
    pub fn label(&self, index: usize) -> String {
        let Some(node) = self.node(index) else { return format!("#{index}") };
        match &node.kind {
            NodeKind::Start => "the start".to_owned(),
            NodeKind::Task { name, .. } => format!("{name} (#{index})"),
            NodeKind::Source { .. } => format!("the literal #{index}"),
            NodeKind::Resource { uri, .. } | NodeKind::Sink { uri, .. } => format!("<{uri}> (#{index})"),
            NodeKind::Subflow { .. } => format!("the subflow #{index}"),
            NodeKind::End { .. } if index == self.end() => "the end".to_owned(),
            NodeKind::End { entry } => format!("the end of the subflow #{entry}"),
        }
    }
}

impl FromStr for Graph {
    type Err = Error;

    /// Compiles a text.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with all that is wrong with it.
    fn from_str(text: &str) -> Result<Self, Error> {
        Workflow::parse(text).into_graph()
    }
}
