//! The parameters of a built-in task.

use super::super::{Invocation, TaskError, Template, duration};
use super::known::{Known, missing, unknown_among};
use serde_json::{Map, Value};
use std::time::Duration;

/// The parameters of an invocation, all of which have to be known; texts among them are templates over `input` and
/// `parameters`.
pub(super) struct Parameters<'i> {
    invocation: &'i Invocation,
    given: Map<String, Value>,
}

impl<'i> Parameters<'i> {
    pub(super) fn of(invocation: &'i Invocation, known: &[Known]) -> Result<Self, TaskError> {
        let given = match invocation.parameters() {
            Value::Object(given) => given.clone(),
            _ => Map::new(),
        };
        if let Some(unknown) = unknown_among(invocation.parameters(), known).first() {
            return Err(wrong(&format!("{}{unknown}", invocation.base())));
        }
        Ok(Self { invocation, given })
    }

    /// Lets the input state some that the flow does not.
    #[cfg(feature = "http-client")]
    pub(super) fn take_from_input(&mut self, names: &[&str]) {
        for name in names {
            if let Some(value) = self.invocation.input().get(name)
                && !self.given.contains_key(*name)
            {
                self.given.insert((*name).to_owned(), value.clone());
            }
        }
    }

    /// The parameter as it was written.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.given.get(name).filter(|value| !value.is_null())
    }

    /// The parameter, with the templates in it filled in.
    pub(super) fn value(&self, name: &str) -> Result<Option<Value>, TaskError> {
        self.get(name).map(|value| self.filled(name, value)).transpose()
    }

    /// A text; numbers count as such.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, TaskError> {
        match self.value(name)? {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(other) => Err(wrong(&format!("the parameter `{name}` is a text, not {other}"))),
        }
    }

    pub(super) fn needed(&self, name: &str) -> Result<String, TaskError> {
        let text = self.text(name)?.filter(|text| !text.is_empty());
        text.ok_or_else(|| wrong(&format!("{}{}", self.invocation.base(), missing(name))))
    }

    pub(super) fn flag(&self, name: &str, without: bool) -> Result<bool, TaskError> {
        match self.get(name) {
            None => Ok(without),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(other) => Err(wrong(&format!("the parameter `{name}` is true or false, not {other}"))),
        }
    }

    pub(super) fn duration(&self, name: &str) -> Result<Option<Duration>, TaskError> {
        let Some(value) = self.value(name)? else { return Ok(None) };
        let wrong = || wrong(&format!("the parameter `{name}` is seconds or a text like 5m30s, not {value}"));
        duration(&value).map(Some).ok_or_else(wrong)
    }

    /// A text or a list of texts.
    pub(super) fn texts(&self, name: &str) -> Result<Vec<String>, TaskError> {
        let wrong = |other: &Value| wrong(&format!("the parameter `{name}` is a list of texts, not {other}"));
        let text = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
            _ => None,
        };
        match self.value(name)? {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => {
                items.iter().map(|item| text(item).ok_or_else(|| wrong(item))).collect()
            }
            Some(one) => Ok(vec![text(&one).ok_or_else(|| wrong(&one))?]),
        }
    }

    /// What templates are filled with.
    pub(super) fn data(&self) -> [(&'static str, &Value); 2] {
        [("input", self.invocation.input()), ("parameters", self.invocation.parameters())]
    }

    fn filled(&self, name: &str, value: &Value) -> Result<Value, TaskError> {
        filled(value, &|text| Ok(Template::parse(text)?.fill(&self.data())?))
            .map_err(|error: TaskError| TaskError::for_good(format!("`{name}`: {}", error.reason())))
    }
}

/// A value with every text in it replaced.
pub(super) fn filled(
    value: &Value,
    fill: &dyn Fn(&str) -> Result<String, TaskError>,
) -> Result<Value, TaskError> {
    Ok(match value {
        Value::String(text) => Value::String(fill(text)?),
        Value::Array(items) => {
            Value::Array(items.iter().map(|item| filled(item, fill)).collect::<Result<_, _>>()?)
        }
        Value::Object(object) => {
            let fields = object.iter().map(|(key, value)| Ok((key.clone(), filled(value, fill)?)));
            Value::Object(fields.collect::<Result<_, TaskError>>()?)
        }
        other => other.clone(),
    })
}

/// What another attempt cannot mend.
pub(super) fn wrong(reason: &str) -> TaskError {
    TaskError::for_good(reason)
}
