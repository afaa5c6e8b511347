//! What waits for a client.

use super::{Closed, Delivered, Delivery, WhenFull};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// The most words of who came and went that wait, unless more parts may.
const WORDS: usize = 1024;
/// The most else that waits, such as ends of jobs.
const OTHERS: usize = 65_536;

/// What waits for one client: parts up to a number and a size, and in their places what else it is told, up to a number.
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
    /// Who came and went, and how much was missed on the way here.
    words: usize,
    /// All else.
    others: usize,
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

    /// Puts all of these parts behind what waits, or none of them if that would be too much.
    pub(super) fn push_all(&self, parts: &[&Arc<Delivered>]) -> bool {
        let mut waiting = self.waiting.lock();
        if waiting.is_closed {
            return false;
        }
        let (count, bytes) = (parts.len(), parts.iter().map(|part| part.json().len()).sum::<usize>());
        let is_one = waiting.parts == 0 && count <= 1;
        let is_too_much = waiting.parts + count > self.most || waiting.bytes + bytes > self.most_bytes;
        if is_too_much && !is_one {
            return false;
        }
        waiting.parts += count;
        waiting.bytes += bytes;
        for part in parts {
            waiting.put(Delivery::Part(Arc::clone(part)));
        }
        true
    }

    /// Puts something behind what waits that is no part; how many words of who came and went were lost for it.
    pub(super) fn tell(&self, what: Delivery) -> u64 {
        let mut waiting = self.waiting.lock();
        if waiting.is_closed {
            return 0;
        }
        if let (Delivery::Missed { count: more }, Some(Delivery::Missed { count })) =
            (&what, waiting.list.back_mut())
        {
            *count += more;
            return 0;
        }
        let mut lost = 0;
        if is_word(&what) {
            if waiting.words >= self.most.max(WORDS) {
                if self.when_full == WhenFull::Disconnect {
                    waiting.close(Some(Closed::TooSlow));
                    return 0;
                }
                lost = waiting.lose_oldest_word();
            }
            waiting.words += 1;
        } else {
            if waiting.others >= OTHERS {
                waiting.close(Some(Closed::TooSlow));
                return 0;
            }
            waiting.others += 1;
        }
        waiting.put(what);
        lost
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
        (waiting.parts, waiting.bytes, waiting.words, waiting.others) = (0, 0, 0, 0);
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
        let at = self.list.iter().position(|what| matches!(what, Delivery::Part(_)));
        if let Some(Delivery::Part(part)) = at.and_then(|at| self.list.remove(at)) {
            self.parts -= 1;
            self.bytes -= part.json().len();
            self.missed += 1;
        } else {
            (self.parts, self.bytes) = (0, 0);
        }
    }

    fn lose_oldest_word(&mut self) -> u64 {
        let at = self.list.iter().position(is_word);
        let Some(word) = at.and_then(|at| self.list.remove(at)) else { return 0 };
        self.words -= 1;
        let (count, lost) = match word {
            // That was counted when it was lost.
            Delivery::Missed { count } => (count, 0),
            _ => (1, 1),
        };
        self.missed += count;
        lost
    }
}

/// Whether it gives way to newer ones.
fn is_word(what: &Delivery) -> bool {
    matches!(what, Delivery::Presence { .. } | Delivery::Missed { .. })
}
