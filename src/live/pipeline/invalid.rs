//! Why a declaration is refused.

use serde::Serialize;
use std::fmt;

/// Why a declaration is refused. What was declared before stays in force.
///
/// Written `4:13: jobs[0].stages[1].batch.most: must be 1 to 10000, not 0`, without the place in the text if there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct InvalidPipelines {
    /// Line and column in the text, from 1.
    pub at: Option<(usize, usize)>,
    /// Where in the declaration, such as `jobs[0].stages[1].batch.most`; empty if it is none at all.
    pub path: String,
    /// What is wrong, and what to do.
    pub message: String,
}

impl InvalidPipelines {
    pub(super) fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { at: None, path: path.into(), message: message.into() }
    }

    pub(super) fn at(mut self, at: Option<(usize, usize)>) -> Self {
        self.at = self.at.or(at);
        self
    }
}

impl fmt::Display for InvalidPipelines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((line, column)) = self.at {
            write!(f, "{line}:{column}: ")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for InvalidPipelines {}
