//! What is counted of sources.

use crate::stream::meter::Kind;

/// A source that asks, listens, follows a file, or is posted to.
pub(crate) static SOURCE: Kind = Kind {
    name: "source",
    label: "source",
    counters: &[
        ("items", "Items that came."),
        ("repeated", "Those that had come before, and were left out."),
        (
            "refused",
            "Requests that were turned away, and answers, messages and lines that could not be read.",
        ),
        ("failures", "Attempts to ask, to connect or to read that failed."),
        (
            "interruptions",
            "Connections that broke off and files that were cut: items may have been lost there.",
        ),
    ],
    gauges: &[],
    latency: Some(("request", "How long an answer takes.")),
};

pub(super) const ITEMS: usize = 0;
pub(super) const REPEATED: usize = 1;
pub(super) const REFUSED: usize = 2;
pub(super) const FAILURES: usize = 3;
pub(super) const INTERRUPTIONS: usize = 4;

/// Which counter an error belongs to.
pub(super) fn counter(error: &super::Error) -> usize {
    use super::Error;
    match error {
        Error::Decode { .. } | Error::ItemTooLong { .. } => REFUSED,
        Error::Interrupted { .. } | Error::Disconnected { .. } | Error::Cut { .. } => INTERRUPTIONS,
        _ => FAILURES,
    }
}
