//! What is written.

use serde::{Deserialize, Serialize};

/// Rows of a run.
pub(super) const ROWS: u64 = 50_000;
/// Rows of a transaction.
pub(super) const BATCH: usize = 1000;

/// A comment and what a model says of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) id: u64,
    pub(super) post: String,
    pub(super) author: String,
    pub(super) text: String,
    pub(super) interested: bool,
    pub(super) score: f64,
}

pub(super) fn rows() -> Vec<Row> {
    let row = |id: u64| Row {
        id,
        post: format!("post {}", id % 97),
        author: format!("author {}", id % 997),
        text: format!(
            "I would like to help with that, how can I join you? It is the {id}th time that I ask."
        ),
        interested: id.is_multiple_of(3),
        score: (id % 100) as f64 / 100.0,
    };
    (0..ROWS).map(row).collect()
}

/// The columns of the table.
pub(super) const COLUMNS: [&str; 6] = ["id", "post", "author", "text", "interested", "score"];
