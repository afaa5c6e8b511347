//! Where in the log a wait for an event begins.

use super::super::{Command, Definition, Invocation, RunId, State, definition, keys};
use crate::event::{Entry, Error, Event, EventId, Log};
use crate::knowledge::Transaction;
use serde_json::Value;

/// The task that waits for an event.
pub(super) const EVENT: &str = "wait:event";
/// The event that marks where a wait begins.
const BEGAN: &str = "wait-began";

/// A change of a run with a mark in the log for each wait for an event that begins with it. So what comes before and
/// what behind is not a matter of clocks, of which there may be several.
pub(in super::super) fn announced(
    change: Transaction,
    id: &RunId,
    definition: &Definition,
    state: &State,
    commands: &[Command],
) -> Transaction {
    let starts = commands.iter().filter_map(|command| match command {
        Command::Start { place, .. } => Some(*place),
        _ => None,
    });
    let waits = starts.filter(|place| {
        let node = definition.graph().node(place.index());
        node.and_then(|node| definition::task_of(node.kind())) == Some(EVENT)
    });
    waits.fold(change, |change, place| {
        let since = state.times(place).0.unwrap_or_default().micros();
        let mark = Event::new(BEGAN).with("workflow", id.full()).with("index", place.node);
        change.append(keys::LOG, mark.with("part", place.part).with("since", since).stamped())
    })
}

/// How far clocks may be apart: nearly always by no more than the first, in milliseconds.
const APART: [u64; 2] = [50, 10_000];
/// How many events are read at a time.
const PAGE: usize = 256;

/// Behind which event a step waits; nothing if that is no longer in the log.
pub(super) async fn began(log: &Log, invocation: &Invocation) -> Result<Option<EventId>, Error> {
    let since = invocation.since().micros();
    let is_mark = |entry: &Entry| {
        let Some(event) = entry.event.as_ref().ok().filter(|event| event.is(BEGAN)) else { return false };
        event.get("since") == Some(Value::from(since))
            && event.get("workflow") == Some(Value::from(invocation.workflow().full()))
            && event.get("index") == Some(Value::from(invocation.index()))
            && event.get("part") == Some(Value::from(invocation.place().part))
    };
    for apart in APART {
        let mut from = EventId::new((since / 1000).saturating_sub(apart), 0);
        let until = EventId::new((since / 1000).saturating_add(apart), 0);
        while from < until {
            let page = log.range(from, EventId::MAX, PAGE).await?;
            if let Some(mark) = page.iter().find(|entry| is_mark(entry)) {
                return Ok(Some(mark.id));
            }
            let Some(last) = page.last() else { break };
            from = last.id.next();
        }
    }
    Ok(None)
}
