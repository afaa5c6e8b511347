//! The event by which a task is to begin.

use super::super::invocation::Inner;
use super::super::{Invocation, Place, RunId, Time};
use super::hands::Begun;
use crate::event::{Event, EventId};
use crate::stream::trace::TraceContext;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tokio::sync::Notify;

/// The kind of such an event.
pub(super) const KIND: &str = "start-task";

/// What such an event says.
#[derive(Deserialize)]
pub(super) struct Start {
    name: String,
    base: Option<String>,
    index: u32,
    workflow: String,
    parameters: Option<Value>,
    input: Option<Value>,
    attempt: Option<NonZeroU32>,
    #[serde(default)]
    part: u32,
    #[serde(default)]
    items: Vec<u32>,
    since: Option<u64>,
    /// Not of an odd type either is a task refused for that.
    traceparent: Option<Value>,
    tracestate: Option<Value>,
}

impl Start {
    /// The task that is to begin, which decides who takes it.
    ///
    /// # Errors
    ///
    /// The end of a sentence about the event, if it names none.
    pub(super) fn task(event: &Event) -> Result<String, String> {
        let json = event.json("base").filter(|json| *json != "null").or_else(|| event.json("name"));
        let json = json.ok_or("it has no `name`")?;
        serde_json::from_str(json).map_err(|_| format!("the name of its task is no text but {json}"))
    }

    /// # Errors
    ///
    /// The end of a sentence about the event, if it is none of this kind.
    pub(super) fn read(event: &Event) -> Result<Self, String> {
        let start: Self = event.read().map_err(|error| error.to_string())?;
        if start.workflow.is_empty() {
            return Err("its `workflow` is empty".to_owned());
        }
        match &start.input {
            Some(input) if !(input.is_object() || input.is_array()) => {
                Err(format!("its `input` is neither an object nor a list but {input}"))
            }
            _ => Ok(start),
        }
    }

    /// The attempt that is to begin.
    pub(super) fn invocation(self, id: EventId, begun: Begun) -> Invocation {
        let empty = || Value::Object(Map::new());
        let name: Arc<str> = self.name.into();
        let state = self.tracestate.as_ref().and_then(Value::as_str);
        let parent = self.traceparent.as_ref().and_then(Value::as_str);
        let context = parent.and_then(|parent| TraceContext::parse(parent, state));
        Invocation::new(Inner {
            run: RunId::from(self.workflow),
            place: Place { node: self.index, part: self.part },
            items: self.items,
            attempt: self.attempt.map_or(1, NonZeroU32::get),
            base: self.base.map_or_else(|| name.clone(), Into::into),
            name,
            parameters: Arc::new(self.parameters.unwrap_or_else(empty)),
            input: Arc::new(self.input.unwrap_or_else(empty)),
            since: Time::from_micros(self.since.unwrap_or(id.millis.saturating_mul(1000))),
            cancelled: AtomicBool::new(false),
            elsewhere: AtomicBool::new(false),
            told: Notify::new(),
            begun: Some(begun),
            context,
        })
    }
}
