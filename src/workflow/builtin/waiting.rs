//! What a step in work waits for, as far as its parameters say.

use super::super::{Template, Time, duration};
use super::answer::APPROVE;
use super::parameters::filled;
use serde::Serialize;
use serde_json::Value;
use std::fmt;

/// What a step in work waits for, where that is no work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema), schema(as = TaskWait))]
#[non_exhaustive]
pub struct Waiting {
    /// What kind of thing.
    #[serde(rename = "for")]
    pub waits_for: WaitsFor,
    /// What exactly: the question, the kind of the event, the name of the latch.
    pub what: String,
    /// Who may answer, as the flow names them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub who: Vec<String>,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// For what a step can wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema), schema(as = TaskWaitKind))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WaitsFor {
    /// The answer of a person.
    Person,
    /// An event.
    Event,
    /// A latch that others hold.
    Latch,
    /// A time.
    Time,
    /// Whoever was asked by a request that is not answered at once.
    Callback,
}

impl Waiting {
    /// What a task waits for that began at a time with these parameters and this input, if it is one that waits.
    pub(in super::super) fn of(task: &str, parameters: &Value, input: &Value, since: Time) -> Option<Self> {
        let data = [("input", input), ("parameters", parameters)];
        let parameter = |name: &str| {
            let value = parameters.get(name)?;
            // What cannot be filled in fails the task, and is of no interest here.
            let fill = |text: &str| Ok(Template::parse(text)?.fill(&data)?);
            Some(filled(value, &fill).unwrap_or_else(|_| value.clone()))
        };
        let text = |name: &str| match parameter(name) {
            Some(Value::String(text)) => text,
            other => other.map(|value| value.to_string()).unwrap_or_default(),
        };
        let after = |name: &str| Some(since.after(duration(&parameter(name)?)?).to_string());
        let (waits_for, what, until) = match task {
            "wait:delay" => (WaitsFor::Time, text("duration"), after("duration")),
            "wait:event" => (WaitsFor::Event, text("event"), after("timeout")),
            "wait:countdown" => (WaitsFor::Latch, text("name"), after("timeout")),
            APPROVE => (WaitsFor::Person, text("question"), after("timeout")),
            task if task.starts_with("request:") && parameters.get("sync") == Some(&Value::Bool(false)) => {
                // As it was written: what is put in may be secret.
                let url = parameters.get("url").and_then(Value::as_str).unwrap_or_default();
                (WaitsFor::Callback, url.to_owned(), None)
            }
            _ => return None,
        };
        let who = match parameter("who").filter(|_| task == APPROVE) {
            Some(Value::Array(who)) => who.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            Some(Value::String(who)) => vec![who],
            _ => Vec::new(),
        };
        Some(Self { waits_for, what, who, until })
    }
}

/// As it goes on behind the name of a step.
impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.waits_for {
            WaitsFor::Person if self.who.is_empty() => write!(f, "waits for a person: {}", self.what),
            WaitsFor::Person => write!(f, "waits for {}: {}", self.who.join(" or "), self.what),
            WaitsFor::Event => write!(f, "waits for the event {}", self.what),
            WaitsFor::Latch => write!(f, "waits for the latch {}", self.what),
            WaitsFor::Callback => write!(f, "waits for an answer to {}", self.what),
            WaitsFor::Time => write!(f, "waits {}", self.what),
        }?;
        self.until.as_ref().map_or(Ok(()), |until| write!(f, ", until {until}"))
    }
}
