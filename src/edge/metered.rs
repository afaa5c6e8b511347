//! What is counted of sinks and sources.

use crate::stream::meter::Kind;

/// A sink that sends to another service, named after the place.
pub(super) static SINK: Kind = Kind {
    name: "sink",
    label: "sink",
    counters: &[
        ("sent", "Items that the other side has taken."),
        ("retried", "Requests that were made again."),
        ("dropped", "Items that gave way in a full queue, or were given up."),
        ("refused", "Items that the other side does not want, or that can't be written."),
        ("skipped", "Items in which there is nothing to send."),
    ],
    gauges: &[("queued", "Items that wait or are under way.")],
    latency: Some(("request", "How long a request takes.")),
};

pub(super) const SENT: usize = 0;
pub(super) const RETRIED: usize = 1;
pub(super) const DROPPED: usize = 2;
pub(super) const REFUSED: usize = 3;
pub(super) const SKIPPED: usize = 4;
pub(super) const QUEUED: usize = 0;

/// A source that asks another service, named after the place.
pub(super) static SOURCE: Kind = Kind {
    name: "source",
    label: "source",
    counters: &[("items", "Items that came."), ("errors", "Failures that were told in their place.")],
    gauges: &[],
    latency: None,
};

pub(super) const ITEMS: usize = 0;
pub(super) const ERRORS: usize = 1;
