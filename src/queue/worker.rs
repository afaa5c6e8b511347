//! Elements that work on a queue.

use super::done::Done;
use super::job::Envelope;
use super::keys::WORKERS;
use super::levels::Levels;
use super::queue::{Queue, Shared};
use super::rate::Limiter;
use super::settling::Settler;
use super::task::Task;
use super::{Error, metered};
use crate::element::{Element, Item, LinkOptions, PushError};
use crate::event::{Delivery, EventSource, Retention};
use crate::knowledge::Filter;
use futures::{Sink, StreamExt, future};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tracing::warn;

/// An element at work on a queue. Dropping it ends that: what was not begun goes to others at once, what the element has in
/// hand is still settled.
#[must_use = "dropping it ends the work"]
pub struct Worker {
    queue: Arc<Shared>,
    serving: JoinHandle<()>,
    stopping: Arc<AtomicBool>,
    stop: watch::Sender<bool>,
    permits: Arc<Semaphore>,
    left: future::BoxFuture<'static, ()>,
}

/// How often what is done is removed.
const TIDY: Duration = Duration::from_secs(5);
/// How often it is looked whether a queue is paused in any case.
const LOOK: Duration = Duration::from_secs(30);

type Sources<T> = Levels<EventSource<Envelope<T>>>;

impl Queue {
    /// Lets an element work on it: it takes [`Task`]s and emits what became of each ([`Done`]);
    /// [`working`](super::working) makes such a function. It is started. At most
    /// [`concurrency`](super::Settings::concurrency) tasks are given out that are not settled, so the element should do as
    /// many at a time.
    ///
    /// # Errors
    /// [`Error::Element`] if it cannot be linked or started; what the backend says.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    ///
    /// # Cancel safety
    /// Dropping the future may leave the element started.
    pub async fn work<T, R>(&self, element: &Element<Task<T>, Done<Task<T>, R>>) -> Result<Worker, Error>
    where
        T: DeserializeOwned + Send + Sync + 'static,
        R: Serialize + Item,
    {
        let shared = self.shared();
        let failed = |reason: String| Error::Element {
            queue: self.name().to_owned(),
            path: element.path().to_string(),
            reason,
        };
        let mut sources = Vec::new();
        for level in shared.levels() {
            let group = shared
                .log(shared.keys.level(level))
                .group(WORKERS)
                .lease(shared.settings.lease)
                // The queue counts.
                .attempts(u64::MAX)
                .in_hand(NonZeroUsize::new(shared.settings.concurrency).unwrap_or(NonZeroUsize::MIN));
            sources.push(group.source::<Envelope<T>>().await.map_err(|error| shared.event_error(error))?);
        }
        element
            .link_sink(Settle(PhantomData), LinkOptions::new())
            .map_err(|error| failed(error.to_string()))?;
        if !element.any().state().is_active() {
            element.any().start().map_err(|error| failed(error.to_string()))?;
        }
        let left = future::join_all(sources.iter().map(EventSource::left).collect::<Vec<_>>());
        let left: future::BoxFuture<'static, ()> = Box::pin(async move { drop(left.await) });
        let permits = Arc::new(Semaphore::new(shared.settings.concurrency));
        let (stop, stopped) = watch::channel(false);
        let stopping = Arc::new(AtomicBool::new(false));
        let (pause, paused) = watch::channel(shared.is_paused().await?);
        let dispatcher = Dispatcher {
            queue: shared.clone(),
            sources: Levels::new(sources),
            element: element.clone(),
            limiter: Limiter::new(shared.clone()),
            settler: Settler::new(shared.clone()),
            permits: permits.clone(),
            stopping: stopping.clone(),
            paused,
            stopped,
        };
        let queue = shared.clone();
        let serving = tokio::spawn(async move {
            tokio::select! {
                () = dispatcher.run() => {}
                () = queue.serve_later() => {}
                () = queue.watch_pause(pause) => {}
                () = queue.tidy() => {}
            }
        });
        Ok(Worker { queue: shared.clone(), serving, stopping, stop, permits, left })
    }
}

impl Worker {
    /// Begins nothing more and waits until all that is in hand is settled, at most this long; how many tasks are left then.
    /// Others do them.
    ///
    /// # Cancel safety
    /// Dropping the future ends the work at once.
    pub async fn stop(mut self, limit: Duration) -> usize {
        let all = self.queue.settings.concurrency;
        self.stop.send_replace(true);
        let ending = async {
            // As soon as all are back, nothing is in hand.
            let permits = self.permits.acquire_many(u32::try_from(all).unwrap_or(u32::MAX)).await;
            drop(permits);
        };
        let _ = timeout(limit, ending).await;
        let in_hand = all.saturating_sub(self.permits.available_permits());
        self.stopping.store(true, Ordering::Release);
        self.serving.abort();
        let _ = timeout(Duration::from_secs(5), &mut self.left).await;
        in_hand
    }

    /// Whether it is at work: not after its element was disposed of.
    #[must_use]
    pub fn is_working(&self) -> bool {
        !self.serving.is_finished()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Release);
        self.serving.abort();
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").field("queue", &self.queue.keys.name()).finish_non_exhaustive()
    }
}

/// Gives jobs out to an element, as its turn comes.
struct Dispatcher<T, R>
where
    T: DeserializeOwned + Send + Sync + 'static,
    R: Item,
{
    queue: Arc<Shared>,
    sources: Sources<T>,
    element: Element<Task<T>, Done<Task<T>, R>>,
    limiter: Limiter,
    settler: Settler,
    permits: Arc<Semaphore>,
    stopping: Arc<AtomicBool>,
    paused: watch::Receiver<bool>,
    stopped: watch::Receiver<bool>,
}

impl<T, R> Dispatcher<T, R>
where
    T: DeserializeOwned + Send + Sync + 'static,
    R: Item,
{
    async fn run(mut self) {
        let mut stopped = self.stopped.clone();
        tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => {}
            () = self.give_out() => return,
        }
        // What is in hand may still be settled, and the others serve what is due.
        future::pending::<()>().await;
    }

    async fn give_out(&mut self) {
        loop {
            let Ok(permit) = self.permits.clone().acquire_owned().await else { return };
            let Some((level, delivery)) = self.next().await else { return };
            self.limiter.pass().await;
            let level = u8::try_from(level).unwrap_or(u8::MAX);
            let task = Task::new(
                (level, delivery),
                self.queue.clone(),
                self.settler.clone(),
                self.stopping.clone(),
                permit,
            );
            if task.attempt() > self.queue.settings.attempts {
                task.bury(format_args!(
                    "its worker was gone {} times before it was done",
                    self.queue.settings.attempts
                ));
                continue;
            }
            match self.element.push(task).await {
                Ok(()) => {}
                Err(error @ PushError::Closed { .. }) => {
                    warn!(queue = %self.queue.keys.name(), %error, "an element works on a queue no more");
                    self.stopping.store(true, Ordering::Release);
                    return;
                }
                Err(error) => {
                    warn!(queue = %self.queue.keys.name(), %error, "a job is given back");
                    error.into_item().give_back();
                    sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }

    /// The next job whose turn it is, while the queue is not paused.
    async fn next(&mut self) -> Option<(usize, Delivery<Envelope<T>>)> {
        loop {
            if self.paused.wait_for(|paused| !paused).await.is_err() {
                return None;
            }
            tokio::select! {
                biased;
                _ = self.paused.changed() => {}
                next = self.sources.next() => match next? {
                    (level, Ok(delivery)) => return Some((level, delivery)),
                    // It is in the dead letters, or will be tried again.
                    (_, Err(error)) => {
                        self.queue.meter.add(metered::DEAD, 1);
                        warn!(queue = %self.queue.keys.name(), %error, "what stands in a queue cannot be done");
                    }
                },
            }
        }
    }
}

impl Shared {
    /// Tells whether the queue is paused, for ever.
    async fn watch_pause(&self, pause: watch::Sender<bool>) {
        let mut changes = None;
        loop {
            if changes.is_none() {
                // Before it is read, so that no change is missed.
                changes = self.store.watch(Filter::key(self.keys.paused())).await.ok();
            }
            if let Ok(is_paused) = self.is_paused().await {
                self.meter.set(metered::PAUSED, f64::from(u8::from(is_paused)));
                pause.send_if_modified(|held| std::mem::replace(held, is_paused) != is_paused);
            }
            match &mut changes {
                Some(watched) => {
                    if let Ok(None) = timeout(LOOK, watched.next()).await {
                        changes = None;
                    }
                }
                None => sleep(Duration::from_secs(1)).await,
            }
        }
    }

    /// Removes what is done from the logs, and the oldest outcomes, for ever.
    async fn tidy(&self) {
        loop {
            sleep(TIDY).await;
            let logs = self.levels().map(|level| (self.keys.level(level), Retention::Entries(0)));
            let outcomes = (self.keys.outcomes(), Retention::Entries(self.settings.keep));
            for (log, keep) in logs.chain([outcomes]) {
                if let Err(error) = self.log(log).trim(keep).await {
                    tracing::debug!(queue = %self.keys.name(), %error, "a log of a queue could not be trimmed");
                }
            }
        }
    }
}

/// Settles what an element emits.
struct Settle<T, R>(PhantomData<fn(T, R)>);

impl<T: Send + Sync + 'static, R: Serialize> Sink<Done<Task<T>, R>> for Settle<T, R> {
    type Error = Infallible;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(self: Pin<&mut Self>, done: Done<Task<T>, R>) -> Result<(), Infallible> {
        match &done.result {
            Ok(result) => done.item.finish(result),
            Err(reason) => done.item.fail(reason),
        }
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }
}
