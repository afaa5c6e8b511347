//! Why there is no condition, or no answer.

use super::Diagnostic;

/// Why there is no condition, or no answer. None of them goes away by trying again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It is no condition.
    #[error("reading a condition: {0}")]
    Invalid(Diagnostic),
    /// Judging a value would take more steps than were allowed.
    #[error("judging a value by a condition took more than {steps} steps: allow more, or ask for less")]
    OutOfSteps {
        /// How many were allowed.
        steps: u64,
    },
    /// What was to be judged cannot be written as JSON.
    #[error("judging a value by a condition: it cannot be written as JSON: {0}")]
    NoJson(String),
}

impl Error {
    /// What is wrong with the condition, and where.
    #[must_use]
    pub fn diagnostic(&self) -> Option<&Diagnostic> {
        match self {
            Self::Invalid(diagnostic) => Some(diagnostic),
            _ => None,
        }
    }

    /// What is wrong, with where a larger thing has it.
    pub(super) fn within(self, pointer: &str) -> Self {
        match self {
            Self::Invalid(diagnostic) => Self::Invalid(diagnostic.within(pointer)),
            other => other,
        }
    }
}
