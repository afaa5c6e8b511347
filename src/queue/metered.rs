//! What is counted of a queue.

use crate::stream::meter::Kind;

/// A queue, as this process works on it.
pub(crate) static QUEUE: Kind = Kind {
    name: "queue",
    label: "queue",
    counters: &[
        ("added", "Jobs that were added here."),
        ("duplicates", "Jobs that were not added, for there was one with the same key."),
        ("begun", "Attempts that were begun."),
        ("done", "Jobs that are done."),
        ("failed", "Attempts that failed and are made again."),
        ("dead", "Jobs that went to the dead letters."),
        ("replayed", "Dead jobs that were queued again."),
    ],
    gauges: &[
        ("running", "Jobs that are in hand."),
        ("paused", "Whether it is paused: 1 or 0."),
        ("waiting", "Jobs that wait for their turn, in the backend."),
        ("delayed", "Jobs that are not due yet, in the backend."),
        ("dead_letters", "Jobs in the dead letters, in the backend."),
    ],
    latency: Some(("job", "From when an attempt begins until it is settled.")),
};

pub(super) const ADDED: usize = 0;
pub(super) const DUPLICATES: usize = 1;
pub(super) const BEGUN: usize = 2;
pub(super) const DONE: usize = 3;
pub(super) const FAILED: usize = 4;
pub(super) const DEAD: usize = 5;
pub(super) const REPLAYED: usize = 6;
pub(super) const RUNNING: usize = 0;
pub(super) const PAUSED: usize = 1;
pub(crate) const WAITING: usize = 2;
pub(crate) const DELAYED: usize = 3;
pub(crate) const DEAD_LETTERS: usize = 4;
