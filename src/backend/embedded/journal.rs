//! What an operation did, on its way to those who watch and wait, and to where it is kept.

use super::redo::Redos;
use crate::knowledge::{Change, Key};

/// Filled by an operation while its shard is locked.
#[derive(Debug)]
pub(super) struct Journal {
    /// Whether anyone watches; otherwise changes are not even made.
    recording: bool,
    changed: bool,
    pub(super) changes: Vec<Change>,
    /// Items put into lists and sorted sets, for those who wait for one.
    pub(super) pushed: Vec<(Key, usize)>,
    waiting: bool,
    pub(super) redos: Redos,
}

impl Journal {
    pub(super) fn new(recording: bool, waiting: bool, redos: Redos) -> Self {
        Self { recording, changed: false, changes: Vec::new(), pushed: Vec::new(), waiting, redos }
    }

    /// Something changed; `change` is called if anyone wants to know what.
    #[inline]
    pub(super) fn record(&mut self, change: impl FnOnce() -> Change) {
        self.changed = true;
        if self.recording {
            self.changes.push(change());
        }
    }

    /// Items were put under `key` that takers may wait for.
    #[inline]
    pub(super) fn pushed(&mut self, key: &Key, items: usize) {
        if self.waiting && items > 0 {
            self.pushed.push((key.clone(), items));
        }
    }

    /// Whether anything was recorded since this was last asked.
    #[inline]
    pub(super) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }
}
