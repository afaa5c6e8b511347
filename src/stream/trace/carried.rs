//! How a sink learns which trace an item belongs to, while the item is written.
//!
//! A sink takes anything that serde can write, and cannot ask whether it is a message. So a message says so itself when
//! it is written; what else is written says nothing, and costs nothing.

use super::TraceContext;
use std::cell::RefCell;

thread_local! {
    static SAID: RefCell<Said> = const { RefCell::new(Said::Unheard) };
}

enum Said {
    /// Nobody listens.
    Unheard,
    Nothing,
    First(TraceContext),
}

/// Writes something; which trace it said that it belongs to.
pub(crate) fn carried<R>(write: impl FnOnce() -> R) -> (R, Option<TraceContext>) {
    SAID.set(Said::Nothing);
    let written = write();
    match SAID.replace(Said::Unheard) {
        Said::First(context) => (written, Some(context)),
        Said::Unheard | Said::Nothing => (written, None),
    }
}

/// Says which trace something belongs to that is being written, if somebody listens.
pub(crate) fn carry(context: impl FnOnce() -> Option<TraceContext>) {
    SAID.with_borrow_mut(|said| {
        if let Said::Nothing = said
            && let Some(context) = context()
        {
            *said = Said::First(context);
        }
    });
}
