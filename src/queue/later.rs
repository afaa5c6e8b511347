//! Jobs for later, and those that come again and again.

use super::job::{JobId, envelope, millis};
use super::queue::{Queue, Shared};
use super::{Error, NewJob, Settings};
use crate::event::{Event, LogName};
use crate::knowledge::{self, Data, Filter, HashCommand, SortedCommand, Transaction};
use crate::stream::{Backoff, clock};
use crate::workflow::{Cron, Time};
use futures::{FutureExt, StreamExt};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::time::Duration;
use tokio::time::{sleep, timeout};
use tracing::warn;

/// A job that is added again and again, by the calendar.
///
/// Each time adds one job, whoever serves the queue and whoever dies; its id is the name of the schedule and the time. A
/// time at which nobody served the queue is made up for once.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// What it is called.
    pub name: String,
    /// When.
    pub cron: Cron,
    /// What is to be done.
    pub data: Json,
    /// With which [priority](NewJob::priority).
    pub priority: u8,
}

/// A job that is not due yet.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Delayed {
    /// Its id, or that of the next one of a schedule.
    pub job: JobId,
    /// When it is due, in milliseconds since 1970.
    pub due: u64,
    /// What is to be done.
    pub data: Json,
    /// With which [priority](NewJob::priority).
    pub priority: u8,
    /// The key that it was added with.
    pub key: Option<String>,
    /// Which attempt it will be, from 1.
    pub attempt: u32,
    /// Why the last one failed.
    pub error: Option<String>,
    /// The schedule that adds it.
    pub schedule: Option<String>,
}

/// What waits until its time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Waiting {
    pub(super) level: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) event: Option<Event>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) schedule: Option<Kept>,
}

/// A schedule as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    name: String,
    cron: String,
    zone: Option<String>,
    data: Json,
    /// When it is due, so that each time is another value.
    next: u64,
}

/// How many are looked at in one go, and how many are queued in one step.
const PAGE: i64 = 256;
const TOGETHER: usize = 32;
/// How many bytes of jobs are queued in one step, about.
const BYTES: usize = 1 << 20;
/// For how long changes are gathered before it is looked again.
const WHILE: Duration = Duration::from_millis(5);
/// How often they are looked at in any case.
const LOOK: Duration = Duration::from_secs(30);
/// What the id of a schedule begins with; no id of a job does.
const SCHEDULE: &str = "schedule:";

impl Waiting {
    /// Adds this to what is done.
    pub(super) fn adding(
        &self,
        transaction: Transaction,
        queue: &Shared,
        id: &str,
        due: u64,
    ) -> Result<Transaction, Error> {
        let kept =
            serde_json::to_string(self).map_err(|error| queue.refused(format!("it is no JSON: {error}")))?;
        Ok(transaction.zadd(queue.keys.later(), id, due as f64).hset(queue.keys.waiting(), id, kept.as_str()))
    }
}

impl Kept {
    fn cron(&self) -> Option<Cron> {
        let cron: Cron = self.cron.parse().ok()?;
        match &self.zone {
            Some(zone) => cron.in_zone(zone).ok(),
            None => Some(cron),
        }
    }

    /// The id of the job of its next time.
    fn job(&self) -> JobId {
        let at = i64::try_from(self.next).ok().and_then(|next| Timestamp::from_millisecond(next).ok());
        let at = at.unwrap_or_default().strftime("%Y%m%dT%H%M%SZ");
        format!("{}-{at}", self.name).into()
    }

    fn is(&self, schedule: &Schedule) -> bool {
        let zone = schedule.cron.zone();
        self.cron == schedule.cron.text() && self.zone.as_deref() == zone && self.data == schedule.data
    }
}

impl Schedule {
    /// When it is due for the first time, in milliseconds since 1970; or what is wrong with it.
    pub(super) fn due(&self, queue: &str, settings: &Settings, now: u64) -> Result<u64, Error> {
        let wrong = |reason: &str| Error::Schedule {
            queue: queue.to_owned(),
            schedule: self.name.clone(),
            reason: reason.to_owned(),
        };
        let is_odd = |c: char| c.is_whitespace() || c.is_control() || r#"/\:""#.contains(c);
        if self.name.is_empty() || self.name.len() > 100 || self.name.contains(is_odd) {
            return Err(wrong(
                "its name has to have 1 to 100 bytes, without spaces, `/`, `\\`, `:` and quotes",
            ));
        }
        // Looked at as any other job.
        NewJob::new(&self.data).priority(self.priority).event(queue, settings)?;
        next(&self.cron, now).ok_or_else(|| wrong("its times never come"))
    }
}

/// The first of these times behind a moment, in milliseconds since 1970.
fn next(cron: &Cron, after: u64) -> Option<u64> {
    cron.next(Time::from_micros(after.saturating_mul(1000))).map(|at| at.micros() / 1000)
}

impl Queue {
    /// Keeps a schedule, in place of one of that name.
    ///
    /// # Errors
    /// [`Error::Schedule`]; [`Error::Refused`] as of a job; what the backend says.
    ///
    /// # Cancel safety
    /// Dropping the future leaves open whether it happens. The same holds for all that changes something here.
    pub async fn schedule(&self, schedule: &Schedule) -> Result<(), Error> {
        let (shared, name) = (self.shared(), &schedule.name);
        let id = format!("{SCHEDULE}{name}");
        loop {
            let due = schedule.due(self.name(), &shared.settings, millis(clock::now()))?;
            let held = self.kept_at(&id).await?;
            let waiting: Option<Waiting> = held.as_ref().and_then(|held| serde_json::from_slice(held).ok());
            let is_same = waiting.is_some_and(|waiting| {
                waiting.level == schedule.priority && waiting.schedule.is_some_and(|held| held.is(schedule))
            });
            if is_same {
                return Ok(());
            }
            let kept = Kept {
                name: name.clone(),
                cron: schedule.cron.text().to_owned(),
                zone: schedule.cron.zone().map(str::to_owned),
                data: schedule.data.clone(),
                next: due,
            };
            let waiting = Waiting { level: schedule.priority, event: None, schedule: Some(kept) };
            // In place of what was seen: a time that another has served meanwhile does not come again.
            let transaction = Transaction::new().expect_field(shared.keys.waiting(), id.as_str(), held);
            match shared.store.commit(waiting.adding(transaction, shared, &id, due)?).await {
                Ok(_) => return Ok(()),
                Err(knowledge::Error::Conflict(_)) => {}
                Err(error) => return Err(shared.error(error)),
            }
        }
    }

    /// Takes a schedule away; whether there was one.
    ///
    /// # Errors
    /// What the backend says.
    ///
    /// # Cancel safety
    /// Dropping the future leaves open whether it happens; doing it again does no harm.
    pub async fn unschedule(&self, name: &str) -> Result<bool, Error> {
        self.take_from_later(&format!("{SCHEDULE}{name}")).await
    }

    /// Takes away a job that is not due yet; whether there was one.
    ///
    /// # Errors
    /// What the backend says.
    ///
    /// # Cancel safety
    /// Dropping the future leaves open whether it happens; doing it again does no harm.
    pub async fn cancel_delayed(&self, job: &JobId) -> Result<bool, Error> {
        if job.as_str().starts_with(SCHEDULE) {
            // It is no job; `unschedule` takes it away.
            return Ok(false);
        }
        self.take_from_later(job.as_str()).await
    }

    async fn take_from_later(&self, id: &str) -> Result<bool, Error> {
        let shared = self.shared();
        let Some(kept) = self.kept_at(id).await? else { return Ok(false) };
        let taking = shared.taking(Transaction::new(), id, kept);
        match shared.store.commit(taking).await {
            Ok(_) => Ok(true),
            // Its time has come.
            Err(knowledge::Error::Conflict(_)) => Ok(false),
            Err(error) => Err(shared.error(error)),
        }
    }

    /// The first `count` jobs that are not due yet, those of schedules among them, the next one first.
    ///
    /// # Errors
    /// What the backend says.
    ///
    /// # Cancel safety
    /// Yes: it only reads.
    pub async fn delayed(&self, count: usize) -> Result<Vec<Delayed>, Error> {
        let last = i64::try_from(count).unwrap_or(i64::MAX) - 1;
        let listed = if last < 0 { Vec::new() } else { self.shared().first(last).await? };
        Ok(listed.into_iter().filter_map(|(_, due, waiting, _)| waiting?.shown(due)).collect())
    }

    /// A job that is not due yet, if this one is.
    pub(super) async fn delayed_job(&self, job: &JobId) -> Result<Option<Delayed>, Error> {
        if job.as_str().starts_with(SCHEDULE) {
            return Ok(None);
        }
        let Some(kept) = self.kept_at(job.as_str()).await? else { return Ok(None) };
        let Ok(waiting) = serde_json::from_slice::<Waiting>(&kept) else { return Ok(None) };
        let (shared, later) = (self.shared(), self.shared().keys.later());
        let due = shared.store.run(&later, SortedCommand::Score(job.as_str().into()).into()).await;
        let due = due.and_then(|due| due.non_nil().map(|due| due.score(&later)).transpose());
        let due = due.map_err(|error| shared.error(error))?;
        Ok(due.and_then(|due| waiting.shown(whole(due))))
    }

    /// The schedules, the next one first.
    ///
    /// # Errors
    /// What the backend says.
    ///
    /// # Cancel safety
    /// Yes: it only reads.
    pub async fn schedules(&self) -> Result<Vec<Schedule>, Error> {
        let mut all = Vec::new();
        let is_schedule = |id: &Data| id.as_str().is_some_and(|id| id.starts_with(SCHEDULE));
        let ids = self.shared().places(-1).await?.into_iter().map(|(id, _)| id).filter(is_schedule).collect();
        for kept in self.shared().kept(ids).await?.into_iter().flatten() {
            let Ok(Waiting { level, schedule: Some(kept), .. }) = serde_json::from_slice(&kept) else {
                continue;
            };
            if let Some(cron) = kept.cron() {
                all.push(Schedule { name: kept.name, cron, data: kept.data, priority: level });
            }
        }
        Ok(all)
    }

    /// What is kept under an id.
    async fn kept_at(&self, id: &str) -> Result<Option<Data>, Error> {
        Ok(self.shared().kept(vec![id.into()]).await?.into_iter().next().flatten())
    }
}

impl Waiting {
    fn shown(self, due: u64) -> Option<Delayed> {
        let priority = self.level;
        if let Some(kept) = self.schedule {
            let (job, schedule) = (kept.job(), Some(kept.name));
            let (key, error) = (None, None);
            return Some(Delayed { job, due, data: kept.data, priority, key, attempt: 1, error, schedule });
        }
        let event = self.event?;
        let job = event.get("job")?.as_str()?.into();
        let attempt = event.get("attempt").and_then(|n| u32::try_from(n.as_u64()?).ok()).unwrap_or(1);
        let word = |name: &str| event.get(name).and_then(|word| Some(word.as_str()?.to_owned()));
        let (key, error, data) = (word("key"), word("error"), event.get("data")?);
        Some(Delayed { job, due, data, priority, key, attempt, error, schedule: None })
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "milliseconds since 1970")]
fn whole(due: f64) -> u64 {
    due as u64
}

/// An id, when it is due, what it is if that can be read, and as it is kept.
type Listed = (Data, u64, Option<Waiting>, Data);

impl Shared {
    /// Takes an entry away, as long as it is this one.
    fn taking(&self, transaction: Transaction, id: &str, kept: Data) -> Transaction {
        transaction
            .expect_field(self.keys.waiting(), id, Some(kept))
            .zrem(self.keys.later(), id)
            .hdel(self.keys.waiting(), id)
    }

    /// What is due next, up to this place.
    async fn first(&self, last: i64) -> Result<Vec<Listed>, Error> {
        let places = self.places(last).await?;
        let ids = places.iter().map(|(id, _)| id.clone()).collect();
        let kept = self.kept(ids).await?;
        let entries = places.into_iter().zip(kept).filter_map(|((id, due), kept)| {
            let kept = kept?;
            Some((id, due, serde_json::from_slice(&kept).ok(), kept))
        });
        Ok(entries.collect())
    }

    /// The ids of what is due next, up to this place, and when it is due.
    async fn places(&self, last: i64) -> Result<Vec<(Data, u64)>, Error> {
        let later = self.keys.later();
        let listed = self.store.run(&later, SortedCommand::Range(0, last).into()).await;
        let listed = listed.and_then(|listed| listed.scored(&later)).map_err(|error| self.error(error))?;
        Ok(listed.into_iter().map(|(id, due)| (id, whole(due))).collect())
    }

    /// What is kept under these ids.
    async fn kept(&self, ids: Vec<Data>) -> Result<Vec<Option<Data>>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let waiting = self.keys.waiting();
        let kept = self.store.run(&waiting, HashCommand::GetMany(ids).into()).await;
        kept.and_then(|kept| kept.options(&waiting)).map_err(|error| self.error(error))
    }

    /// Queues what is due, for ever: outages are sat out.
    pub(super) async fn serve_later(&self) {
        let backoff = Backoff::exponential(Duration::from_millis(200), Duration::from_secs(10));
        let (mut failures, mut changes) = (0, None);
        loop {
            match self.pass(&mut changes).await {
                Ok(wait) => {
                    failures = 0;
                    let Some(watched) = &mut changes else { continue };
                    let news = timeout(wait.min(LOOK), watched.next()).await;
                    let mut is_over = matches!(news, Ok(None));
                    if news.is_ok() {
                        // However many there are in a while, it is looked once.
                        sleep(WHILE).await;
                    }
                    while !is_over && let Some(news) = watched.next().now_or_never() {
                        is_over = news.is_none();
                    }
                    if is_over {
                        changes = None;
                    }
                }
                Err(error) => {
                    if failures == 0 {
                        warn!(%error, "jobs for later cannot be served; it is tried again");
                    }
                    sleep(backoff.wait(failures).unwrap_or_default()).await;
                    failures += 1;
                }
            }
        }
    }

    /// Queues what is due now; how long it is until more is.
    async fn pass(&self, changes: &mut Option<knowledge::Changes>) -> Result<Duration, Error> {
        if changes.is_none() {
            // Before it is read, so that no change is missed.
            let watching = self.store.watch(Filter::key(self.keys.later())).await;
            *changes = Some(watching.map_err(|error| self.error(error))?);
        }
        loop {
            let now = millis(clock::now());
            let first = self.places(0).await?.into_iter().next();
            match first {
                None => return Ok(LOOK),
                Some((_, due)) if due > now => return Ok(Duration::from_millis(due - now)),
                Some(_) => {}
            }
            let mut places = self.places(PAGE - 1).await?;
            let next = places.iter().position(|(_, due)| *due > now);
            places.truncate(next.unwrap_or(places.len()));
            let ids: Vec<_> = places.into_iter().map(|(id, _)| id).collect();
            let kept = self.kept(ids.clone()).await?;
            let due: Vec<_> = ids.into_iter().zip(kept).collect();
            if !self.queue_all(&due, now).await? {
                // Another is at it: whoever is first has a while for itself.
                sleep(Duration::from_millis(fastrand::u64(1..50))).await;
            }
        }
    }

    /// Queues these, some in one step; whether they were all still there.
    async fn queue_all(&self, mut due: &[(Data, Option<Data>)], now: u64) -> Result<bool, Error> {
        let mut failed = None;
        while !due.is_empty() {
            let mut bytes = 0;
            let fits = due.iter().take(TOGETHER).take_while(|(_, kept)| {
                bytes += kept.as_ref().map_or(0, |kept| kept.len());
                bytes <= BYTES
            });
            let (some, rest) = due.split_at(fits.count().clamp(1, due.len()));
            due = rest;
            match self.queue_due(some, now).await {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(error) if error.is_retryable() => return Err(error),
                // One that is refused keeps nobody else back.
                Err(_) => {
                    for one in some.chunks(1) {
                        if let Err(error) = self.queue_due(one, now).await {
                            failed = Some(error);
                        }
                    }
                }
            }
        }
        failed.map_or(Ok(true), Err)
    }

    /// Queues these in one step; whether they were still there.
    async fn queue_due(&self, due: &[(Data, Option<Data>)], now: u64) -> Result<bool, Error> {
        let mut transaction = Transaction::new();
        for (id, kept) in due {
            let text = id.as_str().unwrap_or_default();
            let Some(kept) = kept else {
                // Half of an entry, of a foreign hand.
                let absent = transaction.expect_field(self.keys.waiting(), id.clone(), None);
                transaction = absent.zrem(self.keys.later(), id.clone());
                continue;
            };
            let queued = match serde_json::from_slice(kept) {
                Ok(Waiting { level, event: Some(event), .. }) => {
                    let taken = self.taking(Transaction::new(), text, kept.clone());
                    Some(taken.append(self.served(level), event))
                }
                // Another has served it since its place was read.
                Ok(Waiting { schedule: Some(schedule), .. }) if schedule.next > now => return Ok(false),
                Ok(Waiting { level, schedule: Some(schedule), .. }) => {
                    self.of_schedule(text, level, schedule, kept.clone(), now)
                }
                _ => None,
            };
            transaction = transaction.and(queued.unwrap_or_else(|| {
                warn!(queue = %self.keys.name(), id = text, "what stands among the jobs for later is no job; it is taken away");
                self.taking(Transaction::new(), text, kept.clone())
            }));
        }
        match self.store.commit(transaction).await {
            Ok(_) => Ok(true),
            Err(knowledge::Error::Conflict(_)) => Ok(false),
            Err(error) => Err(self.error(error)),
        }
    }

    /// The log of a level, or of the highest there is: the queue may have had more when a job was added.
    pub(super) fn served(&self, level: u8) -> LogName {
        self.keys.level(level.min(self.settings.priorities.saturating_sub(1)))
    }

    /// The job of a schedule that is due, and when the next one is; nothing if there never is one.
    fn of_schedule(&self, id: &str, level: u8, kept: Kept, held: Data, now: u64) -> Option<Transaction> {
        let cron = kept.cron()?;
        let due = next(&cron, now)?;
        let event = envelope(&kept.job(), kept.data.to_string(), None, None)
            .ok()?
            .with("schedule", kept.name.as_str());
        let waiting = Waiting { level, event: None, schedule: Some(Kept { next: due, ..kept }) };
        let expecting = Transaction::new().expect_field(self.keys.waiting(), id, Some(held));
        Some(waiting.adding(expecting, self, id, due).ok()?.append(self.served(level), event))
    }
}
