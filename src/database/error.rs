//! What can go wrong with a database.

use crate::event;

/// Why something was not opened, prepared or written. No message holds a password.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A URL names no database. A retry does not help.
    #[error("opening a database: {problem}")]
    Url {
        /// What is wrong with it, and what to write.
        problem: String,
    },
    /// This build cannot open such a database. A retry does not help.
    #[error("opening a database: this build has no `{scheme}:`; build it with the feature `{feature}`")]
    NotInThisBuild {
        /// What the URL begins with.
        scheme: String,
        /// What is missing.
        feature: &'static str,
    },
    /// The database cannot be opened or reached. A retry may help; a write may or may not have happened.
    #[error("reaching the database {database}: {reason}")]
    Unavailable {
        /// Which one, without its password.
        database: String,
        /// What it or the system says.
        reason: String,
    },
    /// A table is not as the rows are, or a statement is refused whatever the rows. A retry helps when that is mended.
    #[error("writing to the table `{table}` of {database}: {problem}")]
    Table {
        /// Which database, without its password.
        database: String,
        /// The table.
        table: String,
        /// What does not fit, and what to do.
        problem: String,
    },
    /// A row is refused: by a constraint, by its type, or since it is none. Nothing of its batch was written; a retry does
    /// not help, but the others can be written without it.
    #[error(
        "writing to the table `{table}`: {}{reason}",
        .row.map(|row| format!("row {row} is refused: ")).unwrap_or_default()
    )]
    Refused {
        /// The table.
        table: String,
        /// Which one of those that were to be written, from 0, if the database says it.
        row: Option<usize>,
        /// Why.
        reason: String,
    },
    /// The log of a bulk writer cannot be used.
    #[error("following a log into a table")]
    Log(#[from] event::Error),
}

impl Error {
    /// Whether doing the same again can succeed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unavailable { .. } => true,
            Self::Log(error) => error.is_retryable(),
            _ => false,
        }
    }
}
