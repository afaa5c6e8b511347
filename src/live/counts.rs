//! How much is there.

use serde::Serialize;

/// How much there is in a live server at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Counts {
    /// Clients that are there.
    pub clients: usize,
    /// Names that are known: what was published lately, and what somebody listens to.
    pub names: usize,
    /// Jobs that are under way.
    pub jobs: usize,
}
