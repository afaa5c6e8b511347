//! A step of a graph.

use super::Guard;
use serde_json::Value;
use std::sync::Arc;

/// A step of a [`Graph`](super::Graph).
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub(super) kind: NodeKind,
    pub(super) merge: bool,
    pub(super) iterate: bool,
    pub(super) guard: Option<Guard>,
    pub(super) doc: Option<Arc<str>>,
    pub(super) place: Option<(u32, u32)>,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum NodeKind {
    /// The start of the flow; its output is the input of the flow. Always the first node, and no other is of this kind.
    Start,
    /// Invokes a task.
    Task {
        /// The task that is invoked; of an alias, the task that it stands for.
        name: Arc<str>,
        /// The name it is written by, if that is an alias.
        alias: Option<Arc<str>>,
        /// The defaults of the declaration with the parameters of the invocation over them; `{}` without any.
        parameters: Arc<Value>,
    },
    /// Gives a value that stands in the flow: an object or array.
    Source {
        /// The value.
        value: Arc<Value>,
    },
    /// Gives the content of a resource.
    Resource {
        /// The reference to it.
        uri: Arc<str>,
        /// How to get it.
        parameters: Arc<Value>,
    },
    /// Stores its input in a resource.
    Sink {
        /// The reference to it.
        uri: Arc<str>,
        /// How to store it.
        parameters: Arc<Value>,
    },
    /// The entry of a subflow.
    Subflow {
        /// The node at its end; all between belong to it.
        end: usize,
        /// Whether it was written as `A | B`.
        group: bool,
        /// The name it was invoked by, if it was declared.
        declared: Option<Arc<str>>,
    },
    /// The end of a subflow, or of the flow.
    End {
        /// The entry of what ends here.
        entry: usize,
    },
}

impl Node {
    pub(super) fn new(kind: NodeKind, place: Option<(u32, u32)>) -> Self {
        Self { kind, merge: false, iterate: false, guard: None, doc: None, place }
    }

    /// What it does.
    #[must_use]
    pub fn kind(&self) -> &NodeKind {
        &self.kind
    }

    /// Whether its inputs become one object (`>`).
    #[must_use]
    pub fn merge(&self) -> bool {
        self.merge
    }

    /// Whether it is done once for each item of its input (`*`). Only tasks and entries of subflows are.
    #[must_use]
    pub fn iterate(&self) -> bool {
        self.iterate
    }

    /// Its condition. Only tasks and entries of subflows have one. The members of a group repeat that of the entry.
    #[must_use]
    pub fn guard(&self) -> Option<&Guard> {
        self.guard.as_ref()
    }

    /// What its declaration says about it.
    #[must_use]
    pub fn doc(&self) -> Option<&str> {
        self.doc.as_deref()
    }

    /// The line of the text it begins in; the first is 1. Nothing if the graph was loaded from a form without places.
    #[must_use]
    pub fn line(&self) -> Option<u32> {
        self.place.map(|(line, _)| line)
    }

    /// The character of its line that it begins with; the first is 1.
    #[must_use]
    pub fn column(&self) -> Option<u32> {
        self.place.map(|(_, column)| column)
    }

    /// The task it invokes, if it invokes one.
    #[must_use]
    pub fn task(&self) -> Option<&str> {
        match &self.kind {
            NodeKind::Task { name, .. } => Some(name),
            _ => None,
        }
    }

    /// Its parameters, if it can have any.
    #[must_use]
    pub fn parameters(&self) -> Option<&Value> {
        match &self.kind {
            NodeKind::Task { parameters, .. }
            | NodeKind::Resource { parameters, .. }
            | NodeKind::Sink { parameters, .. } => Some(parameters),
            _ => None,
        }
    }
}
