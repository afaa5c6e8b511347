//! What is counted of a live server.

use crate::stream::meter::Kind;

/// A live server.
pub(crate) static LIVE: Kind = Kind {
    name: "live",
    label: "",
    counters: &[
        ("parts", "Parts that were published."),
        ("handed", "Parts that were handed to clients."),
        ("missed", "Parts that gave way before a client that reads slowly had read them."),
        ("unjudged", "Conditions of interests that took more steps for a part than they may."),
        ("jobs", "Jobs that were begun."),
        ("cancelled", "Jobs that nobody wanted any more before they had ended."),
    ],
    gauges: &[("clients", "Clients that are there."), ("running", "Jobs that are under way.")],
    latency: Some(("job", "From when a job is asked for until its last part is handed out.")),
};

pub(super) const PARTS: usize = 0;
pub(super) const HANDED: usize = 1;
pub(super) const MISSED: usize = 2;
pub(super) const UNJUDGED: usize = 3;
pub(super) const JOBS: usize = 4;
pub(super) const CANCELLED: usize = 5;
pub(super) const CLIENTS: usize = 0;
pub(super) const RUNNING: usize = 1;
