//! What a change of a run writes besides its record: events for those who work elsewhere, and littleflow's form of it.

use super::builtin::announced;
use super::keys::Names;
use super::state::{Mark, State};
use super::wire::{self, Wire};
use super::{Command, Definition, Place, RunId, Status, Time, definition, history, keys};
use crate::event::Event;
use crate::flow::NodeKind;
use crate::knowledge::Transaction;
use crate::stream::trace::TraceContext;
use serde_json::Value;
use std::collections::HashSet;

/// A change of a run, as far as it matters here.
pub(super) struct Change<'c> {
    pub(super) names: &'c Names,
    pub(super) id: &'c RunId,
    pub(super) definition: &'c Definition,
    /// After the change.
    pub(super) state: &'c State,
    pub(super) commands: &'c [Command],
    pub(super) at: Time,
    /// Whether a task is done in the process that makes this change; nothing if that starts nothing.
    pub(super) is_here: Option<&'c dyn Fn(Place) -> bool>,
    /// The steps whose outputs stand in littleflow's form already.
    pub(super) known: &'c HashSet<u32>,
    /// The trace to which the run belongs.
    pub(super) context: Option<&'c TraceContext>,
}

impl Change<'_> {
    /// Adds to a change what it writes besides its record; how the run stands in littleflow's form then, if it does.
    pub(super) fn add(&self, change: Transaction, wire: Option<&Wire>) -> (Transaction, Option<Wire>) {
        let marks: &[Mark] = self.state.marks.as_deref().unwrap_or_default();
        let (change, then) = match wire {
            Some(before) => {
                let of = (self.definition, self.state);
                let written = wire::written(change, self.id, of, (marks, self.known), (before, self.at));
                (self.failures(written.change), Some(written.then))
            }
            None => (change, None),
        };
        let change = self.announce(change);
        let is_here = |place: Place| self.is_here.is_none_or(|is_here| is_here(place));
        let change = announced(
            self.names,
            change,
            self.id,
            (self.definition, self.state),
            self.commands,
            self.at,
            &is_here,
        );
        (change, then)
    }

    fn failures(&self, change: Transaction) -> Transaction {
        let is_new = self.state.failures().last().is_some_and(|failure| failure.at == self.at);
        if is_new && let Some(failed) = wire::failures(self.definition, self.state) {
            return change.set(keys::failed(self.id), failed);
        }
        if self.commands.contains(&Command::Became(Status::Running)) {
            return change.del(keys::failed(self.id));
        }
        change
    }

    /// Tells those who work elsewhere what they have to do, and what not any more.
    fn announce(&self, mut change: Transaction) -> Transaction {
        let Some(is_here) = self.is_here else { return change };
        for command in self.commands {
            match command {
                Command::Start { place, attempt, input } if !is_here(*place) => {
                    if let Some(event) = self.start(*place, *attempt, input) {
                        change = change.append(&self.names.log, event.with("kind", "start-task").stamped());
                    }
                }
                Command::Cancel { place, attempt } if !is_here(*place) => {
                    let event = history::about("cancel-task", self.id).with("index", place.node);
                    change = change.append(&self.names.log, numbered(event, *place, *attempt).stamped());
                }
                _ => {}
            }
        }
        change
    }

    fn start(&self, place: Place, attempt: u32, input: &Value) -> Option<Event> {
        let kind = self.definition.graph().node(place.index())?.kind();
        let base = definition::task_of(kind)?;
        let name = match kind {
            NodeKind::Task { alias: Some(alias), .. } => alias,
            _ => base,
        };
        let event = Event::default()
            .with("name", name)
            .with("base", base)
            .with("index", place.node)
            .with("workflow", self.id.full())
            .with("parameters", Value::clone(&definition::parameters_of(kind)));
        let is_empty = match input {
            Value::Object(fields) => fields.is_empty(),
            Value::Array(items) => items.is_empty(),
            _ => false,
        };
        let event = if is_empty { event } else { event.with("input", input.clone()) };
        let event = numbered(event, place, attempt);
        let event = if place.part == 0 { event } else { event.with("items", self.state.items(place.part)) };
        // What begins with this event began when it was appended; but a command of Redis is known by when its step began,
        // in every attempt.
        let is_exact = base.starts_with("redis:");
        let since = self.state.times(place).0.filter(|since| is_exact || *since != self.at);
        let event = since.into_iter().fold(event, |event, since| event.with("since", since.micros()));
        Some(self.context.into_iter().fold(event, Event::traced_by))
    }
}

/// An event about an attempt that is not the first one at a step of the flow itself.
fn numbered(event: Event, place: Place, attempt: u32) -> Event {
    let event = if attempt > 1 { event.with("attempt", attempt) } else { event };
    if place.part == 0 { event } else { event.with("part", place.part) }
}
