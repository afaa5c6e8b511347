//! Waiting for what other processes do.

use std::time::{Duration, Instant};

/// Longer than anything takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(30);
const STEP: Duration = Duration::from_millis(2);

/// Polls `condition`, blocking, until it holds; panics after 30 s.
#[allow(
    clippy::disallowed_methods,
    reason = "a process beside us does not wake anybody, and no runtime may be here"
)]
pub(crate) fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        std::thread::sleep(STEP);
    }
}
