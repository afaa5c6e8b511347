//! Which traces that begin here are recorded.

use std::num::NonZeroU128;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A trace whose id ends in less than this is recorded.
static BELOW: AtomicU64 = AtomicU64::new(u64::MAX);

/// Records this share of the traces that begin here, from 0 to 1; all unless said. It is one for the process, as its
/// subscriber is. Traces that others have begun are recorded if those say so.
///
/// What is recorded follows from a trace's id, so that processes with the same share choose the same traces.
pub fn set_sampling(share: f64) {
    let share = if share.is_nan() { 1.0 } else { share.clamp(0.0, 1.0) };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "from 0 to 1, and `as` saturates"
    )]
    let below = (share * u64::MAX as f64) as u64;
    BELOW.store(below, Relaxed);
}

/// Whether a trace that begins here is recorded.
pub(super) fn samples(trace: NonZeroU128) -> bool {
    let below = BELOW.load(Relaxed);
    #[expect(clippy::cast_possible_truncation, reason = "its end is all that is looked at")]
    let end = trace.get() as u64;
    below == u64::MAX || end < below
}
