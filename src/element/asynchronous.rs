//! Asynchronous element functions: one call at a time, in order.

use super::batch::Batch;
use super::function::{Loan, fail, forget, keep};
use super::push::PushAll;
use super::queue::{Got, Queue};
use super::site::{Mode, Site};
use super::{BoxError, Item, Outcome, Overflow};
use crate::stream::meter;
use futures::Stream;
use pin_project_lite::pin_project;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, ready};
use tokio::time::Instant;

/// Where an asynchronous element function puts its results, none to many for an item.
///
/// It is cheap to clone and may outlive the call: keep it, send it to a task.
pub struct Emitter<U> {
    queue: Arc<Queue<U>>,
}

impl<U> Clone for Emitter<U> {
    fn clone(&self) -> Self {
        Self { queue: self.queue.clone() }
    }
}

impl<U> fmt::Debug for Emitter<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emitter").finish_non_exhaustive()
    }
}

impl<U> Emitter<U> {
    pub(crate) fn new(queue: Arc<Queue<U>>) -> Self {
        Self { queue }
    }

    /// Emits one result; waits while the element's output is full. `false` when nobody will ever take it, because the
    /// element was restarted or disposed of: a task that goes on emitting should end then.
    ///
    /// # Cancel safety
    /// Cancel safe: if dropped before it is ready, the item was not emitted.
    pub fn emit(&self, item: U) -> impl Future<Output = bool> + Send + '_
    where
        U: Send,
    {
        let push = self.queue.push_one(item);
        async move { push.await.is_ok() }
    }

    /// Emits results in their order, in one go where there is room; waits while the element's output is full. `false` as
    /// that of [`emit`](Self::emit): those that were not emitted yet are dropped then. What clones of this emit meanwhile may
    /// come between them where there is not room for all.
    ///
    /// # Cancel safety
    /// If dropped before it is ready, the first ones may have been emitted; the others are dropped.
    pub fn emit_all(&self, items: impl IntoIterator<Item = U>) -> impl Future<Output = bool> + Send + '_
    where
        U: Send,
    {
        PushAll::new(&self.queue, items.into_iter().collect())
    }
}

/// Of calls that end at once, one in so many is measured; behind one that waited, the next is.
const EVERY: u8 = 16;
/// Results of asynchronous functions wait here at most, before `emit` waits.
pub(crate) const RESULTS: usize = 256;

/// The results of calls, read by the pipe.
pub(crate) struct Results<U> {
    queue: Arc<Queue<U>>,
    batch: Batch<U>,
}

impl<U> Results<U> {
    pub(crate) fn new() -> Self {
        Self { queue: Queue::new(RESULTS, Overflow::Wait), batch: Batch::default() }
    }

    pub(crate) fn emitter(&self) -> Emitter<U> {
        Emitter::new(self.queue.clone())
    }

    /// A result that is there now.
    pub(crate) fn try_next(&mut self) -> Option<U> {
        self.next_fetched().or_else(|| {
            self.fetch();
            self.next_fetched()
        })
    }

    /// A result that was [fetched](Self::fetch) already.
    #[inline]
    fn next_fetched(&mut self) -> Option<U> {
        self.batch.next()
    }

    /// Looks for results; all that were fetched before have been taken.
    fn fetch(&mut self) {
        self.batch.fill(|batch| self.queue.try_take(batch));
    }

    /// The same, and to be woken when there is one.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<U> {
        loop {
            if let Some(item) = self.batch.next() {
                return Poll::Ready(item);
            }
            match ready!(self.batch.fill(|batch| self.queue.poll_take(cx, batch))) {
                Got::Items => {}
                Got::Fault(_) | Got::End(_) => return Poll::Pending,
            }
        }
    }
}

impl<U> Drop for Results<U> {
    fn drop(&mut self) {
        self.queue.close(self.batch.len());
    }
}

pin_project! {
    /// Operators followed by an asynchronous function, one call at a time.
    pub struct EachAsync<S, F, Fut, U> {
        #[pin]
        s: S,
        f: Loan<F>,
        #[pin]
        call: Option<Fut>,
        polling: bool,
        // When the call that is measured was begun.
        since: Option<Instant>,
        // The call has waited for something.
        waited: bool,
        // Calls that begin before the next one that is measured.
        unmeasured: u8,
        // Told once the results that came before it are out.
        failed: Option<BoxError>,
        done: bool,
        results: Results<U>,
        site: Arc<Site>,
    }
}

impl<S, F, Fut, U> EachAsync<S, F, Fut, U> {
    pub(crate) fn new(s: S, f: Loan<F>, site: Arc<Site>) -> Self {
        site.measures_calls.store(true, Relaxed);
        Self {
            s,
            f,
            call: None,
            polling: false,
            since: None,
            waited: false,
            unmeasured: 0,
            failed: None,
            done: false,
            results: Results::new(),
            site,
        }
    }
}

impl<S, F, Fut, U> Stream for EachAsync<S, F, Fut, U>
where
    S: Stream<Item: Item>,
    F: FnMut(S::Item, Emitter<U>) -> Fut,
    Fut: Future<Output: Outcome>,
{
    type Item = U;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<U>> {
        let mut me = self.project();
        loop {
            if let Some(item) = me.results.next_fetched() {
                return Poll::Ready(Some(item));
            }
            if let Some(error) = me.failed.take() {
                fail(me.site, error);
            }
            if std::mem::take(me.polling) {
                me.call.set(None); // its last poll panicked
                *me.since = None;
            }
            if let Some(call) = me.call.as_mut().as_pin_mut() {
                *me.polling = true;
                let polled = me.site.in_function(|| call.poll(cx));
                *me.polling = false;
                let Poll::Ready(outcome) = polled else {
                    *me.waited = true;
                    // What is skipped does not wait for the call to end.
                    while me.site.mode() == Mode::Skip && !*me.done {
                        match me.s.as_mut().poll_next(cx) {
                            Poll::Ready(Some(_)) => _ = me.site.skipped.fetch_add(1, Relaxed),
                            Poll::Ready(None) => *me.done = true,
                            Poll::Pending => break,
                        }
                    }
                    // What was emitted so far goes out at once; also what other holders of the emitter emit.
                    return me.results.poll_next(cx).map(Some);
                };
                me.call.set(None);
                let waited = std::mem::take(me.waited);
                if let Some(since) = me.since.take() {
                    me.site.took(since.elapsed());
                    *me.unmeasured = if waited { 0 } else { EVERY - 1 };
                }
                // Once a call is enough: before it waits for anything, the pipe looks again.
                me.results.fetch();
                match outcome.outcome() {
                    Ok(()) => {
                        me.site.worked.store(true, Relaxed);
                        if me.site.keeps_inputs() {
                            forget(me.site);
                        }
                    }
                    Err(error) => *me.failed = Some(error),
                }
                continue;
            }
            if *me.done {
                return Poll::Ready(None);
            }
            let mode = me.site.mode_for(cx);
            if mode == Mode::Hold {
                return me.results.poll_next(cx).map(Some);
            }
            match me.s.as_mut().poll_next(cx) {
                Poll::Ready(Some(_)) if mode == Mode::Skip => {
                    me.site.skipped.fetch_add(1, Relaxed);
                }
                Poll::Ready(Some(item)) => {
                    let Some(f) = me.f.get() else { return Poll::Ready(None) };
                    if me.site.keeps_inputs() {
                        keep(me.site, &item);
                    }
                    let emitter = me.results.emitter();
                    match me.unmeasured.checked_sub(1) {
                        Some(left) => *me.unmeasured = left,
                        None => *me.since = meter::now(),
                    }
                    let call = me.site.in_function(|| f(item, emitter));
                    me.call.set(Some(call));
                }
                Poll::Ready(None) => *me.done = true,
                Poll::Pending => return me.results.poll_next(cx).map(Some),
            }
        }
    }
}
