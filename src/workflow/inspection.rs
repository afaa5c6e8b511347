//! All there is to know of a run.

use super::history::Loaded;
use super::slot::Phase;
use super::status::{Failure, Status};
use super::{Command, Place, RunId, Time, Waiting, definition};
use crate::flow::NodeKind;
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// All there is to know of a run.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema), schema(as = Run))]
#[non_exhaustive]
pub struct Inspection {
    /// Its id, in the short form.
    #[serde(serialize_with = "short")]
    #[cfg_attr(feature = "http", schema(value_type = String))]
    pub id: RunId,
    /// How far it is.
    #[serde(rename = "state")]
    pub status: Status,
    /// Whether nothing starts until it is resumed.
    pub paused: bool,
    /// Whether an engine has it in hand; nothing goes on in it otherwise.
    pub in_hand: bool,
    /// When it began.
    pub began: Option<String>,
    /// When it was over.
    pub ended: Option<String>,
    /// Its output.
    #[cfg_attr(feature = "http", schema(value_type = Option<Value>))]
    pub output: Option<Arc<Value>>,
    /// What failed for good.
    pub failures: Vec<Failure>,
    /// Its steps: every task, in the order of the flow, and then those of items in work.
    pub steps: Vec<Inspected>,
}

pub(super) fn short<S: serde::Serializer>(id: &RunId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(id.short())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
pub(super) fn is_zero(part: &u32) -> bool {
    *part == 0
}

#[expect(clippy::ref_option, reason = "serde calls it so")]
fn seconds<S: serde::Serializer>(time: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_some(&time.unwrap_or_default().as_secs())
}

/// A step of a run.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema), schema(as = RunStep))]
#[non_exhaustive]
pub struct Inspected {
    /// The index of its node.
    pub index: u32,
    /// The part of the run it is in: 0 outside of iterations, see [`Place`](super::Place).
    #[serde(skip_serializing_if = "is_zero")]
    pub part: u32,
    /// Which items of iterations it is for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<u32>,
    /// What it is: its task as the flow writes it, or what else.
    pub name: String,
    /// Whether it invokes a task.
    pub task: bool,
    /// How far it is.
    pub phase: Phase,
    /// The number of its last start.
    pub attempt: u32,
    /// When it was started.
    pub started: Option<String>,
    /// When it ended.
    pub ended: Option<String>,
    /// Its output.
    #[cfg_attr(feature = "http", schema(value_type = Option<Value>))]
    pub output: Option<Arc<Value>>,
    /// For how long nobody has taken its attempt, which is to run.
    #[serde(skip_serializing_if = "Option::is_none", rename = "untaken_seconds", serialize_with = "seconds")]
    #[cfg_attr(feature = "http", schema(value_type = Option<u64>))]
    pub untaken: Option<Duration>,
    /// Why the last attempt failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What it waits for, where that is no work: a time, an event, a latch, a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
}

impl Inspection {
    pub(super) fn of(id: &RunId, loaded: &Loaded, in_hand: bool, now: Time) -> Self {
        let nobody_started = |at: Place| {
            let is_it = |fresh: &Command| matches!(fresh, Command::Start { place, .. } if *place == at);
            !in_hand || loaded.fresh.iter().any(is_it)
        };
        let (state, graph) = (&loaded.state, loaded.definition.graph());
        let written = |time: Option<Time>| time.map(|time| time.to_string());
        let mut slots: Vec<_> = state.all_slots().collect();
        slots.sort_by_key(|(place, _)| (place.part, place.node));
        let steps = slots.into_iter().map(|(place, slot)| {
            let (started, ended) = state.times(place);
            let kind = graph.node(place.index()).map(crate::flow::Node::kind);
            let task = match kind {
                Some(NodeKind::Task { alias: Some(alias), .. }) => Some(&**alias),
                _ => kind.and_then(definition::task_of),
            };
            Inspected {
                index: place.node,
                part: place.part,
                items: state.items(place.part),
                name: task.map_or_else(|| graph.label(place.index()), str::to_owned),
                task: task.is_some(),
                phase: slot.phase,
                attempt: slot.attempt,
                started: written(started),
                ended: written(ended),
                output: slot.output.clone(),
                untaken: (slot.phase == Phase::Active && nobody_started(place))
                    .then(|| now.since(started.unwrap_or(now))),
                reason: slot.reason.as_deref().map(str::to_owned),
                waiting: kind.filter(|_| slot.phase == Phase::Active).and_then(|kind| {
                    let (task, parameters) = (definition::task_of(kind)?, definition::parameters_of(kind));
                    let input = state.input(&loaded.definition, place);
                    Waiting::of(task, &parameters, &input, slot.started)
                }),
            }
        });
        Self {
            id: id.clone(),
            status: state.status(),
            in_hand,
            paused: state.is_paused(),
            began: written(state.began()),
            ended: written(state.ended()),
            output: state.output().cloned(),
            failures: state.failures().to_vec(),
            steps: steps.collect(),
        }
    }
}
