//! What is counted of a pipeline.

use crate::stream::meter::Kind;

/// A pipeline. Its name says for what it is: `jobs customers`, `results *`.
pub(crate) static PIPELINE: Kind = Kind {
    name: "pipeline",
    label: "pipeline",
    counters: &[
        ("taken", "Jobs, or parts, that came into the pipeline."),
        ("passed", "Jobs, or parts, that came out of it; several that became one count as one part."),
        ("left_out", "Jobs, or parts, that a stage left out."),
        ("shared", "Jobs that became one with an equal one under way."),
        ("cached", "Jobs that were answered from the parts of an equal one."),
    ],
    gauges: &[
        ("held", "Jobs, or parts, that its stages hold."),
        (
            "waiting",
            "Jobs that wait for others to end, in the order of the pipeline or for a place beside them.",
        ),
    ],
    latency: None,
};

pub(super) const TAKEN: usize = 0;
pub(super) const PASSED: usize = 1;
pub(super) const LEFT_OUT: usize = 2;
pub(super) const SHARED: usize = 3;
pub(super) const CACHED: usize = 4;
pub(super) const HELD: usize = 0;
pub(super) const WAITING: usize = 1;
