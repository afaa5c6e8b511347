//! What happens on a stream, as a value.

use serde::{Deserialize, Serialize};
use std::convert::Infallible;

/// One event of a stream as a value: the next item, an error, or completion.
///
/// Source: ReactiveX `Notification` (Materialize/Dematerialize), PyMAPE's materialised notifications. Here an error
/// does not end a stream by itself; only `Completed` does.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "value", rename_all = "lowercase")]
pub enum Notification<T, E = Infallible> {
    /// The next item.
    Next(T),
    /// An error in its place between the items.
    Error(E),
    /// The stream has ended; nothing follows.
    Completed,
}
