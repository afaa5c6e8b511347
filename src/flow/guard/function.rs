//! The functions of RFC 9535.

use super::evaluate::{Costly, Run};
use super::query::{Operand, Query};
use regex::{Regex, RegexBuilder};
use serde_json::Value;

/// What compiling a regular expression that the document holds counts as.
const COMPILING: usize = 10_000;

/// A call around a path.
#[derive(Debug)]
pub(super) enum Function {
    Length(Operand),
    Count(Query),
    Value(Query),
    /// `match()` if the whole text has to match, else `search()`.
    Matches {
        text: Operand,
        pattern: Pattern,
        whole: bool,
    },
}

/// A regular expression by RFC 9485.
#[derive(Debug)]
pub(super) enum Pattern {
    /// From the guard; nothing if it is none, then nothing matches.
    Known(Option<Regex>),
    /// From the document.
    Computed(Operand),
}

impl Function {
    /// What the function gives, if it gives anything.
    pub(super) fn value(&self, run: &Run<'_>, current: &Value) -> Result<Option<Value>, Costly> {
        match self {
            Self::Length(operand) => Ok(match run.single(operand, current)? {
                Some(Value::String(text)) => Some(text.chars().count().into()),
                Some(Value::Array(items)) => Some(items.len().into()),
                Some(Value::Object(map)) => Some(map.len().into()),
                _ => None,
            }),
            Self::Count(query) => {
                let mut count = 0_u64;
                run.each(query, current, &mut |_| {
                    count += 1;
                    Ok(false)
                })?;
                Ok(Some(count.into()))
            }
            Self::Value(query) => {
                let mut only = None;
                let mut count = 0;
                run.each(query, current, &mut |value| {
                    run.spend_on(value)?;
                    count += 1;
                    only = Some(value.clone());
                    Ok(count > 1)
                })?;
                Ok(only.filter(|_| count == 1))
            }
            Self::Matches { .. } => Ok(None),
        }
    }

    /// Whether it says yes.
    pub(super) fn holds(&self, run: &Run<'_>, current: &Value) -> Result<bool, Costly> {
        let Self::Matches { text, pattern, whole } = self else { return Ok(false) };
        let Some(Value::String(text)) = run.single(text, current)? else { return Ok(false) };
        run.spend(text.len())?;
        match pattern {
            Pattern::Known(regex) => Ok(regex.as_ref().is_some_and(|regex| regex.is_match(&text))),
            Pattern::Computed(operand) => {
                let Some(Value::String(pattern)) = run.single(operand, current)? else { return Ok(false) };
                run.spend(COMPILING)?;
                Ok(compile(&pattern, *whole).is_some_and(|regex| regex.is_match(&text)))
            }
        }
    }
}

impl Pattern {
    pub(super) fn new(operand: Operand, whole: bool) -> Self {
        match &operand {
            Operand::Value(Value::String(pattern)) => Self::Known(compile(pattern, whole)),
            _ => Self::Computed(operand),
        }
    }
}

/// A regular expression, unless it is none or a very large one.
fn compile(pattern: &str, whole: bool) -> Option<Regex> {
    const LARGEST: usize = 1 << 18;
    // A dot stands for anything but the ends of lines, of which our library knows one only.
    let mut translated = String::from(if whole { r"\A(?:" } else { "(?:" });
    let mut in_class = false;
    let mut chars = pattern.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => {
                translated.push('\\');
                translated.extend(chars.next());
                continue;
            }
            '[' => in_class = true,
            ']' => in_class = false,
            '.' if !in_class => {
                translated.push_str(r"[^\n\r]");
                continue;
            }
            _ => {}
        }
        translated.push(char);
    }
    translated.push_str(if whole { r")\z" } else { ")" });
    RegexBuilder::new(&translated).size_limit(LARGEST).dfa_size_limit(LARGEST).build().ok()
}
