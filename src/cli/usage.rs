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
            let hint = "quote it for the shell, for instance '\"text\"', 42 or '{\"a\": 1}'";
            Self::error(format!("{what} {text:?} is no JSON ({error}): {hint}"))
        })
    }
}
