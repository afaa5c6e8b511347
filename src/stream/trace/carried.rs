//! How a sink learns which trace an item belongs to, while the item is written.
//!
//! A sink takes anything that serde can write, and cannot ask whether it is a message. So a message says so itself when
//! it is written; what else is written says nothing, and costs nothing.

use super::TraceContext;
use std::cell::RefCell;

thread_local! {
    /// Nothing while nobody listens; then the first that was said.
    static SAID: RefCell<Option<Option<TraceContext>>> = const { RefCell::new(None) };
}

/// Writes something; which trace it said that it belongs to.
pub(crate) fn carried<R>(write: impl FnOnce() -> R) -> (R, Option<TraceContext>) {
    SAID.set(Some(None));
    let written = write();
    (written, SAID.take().flatten())
}

/// Says which trace something belongs to that is being written, if somebody listens.
pub(crate) fn carry(context: impl FnOnce() -> Option<TraceContext>) {
    SAID.with_borrow_mut(|said| {
        if let Some(said) = said
            && said.is_none()
        {
            *said = context();
        }
    });
}
