//! What is due at a certain time.

use super::{Place, RunId, Time};
use futures::{Stream, stream};
use parking_lot::Mutex;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use tokio::sync::Notify;

/// A time that was waited for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Timer {
    pub(super) at: Time,
    pub(super) run: RunId,
    pub(super) place: Place,
    pub(super) attempt: u32,
    pub(super) what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    /// An attempt takes too long.
    Timeout,
    /// The wait before the next attempt is over.
    Retry,
    /// Those who work elsewhere had time to stop.
    Grace,
}

/// Timers of the runs in hand: at most one for each step that is in work. They are made anew from the runs when another
/// engine takes over.
#[derive(Default)]
pub(super) struct Timers {
    heap: Mutex<BinaryHeap<Reverse<Timer>>>,
    changed: Notify,
}

impl Timers {
    pub(super) fn add(&self, timer: Timer) {
        let mut heap = self.heap.lock();
        let is_first = heap.peek().is_none_or(|Reverse(first)| timer < *first);
        heap.push(Reverse(timer));
        if is_first {
            self.changed.notify_one();
        }
    }

    pub(super) fn stream(self: &Arc<Self>) -> impl Stream<Item = Timer> + Send + use<> {
        stream::unfold(self.clone(), |timers| async move {
            loop {
                let now = Time::now();
                let next = {
                    let mut heap = timers.heap.lock();
                    match heap.peek().map(|Reverse(first)| first.at) {
                        Some(at) if at <= now => {
                            let due = heap.pop();
                            drop(heap);
                            if let Some(Reverse(timer)) = due {
                                return Some((timer, timers));
                            }
                            continue;
                        }
                        next => next,
                    }
                };
                let sleep = async {
                    match next {
                        Some(at) => tokio::time::sleep(at.since(now)).await,
                        None => std::future::pending().await,
                    }
                };
                tokio::select! {
                    biased;
                    () = sleep => {}
                    () = timers.changed.notified() => {}
                }
            }
        })
    }
}
