//! What was called wrongly.

use anyhow::Error;
use serde::de::DeserializeOwned;

/// The command cannot be carried out as it was called; nothing was started, and the program exits with 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Usage(String);

impl Usage {
    pub(super) fn error(message: impl Into<String>) -> Error {
        Self(message.into()).into()
    }

    /// An argument as JSON.
    pub(super) fn json<T: DeserializeOwned>(what: &str, text: &str) -> Result<T, Error> {
        serde_json::from_str(text).map_err(|error| {
            let hint = "quote it for the shell, for instance '{\"a\": 1}'";
            Self::error(format!("{what} {:?} is no JSON ({error}): {hint}", excerpt(text)))
        })
    }
}

/// As much of a text as a message has room for.
pub(super) fn excerpt(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
