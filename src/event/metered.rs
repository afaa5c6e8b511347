//! What is counted of logs and groups.

use crate::stream::meter::Kind;

/// The part of a consumer group that this process has; named `LOG/GROUP`.
pub(crate) static GROUP: Kind = Kind {
    name: "group",
    label: "group",
    counters: &[
        ("delivered", "Events that were given out."),
        ("acknowledged", "Events that were done."),
        ("returned", "Events that failed, or were given back, to be delivered again."),
        ("buried", "Events that went to the dead letters."),
        ("redelivered", "Events that were given out again after they had failed or their consumer was gone."),
    ],
    gauges: &[
        ("lag", "Events that nobody of the group has got yet."),
        ("pending", "Events that were given out, to anybody of the group, and are not acknowledged."),
    ],
    latency: Some(("handling", "From when an event is given out until it is acknowledged.")),
};

pub(super) const DELIVERED: usize = 0;
pub(super) const ACKNOWLEDGED: usize = 1;
pub(super) const RETURNED: usize = 2;
pub(super) const BURIED: usize = 3;
pub(super) const REDELIVERED: usize = 4;

pub(crate) const LAG: usize = 0;
pub(crate) const PENDING: usize = 1;

/// A sink that appends to a log.
pub(crate) static SINK: Kind = Kind {
    name: "log",
    label: "log",
    counters: &[
        ("appended", "Events that are in the log."),
        ("refused", "Items that cannot be an event."),
        ("failures", "Attempts to append that failed; they are made again."),
    ],
    gauges: &[("waiting", "Events that wait to be appended.")],
    latency: Some(("append", "How long a batch takes to be in the log.")),
};

pub(super) const APPENDED: usize = 0;
pub(super) const REFUSED: usize = 1;
pub(super) const FAILURES: usize = 2;
pub(super) const WAITING: usize = 0;
