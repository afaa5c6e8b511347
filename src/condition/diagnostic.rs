//! What is wrong with a condition, and where.

use super::Error;
use serde::Serialize;
use std::fmt;
use std::ops::Range;

/// What is wrong with a condition, where, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    message: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pointer: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
}

impl Diagnostic {
    /// What is wrong.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// In a text, the line; the first is 1.
    #[must_use]
    pub fn line(&self) -> Option<u32> {
        self.line
    }

    /// In a text, the character of the line; the first is 1.
    #[must_use]
    pub fn column(&self) -> Option<u32> {
        self.column
    }

    /// In JSON, the place as a JSON pointer, such as `/0/2`; empty for the whole of it.
    #[must_use]
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// How to mend it.
    #[must_use]
    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// About a part of a text, in bytes.
    pub(super) fn in_text(text: &str, range: &Range<usize>, message: impl Into<String>) -> Self {
        let before = text.get(..range.start).unwrap_or(text);
        let line = before.rsplit('\n').next().unwrap_or_default();
        let number = |count: usize| u32::try_from(count + 1).ok();
        Self {
            message: message.into(),
            pointer: String::new(),
            line: number(before.matches('\n').count()),
            column: number(line.chars().count()),
            help: None,
        }
    }

    /// About a place in JSON.
    pub(super) fn in_json(pointer: &str, message: impl Into<String>) -> Self {
        Self { message: message.into(), pointer: pointer.to_owned(), line: None, column: None, help: None }
    }

    pub(super) fn help_with(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(super) fn within(mut self, pointer: &str) -> Self {
        self.pointer.insert_str(0, pointer);
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.pointer.is_empty() {
            write!(f, "{}: ", self.pointer)?;
        }
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, "{line}:{column}: ")?;
        }
        f.write_str(&self.message)?;
        self.help.as_ref().map_or(Ok(()), |help| write!(f, " (help: {help})"))
    }
}

impl From<Diagnostic> for Error {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Invalid(diagnostic)
    }
}
