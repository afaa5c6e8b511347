//! What is counted of a node among others.

use crate::stream::meter::Kind;

/// A live server that shares with others.
pub(crate) static NODE: Kind = Kind {
    name: "live_node",
    label: "",
    counters: &[
        ("shared", "Parts that were put into the log of all nodes."),
        ("brought", "Parts of other nodes that the log has brought."),
        (
            "unshared",
            "Parts that reached this node's clients alone, for the log was away too long or they are too large.",
        ),
        ("lost", "Parts of other nodes that were trimmed or lost before this node had read them."),
        ("doubled", "Entries of the log that were there twice, after an append whose answer did not arrive."),
        ("malformed", "Entries and messages that could not be read."),
        ("sent", "Jobs that were given to other nodes."),
        ("taken", "Jobs that were taken for other nodes."),
        ("abandoned", "Jobs that ended because the node that did them is gone, or parts of it were lost."),
        ("pulled", "Parts that were pulled from the node that keeps them."),
        (
            "unpulled",
            "Parts that somebody may have been interested in, and that could not be pulled any more.",
        ),
        ("given", "Parts that other nodes pulled from here."),
    ],
    gauges: &[
        ("others", "Other nodes that are there."),
        ("waiting", "Parts that wait to be put into the log."),
        ("kept_bytes", "Bytes of parts that are kept for other nodes to pull."),
    ],
    latency: Some((
        "round",
        "From when a part is published until the log has brought it to the node that published it.",
    )),
};

pub(super) const SHARED: usize = 0;
pub(super) const BROUGHT: usize = 1;
pub(super) const UNSHARED: usize = 2;
pub(super) const LOST: usize = 3;
pub(super) const DOUBLED: usize = 4;
pub(super) const MALFORMED: usize = 5;
pub(super) const SENT: usize = 6;
pub(super) const TAKEN: usize = 7;
pub(super) const ABANDONED: usize = 8;
pub(super) const PULLED: usize = 9;
pub(super) const UNPULLED: usize = 10;
pub(super) const GIVEN: usize = 11;
pub(super) const OTHERS: usize = 0;
pub(super) const WAITING: usize = 1;
pub(super) const KEPT_BYTES: usize = 2;
