//! What is counted of channels.

use crate::stream::meter::Kind;

/// A sink that publishes on a channel.
pub(crate) static SINK: Kind = Kind {
    name: "channel",
    label: "channel",
    counters: &[
        ("published", "Items, errors and completions that were published."),
        ("dropped", "Those that gave way while the backend was out of reach, or were given up."),
        ("refused", "Items that could not be written."),
        ("failures", "Attempts to publish that failed."),
    ],
    gauges: &[("waiting", "Items that wait to be published.")],
    latency: Some(("publish", "How long a batch takes to be published.")),
};

pub(super) const PUBLISHED: usize = 0;
pub(super) const DROPPED: usize = 1;
pub(super) const REFUSED: usize = 2;
pub(super) const FAILURES: usize = 3;
pub(super) const WAITING: usize = 0;

/// A source of what is published on channels of some names or patterns.
pub(crate) static SOURCE: Kind = Kind {
    name: "subscription",
    label: "topics",
    counters: &[
        ("items", "Items that came."),
        ("errors", "Errors that publishers reported, and interruptions."),
        ("undecodable", "Payloads that could not be read."),
        ("missed", "Items known to be lost."),
        ("repeated", "Items that came again and were left out."),
        ("completed", "Publishers that completed."),
    ],
    gauges: &[],
    latency: None,
};

pub(super) const ITEMS: usize = 0;
pub(super) const ERRORS: usize = 1;
pub(super) const UNDECODABLE: usize = 2;
pub(super) const MISSED: usize = 3;
pub(super) const REPEATED: usize = 4;
pub(super) const COMPLETED: usize = 5;
