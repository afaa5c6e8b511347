//! A stream of what a port emits.

use super::batch::Batch;
use super::queue::{End, Fault, Got, Queue};
use super::{ElementError, LinkStats, Overflow};
use futures::Stream;
use futures::task::AtomicWaker;
use parking_lot::Mutex;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

/// A stream of everything that a port emits from now on; dropping it ends the subscription.
///
/// As a [`Stream`] it yields the items; errors of the elements upstream are passed over (they are events of the app as
/// well). [`signals`](Self::signals) and [`next_signal`](Self::next_signal) yield the errors too, in their place
/// between the items. It ends when the element completes.
#[must_use = "a subscription does nothing unless it is polled, and one that waits holds up its sender"]
pub struct Subscription<T> {
    queue: Arc<Queue<T>>,
    batch: Batch<T>,
    end: Option<End>,
    /// For a link with operators: what it tells past them.
    past: Option<Arc<PastOperators>>,
}

impl<T> Subscription<T> {
    pub(crate) fn new(queue: Arc<Queue<T>>) -> Self {
        Self { queue, batch: Batch::default(), end: None, past: None }
    }

    /// For a link with operators.
    pub(crate) fn of_link(queue: Arc<Queue<T>>, past: Arc<PastOperators>) -> Self {
        Self { queue, batch: Batch::default(), end: None, past: Some(past) }
    }

    /// Why it ended, once it has.
    pub(crate) fn end(&self) -> Option<End> {
        self.end
    }

    /// The next item or error, or `None` when the element has completed.
    ///
    /// # Cancel safety
    /// Cancel safe: if dropped before it is ready, no item is lost.
    pub async fn next_signal(&mut self) -> Option<Result<T, Arc<ElementError>>> {
        std::future::poll_fn(|cx| self.poll_signal(cx)).await
    }

    /// The same stream with the errors in their place between the items.
    pub fn signals(self) -> Signals<T> {
        Signals(self)
    }

    /// An item that is there now, without waiting.
    pub fn try_next(&mut self) -> Option<T> {
        loop {
            if let Ok(item) = self.try_signal()? {
                return Some(item);
            }
        }
    }

    /// An item or error that is there now.
    pub(crate) fn try_signal(&mut self) -> Option<Result<T, Arc<ElementError>>> {
        loop {
            if let Some(item) = self.batch.next() {
                return Some(Ok(item));
            }
            match self.batch.fill(|batch| self.queue.try_take(batch))? {
                Got::Items => {}
                Got::Fault(fault) => return Some(Err(fault)),
                Got::End(end) => {
                    self.end = Some(end);
                    return None;
                }
            }
        }
    }

    /// The counters of this subscription.
    #[must_use]
    pub fn stats(&self) -> LinkStats {
        self.queue.stats()
    }

    /// Its counters, wherever it is.
    pub(crate) fn watch(&self) -> impl Fn() -> LinkStats + Send + Sync + use<T>
    where
        T: super::Item,
    {
        let queue = self.queue.clone();
        move || queue.stats()
    }

    /// Changes what happens when this subscription is full.
    pub fn set_overflow(&self, overflow: Overflow) {
        self.queue.set_overflow(overflow);
    }

    #[inline]
    pub(crate) fn poll_signal(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, Arc<ElementError>>>> {
        loop {
            if let Some(item) = self.batch.next() {
                return Poll::Ready(Some(Ok(item)));
            }
            if self.end.is_some() {
                return Poll::Ready(None);
            }
            match std::task::ready!(self.batch.fill(|batch| self.queue.poll_take(cx, batch))) {
                Got::Items => {}
                Got::Fault(fault) => return Poll::Ready(Some(Err(fault))),
                Got::End(end) => self.end = Some(end),
            }
        }
    }
}

impl<T> Unpin for Subscription<T> {}

impl<T> Stream for Subscription<T> {
    type Item = T;

    #[inline]
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        loop {
            if let Some(past) = &self.past
                && past.has_fault()
            {
                // It goes first; whoever takes it wakes this.
                past.taken.register(cx.waker());
                if past.has_fault() {
                    return Poll::Pending;
                }
            }
            match std::task::ready!(self.poll_signal(cx)) {
                Some(Ok(item)) => return Poll::Ready(Some(item)),
                Some(Err(fault)) => {
                    if let Some(past) = &self.past {
                        past.put(fault);
                    }
                }
                None => {
                    if let Some(past) = &self.past {
                        past.unlinked.store(self.end == Some(End::Unlinked), Ordering::Release);
                    }
                    return Poll::Ready(None);
                }
            }
        }
    }
}

/// What goes past the operators of a link: errors, and whether it was cut.
#[derive(Default)]
pub(crate) struct PastOperators {
    fault: Mutex<Option<Fault>>,
    waits: AtomicBool,
    taken: AtomicWaker,
    pub(crate) unlinked: AtomicBool,
}

impl PastOperators {
    pub(crate) fn has_fault(&self) -> bool {
        self.waits.load(Ordering::Acquire)
    }

    fn put(&self, fault: Fault) {
        *self.fault.lock() = Some(fault);
        self.waits.store(true, Ordering::Release);
    }

    pub(crate) fn take(&self) -> Option<Fault> {
        if !self.has_fault() {
            return None;
        }
        let fault = self.fault.lock().take();
        self.waits.store(false, Ordering::Release);
        self.taken.wake();
        fault
    }
}

impl<T> Drop for Subscription<T> {
    fn drop(&mut self) {
        // Once it has read the end, the queue may have another reader.
        if self.end.is_none() {
            self.queue.leave(std::mem::take(&mut self.batch).into_left());
        }
    }
}

impl<T> fmt::Debug for Subscription<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

/// A subscription with the errors in their place; see [`Subscription::signals`].
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct Signals<T>(Subscription<T>);

impl<T> Stream for Signals<T> {
    type Item = Result<T, Arc<ElementError>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_signal(cx)
    }
}
