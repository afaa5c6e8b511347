//! What can be wrong with a configuration.

use super::Origin;
use crate::hint;
use std::fmt;
use std::path::PathBuf;

/// A configuration that cannot be used.
///
/// Nothing is retried: each of these is mended by a person, and the message says where and how.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be read, or one that was asked for is not there.
    #[error("cannot read the configuration file `{}`", file.display())]
    Read {
        /// The file, as it was named.
        file: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is not YAML, or not YAML that is only data. Nothing of it is used.
    #[error("{}:{line}:{column}: {message}", file.display())]
    Syntax {
        /// The file, as it was named.
        file: PathBuf,
        /// The line, from 1.
        line: u64,
        /// The column in characters, from 1.
        column: u64,
        /// What was met there.
        message: String,
    },
    /// Keys that do not exist or values that do not fit, all of them.
    #[error("{}", lines(.0))]
    Invalid(Vec<Problem>),
    /// A key that was asked for has no value.
    #[error("the configuration has no `{key}`{}: set it in config.yaml or as {}", suggestion(.near.as_deref()), variable(.key))]
    Missing {
        /// The dotted key.
        key: String,
        /// A key that is set and is spelled much the same.
        near: Option<String>,
    },
}

/// One key that is wrong, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Problem {
    /// The dotted key.
    pub key: String,
    /// Who gave it.
    pub origin: Origin,
    /// What is wrong.
    pub message: String,
    /// What to do about it, where that is known.
    pub help: Option<String>,
}

impl Problem {
    pub(super) fn new(key: impl Into<String>, origin: &Origin, message: impl Into<String>) -> Self {
        Self { key: key.into(), origin: origin.clone(), message: message.into(), help: None }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.origin, self.message)?;
        self.help.iter().try_for_each(|help| write!(f, "; {help}"))
    }
}

impl Error {
    /// The wrong keys one by one; none where the file could not be read at all or a key is missing.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Invalid(problems) => problems,
            _ => &[],
        }
    }

    /// A key that is not set, with the nearest of those that are.
    pub(super) fn missing<'a>(key: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let near = hint::nearest(key, known).map(String::from);
        Self::Missing { key: key.to_owned(), near }
    }
}

/// A key as it is written for whoever gave it: a variable for the environment, dotted for everybody else.
pub(super) fn spelled(key: &str, origin: &Origin) -> String {
    match origin {
        Origin::Variable { .. } => variable(key),
        _ => key.to_owned(),
    }
}

/// The variable that sets a dotted key.
pub(super) fn variable(key: &str) -> String {
    format!("MAPE_{}", key.replace('.', "__").to_uppercase())
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn suggestion(near: Option<&str>) -> String {
    near.map(|near| format!(" (did you mean `{near}`?)")).unwrap_or_default()
}
