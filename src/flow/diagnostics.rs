//! All that is wrong with a text.

use super::diagnostic::{Code, Diagnostic, Severity};
use super::snippet::Snippets;
use super::token::Token;
use foldhash::HashSet;
use serde::Serialize;
use std::fmt::{self, Write};

/// More is not kept: nobody mends that many things by hand.
const MOST: usize = 1_000;

/// All that is wrong with a text, in the order of the text, as the same text gives it every time.
///
/// It has at most 1,000 entries; [`left_out`](Self::left_out) says how many more there were.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Diagnostics {
    #[serde(rename = "diagnostics")]
    list: Vec<Diagnostic>,
    #[serde(skip)]
    left_out: usize,
}

impl Diagnostics {
    /// One after the other.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Diagnostic> {
        self.list.iter()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is nothing to say.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many were found beyond those that are listed.
    #[must_use]
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// The errors; with any of them there is no graph.
    pub fn errors(&self) -> impl Iterator<Item = &Diagnostic> {
        self.list.iter().filter(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// The warnings.
    pub fn warnings(&self) -> impl Iterator<Item = &Diagnostic> {
        self.list.iter().filter(|diagnostic| diagnostic.severity == Severity::Warning)
    }

    /// For people: each with its line of `text`, a marker below it, and help. `name` is what the text is called, such
    /// as its file.
    #[must_use]
    pub fn report(&self, name: &str, text: &str) -> String {
        let snippets = Snippets::new(name, text);
        let mut report: String = self.list.iter().map(|diagnostic| snippets.show(diagnostic)).collect();
        if self.left_out > 0 {
            // Writing to a text cannot fail.
            let _ = writeln!(report, "and {} more", self.left_out);
        }
        report
    }

    /// How many errors and warnings there are, in words.
    #[must_use]
    pub fn summary(&self) -> String {
        let count = |count: usize, what: &str| match count {
            0 => None,
            1 => Some(format!("1 {what}")),
            _ => Some(format!("{count} {what}s")),
        };
        let counts = [count(self.errors().count(), "error"), count(self.warnings().count(), "warning")];
        counts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.iter()
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.list.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            diagnostic.fmt(f)?;
        }
        Ok(())
    }
}

/// Where diagnostics are collected.
#[derive(Default)]
pub(super) struct Sink {
    list: Vec<Diagnostic>,
    /// What has been said: a declared subflow is looked at each time it is invoked.
    said: HashSet<(u32, Code)>,
    left_out: usize,
    errors: usize,
}

/// One that was just collected, to be completed; nothing if it had been said before.
pub(super) struct Noted<'a>(Option<&'a mut Diagnostic>);

impl Sink {
    /// Whether there is any error.
    pub(super) fn has_errors(&self) -> bool {
        self.errors > 0
    }

    pub(super) fn error(
        &mut self,
        code: Code,
        range: (u32, u32),
        place: (u32, u32),
        message: impl Into<String>,
    ) -> Noted<'_> {
        self.note(Severity::Error, code, range, place, message.into())
    }

    pub(super) fn error_at(&mut self, code: Code, token: &Token, message: impl Into<String>) -> Noted<'_> {
        self.error(code, (token.start, token.end), (token.line, token.column), message)
    }

    pub(super) fn warn_at(&mut self, code: Code, token: &Token, message: impl Into<String>) -> Noted<'_> {
        let range = (token.start, token.end);
        self.note(Severity::Warning, code, range, (token.line, token.column), message.into())
    }

    fn note(
        &mut self,
        severity: Severity,
        code: Code,
        range: (u32, u32),
        (line, column): (u32, u32),
        message: String,
    ) -> Noted<'_> {
        if !self.said.insert((range.0, code)) {
            return Noted(None);
        }
        self.errors += usize::from(severity == Severity::Error);
        if self.list.len() >= MOST {
            self.left_out += 1;
            return Noted(None);
        }
        self.list.push(Diagnostic { severity, code, message, line, column, help: None, range, point: None });
        Noted(self.list.last_mut())
    }

    pub(super) fn finish(mut self) -> Diagnostics {
        self.list.sort_by_key(|diagnostic| (diagnostic.range.0, diagnostic.severity, diagnostic.code));
        Diagnostics { list: self.list, left_out: self.left_out }
    }
}

impl Noted<'_> {
    pub(super) fn help(self, help: impl Into<String>) -> Self {
        if let Some(diagnostic) = self.0 {
            diagnostic.help = Some(help.into());
            return Noted(Some(diagnostic));
        }
        self
    }

    /// Marks the exact place in what is marked.
    pub(super) fn point(self, at: u32) -> Self {
        if let Some(diagnostic) = self.0 {
            diagnostic.point = Some(at);
            return Noted(Some(diagnostic));
        }
        self
    }
}
