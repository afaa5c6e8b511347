//! Conditions as operators on streams.

mod classify;
mod filter_by;
mod operators;
mod route_by;

pub use classify::{Classified, Classify};
pub use filter_by::FilterBy;
pub use operators::ConditionOperators;
pub use route_by::{RouteBy, Routed};

use super::condition::as_json;
use serde::Serialize;
use serde_json::Value;

/// An item as JSON. What cannot be written as such fulfils nothing, and the log says so.
fn judged<T: Serialize>(item: &T) -> Option<Value> {
    as_json(item).inspect_err(|error| tracing::warn!(%error, "an item fulfils no condition")).ok()
}
