//! What is counted of a model.

use crate::stream::meter::Kind;

/// A model by its name, over all its versions.
pub(crate) static MODEL: Kind = Kind {
    name: "model",
    label: "model",
    counters: &[
        ("rows", "Rows that were given."),
        ("batches", "Batches that were judged."),
        ("refused", "Rows that were not in order."),
        ("unanswered", "Rows that the model answered with NaN or infinity."),
        ("unknown", "Rows that no class was believed for."),
        ("failed", "Batches that the model failed at."),
        ("panicked", "Batches that the model panicked at."),
        ("late", "Batches that took longer than they may."),
        ("busy", "Batches that were turned away because the model was busy."),
        ("oversized", "Batches with more rows than one may have."),
        ("swaps", "How often another version went live."),
        ("agreed", "Rows that the shadow judged as the live version."),
        ("disagreed", "Rows that the shadow judged differently."),
        ("skipped", "Rows that the shadow was not shown, because it was busy, or failed at."),
        ("dropped", "Disagreements that somebody who listens was too slow for."),
        ("load_failures", "Versions that did not load, or did not fit."),
    ],
    gauges: &[
        ("versions", "Versions that are loaded."),
        ("late_now", "Runs that were late and are still under way."),
    ],
    latency: Some(("batch", "Time from when a batch is put together until its verdicts are there.")),
};

pub(super) const ROWS: usize = 0;
pub(super) const BATCHES: usize = 1;
pub(super) const REFUSED: usize = 2;
pub(super) const UNANSWERED: usize = 3;
pub(super) const UNKNOWN: usize = 4;
pub(super) const FAILED: usize = 5;
pub(super) const PANICKED: usize = 6;
pub(super) const LATE: usize = 7;
pub(super) const BUSY: usize = 8;
pub(super) const OVERSIZED: usize = 9;
pub(super) const SWAPS: usize = 10;
pub(super) const AGREED: usize = 11;
pub(super) const DISAGREED: usize = 12;
pub(super) const SKIPPED: usize = 13;
pub(super) const DROPPED: usize = 14;
pub(super) const LOAD_FAILURES: usize = 15;
pub(super) const VERSIONS: usize = 0;
pub(super) const LATE_NOW: usize = 1;
