//! What stands behind the `?` of pages.

use serde::Deserialize;

/// The id of a run.
#[derive(Deserialize)]
pub(super) struct Id {
    pub(super) id: String,
}

/// Names by a pattern.
#[derive(Deserialize)]
pub(super) struct ByPattern {
    #[serde(default)]
    pub(super) pattern: Option<String>,
}

/// Which runs are listed.
#[derive(Deserialize)]
pub(super) struct Listed {
    #[serde(default)]
    pub(super) state: String,
    #[serde(default)]
    pub(super) search: String,
    /// How many of all runs are before those that are looked at.
    #[serde(default)]
    pub(super) from: usize,
}

/// In which state jobs are.
#[derive(Deserialize)]
pub(super) struct InState {
    #[serde(default)]
    pub(super) state: String,
}

/// How a picture lies.
#[derive(Deserialize)]
pub(super) struct Lying {
    #[serde(default)]
    pub(super) vertical: bool,
}

/// Whether the loops of an engine are drawn, too.
#[derive(Deserialize)]
pub(super) struct Drawn {
    #[serde(default)]
    pub(super) engine: bool,
}
