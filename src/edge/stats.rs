//! What has become of a sink's items.

use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

/// The counters of a [`PostSink`](super::PostSink): what was put in is sent, dropped, refused or still queued. Clones
/// show the same, and go on counting.
#[derive(Clone, Debug, Default)]
pub struct PostStats(pub(super) Arc<Counters>);

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) sent: AtomicU64,
    pub(super) retried: AtomicU64,
    pub(super) dropped: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) queued: AtomicUsize,
    pub(super) last_error: Mutex<Option<String>>,
}

impl PostStats {
    /// Items, errors and completions that the other side has taken.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.0.sent.load(Relaxed)
    }

    /// Requests that were made again.
    #[must_use]
    pub fn retried(&self) -> u64 {
        self.0.retried.load(Relaxed)
    }

    /// Those that gave way in a full queue, or were given up.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.0.dropped.load(Relaxed)
    }

    /// Those that the other side does not want, however often they are sent, and those that can't be written.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.0.refused.load(Relaxed)
    }

    /// Those that wait or are under way.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.0.queued.load(Relaxed)
    }

    /// What went wrong last, also if all is well since.
    #[must_use]
    pub fn last_error(&self) -> Option<String> {
        self.0.last_error.lock().clone()
    }
}
