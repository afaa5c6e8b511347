//! Whether latencies are measured.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use tokio::time::Instant;

static OFF: AtomicBool = AtomicBool::new(false);

/// Turns the measuring of latencies on or off, for the whole process; it is on at first.
///
/// It costs two looks at the clock a batch. What is counted is counted either way.
pub fn set_timing(on: bool) {
    OFF.store(!on, Relaxed);
}

/// The time, if latencies are measured.
#[inline]
pub(crate) fn now() -> Option<Instant> {
    if OFF.load(Relaxed) { None } else { Some(Instant::now()) }
}
