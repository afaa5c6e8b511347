//! What is kept of a run: its definition, and its history as causes with their times.

use super::definition::Definition;
use super::policy::{Iterate, Policy};
use super::state::State;
use super::step::step;
use super::{Cause, Command, Place, Time};
use crate::flow::Graph;
use crate::stream::trace::TraceContext;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Causes that were worked on together, as one change of the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) at: Time,
    pub(super) causes: Vec<Cause>,
    /// Whether it was written by somebody who starts nothing: an engine has yet to do what follows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) unowned: bool,
    /// Whether what was left to be done before it still is: by somebody who did not take that on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) leaves: bool,
    /// The attempts it starts in the process of whoever wrote it; all others are announced in the log.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) here: Vec<(Place, u32)>,
    /// How long the lists of the run are then, `S` and `A`, if it is kept in the form of littleflow, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) lists: Option<(u64, u64)>,
    /// Of the first one: the trace to which the run belongs, as a `traceparent`, and what others have written beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) trace: Option<(String, Option<String>)>,
}

impl Record {
    pub(super) fn new(at: Time, causes: Vec<Cause>) -> Self {
        Self { at, causes, unowned: false, leaves: false, here: Vec::new(), lists: None, trace: None }
    }

    /// The same as a part of this trace.
    pub(super) fn traced_by(mut self, context: Option<&TraceContext>) -> Self {
        self.trace = context.map(|context| (context.to_string(), context.state().map(str::to_owned)));
        self
    }

    /// The trace to which a run with this history belongs.
    pub(super) fn context(records: &[Self]) -> Option<TraceContext> {
        let (parent, state) = records.first()?.trace.as_ref()?;
        TraceContext::parse(parent, state.as_deref())
    }

    /// One by somebody who starts nothing.
    pub(super) fn unowned(at: Time, causes: Vec<Cause>) -> Self {
        Self { unowned: true, ..Self::new(at, causes) }
    }
}

/// A definition as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Kept {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<Arc<str>>,
    graph: Arc<Graph>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    policies: BTreeMap<u32, Policy>,
    iterate: Iterate,
    turns: u32,
}

impl Kept {
    pub(super) fn of(definition: &Definition, text: Option<Arc<str>>) -> Self {
        let (policies, iterate) = definition.policies();
        let policies: BTreeMap<u32, Policy> =
            policies.iter().map(|(node, policy)| (*node, policy.clone())).collect();
        Self { text, graph: definition.graph().clone(), policies, iterate, turns: definition.turns() }
    }

    pub(super) fn into_definition(self) -> Definition {
        let policies: HashMap<u32, Policy> = self.policies.into_iter().collect();
        Definition::of_parts(self.graph, policies, self.iterate, self.turns)
    }
}

/// The state that a history makes, and what of it nobody has done yet.
pub(super) fn replay(
    definition: &Definition,
    state: &mut State,
    records: &[Record],
    commands: &mut Vec<Command>,
) {
    replay_telling(definition, state, records, commands, |_, _| {});
}

/// When each attempt was begun: by whoever wrote what it follows from, or took on what was left to be done.
pub(super) fn begun(definition: &Definition, records: &[Record]) -> HashMap<(Place, u32), Time> {
    let (mut state, mut begun) = (State::new(definition), HashMap::new());
    replay_telling(definition, &mut state, records, &mut Vec::new(), |at, command| {
        if let Command::Start { place, attempt, .. } = command {
            begun.insert((place, attempt), at);
        }
    });
    begun
}

/// A replay that tells what was done, and when.
fn replay_telling(
    definition: &Definition,
    state: &mut State,
    records: &[Record],
    commands: &mut Vec<Command>,
    mut done: impl FnMut(Time, Command),
) {
    for record in records {
        let before = commands.len();
        for cause in &record.causes {
            // What was recorded had an effect; should it have none, there is nothing to be done either.
            let _ = step(definition, state, record.at, cause.clone(), commands);
        }
        if !record.unowned {
            let first = if record.leaves { before } else { 0 };
            commands.drain(first..).for_each(|command| done(record.at, command));
        }
    }
}
