//! Keys that cease by themselves.

use super::store::Inner;
use parking_lot::Mutex;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

/// Removes keys when their time has ended, so that watchers hear of it then.
///
/// A key whose time has ended is gone for every reader also without this; the task is there for those who watch and for
/// the memory. It begins with the first key that has a time to live and ends with the store.
#[derive(Debug, Default)]
pub(super) struct Expiry {
    plan: Mutex<Plan>,
    sooner: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Plan {
    task: Option<JoinHandle<()>>,
    /// When the task looks next; `None` while it looks.
    next: Option<Instant>,
}

impl Expiry {
    /// A key has got a time to live.
    pub(super) fn look_again(&self, store: &Arc<Inner>, lives: Duration) {
        let mut plan = self.plan.lock();
        // Its runtime may have ended before the store.
        if plan.task.as_ref().is_none_or(JoinHandle::is_finished) {
            if let Ok(runtime) = Handle::try_current() {
                plan.next = None;
                plan.task = Some(runtime.spawn(sweep(Arc::downgrade(store), self.sooner.clone())));
            }
            return;
        }
        let at = Instant::now().checked_add(lives);
        if plan.next.is_none() || plan.next > at {
            self.sooner.notify_one();
        }
    }
}

impl Drop for Expiry {
    fn drop(&mut self) {
        if let Some(task) = &self.plan.get_mut().task {
            task.abort();
        }
    }
}

async fn sweep(store: Weak<Inner>, sooner: Arc<Notify>) {
    loop {
        let next = {
            let Some(inner) = store.upgrade() else { return };
            // Nobody is overheard: who comes while `next` is `None` leaves a notice for the wait below.
            inner.expiry.plan.lock().next = None;
            let next = sweep_once(&inner);
            inner.expiry.plan.lock().next = next;
            next
        };
        match next {
            None => sooner.notified().await,
            Some(at) => tokio::select! {
                biased;
                () = sleep_until(at) => {}
                () = sooner.notified() => {}
            },
        }
    }
}

/// Removes what has ended; when the next key does.
fn sweep_once(inner: &Inner) -> Option<Instant> {
    let now = Instant::now();
    let ends = inner.shards().filter_map(|mut shard| {
        let mut journal = inner.journal();
        let next = shard.sweep(now, &mut journal);
        inner.tell(journal);
        next
    });
    ends.min()
}
