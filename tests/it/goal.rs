//! Goals: every formula against a naive evaluator, verdicts in time, and what others see of them.

pub(crate) mod apps;
mod element;
mod formulas;
mod judging;
mod reference;
mod watching;

use std::time::Duration;

/// So many milliseconds.
fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// So many seconds.
fn s(n: u64) -> Duration {
    Duration::from_secs(n)
}
