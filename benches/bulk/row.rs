//! What is written.

use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

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

/// The rows of one run after the other. They change, for a database does not write what it already has.
pub(super) struct Turns {
    rows: [Arc<Vec<Row>>; 2],
    turn: AtomicUsize,
}

impl Turns {
    pub(super) fn new() -> Self {
        Self { rows: [0.0, 0.5].map(|more| Arc::new(rows(more))), turn: AtomicUsize::new(0) }
    }

    pub(super) fn next(&self) -> Arc<Vec<Row>> {
        self.rows[self.turn.fetch_add(1, Ordering::Relaxed) % 2].clone()
    }
}

fn rows(more: f64) -> Vec<Row> {
    let row = |id: u64| Row {
        id,
        post: format!("post {}", id % 97),
        author: format!("author {}", id % 997),
        text: format!(
            "I would like to help with that, how can I join you? It is the {id}th time that I ask."
        ),
        interested: id.is_multiple_of(3),
        score: more + (id % 50) as f64 / 100.0,
    };
    (0..ROWS).map(row).collect()
}

/// The columns of the table.
pub(super) const COLUMNS: [&str; 6] = ["id", "post", "author", "text", "interested", "score"];
