//! What is counted of bulk writers.

use crate::stream::meter::Kind;

/// A bulk writer; named `NAME/LOG`.
pub(crate) static BULK: Kind = Kind {
    name: "bulk",
    label: "bulk",
    counters: &[
        ("rows", "Rows that were committed."),
        ("batches", "Transactions in which they were."),
        ("splits", "Batches that were split to find a row that is refused."),
        ("refused", "Events that are no row, or were refused by the database; they are in the dead letters."),
        (
            "retries",
            "Attempts that failed because the database or the log was out of reach; they are made again.",
        ),
        ("again", "Rows that came out once more, since they may not have been passed on."),
    ],
    gauges: &[("lag", "Events in the log that are not in the database, or not passed on.")],
    latency: Some(("commit", "How long a transaction takes.")),
};

pub(super) const ROWS: usize = 0;
pub(super) const BATCHES: usize = 1;
pub(super) const SPLITS: usize = 2;
pub(super) const REFUSED: usize = 3;
pub(super) const RETRIES: usize = 4;
pub(super) const AGAIN: usize = 5;
pub(super) const LAG: usize = 0;
