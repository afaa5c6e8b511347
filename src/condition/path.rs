//! Where in the data a value is.

use super::lexer::{divided, unescaped};
use serde_json::Value;
use std::fmt;

/// The way to a value, step by step.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Path {
    steps: Box<[Step]>,
}

/// One step of a path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// A field of an object, or an item of a list.
    Key(Key),
    /// `*`: every field or item.
    Each,
    /// `**`: the value, and all within it at any depth.
    Deep,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Key {
    pub(super) text: Box<str>,
    /// The item of a list; from the end if it is below zero.
    pub(super) index: Option<i64>,
}

/// Steps that a path has at most.
pub(super) const MOST_STEPS: usize = 32;

impl Key {
    pub(super) fn new(text: &str) -> Self {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let plain = digits == "0" && digits.len() == text.len()
            || !digits.is_empty()
                && !digits.starts_with('0')
                && digits.bytes().all(|byte| byte.is_ascii_digit());
        Self { text: text.into(), index: if plain { text.parse().ok() } else { None } }
    }

    /// What is there, if the value is an object or a list and has it.
    pub(super) fn of<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        match value {
            Value::Object(fields) => fields.get(&*self.text),
            Value::Array(items) => items.get(resolved(self.index?, items.len())?),
            _ => None,
        }
    }
}

/// The place in a list of this length.
pub(super) fn resolved(index: i64, length: usize) -> Option<usize> {
    let from_end = usize::try_from(index.unsigned_abs()).ok()?;
    if index < 0 { length.checked_sub(from_end) } else { Some(from_end) }
}

impl Path {
    /// A path as it is written: steps with `.` between them, `*` and `**`; characters behind `\` mean themselves.
    pub(crate) fn parse(raw: &str) -> Result<Self, String> {
        let parts = divided(raw, '.');
        let alone = parts.len() == 1;
        let step = |part: &&str| match *part {
            "" if !alone => Err(format!("`{raw}` has a step without a name")),
            "*" => Ok(Step::Each),
            "**" => Ok(Step::Deep),
            part => Ok(Step::Key(Key::new(&unescaped(part)))),
        };
        Self::checked(parts.iter().map(step).collect::<Result<_, _>>()?)
    }

    /// A path as a list of steps, of texts and numbers alone.
    pub(super) fn of_list(list: &[Value]) -> Result<Self, String> {
        let step = |item: &Value| match item {
            Value::String(text) => match text.as_str() {
                "*" => Step::Each,
                "**" => Step::Deep,
                text => Step::Key(Key::new(text.strip_prefix('\\').unwrap_or(text))),
            },
            other => Step::Key(Key::new(&other.to_string())),
        };
        Self::checked(list.iter().map(step).collect())
    }

    /// One step of exactly this name.
    pub(super) fn single(name: &str) -> Self {
        Self { steps: Box::new([Step::Key(Key::new(name))]) }
    }

    fn checked(steps: Vec<Step>) -> Result<Self, String> {
        if steps.len() > MOST_STEPS {
            return Err(format!("a path has at most {MOST_STEPS} steps"));
        }
        // Several would try every pair of places.
        if steps.iter().filter(|step| **step == Step::Deep).count() > 1 {
            return Err("a path has `**` at most once".into());
        }
        Ok(Self { steps: steps.into() })
    }

    pub(super) fn steps(&self) -> &[Step] {
        &self.steps
    }

    pub(crate) fn is_wild(&self) -> bool {
        self.steps.iter().any(|step| !matches!(step, Step::Key(_)))
    }

    /// The same below another.
    pub(super) fn below(&self, above: &Self) -> Result<Self, String> {
        Self::checked(above.steps.iter().chain(&*self.steps).cloned().collect())
    }

    /// What a path without wildcards leads to.
    pub(crate) fn find<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        self.steps.iter().try_fold(value, |value, step| match step {
            Step::Key(key) => key.of(value),
            _ => None,
        })
    }

    /// As a list of steps.
    pub(super) fn to_list(&self) -> Vec<Value> {
        let step = |step: &Step| match step {
            Step::Each => "*".into(),
            Step::Deep => "**".into(),
            Step::Key(Key { index: Some(index), .. }) => Value::from(*index),
            Step::Key(Key { text, .. }) if matches!(&**text, "*" | "**") || text.starts_with('\\') => {
                format!("\\{text}").into()
            }
            Step::Key(Key { text, .. }) => (**text).into(),
        };
        self.steps.iter().map(step).collect()
    }

    /// As it is written, if it can be: an empty name stands alone, or in a list.
    pub(super) fn written(&self) -> Option<String> {
        let alone = self.steps.len() == 1;
        let nameless = |step: &Step| matches!(step, Step::Key(key) if key.text.is_empty());
        if !alone && self.steps.iter().any(nameless) {
            return None;
        }
        let steps: Vec<_> = self.steps.iter().map(ToString::to_string).collect();
        let mut written = steps.join(".");
        // What would be no path.
        let reserved =
            [":", "deep:", "env:", "dt:", "utc:"].into_iter().find(|start| written.starts_with(start));
        if let Some(reserved) = reserved {
            written.insert(reserved.len() - 1, '\\');
        }
        Some(written)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Each => f.write_str("*"),
            Self::Deep => f.write_str("**"),
            Self::Key(key) => {
                let stars = matches!(&*key.text, "*" | "**");
                for char in key.text.chars() {
                    if stars || char.is_whitespace() || matches!(char, '.' | '[' | ']' | '\\' | '"' | '\'') {
                        f.write_str("\\")?;
                    }
                    write!(f, "{char}")?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&*self.steps).finish()
    }
}
