//! How long items wait in a queue.

use crate::stream::meter::{self, Histogram};
use std::sync::Arc;
use tokio::time::Instant;

/// One item at a time is measured: the newest of a batch, from when it comes in until it is read. So a busy queue costs two
/// looks at the clock a batch.
#[derive(Default)]
pub(crate) struct Waits {
    /// The number of the item that is measured, and since when it waits.
    probe: Option<(u64, Instant)>,
    measured: Arc<Histogram>,
}

impl Waits {
    /// An item came in; it is measured if no other is.
    #[inline]
    pub(crate) fn begin(&mut self, number: u64) {
        if self.probe.is_none() {
            self.probe = meter::now().map(|now| (number, now));
        }
    }

    /// All before `head` have left, read or given up.
    #[inline]
    pub(crate) fn upto(&mut self, head: u64, read: bool) {
        if let Some((number, since)) = self.probe
            && number < head
        {
            self.probe = None;
            if read {
                self.measured.record(since.elapsed());
            }
        }
    }

    pub(crate) fn measured(&self) -> &Arc<Histogram> {
        &self.measured
    }
}
