//! The event by which a task has ended.

use super::super::cause::Failed;
use super::super::input::shown;
use super::super::{Ended, Invocation, Outcome, keys};
use super::intake::Begins;
use crate::event::{Event, LogName};
use crate::knowledge::Transaction;
use serde_json::json;

/// An attempt that has ended, and what is to be said of it.
pub(super) struct End {
    pub(super) delivery: Begins,
    pub(super) invocation: Invocation,
    /// Whether its output stands beside the run, too, where programs of other kinds look for it.
    kept: bool,
    how: How,
}

enum How {
    /// With an output, as JSON; or without one.
    Done(Option<String>),
    Failed(Failed),
    Cancelled,
}

/// The longest output that an event carries, in bytes of JSON, if it is to be found elsewhere too.
const LONGEST: usize = 4096;

impl End {
    pub(super) fn of(delivery: Begins, ended: Ended, is_open: bool) -> Self {
        let how = match ended.outcome {
            // Another attempt may be at it by now: its output is not to be written over.
            _ if ended.invocation.is_cancelled() => How::Cancelled,
            None => How::Cancelled,
            Some(Outcome::Failed(failed)) => How::Failed(failed),
            Some(Outcome::Output(output)) if output.is_null() => How::Done(None),
            Some(Outcome::Output(output)) if output.is_object() || output.is_array() => {
                How::Done(Some(output.to_string()))
            }
            Some(Outcome::Output(output)) => {
                let given = shown(&output);
                let reason = format!("its output has to be an object or a list, and is {given}");
                How::Failed(Failed { reason, again: false })
            }
        };
        let kept = is_open && ended.invocation.place().part == 0;
        Self { delivery, invocation: ended.invocation, kept, how }
    }

    /// Which counter of a worker's task it goes to.
    pub(super) fn counted(&self) -> usize {
        match self.how {
            How::Done(_) => 0,
            How::Failed(_) => 1,
            How::Cancelled => 2,
        }
    }

    pub(super) fn cancelled(delivery: Begins, invocation: Invocation) -> Self {
        Self { delivery, invocation, kept: false, how: How::Cancelled }
    }

    pub(super) fn failed(delivery: Begins, invocation: Invocation, reason: String) -> Self {
        Self { delivery, invocation, kept: false, how: How::Failed(Failed { reason, again: true }) }
    }

    /// The same attempt with this for its end.
    pub(super) fn but_failed(&self, reason: String) -> Self {
        Self::failed(self.delivery.clone(), self.invocation.clone(), reason)
    }

    /// The event.
    pub(super) fn event(&self) -> Event {
        let Self { delivery, invocation, kept, how } = self;
        let event = Event::default()
            .with("name", invocation.name())
            .with("index", invocation.index())
            .with("workflow", invocation.workflow().full());
        // As the start had them, or not at all.
        let event = ["attempt", "part"].into_iter().fold(event, |event, name| {
            let said = delivery.event().get(name).filter(|said| !said.is_null());
            said.map_or(event.clone(), |said| event.with(name, said))
        });
        let event = match how {
            How::Done(output) => {
                let output = output.as_ref().filter(|json| json.len() <= LONGEST || !kept);
                let event = match output {
                    Some(json) => with_json(event, "output", json),
                    None => event,
                };
                event.with("status", "SUCCESS")
            }
            How::Failed(failed) => {
                let event = event.with("status", "FAILURE").with("reason", failed.reason.as_str());
                if failed.again { event } else { event.with("again", false) }
            }
            How::Cancelled => event.with("status", "CANCELLED"),
        };
        event.with("kind", "end-task").stamped()
    }

    /// All that an end is, except for whose it is to write it and that it is done.
    pub(super) fn written(&self, log: &LogName) -> Transaction {
        let output = match &self.how {
            How::Done(Some(output)) if self.kept => Some(output),
            _ => None,
        };
        let transaction = match output {
            Some(json) => Transaction::new()
                .set(keys::output(self.invocation.workflow(), self.invocation.index().into()), json.as_str()),
            None => Transaction::new(),
        };
        transaction.append(log, self.event())
    }
}

fn with_json(event: Event, name: &str, json: &str) -> Event {
    // It was made of a JSON value.
    event.clone().with_json(name, json.to_owned()).unwrap_or(event)
}

/// The dead letter of a start that can never be done, and where it goes.
pub(super) fn dead_letter(delivery: &Begins, attempts: u64, reason: &str) -> (LogName, Event) {
    let consumer = delivery.consumer();
    let at = Event::default().stamped().get("at");
    let dead = json!({
        "log": consumer.log,
        "group": consumer.group,
        "id": delivery.id(),
        "attempts": attempts,
        "reason": reason,
        "at": at,
    });
    (consumer.log.dead(), delivery.event().clone().with("dead", dead))
}
