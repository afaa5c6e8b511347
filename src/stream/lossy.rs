//! A bounded queue whose sender never waits.

use futures::Stream;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::fmt;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

/// A queue of at most `capacity` items: when it is full, the oldest item gives way and is counted.
///
/// The sender is never slowed down by the receiver, and the receiver learns in its place in the order how many items
/// it has missed. Memory: at most `capacity` items, taken up as they are needed.
///
/// ```
/// use futures::StreamExt;
/// use mape::stream::{Lossy, lossy};
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let (sender, receiver) = lossy(2.try_into().unwrap());
/// (1..=5).for_each(|n| { sender.send(n); });
/// drop(sender);
/// let seen: Vec<_> = receiver.collect().await;
/// assert_eq!(seen, [Lossy::Missed(3), Lossy::Item(4), Lossy::Item(5)]);
/// # }
/// ```
#[must_use]
pub fn lossy<T>(capacity: NonZeroUsize) -> (LossySender<T>, LossyReceiver<T>) {
    let shared = Arc::new(Shared {
        state: Mutex::new(State { queue: VecDeque::new(), missed: 0, waker: None, open: true }),
        capacity: capacity.get(),
        lost: AtomicU64::new(0),
    });
    (LossySender(shared.clone()), LossyReceiver(shared))
}

/// What a [`LossyReceiver`] yields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lossy<T> {
    /// The next item.
    Item(T),
    /// This many items were lost here.
    Missed(u64),
}

/// The sending end of [`lossy`]; dropping it ends the receiver after what is queued.
pub struct LossySender<T>(Arc<Shared<T>>);

/// The receiving end of [`lossy`], a [`Stream`].
pub struct LossyReceiver<T>(Arc<Shared<T>>);

struct Shared<T> {
    state: Mutex<State<T>>,
    capacity: usize,
    lost: AtomicU64,
}

struct State<T> {
    /// Items, and between them what its sender says was lost on the way to it.
    queue: VecDeque<Lossy<T>>,
    /// Lost since the receiver was last told; they were older than everything in `queue`.
    missed: u64,
    waker: Option<Waker>,
    /// False once either end is gone.
    open: bool,
}

impl<T> LossySender<T> {
    /// Queues `item`; `false` if the receiver is gone.
    pub fn send(&self, item: T) -> bool {
        self.queue(Lossy::Item(item))
    }

    /// Tells the receiver, in its place, that `count` items were lost before they came here; `false` if it is gone.
    pub fn lost(&self, count: u64) -> bool {
        self.0.lost.fetch_add(count, Ordering::Relaxed);
        self.queue(Lossy::Missed(count))
    }

    fn queue(&self, item: Lossy<T>) -> bool {
        let mut state = self.0.state.lock();
        if !state.open {
            return false;
        }
        // Dropped after the lock is released: an item's destructor may do anything.
        let oldest = if state.queue.len() == self.0.capacity { state.queue.pop_front() } else { None };
        match &oldest {
            Some(Lossy::Item(_)) => {
                state.missed += 1;
                self.0.lost.fetch_add(1, Ordering::Relaxed);
            }
            Some(Lossy::Missed(count)) => state.missed += count,
            None => {}
        }
        state.queue.push_back(item);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }

    /// Whether the receiver is gone.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        !self.0.state.lock().open
    }
}

impl<T> LossyReceiver<T> {
    /// How many items were lost so far, told or not.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.0.lost.load(Ordering::Relaxed)
    }

    /// How many items wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.state.lock().queue.len()
    }

    /// Whether no item waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T> Stream for LossyReceiver<T> {
    type Item = Lossy<T>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Lossy<T>>> {
        let mut state = self.0.state.lock();
        if state.missed > 0 {
            let missed = std::mem::take(&mut state.missed);
            return Poll::Ready(Some(Lossy::Missed(missed)));
        }
        if let Some(item) = state.queue.pop_front() {
            return Poll::Ready(Some(item));
        }
        if !state.open {
            return Poll::Ready(None);
        }
        if !state.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            state.waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }
}

impl<T> Drop for LossySender<T> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.open = false;
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> Drop for LossyReceiver<T> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.open = false;
        let queue = std::mem::take(&mut state.queue);
        drop(state);
        drop(queue);
    }
}

impl<T> fmt::Debug for LossySender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LossySender").field("closed", &self.is_closed()).finish()
    }
}

impl<T> fmt::Debug for LossyReceiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LossyReceiver").field("len", &self.len()).field("lost", &self.lost()).finish()
    }
}
