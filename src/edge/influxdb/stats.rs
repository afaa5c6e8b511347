//! What has become of points.

use crate::edge::PostStats;
use crate::edge::stats::SKIPPED;

/// The counters of an [`InfluxSink`](super::InfluxSink): what was put in is written, dropped, refused, skipped or still
/// queued. Clones show the same, and go on counting. At `/metrics` they are `mape_sink_…`.
#[derive(Clone, Debug)]
pub struct InfluxStats(pub(super) PostStats);

impl InfluxStats {
    /// Points that the server has taken.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.0.sent()
    }

    /// Requests that were made again.
    #[must_use]
    pub fn retried(&self) -> u64 {
        self.0.retried()
    }

    /// Points that gave way in a full queue, or were given up.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.0.dropped()
    }

    /// Points that the server does not want, however often they are sent, and those that can't be written.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.0.refused()
    }

    /// Items that have no field.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.0.0.counter(SKIPPED)
    }

    /// Points that wait or are under way.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.0.queued()
    }

    /// What went wrong last, also if all is well since.
    #[must_use]
    pub fn last_error(&self) -> Option<String> {
        self.0.last_error()
    }
}
