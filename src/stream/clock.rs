//! Wall-clock time that follows tokio's clock.
//!
//! A time stamp is the wall clock when it was first asked for, plus what tokio's clock has run since. So in a test
//! with paused time, time stamps move with `tokio::time::advance` and are the same in every run relative to each
//! other; otherwise they are the wall clock's (a correction of the system clock while the program runs is not seen).

use std::cell::Cell;
use std::time::SystemTime;
use tokio::time::Instant;

thread_local! {
    static ANCHOR: Cell<Option<(SystemTime, Instant)>> = const { Cell::new(None) };
}

/// The time now.
///
/// Inside a tokio runtime with paused time, it moves with that clock.
#[must_use]
pub fn now() -> SystemTime {
    let tick = Instant::now();
    let (wall, start) = ANCHOR.get().unwrap_or_else(|| {
        let anchor = (SystemTime::now(), tick);
        ANCHOR.set(Some(anchor));
        anchor
    });
    if tick >= start { wall + tick.duration_since(start) } else { wall - start.duration_since(tick) }
}
