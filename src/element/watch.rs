//! Who looks at what passes a port without holding it up: taps and logs.

use super::queue::{End, Queue};
use super::{Overflow, Subscription};
use parking_lot::Mutex;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

type Log<T> = Box<dyn FnMut(&T) + Send>;

enum Watcher<T> {
    Tap(Arc<Queue<T>>),
    Log(Log<T>),
}

/// The watchers of one port. They are shown items while no other lock is held, and may do with them what they like.
pub(crate) struct Watchers<T> {
    any: AtomicBool,
    all: Mutex<Vec<Watcher<T>>>,
}

impl<T> Default for Watchers<T> {
    fn default() -> Self {
        Self { any: AtomicBool::new(false), all: Mutex::default() }
    }
}

impl<T: Clone> Watchers<T> {
    /// Somebody watches.
    #[inline]
    pub(crate) fn any(&self) -> bool {
        self.any.load(Ordering::Relaxed)
    }

    /// A stream of what passes from now on: the newest `capacity` items wait to be looked at.
    pub(crate) fn tap(&self, capacity: usize) -> Subscription<T> {
        let queue = Queue::new(capacity, Overflow::DropOldest);
        self.add(Watcher::Tap(queue.clone()));
        Subscription::new(queue)
    }

    pub(crate) fn log(&self, log: Log<T>) {
        self.add(Watcher::Log(log));
    }

    fn add(&self, watcher: Watcher<T>) {
        let mut all = self.all.lock();
        if all.len() >= 8 && all.len().is_power_of_two() {
            // Taps come and go also where nothing passes.
            all.retain(|w| !matches!(w, Watcher::Tap(queue) if queue.is_gone()));
        }
        all.push(watcher);
        self.any.store(true, Ordering::Relaxed);
    }

    /// Shows items. One that can't be copied or logged without a panic is not seen by that watcher.
    pub(crate) fn see<'a>(&self, items: &(impl Iterator<Item = &'a T> + Clone))
    where
        T: 'a,
    {
        let mut all = self.all.lock();
        all.retain_mut(|watcher| {
            if matches!(watcher, Watcher::Tap(queue) if queue.is_gone()) {
                return false;
            }
            for item in items.clone() {
                let seen = catch_unwind(AssertUnwindSafe(|| match watcher {
                    Watcher::Tap(queue) => queue.try_push(&mut Some(item.clone())).is_ok(),
                    Watcher::Log(log) => {
                        log(item);
                        true
                    }
                }));
                if matches!(seen, Ok(false)) {
                    return false;
                }
            }
            true
        });
        self.any.store(!all.is_empty(), Ordering::Relaxed);
    }

    /// The port has completed: taps end, logs stay for when it begins anew.
    pub(crate) fn end(&self) {
        let mut all = self.all.lock();
        let (taps, logs) = std::mem::take(&mut *all).into_iter().partition(|w| matches!(w, Watcher::Tap(_)));
        *all = logs;
        self.any.store(!all.is_empty(), Ordering::Relaxed);
        drop(all);
        finish(taps);
    }

    /// The port is gone.
    pub(crate) fn clear(&self) {
        let all = std::mem::take(&mut *self.all.lock());
        self.any.store(false, Ordering::Relaxed);
        finish(all);
    }
}

fn finish<T>(watchers: Vec<Watcher<T>>) {
    for watcher in watchers {
        if let Watcher::Tap(queue) = watcher {
            queue.finish(End::Completed);
        }
    }
}
