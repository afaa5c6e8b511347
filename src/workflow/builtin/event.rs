//! `wait:event`

use super::super::{Invocation, Task, TaskError};
use super::began::{EVENT, Marks};
use super::hub::{Hub, Taken, Wanted};
use super::known::{Known, anything, flag, text, texts, time};
use super::parameters::{Parameters, wrong};
use super::patience::{Patience, WAITS, stopped};
use super::{laid_over, own_parameters};
use crate::condition::Condition;
use crate::event::{Event, EventId};
use crate::flow::Guard;
use serde_json::{Map, Value};
use std::sync::Arc;

const KNOWN: [Known; 9] = [
    Known::needed("event", text),
    Known::may("match", matched),
    Known::raw("condition", guard),
    Known::raw("when", when),
    Known::may("fields", texts),
    Known::raw("receipt", flag),
    Known::raw("replay", flag),
    Known::may("timeout", time),
    Known::may("default", anything),
];

fn matched(value: &Value) -> Result<(), String> {
    let is = value.is_object() || value.as_str() == Some("input");
    if is { Ok(()) } else { Err(format!("is `input` or an object of fields, not {value}")) }
}

fn guard(value: &Value) -> Result<(), String> {
    let text = value.as_str().ok_or_else(|| format!("is a guard in quotes, not {value}"))?;
    Guard::parse(text).map(drop).map_err(|error| format!("is no guard: {error}"))
}

fn when(value: &Value) -> Result<(), String> {
    Condition::from_json(value).map(drop).map_err(|error| {
        let reason = error.diagnostic().map_or_else(|| error.to_string(), ToString::to_string);
        format!("is no condition: {reason}")
    })
}

/// Ends on the first event of a kind, after it began, that fits.
pub(super) fn task(hub: Arc<Hub>) -> Task {
    let marks = Arc::<Marks>::default();
    let task = Task::new(EVENT, move |invocation: Invocation| {
        let (hub, marks) = (hub.clone(), marks.clone());
        async move {
            let parameters = Parameters::of(&invocation, &KNOWN)?;
            let patience = Patience::of(&invocation, &parameters)?;
            let (kind, receipt) = (parameters.needed("event")?, parameters.flag("receipt", true)?);
            let wanted = wanted(&invocation, &parameters)?;
            let from = match invocation.begun_by().filter(|_| invocation.attempt() == 1) {
                _ if parameters.flag("replay", false)? => EventId::MIN,
                // The event that began it is where it begins.
                Some(start) => start.next(),
                None => match marks.find(hub.log(), &invocation).await? {
                    Some(mark) => mark.next(),
                    // The log has been shortened since: what is left is behind it.
                    None => EventId::new(invocation.since().micros() / 1000, 0),
                },
            };
            let taken = tokio::select! {
                biased;
                () = invocation.cancelled() => return Err(stopped()),
                taken = hub.first(&kind, from, wanted) => taken?,
                () = patience.over() => {
                    return patience.given_up(invocation.input(), &kind, &format!("an event `{kind}`"));
                }
            };
            let Taken { id, value } = taken;
            if receipt {
                hub.log().append(Event::receipt(id, "processed")).await?;
            }
            Ok(laid_over(invocation.input(), &value, "output").into())
        }
    });
    task.limit(WAITS).own_parameters(own_parameters(EVENT)).with_known(&KNOWN, |_, _| None)
}

/// Which event ends the wait, and what the step takes from it.
fn wanted(invocation: &Invocation, parameters: &Parameters<'_>) -> Result<Wanted, TaskError> {
    let fields = parameters.texts("fields")?;
    let condition = parameters.get("condition").map(|condition| match condition {
        Value::String(text) => Ok(Guard::parse(text)?),
        other => Err(wrong(&format!("the parameter `condition` is a guard in quotes, not {other}"))),
    });
    let condition = condition.transpose()?;
    let when = parameters.get("when").map(Condition::from_json).transpose();
    let when = when.map_err(|error| wrong(&error.to_string()))?;
    let expected = match parameters.value("match")? {
        None => Map::new(),
        Some(Value::String(word)) if word == "input" => first(invocation.input()),
        Some(Value::Object(expected)) => expected,
        Some(other) => {
            return Err(wrong(&format!(
                "the parameter `match` is `input` or an object of fields, not {other}"
            )));
        }
    };
    Ok(Arc::new(move |event: &Value| {
        let fits = expected.iter().all(|(name, value)| event.get(name) == Some(value))
            && condition.as_ref().is_none_or(|condition| condition.holds(event).unwrap_or(false))
            && when.as_ref().is_none_or(|when| when.holds(event));
        fits.then(|| taken(event, &fields))
    }))
}

/// The input, or its first item.
fn first(input: &Value) -> Map<String, Value> {
    let first = input.as_array().map_or(Some(input), |items| items.first());
    first.and_then(Value::as_object).cloned().unwrap_or_default()
}

/// What a step takes from an event: what it calls its output, and the fields it is asked for.
fn taken(event: &Value, fields: &[String]) -> Value {
    let output = event.get("output").unwrap_or(&Value::Null);
    let fields = fields.iter().filter_map(|name| Some((name.clone(), event.get(name)?.clone())));
    let fields: Map<String, Value> = fields.collect();
    if fields.is_empty() { output.clone() } else { laid_over(&Value::Object(fields), output, "output") }
}
