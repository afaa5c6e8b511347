//! Elements that work on a queue.

use super::Error;
use super::dispatch::{Dispatcher, Jobs};
use super::done::Done;
use super::job::Head;
use super::keys::WORKERS;
use super::levels::Levels;
use super::metered;
use super::queue::{Queue, Shared};
use super::rate::Limiter;
use super::settings::MOST_LEVELS;
use super::settling::Settler;
use super::task::Task;
use crate::element::{Element, Item, LinkOptions};
use crate::event::{EventSource, GroupInfo, Retention};
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
use tokio::time::{Instant, sleep, timeout, timeout_at};
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

/// How long the end of a worker may take to tell the backend what became of its jobs.
const FAREWELL: Duration = Duration::from_secs(5);
/// How many jobs of each level, if there are several, are got before there is room for them.
const AHEAD: usize = 4;
/// How often what is done is removed.
const TIDY: Duration = Duration::from_secs(1);
/// How often it is looked whether a queue is paused in any case.
const LOOK: Duration = Duration::from_secs(30);

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
        let in_hand = match shared.settings.priorities {
            1 => shared.settings.concurrency,
            // Enough of each level to tell whose turn it is.
            _ => shared.settings.concurrency + AHEAD,
        };
        for level in 0..shared.served_levels().await? {
            let group = shared
                .log(shared.keys.level(level))
                .group(WORKERS)
                .lease(shared.settings.lease)
                // The queue counts.
                .attempts(u64::MAX)
                .in_hand(NonZeroUsize::new(in_hand).unwrap_or(NonZeroUsize::MIN));
            sources.push(group.source::<Head>().await.map_err(|error| shared.event_error(error))?);
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
            sources: Levels::new(sources.into_iter().map(Jobs)),
            element: element.clone(),
            limiter: Limiter::new(shared.clone()),
            settler: Settler::new(shared.clone()),
            permits: permits.clone(),
            stopping: stopping.clone(),
            paused,
            stopped,
            is_fresh: true,
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
    /// Begins nothing more and waits until all that is in hand is settled, at most this long (and up to five seconds more
    /// for the backend to take it down); how many tasks are left then, which go on. What was not begun goes to others at
    /// once, and no attempt of it counts.
    ///
    /// # Cancel safety
    /// Dropping the future ends the work at once.
    pub async fn stop(mut self, limit: Duration) -> usize {
        let all = self.queue.settings.concurrency;
        let deadline = Instant::now() + limit;
        self.stop.send_replace(true);
        // As soon as all are back, nothing is in hand.
        let permits = self.permits.acquire_many(u32::try_from(all).unwrap_or(u32::MAX));
        let _ = timeout_at(deadline, permits).await;
        let in_hand = all.saturating_sub(self.permits.available_permits());
        self.stopping.store(true, Ordering::Release);
        let told = timeout_at(deadline.max(Instant::now() + FAREWELL), &mut self.left).await;
        if told.is_err() && in_hand == 0 {
            warn!(queue = %self.queue.keys.name(), "the end of a worker took too long; others do again what it could not tell");
        }
        self.serving.abort();
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

impl Shared {
    /// How many levels are served: those there are, and those there were when jobs that still wait were added.
    pub(super) async fn served_levels(&self) -> Result<u8, Error> {
        let levels = self.settings.priorities;
        for level in (levels..MOST_LEVELS).rev() {
            let info =
                self.log(self.keys.level(level)).info().await.map_err(|error| self.event_error(error))?;
            let is_needed = |group: &GroupInfo| group.lag > 0 || group.pending > 0;
            if info.len > 0 && (info.groups.is_empty() || info.groups.iter().any(is_needed)) {
                return Ok(level + 1);
            }
        }
        Ok(levels)
    }

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
        let settled = || {
            let counts = [metered::DONE, metered::FAILED, metered::DEAD];
            counts.into_iter().map(|n| self.meter.counter(n)).sum::<u64>()
        };
        let (mut before, mut at) = (0, Instant::now());
        loop {
            sleep(TIDY).await;
            let now = settled();
            if std::mem::replace(&mut before, now) == now && at.elapsed() < LOOK {
                continue;
            }
            at = Instant::now();
            // Also those of levels that are gone.
            let logs = (0..MOST_LEVELS).map(|level| (self.keys.level(level), Retention::Needed));
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
