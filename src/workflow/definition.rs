//! What a run is pinned to.

use super::policy::{Iterate, Policy, PolicyError};
use crate::flow::{Graph, NodeKind};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// What a run is made of: the graph, and what holds for each of its tasks. It stays as it was when the run began.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    graph: Arc<Graph>,
    /// Only those that say anything.
    policies: HashMap<u32, Policy>,
    iterate: Iterate,
    turns: u32,
}

/// A task with a parameter that is no policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{task}: {error}{}", if *.of_flow { "" } else { "; it says how the task is run, whatever task that is: write it so, or leave it out" })]
pub struct WrongPolicy {
    /// What the task is called, with its index.
    pub task: String,
    of_flow: bool,
    /// What is wrong.
    #[source]
    pub error: PolicyError,
}

/// The task that loads a `<uri>` at the beginning of a statement.
pub const LOAD: &str = "resource:load";
/// The task that stores its input in a `<uri>` at the end of a statement.
pub const STORE: &str = "resource:store";

impl Definition {
    /// How often the back edges into one node may start it unless `turns` among the parameters of `@flow` says another
    /// number.
    pub const TURNS: u32 = 1000;

    /// A definition with what the parameters in the flow say, and nothing else.
    ///
    /// # Errors
    ///
    /// The task whose parameters state a policy wrongly.
    pub fn new(graph: impl Into<Arc<Graph>>) -> Result<Self, WrongPolicy> {
        Self::with(graph.into(), |task| (Policy::default(), super::builtin::own_parameters(task)))
    }

    /// With what `known` says of a task: its policy, and the parameters that mean something else for it.
    pub(super) fn with(
        graph: Arc<Graph>,
        known: impl Fn(&str) -> (Policy, &'static [&'static str]),
    ) -> Result<Self, WrongPolicy> {
        let wrong = |index, error| WrongPolicy { task: graph.label(index), of_flow: false, error };
        let mut policies = HashMap::new();
        for (index, node) in graph.nodes().iter().enumerate() {
            let Some(task) = task_of(node.kind()) else { continue };
            let (policy, own) = known(task);
            let policy = match node.parameters() {
                Some(stated) => policy.with_parameters(stated, own).map_err(|error| wrong(index, error))?,
                None => policy,
            };
            if policy != Policy::default() {
                policies.insert(u32::try_from(index).unwrap_or(u32::MAX), policy);
            }
        }
        let of_flow = |name: &str| graph.parameters().and_then(|parameters| parameters.get(name));
        let flow = |error| WrongPolicy { task: "@flow".to_owned(), of_flow: true, error };
        let iterate = of_flow("iterate").map(Iterate::of).transpose().map_err(flow)?.unwrap_or_default();
        let turns = match of_flow("turns") {
            None => Self::TURNS,
            Some(stated) => stated.as_u64().and_then(|turns| u32::try_from(turns).ok()).ok_or_else(|| {
                let expected = "how many times a cycle may turn";
                flow(PolicyError { parameter: "turns", expected, found: stated.to_string() })
            })?,
        };
        Ok(Self { graph, policies, iterate, turns })
    }

    /// The graph.
    #[must_use]
    pub fn graph(&self) -> &Arc<Graph> {
        &self.graph
    }

    /// What holds for the task at a node, if anything does.
    #[must_use]
    pub fn policy(&self, node: u32) -> Option<&Policy> {
        if self.policies.is_empty() { None } else { self.policies.get(&node) }
    }

    /// How a node is done for each item.
    #[must_use]
    pub fn iterate(&self, node: u32) -> Iterate {
        self.policy(node).and_then(|policy| policy.iterate).unwrap_or(self.iterate)
    }

    /// How often the back edges into one node may start it.
    #[must_use]
    pub fn turns(&self) -> u32 {
        self.turns
    }

    /// The names of all tasks it invokes, each once.
    #[must_use]
    pub fn tasks(&self) -> BTreeSet<&str> {
        self.graph.nodes().iter().filter_map(|node| task_of(node.kind())).collect()
    }

    /// Whether there is nothing but the graph.
    pub(super) fn is_plain(&self) -> bool {
        self.policies.is_empty() && self.iterate == Iterate::default() && self.turns == Self::TURNS
    }

    pub(super) fn policies(&self) -> (&HashMap<u32, Policy>, Iterate) {
        (&self.policies, self.iterate)
    }

    pub(super) fn of_parts(
        graph: Arc<Graph>,
        policies: HashMap<u32, Policy>,
        iterate: Iterate,
        turns: u32,
    ) -> Self {
        Self { graph, policies, iterate, turns }
    }
}

/// The task that a node invokes.
pub(super) fn task_of(kind: &NodeKind) -> Option<&str> {
    match kind {
        NodeKind::Task { name, .. } => Some(name),
        NodeKind::Resource { .. } => Some(LOAD),
        NodeKind::Sink { .. } => Some(STORE),
        _ => None,
    }
}

/// The parameters of an invocation: those of a resource hold its `uri` too.
pub(super) fn parameters_of(kind: &NodeKind) -> Arc<Value> {
    match kind {
        NodeKind::Task { parameters, .. } => parameters.clone(),
        NodeKind::Resource { uri, parameters } | NodeKind::Sink { uri, parameters } => {
            let mut object = parameters.as_object().cloned().unwrap_or_default();
            object.insert("uri".to_owned(), Value::from(&**uri));
            Arc::new(object.into())
        }
        _ => super::input::empty(),
    }
}
