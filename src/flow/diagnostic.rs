//! One thing that is wrong with a text.

use serde::Serialize;
use std::fmt;
use std::ops::Range;

/// One thing that is wrong with a text, where, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    pub(super) severity: Severity,
    pub(super) code: Code,
    pub(super) message: String,
    pub(super) line: u32,
    pub(super) column: u32,
    pub(super) help: Option<String>,
    /// What is to be marked, in bytes of the text.
    #[serde(skip)]
    pub(super) range: (u32, u32),
    /// The exact place in what is marked.
    #[serde(skip)]
    pub(super) point: Option<u32>,
}

/// Whether a text can be used in spite of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// There is no graph.
    Error,
    /// There is a graph, which is most likely not what was meant.
    Warning,
}

/// What kind of thing is wrong; as text its name in lower case with hyphens, such as `unknown-label`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Code {
    /// Something else was expected here.
    Syntax,
    /// A literal, guard, documentation or URI has no end.
    Unclosed,
    /// There is nothing to do in the flow.
    Empty,
    /// A literal is no YAML or no JSON, or not of a kind that can stand there.
    Literal,
    /// A guard is no JSON path.
    Guard,
    /// A declaration is of no known kind, twice there, or has what it cannot have.
    Declaration,
    /// Declarations lead back to themselves.
    Recursion,
    /// Parameters do not fit to their defaults.
    Parameters,
    /// A label that nothing else of the same flow has.
    UnknownLabel,
    /// A label that something else of the same flow has already.
    DuplicateLabel,
    /// `:start` or `:end` where they cannot stand.
    ReservedLabel,
    /// The text is larger, or nested deeper, than is taken.
    Limit,
    /// The text is no UTF-8.
    Encoding,
    /// A warning: a label that belongs to a task in another line, or a `>` that looks as if an arrow was meant.
    MisleadingLayout,
    /// A warning: a label that connects nothing.
    UnusedLabel,
    /// A warning: a declaration of a task that nothing invokes.
    UnusedDeclaration,
    /// A warning: parameters that reach no task.
    UnusedParameters,
    /// A warning: of several values with one key, only the last counts.
    DuplicateKey,
    /// A warning: no way leads here from the start.
    Unreachable,
    /// A warning: it waits for something that never comes.
    NeverReady,
    /// A warning: a cycle that nothing leaves.
    EndlessCycle,
}

impl Diagnostic {
    /// Whether the text can be used in spite of it.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// What kind of thing is wrong.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    /// What is wrong.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The line; the first is 1.
    #[must_use]
    pub fn line(&self) -> u32 {
        self.line
    }

    /// The character of the line; the first is 1. Behind the last character of a text, one more than that.
    #[must_use]
    pub fn column(&self) -> u32 {
        self.column
    }

    /// How to mend it.
    #[must_use]
    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// The part of the text, in bytes, that is wrong.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        self.range.0 as usize..self.range.1 as usize
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)?;
        match &self.help {
            Some(help) => write!(f, " (help: {help})"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

impl Code {
    /// All kinds, errors first.
    pub const ALL: &'static [Self] = &[
        Self::Syntax,
        Self::Unclosed,
        Self::Empty,
        Self::Literal,
        Self::Guard,
        Self::Declaration,
        Self::Recursion,
        Self::Parameters,
        Self::UnknownLabel,
        Self::DuplicateLabel,
        Self::ReservedLabel,
        Self::Limit,
        Self::Encoding,
        Self::MisleadingLayout,
        Self::UnusedLabel,
        Self::UnusedDeclaration,
        Self::UnusedParameters,
        Self::DuplicateKey,
        Self::Unreachable,
        Self::NeverReady,
        Self::EndlessCycle,
    ];

    /// Its name, such as `unknown-label`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::Unclosed => "unclosed",
            Self::Empty => "empty",
            Self::Literal => "literal",
            Self::Guard => "guard",
            Self::Declaration => "declaration",
            Self::Recursion => "recursion",
            Self::Parameters => "parameters",
            Self::UnknownLabel => "unknown-label",
            Self::DuplicateLabel => "duplicate-label",
            Self::ReservedLabel => "reserved-label",
            Self::Limit => "limit",
            Self::Encoding => "encoding",
            Self::MisleadingLayout => "misleading-layout",
            Self::UnusedLabel => "unused-label",
            Self::UnusedDeclaration => "unused-declaration",
            Self::UnusedParameters => "unused-parameters",
            Self::DuplicateKey => "duplicate-key",
            Self::Unreachable => "unreachable",
            Self::NeverReady => "never-ready",
            Self::EndlessCycle => "endless-cycle",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
