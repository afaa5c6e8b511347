//! What can be wrong with what a goal is given.

use std::sync::Arc;
use std::time::Duration;

/// An item could not be judged, or not in full. The next one counts.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A sample is no finite number. It is left out; the signal keeps the value before until that is stale.
    #[error("`{signal}` was sampled as {value}, which is no finite number: the sample is left out")]
    NotFinite {
        /// The signal.
        signal: Arc<str>,
        /// What was sampled.
        value: f64,
    },
    /// The uncertainty of a sample is negative or no finite number. The sample is left out.
    #[error(
        "`{signal}` was sampled with an uncertainty of {uncertainty}: the sample is left out; it must be 0 or more"
    )]
    Uncertainty {
        /// The signal.
        signal: Arc<str>,
        /// What was said.
        uncertainty: f64,
    },
    /// An item is older than one that was judged before. It is left out.
    #[error(
        "an item came {by:?} behind one that is newer: it is left out; put items in order of their time first"
    )]
    Late {
        /// By how much.
        by: Duration,
    },
    /// The time of an item lies before 1970. It is left out.
    #[error("the time of an item lies before 1970: it is left out")]
    BeforeEpoch,
    /// The time of an item is ahead of the clock by more than a day. It is left out, for all items after it would be
    /// late.
    #[error(
        "the time of an item is {by:?} ahead of the clock: it is left out; set the clock, or the unit of the time, right"
    )]
    Ahead {
        /// By how much.
        by: Duration,
    },
}
