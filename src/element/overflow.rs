//! What a full link does.

use serde::{Deserialize, Serialize};

/// What a full link does with the next item.
///
/// Source: Reactor's and Vector's overflow strategies. `DropOldest` with capacity 1 keeps just the latest item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Overflow {
    /// The sender waits: nothing is lost, and the pressure reaches back to the source.
    #[default]
    Wait,
    /// The oldest queued item gives way to the new one, and is counted.
    DropOldest,
    /// The new item is dropped, and is counted.
    DropNewest,
}
