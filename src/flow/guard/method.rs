//! What littleflow's language can do with a value behind a dot: `.length()`.

use super::evaluate::{Costly, Found, Run};
use super::query::Operand;
use serde_json::Value;

/// A call behind a path.
#[derive(Debug)]
pub(super) enum Method {
    Length,
    Keys,
    Values,
    Entries,
    CharAt(Operand),
    Substring(Operand, Option<Operand>),
}

impl Method {
    /// The method of that name, or what is wrong with it.
    pub(super) fn new(name: &str, arguments: Vec<Operand>) -> Result<Self, String> {
        let count = arguments.len();
        let mut arguments = arguments.into_iter();
        let (method, takes) = match (name, count) {
            ("length" | "keys" | "values" | "entries", 0) => {
                let method = match name {
                    "length" => Self::Length,
                    "keys" => Self::Keys,
                    "values" => Self::Values,
                    _ => Self::Entries,
                };
                (Some(method), "")
            }
            ("length" | "keys" | "values" | "entries", _) => (None, "no argument"),
            ("charAt", 1) => (arguments.next().map(Self::CharAt), ""),
            ("charAt", _) => (None, "one number"),
            ("substring", 1 | 2) => {
                let end = |mut rest: std::vec::IntoIter<Operand>| rest.next();
                (arguments.next().map(|start| Self::Substring(start, end(arguments))), "")
            }
            ("substring", _) => (None, "one number or two"),
            _ => {
                return Err(format!(
                    "there is no function `{name}()`; there are length, keys, values, entries, charAt and substring"
                ));
            }
        };
        method.ok_or_else(|| format!("`{name}()` takes {takes}, not {count} arguments"))
    }

    /// Hands over what it makes of a value, if it can make anything of it.
    pub(super) fn apply(&self, run: &Run<'_>, value: &Value, found: Found<'_>) -> Result<bool, Costly> {
        let made = match (self, value) {
            (Self::Length, Value::Array(items)) => items.len().into(),
            (Self::Length, Value::String(text)) => {
                run.spend(text.len())?;
                text.chars().count().into()
            }
            (Self::Keys, Value::Object(map)) => {
                run.spend(map.len())?;
                map.keys().cloned().collect()
            }
            (Self::Keys, Value::Array(items)) => {
                run.spend(items.len())?;
                (0..items.len()).collect()
            }
            (Self::Values, Value::Object(map)) => {
                run.spend_on(value)?;
                map.values().cloned().collect()
            }
            (Self::Values, Value::Array(_)) => return found(value),
            (Self::Entries, Value::Object(map)) => {
                run.spend_on(value)?;
                map.iter().map(|(key, value)| Value::Array(vec![key.clone().into(), value.clone()])).collect()
            }
            (Self::Entries, Value::Array(items)) => {
                run.spend_on(value)?;
                items
                    .iter()
                    .enumerate()
                    .map(|(at, value)| Value::Array(vec![at.into(), value.clone()]))
                    .collect()
            }
            (Self::CharAt(at), Value::String(text)) => {
                return run.each_operand(at, value, &mut |at| {
                    run.spend(text.len())?;
                    let length = text.chars().count();
                    let at = at.as_i64().and_then(|at| place(at, length));
                    match at.and_then(|at| text.chars().nth(at)) {
                        Some(char) => found(&char.to_string().into()),
                        None => Ok(false),
                    }
                });
            }
            (Self::Substring(start, end), Value::String(text)) => {
                return run.each_operand(start, value, &mut |start| {
                    let Some(start) = start.as_i64() else { return Ok(false) };
                    let mut part = |end: Option<i64>| {
                        run.spend(text.len())?;
                        found(&substring(text, start, end).into())
                    };
                    match end {
                        None => part(None),
                        Some(end) => run.each_operand(end, value, &mut |end| match end.as_i64() {
                            Some(end) => part(Some(end)),
                            None => Ok(false),
                        }),
                    }
                });
            }
            _ => return Ok(false),
        };
        found(&made)
    }
}

/// Where an index lies that counts from the end if it is negative.
pub(super) fn place(index: i64, length: usize) -> Option<usize> {
    let length = i64::try_from(length).ok()?;
    let place = if index < 0 { index.checked_add(length)? } else { index };
    usize::try_from(place).ok().filter(|_| place < length)
}

fn substring(text: &str, start: i64, end: Option<i64>) -> String {
    let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    let clip = |at: i64| (if at < 0 { at.saturating_add(length) } else { at }).clamp(0, length);
    let (start, end) = (clip(start), clip(end.unwrap_or(length)));
    let count = usize::try_from(end.saturating_sub(start)).unwrap_or(0);
    text.chars().skip(usize::try_from(start).unwrap_or(0)).take(count).collect()
}
