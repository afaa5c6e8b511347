//! A job in the hands of an element.

use super::done::Done;
use super::job::{Head, JobId};
use super::queue::Shared;
use super::settling::{Failure, Settler};
use super::{Error, metered, outcome};
use crate::element::site::Site;
use crate::element::{BoxError, Emitter, State};
use crate::event::Delivery;
use crate::stream::trace::TraceContext;
use futures::FutureExt;
use futures::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::any::{Any, type_name};
use std::fmt;
use std::ops::Deref;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

/// A job as an element has it: a `T` to be worked on, and then to be told [done](Self::done) or [failed](Self::failed).
/// Cheap to clone.
///
/// If all clones are dropped without a word (the element failed or was restarted), the attempt has failed, and the job is
/// tried again as its queue says; if its worker or its element was told to stop, another has it at once, and no attempt
/// counts.
pub struct Task<T>(Arc<Inner<T>>);

struct Inner<T> {
    hand: Hand,
    data: T,
}

/// What there is besides what is to be done.
struct Hand {
    delivery: Delivery<Head>,
    level: u8,
    queue: Arc<Shared>,
    settler: Settler,
    /// Whether a word was said.
    said: AtomicBool,
    since: Instant,
    /// Whether its worker takes no more.
    stopping: Arc<AtomicBool>,
    /// Who has it.
    element: Weak<Site>,
    permit: Option<OwnedSemaphorePermit>,
}

impl<T: DeserializeOwned> Task<T> {
    /// Nothing if it can't be done: it is in the dead letters then.
    pub(super) fn begun(
        level: u8,
        delivery: Delivery<Head>,
        (queue, settler, stopping): (Arc<Shared>, Settler, Arc<AtomicBool>),
        element: &Arc<Site>,
        permit: OwnedSemaphorePermit,
    ) -> Option<Self> {
        queue.meter.shift(metered::RUNNING, 1.0);
        let (said, since, permit) = (AtomicBool::new(false), Instant::now(), Some(permit));
        let element = Arc::downgrade(element);
        let hand = Hand { delivery, level, queue, settler, said, since, stopping, element, permit };
        let (attempt, most) = (hand.attempt(), hand.queue.settings.attempts);
        if attempt > most {
            let last = hand.delivery.error.as_deref().unwrap_or("its worker was gone before it was done");
            hand.fail(&format!("it was tried {most} times; the last time: {last}"), true);
            return None;
        }
        match serde_json::from_str(hand.delivery.event().json("data").unwrap_or_default()) {
            Ok(data) => {
                hand.queue.meter.add(metered::BEGUN, 1);
                Some(Self(Arc::new(Inner { hand, data })))
            }
            Err(error) => {
                hand.fail(&format!("it is no {}: {error}", type_name::<T>()), true);
                None
            }
        }
    }
}

impl<T> Task<T> {
    /// Its id: what to give others as idempotency key.
    #[must_use]
    pub fn id(&self) -> &JobId {
        &self.0.hand.delivery.job
    }

    /// The name of its queue.
    #[must_use]
    pub fn queue(&self) -> &str {
        self.0.hand.queue.keys.name()
    }

    /// The how manieth attempt it is, from 1; one whose worker died counts.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.0.hand.attempt()
    }

    /// The key it was added with.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.0.hand.delivery.key.as_deref()
    }

    /// Why the last attempt failed, if one did.
    #[must_use]
    pub fn last_error(&self) -> Option<&str> {
        self.0.hand.delivery.error.as_deref()
    }

    /// The trace it belongs to, if it is in one.
    #[must_use]
    pub fn context(&self) -> Option<&TraceContext> {
        self.0.hand.delivery.context()
    }

    /// Tells how far it is, to whoever follows the [outcomes](super::Queue::outcomes) of the queue.
    ///
    /// # Errors
    /// [`Error::Refused`] if it is no JSON or larger than a job may be; what the backend says.
    ///
    /// # Cancel safety
    /// Dropping the future leaves open whether it is told.
    pub async fn progress<P: Serialize + ?Sized>(&self, progress: &P) -> Result<(), Error> {
        let queue = &self.0.hand.queue;
        if queue.settings.keep == 0 {
            return Ok(());
        }
        let text = queue.written(progress)?;
        let event = outcome::progress(self.id(), self.attempt(), text);
        let event = event.map_err(|_| queue.refused("it is no JSON".to_owned()))?;
        queue
            .log(queue.keys.outcomes())
            .append(event)
            .await
            .map(drop)
            .map_err(|error| queue.event_error(error))
    }

    /// It is done, and this came out: what an element emits that is linked to its queue.
    pub fn done<R>(self, result: R) -> Done<Self, R> {
        Done::ok(self, result)
    }

    /// The attempt failed.
    pub fn failed<R>(self, reason: impl fmt::Display) -> Done<Self, R> {
        Done::failed(self, reason.to_string())
    }

    /// Says that it is done, and what came out. It is told to the backend in the background, together with others; if this
    /// process ends before that, the job is done again.
    ///
    /// Only the first word on a task counts, whichever clone says it.
    pub fn finish<R: Serialize + ?Sized>(&self, result: &R) {
        let hand = &self.0.hand;
        if !hand.is_first_word() {
            return;
        }
        let took = hand.since.elapsed();
        hand.queue.meter.add(metered::DONE, 1);
        hand.queue.meter.record(took);
        if hand.queue.settings.keep == 0 {
            return hand.delivery.acknowledge();
        }
        let text = hand.queue.written(result).unwrap_or_else(|error| {
            tracing::warn!(job = %self.id(), %error, "the result of a job cannot be kept; it is `null`");
            "null".to_owned()
        });
        let event = outcome::done(self.id(), self.attempt(), took, text);
        hand.delivery.acknowledge_with(event.ok().map(|event| (hand.queue.keys.outcomes(), event)));
    }

    /// Says that the attempt failed: the job is tried again after the pause of its queue, or goes to the dead letters if no
    /// attempt is left.
    pub fn fail(&self, reason: impl fmt::Display) {
        self.0.hand.fail(&reason.to_string(), false);
    }

    /// Says that it was not begun: another worker has it at once, and no attempt counts.
    pub(super) fn put_back(&self) {
        if self.0.hand.is_first_word() {
            self.0.hand.delivery.put_back();
        }
    }

    /// Says that it can never be done: it goes to the dead letters at once.
    pub fn bury(&self, reason: impl fmt::Display) {
        self.0.hand.fail(&reason.to_string(), true);
    }
}

/// The longest reason that is kept, in bytes.
const LONGEST_REASON: usize = 4096;

impl Hand {
    fn attempt(&self) -> u32 {
        let lost = u32::try_from(self.delivery.attempt().saturating_sub(1)).unwrap_or(u32::MAX);
        self.delivery.attempt.saturating_add(lost)
    }

    fn is_first_word(&self) -> bool {
        !self.said.swap(true, Ordering::AcqRel)
    }

    fn fail(&self, reason: &str, for_good: bool) {
        if !self.is_first_word() {
            return;
        }
        let mut reason = reason.to_owned();
        if reason.len() > LONGEST_REASON {
            reason.truncate(reason.floor_char_boundary(LONGEST_REASON));
            reason.push('…');
        }
        let delivery = self.delivery.clone();
        self.settler.settle(Failure {
            job: self.delivery.job.clone(),
            level: self.level,
            consumer: self.delivery.consumer().clone(),
            id: self.delivery.id(),
            event: self.delivery.event().clone(),
            attempt: self.attempt(),
            took: self.since.elapsed(),
            reason,
            for_good,
            settled: Box::new(move || delivery.settled()),
        });
    }
}

impl Hand {
    /// Whether it was let go of on purpose: its worker or its element was told to stop.
    fn is_off(&self) -> bool {
        let state = self.element.upgrade().map_or(State::Disposed, |element| element.state());
        self.stopping.load(Ordering::Acquire) || matches!(state, State::Stopped | State::Disposed)
    }
}

impl Drop for Hand {
    fn drop(&mut self) {
        if !self.said.load(Ordering::Acquire) {
            if self.is_off() {
                self.delivery.put_back();
            } else {
                self.fail("the element let go of it without a result; see the errors of the element", false);
            }
        }
        self.queue.meter.shift(metered::RUNNING, -1.0);
        drop(self.permit.take());
    }
}

impl<T> Clone for Task<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Deref for Task<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.data
    }
}

impl<T: fmt::Debug> fmt::Debug for Task<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task")
            .field("queue", &self.queue())
            .field("id", self.id())
            .field("attempt", &self.attempt())
            .field("data", &**self)
            .finish_non_exhaustive()
    }
}

/// What such a function does.
pub(super) type Work = BoxFuture<'static, Result<(), BoxError>>;

/// The function of an element that works on a queue, of one that does a single job: what it answers is the result, an error
/// or a panic is a failed attempt, and so is one that takes longer than the [timeout](super::Settings::timeout) of the queue.
///
/// How many it does at a time is said twice, for the element and for the queue; the smaller number counts.
/// [`Queue::work`](super::Queue::work) has an example in [the module](super).
pub fn working<T, R, F, E>(
    f: impl Fn(Task<T>) -> F + Clone + Send + Sync + 'static,
) -> impl FnMut(Task<T>, Emitter<Done<Task<T>, R>>) -> Work + Clone + Send + 'static
where
    T: Send + Sync + 'static,
    R: Send + 'static,
    F: Future<Output = Result<R, E>> + Send + 'static,
    E: Into<BoxError>,
{
    move |task, out| {
        let f = f.clone();
        async move {
            let work = AssertUnwindSafe(async { f(task.clone()).await.map_err(Into::into) }).catch_unwind();
            let done: Result<R, BoxError> = match task.0.hand.queue.settings.timeout {
                None => flat(work.await),
                Some(limit) => match tokio::time::timeout(limit, work).await {
                    Ok(done) => flat(done),
                    Err(_) => Err(format!("it took longer than {limit:?} (timeout)").into()),
                },
            };
            match done {
                Ok(result) => {
                    out.emit(task.done(result)).await;
                    Ok(())
                }
                Err(error) => {
                    out.emit(task.failed(&error)).await;
                    Err(error)
                }
            }
        }
        .boxed()
    }
}

pub(super) fn flat<R>(done: Result<Result<R, BoxError>, Box<dyn Any + Send>>) -> Result<R, BoxError> {
    done.unwrap_or_else(|panic| Err(format!("it panicked: {}", text_of(&*panic)).into()))
}

fn text_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(|text| &**text)).unwrap_or("?")
}
