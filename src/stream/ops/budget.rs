//! How many items an operator may swallow in one poll.

use std::task::Context;

/// Counts the items that an operator takes without giving one out, so that a source that is always ready
/// cannot hold the task for ever.
///
/// A stream that gives items out returns to its consumer after each; one that drops them would not.
#[derive(Debug)]
pub(super) struct Budget(u32);

impl Budget {
    /// Large enough to cost nothing, small enough to take a few microseconds.
    const ITEMS: u32 = 128;

    #[inline]
    pub(super) const fn new() -> Self {
        Self(Self::ITEMS)
    }

    /// Counts one swallowed item; `false` when the budget is used up: stop reading this source in this poll.
    #[inline]
    pub(super) const fn spend(&mut self) -> bool {
        self.0 = self.0.saturating_sub(1);
        self.0 > 0
    }

    /// Counts one swallowed item; `false` when the budget is used up: the task is woken, return `Pending`.
    #[inline]
    pub(super) fn spend_or_wake(&mut self, cx: &Context<'_>) -> bool {
        let more = self.spend();
        if !more {
            cx.waker().wake_by_ref();
        }
        more
    }
}
