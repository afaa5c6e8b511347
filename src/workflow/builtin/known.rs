//! The parameters that a built-in task has, and what is wrong with those that a flow states.

use super::super::{Policy, Task, Template, duration};
use crate::hint::nearest;
use serde_json::Value;

/// A parameter that a task has.
#[derive(Clone, Copy)]
pub(super) struct Known {
    pub(super) name: &'static str,
    is_needed: bool,
    /// Whether its texts are templates.
    is_template: bool,
    fits: Fits,
}

/// What a value should be that is not: the end of a sentence that begins with the parameter.
type Fits = fn(&Value) -> Result<(), String>;

/// What templates may be filled with.
const ROOTS: [&str; 4] = ["input", "parameters", "secrets", "callback"];

impl Known {
    /// One that the task cannot do without.
    pub(super) const fn needed(name: &'static str, fits: Fits) -> Self {
        Self { name, is_needed: true, is_template: true, fits }
    }

    /// One that may be left out.
    pub(super) const fn may(name: &'static str, fits: Fits) -> Self {
        Self { name, is_needed: false, is_template: true, fits }
    }

    /// One that may be left out, and is taken as it is written.
    pub(super) const fn raw(name: &'static str, fits: Fits) -> Self {
        Self { name, is_needed: false, is_template: false, fits }
    }

    /// What is wrong with a value, if that shows before it is filled in.
    fn check(&self, value: Option<&Value>) -> Result<(), String> {
        let Some(value) = value.filter(|value| !value.is_null()) else {
            return if self.is_needed { Err(missing(self.name)) } else { Ok(()) };
        };
        let at = |reason: String| format!(": the parameter `{}` {reason}", self.name);
        if !self.is_template {
            return (self.fits)(value).map_err(at);
        }
        match literal(value) {
            Ok(Some(Value::String(text))) if self.is_needed && text.is_empty() => Err(missing(self.name)),
            Ok(Some(value)) => (self.fits)(&value).map_err(at),
            Ok(None) => Ok(()),
            Err(reason) => Err(at(format!("is no template: {reason}"))),
        }
    }
}

impl Task {
    /// That it has these parameters and no others; `more` says what else is wrong with them, given the name of the task.
    pub(super) fn with_known(
        self,
        known: &'static [Known],
        more: impl Fn(&str, &Value) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.checked(move |name, parameters| {
            let mut wrong = wrong_among(parameters, known);
            wrong.extend(more(name, parameters));
            wrong
        })
    }
}

/// All that is wrong with the parameters of a task, as ends of sentences that begin with the task.
fn wrong_among(parameters: &Value, known: &[Known]) -> Vec<String> {
    let mut wrong = unknown_among(parameters, known);
    wrong.extend(known.iter().filter_map(|known| known.check(parameters.get(known.name)).err()));
    wrong
}

/// The parameters that a task does not have, likewise.
pub(super) fn unknown_among(parameters: &Value, known: &[Known]) -> Vec<String> {
    let given = match parameters {
        Value::Object(given) => given,
        Value::Null => return Vec::new(),
        other => return vec![format!(": its parameters have to be an object, not {other}")],
    };
    let names = || known.iter().map(|known| known.name);
    let is_known = |name: &str| Policy::PARAMETERS.contains(&name) || names().any(|known| known == name);
    let unknown = given.keys().filter(|name| !is_known(name)).map(|name| {
        let help = match nearest(name, names().chain(Policy::PARAMETERS)) {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => "it has none of its own".to_owned(),
            None => format!("there are {}", names().collect::<Vec<_>>().join(", ")),
        };
        format!(" has no parameter `{name}`: {help}")
    });
    unknown.collect()
}

/// That a parameter is needed.
pub(super) fn missing(name: &str) -> String {
    format!(" needs the parameter `{name}`")
}

/// A value without places for data; nothing if it has any.
pub(super) fn literal(value: &Value) -> Result<Option<Value>, String> {
    let all = |values: Vec<Option<Value>>| values.into_iter().collect::<Option<Vec<Value>>>();
    match value {
        Value::String(text) => {
            let template = Template::parse(text).map_err(|error| error.to_string())?;
            let mut roots = template.roots().peekable();
            if roots.peek().is_none() {
                return template.fill(&[]).map(|text| Some(text.into())).map_err(|error| error.to_string());
            }
            match roots.find(|root| !ROOTS.contains(root)) {
                Some(root) => {
                    Err(format!("there is no `{root}` to put in, but `input`; write `{{{{` for a brace"))
                }
                None => Ok(None),
            }
        }
        Value::Array(items) => {
            let items = items.iter().map(literal).collect::<Result<Vec<_>, _>>()?;
            Ok(all(items).map(Value::Array))
        }
        Value::Object(fields) => {
            let values = fields.values().map(literal).collect::<Result<Vec<_>, _>>()?;
            Ok(all(values).map(|values| Value::Object(fields.keys().cloned().zip(values).collect())))
        }
        other => Ok(Some(other.clone())),
    }
}

fn is(it_is: bool, what: &str, value: &Value) -> Result<(), String> {
    if it_is { Ok(()) } else { Err(format!("is {what}, not {value}")) }
}

#[expect(clippy::unnecessary_wraps, reason = "one of those below")]
pub(super) fn anything(_: &Value) -> Result<(), String> {
    Ok(())
}

pub(super) fn text(value: &Value) -> Result<(), String> {
    is(value.is_string() || value.is_number(), "a text", value)
}

pub(super) fn texts(value: &Value) -> Result<(), String> {
    let is_text = |value: &Value| value.is_string() || value.is_number() || value.is_boolean();
    let are_texts = value.as_array().map_or_else(|| is_text(value), |items| items.iter().all(is_text));
    is(are_texts, "a list of texts", value)
}

pub(super) fn flag(value: &Value) -> Result<(), String> {
    is(value.is_boolean(), "true or false", value)
}

pub(super) fn time(value: &Value) -> Result<(), String> {
    is(duration(value).is_some(), "seconds or a text like 5m30s", value)
}

pub(super) fn object(value: &Value) -> Result<(), String> {
    is(value.is_object(), "an object of texts", value)
}

/// One of some words.
pub(super) fn one_of(words: &[&str], value: &Value) -> Result<(), String> {
    is(value.as_str().is_some_and(|word| words.contains(&word)), &words.join(" or "), value)
}
