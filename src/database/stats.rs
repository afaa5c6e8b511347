//! The counters of a bulk writer.

use super::metered;
use crate::stream::meter::{Latency, Meter};
use std::sync::Arc;

/// The counters of a [`BulkWriter`](super::BulkWriter); clones show the same.
#[derive(Clone, Debug)]
pub struct BulkStats(pub(super) Arc<Meter>);

impl BulkStats {
    /// Rows that were committed.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.0.counter(metered::ROWS)
    }

    /// Transactions in which they were.
    #[must_use]
    pub fn batches(&self) -> u64 {
        self.0.counter(metered::BATCHES)
    }

    /// Batches that were split to find a row that is refused.
    #[must_use]
    pub fn splits(&self) -> u64 {
        self.0.counter(metered::SPLITS)
    }

    /// Events that are no row, or that the database has refused.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.0.counter(metered::REFUSED)
    }

    /// Attempts that failed because the database or the log was out of reach.
    #[must_use]
    pub fn retries(&self) -> u64 {
        self.0.counter(metered::RETRIES)
    }

    /// Rows that came out once more.
    #[must_use]
    pub fn again(&self) -> u64 {
        self.0.counter(metered::AGAIN)
    }

    /// Events in the log that are not in the database, or not passed on, as of a few seconds ago.
    #[must_use]
    pub fn lag(&self) -> f64 {
        self.0.gauge(metered::LAG)
    }

    /// How long transactions take.
    #[must_use]
    pub fn commit(&self) -> Latency {
        self.0.histogram().map(|histogram| histogram.latency()).unwrap_or_default()
    }
}
