//! One queue.

use super::error::Error;
use super::job::{Added, JobId, NewJob, millis};
use super::keys::{Keys, WORKERS};
use super::later::Waiting;
use super::outcome::{Ending, Outcome};
use super::settings::{MOST_LEVELS, Settings};
use super::{Stats, metered};
use crate::event::{self, Event, EventId, Events, Log, LogName};
use crate::knowledge::{self, Data, HashCommand, Store, Transaction, ValueCommand};
use crate::stream::clock;
use crate::stream::meter::Meter;
use futures::future::BoxFuture;
use futures::{FutureExt, Stream, StreamExt, TryStreamExt};
use parking_lot::Mutex;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// One queue; a cheap handle. [`Queues::open`](super::Queues::open) makes it.
#[derive(Clone)]
pub struct Queue(Arc<Shared>);

/// What is known of a queue in this process.
pub(super) struct Shared {
    pub(super) keys: Keys,
    pub(super) settings: Settings,
    pub(super) store: Arc<dyn Store>,
    pub(super) events: Events,
    pub(super) meter: Arc<Meter>,
    waiters: Mutex<Waiters>,
}

/// Who waits for outcomes.
#[derive(Default)]
struct Waiters {
    of: HashMap<JobId, Vec<oneshot::Sender<Outcome>>>,
    /// With how many those that have gone are looked for.
    most: usize,
    /// Whether somebody reads them.
    is_read: bool,
}

/// How much the clocks of who adds jobs and of the backend may differ, for who asks for an outcome.
const SKEW: u64 = 5_000;
/// How many entries are read at a time.
const PAGE: usize = 256;

impl Shared {
    pub(super) fn new(keys: Keys, settings: Settings, store: Arc<dyn Store>, events: Events) -> Self {
        let meter = Meter::new(&metered::QUEUE, keys.name().to_string());
        Self { keys, settings, store, events, meter, waiters: Mutex::default() }
    }

    pub(super) fn log(&self, name: LogName) -> Log {
        self.events.log(name)
    }

    pub(super) fn error(&self, error: knowledge::Error) -> Error {
        Error::Knowledge { queue: self.keys.name().to_string(), error: Arc::new(error) }
    }

    pub(super) fn event_error(&self, error: event::Error) -> Error {
        Error::Event { queue: self.keys.name().to_string(), error: Box::new(error) }
    }

    pub(super) fn refused(&self, reason: String) -> Error {
        Error::Refused { queue: self.keys.name().to_string(), reason }
    }

    /// As JSON, if it is not too large.
    pub(super) fn written<T: Serialize + ?Sized>(&self, value: &T) -> Result<String, Error> {
        let text =
            serde_json::to_string(value).map_err(|error| self.refused(format!("it is no JSON: {error}")))?;
        let most = self.settings.max_bytes;
        if text.len() > most {
            return Err(self.refused(format!("it has {} bytes, and may have {most} (max_bytes)", text.len())));
        }
        Ok(text)
    }

    pub(super) async fn is_paused(&self) -> Result<bool, Error> {
        let key = self.keys.paused();
        let held = self.store.run(&key, ValueCommand::Get.into()).await.map_err(|error| self.error(error))?;
        Ok(held.non_nil().is_some())
    }
}

impl Queue {
    pub(super) fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.0
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.keys.name()
    }

    /// How it works.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Adds a job. When the answer is there, the job is in the backend.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::Refused`] if it is no JSON; what the backend says.
    ///
    /// # Cancel safety
    /// Dropping the future leaves open whether it is added.
    pub async fn add<T: Serialize + ?Sized>(&self, data: &T) -> Result<Added, Error> {
        self.add_job(NewJob::new(data)).await
    }

    /// Adds a job with a delay, a priority or a key.
    ///
    /// # Errors
    /// As of [`add`](Self::add); [`Error::Refused`] also for a priority that the queue does not have.
    ///
    /// # Cancel safety
    /// As [`add`](Self::add).
    pub async fn add_job<T: Serialize>(&self, job: NewJob<T>) -> Result<Added, Error> {
        let (id, event) = job.event(self.name(), &self.0.settings)?;
        self.add_event(id, event, &job).await
    }

    pub(super) async fn add_event<T>(
        &self,
        id: JobId,
        event: Event,
        job: &NewJob<T>,
    ) -> Result<Added, Error> {
        let shared = &*self.0;
        let level = shared.keys.level(job.level);
        if job.key.is_none() && job.delay.is_zero() {
            shared.log(level).append(event).await.map_err(|error| shared.event_error(error))?;
            shared.meter.add(metered::ADDED, 1);
            return Ok(Added { id, is_new: true });
        }
        let unique = job.key.as_deref().map(|key| shared.keys.unique(key));
        let mut adding = Transaction::new();
        if let Some(unique) = &unique {
            let lasting = shared.settings.unique_for.max(Duration::from_millis(1)).saturating_add(job.delay);
            adding = adding.expect_absent(unique.clone()).set_for(unique.clone(), id.as_str(), lasting);
        }
        adding = if job.delay.is_zero() {
            adding.append(level, event)
        } else {
            let due = later_by(job.delay);
            let waiting = Waiting { level: job.level, event: Some(event), schedule: None };
            waiting.adding(adding, shared, id.as_str(), due)?
        };
        loop {
            match (shared.store.commit(adding.clone()).await, &unique) {
                (Ok(_), _) => {
                    shared.meter.add(metered::ADDED, 1);
                    return Ok(Added { id, is_new: true });
                }
                (Err(knowledge::Error::Conflict(_)), Some(unique)) => {
                    let held = shared.store.run(unique, ValueCommand::Get.into()).await;
                    let held = held.map_err(|error| shared.error(error))?.non_nil();
                    // It may have been forgotten in between.
                    let Some(held) = held.and_then(|held| held.data(unique).ok()) else { continue };
                    // An answer may have been lost: then it is this one.
                    let held: JobId = held.as_str().unwrap_or_default().into();
                    let is_new = held == id;
                    shared.meter.add(if is_new { metered::ADDED } else { metered::DUPLICATES }, 1);
                    return Ok(Added { id: held, is_new });
                }
                (Err(error), _) => return Err(shared.error(error)),
            }
        }
    }

    /// Adds jobs that are to be done as soon as it is their turn, all in one step; their ids, in their order.
    ///
    /// # Errors
    /// As of [`add`](Self::add); none is added then.
    ///
    /// # Cancel safety
    /// As [`add`](Self::add).
    pub async fn add_all<T: Serialize>(
        &self,
        data: impl IntoIterator<Item = T>,
    ) -> Result<Vec<JobId>, Error> {
        let shared = &*self.0;
        let jobs = data.into_iter().map(|data| NewJob::new(data).event(self.name(), &shared.settings));
        let (ids, events): (Vec<_>, Vec<_>) = jobs.collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
        self.append_all(events).await?;
        Ok(ids)
    }

    /// Adds what is to be done as soon as it is its turn.
    pub(super) async fn append_all(&self, events: Vec<Event>) -> Result<(), Error> {
        let (shared, count) = (&*self.0, events.len());
        let log = shared.log(shared.keys.level(0));
        log.append_all(events).await.map_err(|error| shared.event_error(error))?;
        shared.meter.add(metered::ADDED, count as u64);
        Ok(())
    }

    /// Adds a job and waits until it is done or dead: its last outcome.
    ///
    /// # Errors
    /// As of [`add_job`](Self::add_job); [`Error::Refused`] if the queue keeps no outcomes, or if there is a job of the same
    /// key.
    ///
    /// # Cancel safety
    /// The job goes on if it was added.
    pub async fn run<T: Serialize>(&self, job: NewJob<T>) -> Result<Outcome, Error> {
        let (added, outcome) = self.add_and_wait(job).await?;
        if !added.is_new {
            return Err(self
                .0
                .refused(format!("job {} has its key; wait for that one with `outcome`", added.id)));
        }
        outcome.await
    }

    /// Adds a job; also what waits for the last outcome of it, or of the job that has its key already.
    ///
    /// # Errors
    /// As of [`add_job`](Self::add_job); [`Error::Refused`] if the queue keeps no outcomes.
    ///
    /// # Cancel safety
    /// The job goes on if it was added; also if what waits is dropped.
    pub async fn add_and_wait<T: Serialize>(
        &self,
        job: NewJob<T>,
    ) -> Result<(Added, BoxFuture<'static, Result<Outcome, Error>>), Error> {
        let shared = &self.0;
        if shared.settings.keep == 0 {
            return Err(
                shared.refused("its outcome is waited for, and the queue keeps none (keep: 0)".to_owned())
            );
        }
        let (id, event) = job.event(self.name(), &shared.settings)?;
        // Before it is there, so that it is not missed.
        let told = self.wait_for(id.clone()).await?;
        let added = self.add_event(id, event, &job).await?;
        let (queue, id) = (self.clone(), added.id.clone());
        let outcome = if added.is_new {
            // The queue lives as long as somebody waits.
            async move { told.await.map_err(|_| unreadable(&id)).inspect(|_| drop(queue)) }.boxed()
        } else {
            async move { queue.outcome(&id).await }.boxed()
        };
        Ok((added, outcome))
    }

    /// The last outcome of a job, waited for if it is not there yet: it is done, or dead. If it is kept no more, or there was
    /// never such a job, this waits for ever; give it a time limit.
    ///
    /// # Errors
    /// [`Error::Outcome`] if the queue keeps none; what the backend says, if trying again does not help.
    ///
    /// # Cancel safety
    /// Yes: it only reads.
    pub async fn outcome(&self, job: &JobId) -> Result<Outcome, Error> {
        if self.0.settings.keep == 0 {
            let reason = "its queue keeps none (keep: 0)".to_owned();
            return Err(Error::Outcome { job: job.clone(), reason });
        }
        let mut told = self.wait_for(job.clone()).await?;
        let found = tokio::select! {
            biased;
            Ok(told) = &mut told => Some(told),
            found = self.kept_outcome(job) => found?,
        };
        match found {
            Some(found) => Ok(found),
            None => told.await.map_err(|_| unreadable(job)),
        }
    }

    /// The last outcome of a job, if it is there by now.
    pub(super) async fn kept_outcome(&self, job: &JobId) -> Result<Option<Outcome>, Error> {
        let mut after = EventId::new(job.added().unwrap_or(0).saturating_sub(SKEW), 0);
        let log = self.0.log(self.0.keys.outcomes());
        let mut dead = None;
        loop {
            let page =
                log.range(after, EventId::MAX, PAGE).await.map_err(|error| self.0.event_error(error))?;
            let Some(last) = page.last() else { return Ok(dead) };
            after = last.id.next();
            let ends =
                page.iter().filter_map(Outcome::read).filter(|told| told.job == *job && told.is_final());
            for told in ends {
                if matches!(told.ending, Ending::Done { .. }) {
                    return Ok(Some(told));
                }
                // It may have been replayed.
                dead = Some(told);
            }
        }
    }

    /// Somebody reads the outcomes from now on, and tells this one.
    async fn wait_for(&self, job: JobId) -> Result<oneshot::Receiver<Outcome>, Error> {
        let (teller, told) = oneshot::channel();
        let is_read = {
            let mut waiters = self.0.waiters.lock();
            if waiters.of.len() >= waiters.most {
                waiters.of.retain(|_, tellers| {
                    tellers.retain(|teller| !teller.is_closed());
                    !tellers.is_empty()
                });
                waiters.most = (2 * waiters.of.len()).max(64);
            }
            waiters.of.entry(job).or_default().push(teller);
            waiters.is_read
        };
        if is_read {
            return Ok(told);
        }
        let log = self.0.log(self.0.keys.outcomes());
        let last = log.info().await.map_err(|error| self.0.event_error(error))?.last;
        let mut waiters = self.0.waiters.lock();
        if !waiters.is_read {
            waiters.is_read = true;
            // It ends by itself, when nobody waits any more.
            drop(tokio::spawn(tell(Arc::downgrade(&self.0), log, last)));
        }
        drop(waiters);
        Ok(told)
    }

    /// What is told of jobs behind this place, for ever ([`EventId::MIN`]: all that is kept and will be,
    /// [`EventId::MAX`]: from now on): progress, failures and ends.
    ///
    /// # Delivery
    /// Every outcome once and in order; what is trimmed before it is read is left out.
    pub fn outcomes(&self, after: EventId) -> impl Stream<Item = Result<Outcome, Error>> + Send + use<> {
        let shared = self.0.clone();
        self.0.log(self.0.keys.outcomes()).follow(after).filter_map(move |entry| {
            let read = match entry {
                Ok(entry) => Outcome::read(&entry).map(Ok),
                Err(error) => Some(Err(shared.event_error(error))),
            };
            async { read }
        })
    }

    /// The last `count` outcomes, the newest first.
    ///
    /// # Errors
    /// What the backend says.
    ///
    /// # Cancel safety
    /// Yes: it only reads.
    pub async fn last_outcomes(&self, count: usize) -> Result<Vec<Outcome>, Error> {
        self.last_told(count, |_| true).await
    }

    /// The last `count` outcomes of some kind, the newest first.
    pub(super) async fn last_told(
        &self,
        count: usize,
        fits: impl Fn(&Outcome) -> bool + Send,
    ) -> Result<Vec<Outcome>, Error> {
        let log = self.0.log(self.0.keys.outcomes());
        let end = log.info().await.map_err(|error| self.0.event_error(error))?.last;
        // Places are times: further and further back, until there are enough.
        let mut back = 1000;
        loop {
            let first = EventId::new(end.millis.saturating_sub(back), 0);
            let (mut last, mut after) = (VecDeque::new(), first);
            loop {
                let page =
                    log.range(after, EventId::MAX, 1024).await.map_err(|error| self.0.event_error(error))?;
                let Some(end) = page.last() else { break };
                after = end.id.next();
                last.extend(page.iter().filter_map(Outcome::read).filter(&fits));
                while last.len() > count {
                    last.pop_front();
                }
            }
            if last.len() >= count || first == EventId::MIN {
                return Ok(last.into_iter().rev().collect());
            }
            back = back.saturating_mul(16);
        }
    }

    /// Begins nothing any more, in all workers, until it is [resumed](Self::resume); what is under way goes on.
    ///
    /// # Errors
    /// What the backend says.
    ///
    /// # Cancel safety
    /// Dropping the future leaves open whether it happens; doing it again does no harm.
    pub async fn pause(&self) -> Result<(), Error> {
        let since = Data::from(millis(clock::now()).to_string());
        let transaction = Transaction::new().set(self.0.keys.paused(), since);
        self.0.store.commit(transaction).await.map(drop).map_err(|error| self.0.error(error))
    }

    /// Ends a [pause](Self::pause).
    ///
    /// # Errors
    /// What the backend says.
    ///
    /// # Cancel safety
    /// As [`pause`](Self::pause).
    pub async fn resume(&self) -> Result<(), Error> {
        let transaction = Transaction::new().del(self.0.keys.paused());
        self.0.store.commit(transaction).await.map(drop).map_err(|error| self.0.error(error))
    }

    /// How much there is of everything.
    ///
    /// # Errors
    /// What the backend says.
    ///
    /// # Cancel safety
    /// Yes: it only reads.
    pub async fn stats(&self) -> Result<Stats, Error> {
        let shared = &self.0;
        let mut stats = Stats { paused: shared.is_paused().await?, ..Stats::default() };
        for level in 0..MOST_LEVELS {
            let dead = shared.log(shared.keys.level(level)).dead_letters().info().await;
            stats.dead += dead.map_err(|error| shared.event_error(error))?.len;
        }
        for level in 0..shared.served_levels().await? {
            let log = shared.log(shared.keys.level(level));
            let info = log.info().await.map_err(|error| shared.event_error(error))?;
            let group = info.groups.iter().find(|group| group.name.as_str() == WORKERS);
            // Nobody has ever worked on it.
            let mut waiting = group.map_or(info.len, |group| group.lag);
            if let Some(group) = group.filter(|group| group.pending > 0) {
                let mut given = pin!(shared.given_out(level, group.last_delivered));
                while let Some(given) = given.try_next().await? {
                    let count = if shared.is_held(&given) { &mut stats.running } else { &mut waiting };
                    *count += 1;
                }
            }
            stats.waiting.push(waiting);
            stats.workers = stats.workers.max(group.map_or(0, |group| group.consumers));
        }
        let waiting = shared.keys.waiting();
        let delayed = shared.store.run(&waiting, HashCommand::Len.into()).await;
        stats.delayed =
            delayed.and_then(|reply| reply.count(&waiting)).map_err(|error| shared.error(error))?;
        let outcomes = shared.log(shared.keys.outcomes()).info().await;
        stats.outcomes = outcomes.map_err(|error| shared.event_error(error))?.len;
        Ok(stats)
    }

    /// Removes the queue with everything in it: jobs, outcomes, dead letters, schedules. Keys of jobs are remembered as long
    /// as they would have been. Stop its workers before: those that go on find an empty queue.
    ///
    /// # Errors
    /// What the backend says; some of it may be gone then.
    ///
    /// # Cancel safety
    /// Dropping the future may leave some of it; removing it again takes the rest away.
    pub async fn remove(&self) -> Result<(), Error> {
        let shared = &self.0;
        let failed = |error| shared.event_error(error);
        for level in 0..MOST_LEVELS {
            let log = shared.log(shared.keys.level(level));
            log.dead_letters().remove().await.map_err(failed)?;
            log.remove().await.map_err(failed)?;
        }
        shared.log(shared.keys.outcomes()).remove().await.map_err(failed)?;
        let keys = &shared.keys;
        let transaction = [keys.later(), keys.waiting(), keys.declared(), keys.paused(), keys.rate()]
            .into_iter()
            .fold(Transaction::new(), Transaction::del)
            .hdel(super::keys::QUEUES, self.name());
        shared.store.commit(transaction).await.map(drop).map_err(|error| shared.error(error))
    }
}

/// That far from now, in milliseconds since 1970.
pub(super) fn later_by(wait: Duration) -> u64 {
    millis(clock::now()).saturating_add(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX))
}

fn unreadable(job: &JobId) -> Error {
    Error::Outcome {
        job: job.clone(),
        reason: "the outcomes of its queue could not be read any more; ask again".to_owned(),
    }
}

/// Tells those who wait for outcomes, as long as there is anybody.
async fn tell(queue: std::sync::Weak<Shared>, log: Log, after: EventId) {
    /// How long it goes on when nobody waits.
    const LINGERING: Duration = Duration::from_secs(10);
    let told = log.follow(after);
    futures::pin_mut!(told);
    let mut wanted = Instant::now();
    loop {
        let next = tokio::time::timeout(LINGERING, told.next()).await;
        let Some(queue) = queue.upgrade() else { return };
        let mut waiters = queue.waiters.lock();
        if waiters.of.is_empty() {
            if wanted.elapsed() >= LINGERING {
                waiters.is_read = false;
                return;
            }
        } else {
            wanted = Instant::now();
        }
        match next {
            Ok(Some(Ok(entry))) => {
                if waiters.of.is_empty() {
                    continue;
                }
                let job = entry.event.as_ref().ok().and_then(Outcome::job_of);
                if !job.is_some_and(|job| waiters.of.contains_key(&job)) {
                    continue;
                }
                let Some(outcome) = Outcome::read(&entry).filter(Outcome::is_final) else { continue };
                for teller in waiters.of.remove(&outcome.job).unwrap_or_default() {
                    // Who waited may have gone.
                    let _ = teller.send(outcome.clone());
                }
            }
            Err(_) => waiters.of.retain(|_, tellers| tellers.iter().any(|teller| !teller.is_closed())),
            Ok(Some(Err(error))) => {
                tracing::warn!(queue = %queue.keys.name(), %error, "the outcomes of a queue can be read no more");
                *waiters = Waiters::default();
                return;
            }
            Ok(None) => {
                *waiters = Waiters::default();
                return;
            }
        }
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("name", &self.name())
            .field("settings", self.settings())
            .finish_non_exhaustive()
    }
}

/// Queues by their names, with their settings as they were said last.
pub(super) async fn known(store: &Arc<dyn Store>) -> Result<BTreeMap<String, Settings>, knowledge::Error> {
    let key = super::keys::QUEUES.into();
    let pairs = store.run(&key, HashCommand::All.into()).await?.pairs(&key)?;
    let read = |(name, kept): (Data, Data)| {
        let name = name.as_str()?.to_owned();
        let settings = serde_json::from_slice::<Settings>(&kept).map_err(|error| error.to_string());
        match settings
            .and_then(|settings| settings.check(&name).map(|()| settings).map_err(|e| e.to_string()))
        {
            Ok(settings) => Some((name, settings)),
            Err(reason) => {
                tracing::warn!(
                    queue = name,
                    reason,
                    "a queue is left out, for its settings cannot be used; open it anew"
                );
                None
            }
        }
    };
    Ok(pairs.into_iter().filter_map(read).collect())
}
