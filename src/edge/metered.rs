//! What is counted of sources.

use crate::stream::meter::Kind;

/// A source that asks, or is posted to.
pub(crate) static SOURCE: Kind = Kind {
    name: "source",
    label: "source",
    counters: &[
        ("items", "Items that came."),
        ("repeated", "Those that had come before, and were left out."),
        ("refused", "Requests that were turned away, and answers that could not be read."),
        ("failures", "Attempts to ask that failed."),
    ],
    gauges: &[],
    latency: Some(("request", "How long an answer takes.")),
};

pub(super) const ITEMS: usize = 0;
pub(super) const REPEATED: usize = 1;
pub(super) const REFUSED: usize = 2;
pub(super) const FAILURES: usize = 3;
