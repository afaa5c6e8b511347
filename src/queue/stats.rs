//! How much there is.

use serde::Serialize;

/// How much there is of everything in a queue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema), schema(as = QueueStats))]
pub struct Stats {
    /// Jobs that wait for their turn, by level of priority from the lowest on.
    pub waiting: Vec<u64>,
    /// Jobs that workers have in hand.
    pub running: u64,
    /// Jobs that are not due yet, the next one of each schedule among them.
    pub delayed: u64,
    /// Jobs in the dead letters.
    pub dead: u64,
    /// Outcomes that are kept.
    pub outcomes: u64,
    /// Workers that are there.
    pub workers: u64,
    /// Whether nothing is begun.
    pub paused: bool,
}
