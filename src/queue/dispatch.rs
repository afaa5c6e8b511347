//! Who gives jobs out to an element.

use super::job::Head;
use super::levels::Levels;
use super::metered;
use super::queue::Shared;
use super::rate::Limiter;
use super::settling::Settler;
use super::task::Task;
use crate::element::{Element, Item, PortSink, State};
use crate::event::{self, Delivery, EventSource};
use futures::{Stream, future};
use serde::de::DeserializeOwned;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;
use tracing::warn;

/// Gives jobs out to an element, as its turn comes.
pub(super) struct Dispatcher<T, R>
where
    T: DeserializeOwned + Send + Sync + 'static,
    R: Item,
{
    pub(super) queue: Arc<Shared>,
    pub(super) sources: Levels<Jobs>,
    pub(super) element: Element<Task<T>, R>,
    pub(super) limiter: Limiter,
    pub(super) settler: Settler,
    pub(super) permits: Arc<Semaphore>,
    pub(super) stopping: Arc<AtomicBool>,
    pub(super) paused: watch::Receiver<bool>,
    pub(super) stopped: watch::Receiver<bool>,
    /// Levels may have something that has not been seen yet.
    pub(super) is_fresh: bool,
}

/// The jobs of a level.
pub(super) struct Jobs(pub(super) EventSource<Head>);

/// A job that was not given out yet. Dropped, it goes to others at once, and no attempt of it counts.
pub(super) struct Unbegun(Option<Delivery<Head>>);

/// How many jobs are given out in one go.
const BATCH: usize = 256;
/// How long jobs of several levels are kept ready while there is no room for them; then others have them.
const KEPT: Duration = Duration::from_millis(250);
/// How long is waited until it is clear which levels have something.
const MOMENT: Duration = Duration::from_millis(5);

impl<T, R> Dispatcher<T, R>
where
    T: DeserializeOwned + Send + Sync + 'static,
    R: Item,
{
    /// Until its element is disposed of. Once it is told to stop, it keeps nothing from others.
    pub(super) async fn run(mut self) {
        let mut stopped = self.stopped.clone();
        tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => {}
            () = self.serve() => {
                self.stopping.store(true, Ordering::Release);
                warn!(queue = %self.queue.keys.name(), element = %self.element.path(), "an element works on a queue no more");
                return;
            }
        }
        drop(self);
        // What is in hand may still be settled, and the others serve what is due.
        future::pending::<()>().await;
    }

    async fn serve(&mut self) {
        let element = self.element.any().clone();
        loop {
            // Nothing is taken for one that does nothing.
            let state =
                element.wait_for_state(|state| matches!(state, State::Running | State::Disposed)).await;
            if state == State::Disposed {
                return;
            }
            let sink = self.element.sink_for(self.queue.settings.concurrency);
            tokio::select! {
                biased;
                _ = element.wait_for_state(|state| state != State::Running) => {}
                () = self.give_out(&sink) => {}
            }
            self.put_back();
        }
    }

    fn put_back(&mut self) {
        self.sources.empty(|source| source.0.put_back());
        self.is_fresh = true;
    }

    /// Until the element refuses something.
    async fn give_out(&mut self, sink: &PortSink<Task<T>>) {
        let mut batch = VecDeque::new();
        loop {
            let permit = self.permit().await;
            let (level, job) = self.next().await;
            self.limiter.pass().await;
            if *self.paused.borrow() {
                // Since it was taken.
                continue;
            }
            batch.extend(self.begin(level, job, permit));
            while batch.len() < BATCH
                && let Some((level, job, permit)) = self.another().await
            {
                batch.extend(self.begin(level, job, permit));
            }
            sink.offer(&mut batch);
            if !batch.is_empty() {
                for task in batch {
                    task.put_back();
                }
                return;
            }
        }
    }

    /// Room for one more.
    async fn permit(&mut self) -> OwnedSemaphorePermit {
        let permits = self.permits.clone();
        let mut permit = Box::pin(permits.acquire_owned());
        if self.sources.len() > 1 {
            // The next of each level is there when there is room, so that whose turn it is can be told at once.
            let filling = poll_fn(|cx| {
                let permit = permit.as_mut().poll(cx);
                if permit.is_pending() {
                    let _ = self.sources.poll_fill(cx);
                }
                permit
            });
            if let Ok(Ok(permit)) = timeout(KEPT, filling).await {
                self.look().await;
                return permit;
            }
            self.put_back();
        }
        match permit.await {
            Ok(permit) => {
                self.look().await;
                permit
            }
            // Nobody closes it.
            Err(_) => future::pending().await,
        }
    }

    /// Waits until it is clear which levels have something.
    async fn look(&mut self) {
        if std::mem::take(&mut self.is_fresh) && self.sources.len() > 1 {
            let _ = timeout(MOMENT, poll_fn(|cx| self.sources.poll_fill(cx))).await;
        }
    }

    /// The next job whose turn it is, while the queue is not paused.
    async fn next(&mut self) -> (usize, Unbegun) {
        loop {
            if *self.paused.borrow() {
                // What is ready waits for nobody here.
                self.put_back();
            }
            if self.paused.wait_for(|paused| !paused).await.is_err() {
                return future::pending().await;
            }
            let next = tokio::select! {
                biased;
                _ = self.paused.changed() => continue,
                next = poll_fn(|cx| self.sources.poll(cx)) => next,
            };
            if let Some(next) = self.checked(next) {
                return next;
            }
        }
    }

    /// Another one, if there is room and one is there.
    async fn another(&mut self) -> Option<(usize, Unbegun, OwnedSemaphorePermit)> {
        let permit = self.permits.clone().try_acquire_owned().ok()?;
        loop {
            if !self.limiter.has_passed() {
                return None;
            }
            let next = poll_fn(|cx| Poll::Ready(self.sources.poll(cx))).await;
            let Poll::Ready(next) = next else { return None };
            if let Some((level, job)) = self.checked(next) {
                self.limiter.took();
                return Some((level, job, permit));
            }
        }
    }

    fn checked(&self, next: (usize, Result<Unbegun, event::Error>)) -> Option<(usize, Unbegun)> {
        let (level, job) = next;
        match job {
            Ok(job) => Some((level, job)),
            Err(error) => {
                if matches!(error, event::Error::Malformed { .. } | event::Error::Decode { .. }) {
                    // It is in the dead letters.
                    self.queue.meter.add(metered::DEAD, 1);
                    warn!(queue = %self.queue.keys.name(), %error, "what stands in a queue cannot be done");
                } else {
                    warn!(queue = %self.queue.keys.name(), %error, "a queue cannot be read");
                }
                None
            }
        }
    }

    /// The job as a task, if it can be done.
    fn begin(&self, level: usize, job: Unbegun, permit: OwnedSemaphorePermit) -> Option<Task<T>> {
        let delivery = job.begin()?;
        let level = u8::try_from(level).unwrap_or(u8::MAX);
        let of = (self.queue.clone(), self.settler.clone(), self.stopping.clone());
        Task::begun(level, delivery, of, self.element.any().site(), permit)
    }
}

impl Unbegun {
    fn begin(mut self) -> Option<Delivery<Head>> {
        self.0.take()
    }
}

impl Drop for Unbegun {
    fn drop(&mut self) {
        if let Some(delivery) = self.0.take() {
            delivery.put_back();
        }
    }
}

impl Stream for Jobs {
    type Item = Result<Unbegun, event::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = Pin::new(&mut self.0).poll_next(cx);
        next.map(|next| next.map(|next| next.map(|delivery| Unbegun(Some(delivery)))))
    }
}
