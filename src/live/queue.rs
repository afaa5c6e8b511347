//! What waits for a client.

use super::{Closed, Delivered, Delivery, WhenFull};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// What waits for one client: parts up to a number and a size, and in their places what else it is told, which is little.
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    most: usize,
    most_bytes: usize,
    when_full: WhenFull,
}

#[derive(Default)]
struct Waiting {
    list: VecDeque<Delivery>,
    parts: usize,
    bytes: usize,
    /// Lost since the client was last told; they were older than all parts in the list.
    missed: u64,
    is_closed: bool,
    waker: Option<Waker>,
}

impl Queue {
    pub(super) fn new(most: usize, most_bytes: usize, when_full: WhenFull) -> Self {
        Self { waiting: Mutex::default(), most: most.max(1), most_bytes, when_full }
    }

    /// Puts a part behind what waits; how many were lost for it, and whether the client is closed for being slow.
    pub(super) fn push(&self, part: &Arc<Delivered>) -> (u64, bool) {
        let mut waiting = self.waiting.lock();
        if waiting.is_closed {
            return (0, false);
        }
        let size = part.json().len();
        let missed = waiting.missed;
        while waiting.parts > 0 && (waiting.parts >= self.most || waiting.bytes + size > self.most_bytes) {
            if self.when_full == WhenFull::Disconnect {
                waiting.close(Some(Closed::TooSlow));
                return (0, true);
            }
            waiting.lose_oldest();
        }
        let lost = waiting.missed - missed;
        waiting.parts += 1;
        waiting.bytes += size;
        waiting.put(Delivery::Part(part.clone()));
        (lost, false)
    }

    /// Puts something behind what waits that is no part.
    pub(super) fn tell(&self, what: Delivery) {
        let mut waiting = self.waiting.lock();
        if !waiting.is_closed {
            waiting.put(what);
        }
    }

    /// Nothing more comes in; what waits can still be taken.
    pub(super) fn close(&self, reason: Option<Closed>) {
        self.waiting.lock().close(reason);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.waiting.lock().is_closed
    }

    /// How many parts wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.lock().parts
    }

    /// Takes all that waits, in exchange for an empty list; `false` if nothing will ever come.
    pub(super) fn poll_take(&self, taken: &mut VecDeque<Delivery>, cx: &mut Context<'_>) -> Poll<bool> {
        let mut waiting = self.waiting.lock();
        if waiting.list.is_empty() && waiting.missed == 0 {
            if waiting.is_closed {
                return Poll::Ready(false);
            }
            waiting.waker.get_or_insert_with(|| cx.waker().clone()).clone_from(cx.waker());
            return Poll::Pending;
        }
        let waiting = &mut *waiting;
        std::mem::swap(taken, &mut waiting.list);
        (waiting.parts, waiting.bytes) = (0, 0);
        let missed = std::mem::take(&mut waiting.missed);
        if missed > 0 {
            taken.push_front(Delivery::Missed { count: missed });
        }
        Poll::Ready(true)
    }
}

impl Waiting {
    fn put(&mut self, what: Delivery) {
        self.list.push_back(what);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn close(&mut self, reason: Option<Closed>) {
        if self.is_closed {
            return;
        }
        self.is_closed = true;
        if let Some(reason) = reason {
            self.list.push_back(Delivery::Closed { reason });
        }
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn lose_oldest(&mut self) {
        // Few of what waits is no part, so this is near the front.
        let at = self.list.iter().position(|what| matches!(what, Delivery::Part(_)));
        if let Some(Delivery::Part(part)) = at.and_then(|at| self.list.remove(at)) {
            self.parts -= 1;
            self.bytes -= part.json().len();
            self.missed += 1;
        } else {
            (self.parts, self.bytes) = (0, 0);
        }
    }
}
