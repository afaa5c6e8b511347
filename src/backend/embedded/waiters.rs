//! Those who wait for an item.

use crate::knowledge::Key;
use foldhash::fast::RandomState;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Notify;

/// Who waits for an item under which key; whether there is anyone costs one load.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    count: AtomicUsize,
    by_key: Mutex<HashMap<Key, Waiting, RandomState>>,
}

#[derive(Debug, Default)]
struct Waiting {
    takers: usize,
    notify: Arc<Notify>,
}

/// One who waits; dropping it ends the waiting.
#[derive(Debug)]
pub(super) struct Taker {
    waiters: Arc<Waiters>,
    key: Key,
    pub(super) notify: Arc<Notify>,
}

impl Waiters {
    /// Whether anyone waits; asked while the shard is locked, in which each taker looks again after it came here.
    #[inline]
    pub(super) fn any(&self) -> bool {
        self.count.load(Ordering::Acquire) > 0
    }

    pub(super) fn enter(self: &Arc<Self>, key: &Key) -> Taker {
        self.count.fetch_add(1, Ordering::AcqRel);
        let mut by_key = self.by_key.lock();
        let waiting = by_key.entry(key.clone()).or_default();
        waiting.takers += 1;
        Taker { waiters: self.clone(), key: key.clone(), notify: waiting.notify.clone() }
    }

    /// Wakes as many takers of `key` as there are new items, those first who have waited longest.
    pub(super) fn wake(&self, key: &Key, items: usize) {
        if let Some(waiting) = self.by_key.lock().get(key) {
            for _ in 0..items.min(waiting.takers) {
                waiting.notify.notify_one();
            }
        }
    }

    /// Wakes all, so that they see that nothing more is to be had.
    pub(super) fn close(&self) {
        for waiting in self.by_key.lock().values() {
            (0..waiting.takers).for_each(|_| waiting.notify.notify_one());
        }
    }
}

impl Drop for Taker {
    fn drop(&mut self) {
        let mut by_key = self.waiters.by_key.lock();
        if let Some(waiting) = by_key.get_mut(&self.key) {
            waiting.takers -= 1;
            if waiting.takers == 0 {
                by_key.remove(&self.key);
            }
        }
        self.waiters.count.fetch_sub(1, Ordering::AcqRel);
    }
}
