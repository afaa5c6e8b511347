//! The bounded queue between an operator and one of the streams it opened.

use super::metered::Metered;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// How many items wait for the reader of a group or window unless told otherwise.
pub(super) const LANE_CAPACITY: usize = 1_024;

/// A bounded queue with one writer and one reader.
///
/// The reader takes all that waits at once, so the lock is taken once a batch; up to twice the capacity is held.
#[derive(Debug)]
pub(super) struct Lane<T> {
    state: Mutex<State<T>>,
}

#[derive(Debug)]
struct State<T> {
    queue: VecDeque<T>,
    capacity: usize,
    reader: Option<Waker>,
    writer: Option<Waker>,
    closed: bool,
    abandoned: bool,
    shed: u64,
    metered: Metered,
    /// How many waiting items are counted there.
    counted: usize,
}

/// Fewer waiting items are not counted.
const LEAST: usize = 8;

impl<T> State<T> {
    fn count(&mut self, waiting: usize) {
        if waiting != self.counted {
            self.metered.shift(waiting as f64 - self.counted as f64);
            self.counted = waiting;
        }
    }
}

/// What to do with an item that finds no room.
#[derive(Clone, Copy, Debug)]
pub(super) enum WhenFull {
    Wait,
    /// The oldest item makes room and is counted.
    ShedOldest,
}

/// What became of an item.
pub(super) enum Pushed<T> {
    Done,
    /// There is no room; the writer is woken when there is.
    Full(T),
    /// The reader is gone.
    Abandoned,
}

impl<T> Lane<T> {
    pub(super) fn new(capacity: usize, metered: &Metered) -> (Arc<Self>, Reader<T>) {
        let state = State {
            queue: VecDeque::new(),
            capacity: capacity.max(1),
            reader: None,
            writer: None,
            closed: false,
            abandoned: false,
            shed: 0,
            metered: metered.clone(),
            counted: 0,
        };
        let lane = Arc::new(Self { state: Mutex::new(state) });
        let reader = Reader { lane: Arc::clone(&lane), taken: VecDeque::new() };
        (lane, reader)
    }

    /// Puts an item in. A reader that would be woken through `silent` is not: who calls looks after it.
    #[inline]
    pub(super) fn push(&self, item: T, full: WhenFull, writer: &Waker, silent: Option<&Waker>) -> Pushed<T> {
        let mut state = self.state.lock();
        if state.abandoned {
            return Pushed::Abandoned;
        }
        let mut oldest = None;
        if state.queue.len() >= state.capacity {
            match full {
                WhenFull::Wait => {
                    state.writer = Some(writer.clone());
                    return Pushed::Full(item);
                }
                WhenFull::ShedOldest => {
                    oldest = state.queue.pop_front();
                    state.shed += 1;
                    state.metered.dropped(1);
                }
            }
        }
        state.queue.push_back(item);
        // Not each item is told, but never less than half of them are counted.
        let waiting = state.queue.len();
        if waiting >= LEAST.max(2 * state.counted) {
            state.count(waiting);
        }
        wake_reader(state, silent);
        // Dropped without the lock, as it may hold anything.
        drop(oldest);
        Pushed::Done
    }

    /// What waits may still be read, then the reader sees the end.
    pub(super) fn close(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        wake_reader(state, None);
    }
}

fn wake_reader<T>(mut state: parking_lot::MutexGuard<'_, State<T>>, silent: Option<&Waker>) {
    let asleep = |waker: &mut Waker| !silent.is_some_and(|silent| silent.will_wake(waker));
    let waker = state.reader.take_if(asleep);
    drop(state);
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// The reading end of a lane.
#[derive(Debug)]
pub(super) struct Reader<T> {
    lane: Arc<Lane<T>>,
    taken: VecDeque<T>,
}

impl<T> Reader<T> {
    #[inline]
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        if let Some(item) = self.taken.pop_front() {
            return Poll::Ready(Some(item));
        }
        let mut state = self.lane.state.lock();
        if state.queue.is_empty() {
            if state.closed {
                return Poll::Ready(None);
            }
            if !state.reader.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
                state.reader = Some(cx.waker().clone());
            }
            return Poll::Pending;
        }
        state.count(0);
        mem::swap(&mut state.queue, &mut self.taken);
        let writer = state.writer.take();
        drop(state);
        if let Some(writer) = writer {
            writer.wake();
        }
        Poll::Ready(self.taken.pop_front())
    }

    /// How many items were shed so far.
    pub(super) fn shed(&self) -> u64 {
        self.lane.state.lock().shed
    }

    pub(super) fn reads(&self, lane: &Arc<Lane<T>>) -> bool {
        Arc::ptr_eq(&self.lane, lane)
    }
}

impl<T> Drop for Reader<T> {
    fn drop(&mut self) {
        let mut state = self.lane.state.lock();
        state.abandoned = true;
        state.count(0);
        state.reader = None;
        let (unread, writer) = (mem::take(&mut state.queue), state.writer.take());
        drop(state);
        // Dropped without the lock, as they may hold anything.
        drop(unread);
        if let Some(writer) = writer {
            writer.wake();
        }
    }
}
