//! Where in the log a wait for an event begins.

use super::super::keys::Names;
use super::super::{Command, Definition, Invocation, Place, RunId, State, Time, definition};
use crate::event::{Entry, Error, Event, EventId, Log};
use crate::knowledge::Transaction;
use parking_lot::Mutex;
use serde_json::Value;
use std::collections::HashMap;

/// The task that waits for an event.
pub(super) const EVENT: &str = "wait:event";
/// The event that marks where a wait begins.
const BEGAN: &str = "wait-began";

/// A change of a run with a mark in the log for each wait for an event that begins with it. So what comes before and
/// what behind is not a matter of clocks, of which there may be several.
pub(in super::super) fn announced(
    names: &Names,
    change: Transaction,
    id: &RunId,
    (definition, state): (&Definition, &State),
    commands: &[Command],
    at: Time,
    is_here: &dyn Fn(Place) -> bool,
) -> Transaction {
    let starts = commands.iter().filter_map(|command| match command {
        Command::Start { place, .. } => Some(*place),
        _ => None,
    });
    let waits = starts.filter(|place| {
        let node = definition.graph().node(place.index());
        node.and_then(|node| definition::task_of(node.kind())) == Some(EVENT)
    });
    // One that is done elsewhere begins with the event that says so.
    let waits = waits.filter(|place| is_here(*place));
    // Another attempt waits from where the first began.
    let waits = waits.filter(|place| state.times(*place).0 == Some(at));
    waits.fold(change, |change, place| {
        let wait = name(id, place, at);
        change.append(&names.log, Event::new(BEGAN).with("workflow", id.full()).with("wait", wait).stamped())
    })
}

/// A wait, the same for all attempts at the step.
fn name(id: &RunId, place: Place, since: Time) -> String {
    format!("{}/{}.{}@{}", id.full(), place.node, place.part, since.micros())
}

/// How far clocks may be apart: nearly always by no more than the first, in milliseconds.
const APART: [u64; 2] = [50, 10_000];
/// How many events are read at a time.
const PAGE: usize = 256;

/// The marks that were seen on the way to others: many waits may begin at once.
#[derive(Default)]
pub(super) struct Marks {
    seen: Mutex<HashMap<String, EventId>>,
}

impl Marks {
    /// How many are kept.
    const MOST: usize = 16 * 1024;

    /// Behind which event a step waits; nothing if that is no longer in the log.
    pub(super) async fn find(&self, log: &Log, invocation: &Invocation) -> Result<Option<EventId>, Error> {
        let wait = name(invocation.workflow(), invocation.place(), invocation.since());
        if let Some(seen) = self.seen.lock().remove(&wait) {
            return Ok(Some(seen));
        }
        let since = invocation.since().micros() / 1000;
        for apart in APART {
            let mut from = EventId::new(since.saturating_sub(apart), 0);
            let until = EventId::new(since.saturating_add(apart), 0);
            while from < until {
                let page = log.range(from, EventId::MAX, PAGE).await?;
                let Some(last) = page.last() else { break };
                from = last.id.next();
                if let Some(mark) = self.take(&page, &wait) {
                    return Ok(Some(mark));
                }
            }
        }
        Ok(None)
    }

    /// The mark of a wait, if it is among these events; the others are kept in mind.
    fn take(&self, page: &[Entry], wait: &str) -> Option<EventId> {
        let mut seen = self.seen.lock();
        // Those of waits that were found in another way, or that others have in hand.
        if seen.len() > Self::MOST {
            seen.clear();
        }
        for entry in page {
            let event = entry.event.as_ref().ok().filter(|event| event.is(BEGAN));
            if let Some(Value::String(name)) = event.and_then(|event| event.get("wait")) {
                // A wait that begins once is marked once; should it be twice, the first counts.
                seen.entry(name).or_insert(entry.id);
            }
        }
        seen.remove(wait)
    }
}
