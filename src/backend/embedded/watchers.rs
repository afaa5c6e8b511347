//! Those who watch.

use crate::knowledge::{Change, ChangeSender, Changes, Filter};
use arc_swap::ArcSwap;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};

/// The watchers of a store; whether there is any costs one load.
#[derive(Debug, Default)]
pub(super) struct Watchers {
    any: AtomicBool,
    closed: AtomicBool,
    list: ArcSwap<Vec<(u64, Arc<ChangeSender>)>>,
    changing: Mutex<()>,
    next: AtomicU64,
}

impl Watchers {
    /// Whether anyone watches; asked while the shard is locked, so a watcher sees all that begins after it did.
    #[inline]
    pub(super) fn any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    pub(super) fn watch(self: &Arc<Self>, filter: Filter) -> Changes {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let watchers: Weak<Self> = Arc::downgrade(self);
        let (sender, changes) = Changes::bounded(filter, move || {
            if let Some(watchers) = watchers.upgrade() {
                watchers.change(|list| list.retain(|(other, _)| *other != id));
            }
        });
        self.change(|list| list.push((id, Arc::new(sender))));
        changes
    }

    /// Ends the watching of all, and of those who come.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.change(|_| ());
    }

    pub(super) fn tell(&self, changes: &[Change]) {
        let list = self.list.load();
        for change in changes {
            for (_, watcher) in list.iter() {
                // One that is gone takes itself off the list.
                watcher.send(change);
            }
        }
    }

    fn change(&self, f: impl FnOnce(&mut Vec<(u64, Arc<ChangeSender>)>)) {
        let _one_at_a_time = self.changing.lock();
        let mut list = Vec::clone(&self.list.load());
        f(&mut list);
        if self.closed.load(Ordering::Acquire) {
            list.clear();
        }
        self.any.store(!list.is_empty(), Ordering::Release);
        self.list.store(Arc::new(list));
    }
}
