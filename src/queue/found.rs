//! Jobs in whatever state, to be looked at.

use super::job::Head;
use super::keys::WORKERS;
use super::outcome::{Ending, Outcome};
use super::queue::Shared;
use super::{DeadJob, Delayed, Error, JobId, Queue};
use crate::event::{self, Entry, EventId, GroupName, Pending};
use crate::hint;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::fmt;
use std::pin::pin;
use std::str::FromStr;

/// Where a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema), schema(as = JobState))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum JobState {
    /// It waits for its turn.
    Waiting,
    /// A worker has it in hand.
    Running,
    /// It is not due yet.
    Delayed,
    /// It is done, and its outcome is kept.
    Done,
    /// It failed for good, and is in the dead letters; or was: [`JobInfo::error`] says why.
    Dead,
}

impl JobState {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Waiting, Self::Running, Self::Delayed, Self::Done, Self::Dead];

    /// As a word, such as `waiting`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Delayed => "delayed",
            Self::Done => "done",
            Self::Dead => "dead",
        }
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that is no [`JobState`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is no state of jobs{hint}")]
pub struct NoJobState {
    word: String,
    hint: String,
}

impl FromStr for JobState {
    type Err = NoJobState;

    fn from_str(word: &str) -> Result<Self, NoJobState> {
        let words = Self::ALL.map(Self::as_str);
        Self::ALL.into_iter().find(|state| state.as_str() == word).ok_or_else(|| NoJobState {
            word: word.to_owned(),
            hint: hint::nearest(word, words).map_or_else(
                || format!("; there are {}", words.join(", ")),
                |near| format!("; did you mean `{near}`?"),
            ),
        })
    }
}

/// A job, as far as it is known where it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema), schema(as = Job))]
pub struct JobInfo {
    /// Its id; none if what stands in the queue is no job.
    #[cfg_attr(feature = "http", schema(value_type = Option<String>))]
    pub job: Option<JobId>,
    /// Where it is.
    pub state: JobState,
    /// Its level of priority, unless it is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    /// The how manieth attempt it is in, was done by, or failed for good in.
    pub attempt: u64,
    /// What is to be done, unless it is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Json>,
    /// The key that it was added with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// When it was added or queued, is due, is done or failed, in milliseconds since 1970.
    pub at: u64,
    /// Why it failed, or failed last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The schedule that adds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// What came out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<Json>,
    /// How long the last attempt took, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub took: Option<f64>,
}

/// How many entries are looked at in one go.
const PAGE: usize = 1024;

impl JobInfo {
    fn new(job: Option<JobId>, state: JobState, attempt: u64, at: u64) -> Self {
        let (priority, data, key, error, schedule, result, took) = Default::default();
        Self { job, state, priority, attempt, data, key, at, error, schedule, result, took }
    }

    /// One that stands in the log of a level.
    fn standing(entry: &Entry, level: u8, state: JobState) -> Option<Self> {
        let event = entry.event.as_ref().ok()?;
        let (Head { job, attempt, key, error }, data) = (event.read::<Head>().ok()?, event.get("data")?);
        let schedule = event.get("schedule").and_then(|name| Some(name.as_str()?.to_owned()));
        let (priority, data) = (Some(level), Some(data));
        Some(Self {
            priority,
            data,
            key,
            error,
            schedule,
            ..Self::new(Some(job), state, attempt.into(), entry.id.millis)
        })
    }
}

impl From<Delayed> for JobInfo {
    fn from(delayed: Delayed) -> Self {
        let Delayed { job, due, data, priority, key, attempt, error, schedule } = delayed;
        let (priority, data) = (Some(priority), Some(data));
        Self {
            priority,
            data,
            key,
            error,
            schedule,
            ..Self::new(Some(job), JobState::Delayed, attempt.into(), due)
        }
    }
}

impl From<DeadJob> for JobInfo {
    fn from(dead: DeadJob) -> Self {
        let DeadJob { place, priority, job, data, key, attempts, reason } = dead;
        let (priority, data, error) = (Some(priority), Some(data), Some(reason));
        Self { priority, data, key, error, ..Self::new(job, JobState::Dead, attempts, place.millis) }
    }
}

impl JobInfo {
    /// The end of a job; nothing if it is none.
    fn over(outcome: Outcome) -> Option<Self> {
        let Outcome { place, job, attempt, took, ending } = outcome;
        let new = |state| Self { took, ..Self::new(Some(job), state, attempt.into(), place.millis) };
        match ending {
            Ending::Done { result } => Some(Self { result: Some(result), ..new(JobState::Done) }),
            Ending::Dead { error } => Some(Self { error: Some(error), ..new(JobState::Dead) }),
            Ending::Failed { .. } | Ending::Progress { .. } => None,
        }
    }
}

impl Queue {
    /// The first `count` jobs in a state: of those that wait, run or are dead those of the highest priority first, of those
    /// that are not due yet the next one, of those that are done the last one.
    ///
    /// # Errors
    /// What the backend says.
    ///
    /// # Cancel safety
    /// Yes: it only reads.
    pub async fn jobs(&self, state: JobState, count: usize) -> Result<Vec<JobInfo>, Error> {
        match state {
            JobState::Waiting => self.standing(count, None).await,
            JobState::Running => self.running(count).await,
            JobState::Delayed => Ok(self.delayed(count).await?.into_iter().map(JobInfo::from).collect()),
            JobState::Dead => Ok(self.dead(count).await?.into_iter().map(JobInfo::from).collect()),
            JobState::Done => {
                let done = |told: &Outcome| matches!(told.ending, Ending::Done { .. });
                Ok(self.last_told(count, done).await?.into_iter().filter_map(JobInfo::over).collect())
            }
        }
    }

    /// A job, wherever it is; nothing if it is nowhere, or done and its outcome is kept no more.
    ///
    /// # Errors
    /// What the backend says.
    ///
    /// # Cancel safety
    /// Yes: it only reads.
    pub async fn find(&self, job: &JobId) -> Result<Option<JobInfo>, Error> {
        if let Some(delayed) = self.delayed_job(job).await? {
            return Ok(Some(delayed.into()));
        }
        // Before its outcome: one that is replayed has that of the time before, too.
        if let Some(standing) = self.standing(1, Some(job)).await?.pop() {
            return Ok(Some(standing));
        }
        if let Some(dead) = self.dead_of(1, Some(job)).await?.pop() {
            return Ok(Some(dead.into()));
        }
        Ok(self.kept_outcome(job).await?.and_then(JobInfo::over))
    }

    /// The first jobs that wait; or one, whether it waits or a worker has it in hand.
    async fn standing(&self, count: usize, only: Option<&JobId>) -> Result<Vec<JobInfo>, Error> {
        let shared = self.shared();
        let mut all = Vec::new();
        for level in (0..shared.served_levels().await?).rev() {
            let log = shared.log(shared.keys.level(level));
            let info = log.info().await.map_err(|error| shared.event_error(error))?;
            let group = info.groups.iter().find(|group| group.name.as_str() == WORKERS);
            let upto = group.map_or(EventId::MIN, |group| group.last_delivered);
            if only.is_none() {
                // What was put back is first in line.
                self.given_out(level, upto, Some(JobState::Waiting), (count, None), &mut all).await?;
            }
            let mut after = group.map_or(EventId::MIN, |group| group.last_delivered.next());
            while all.len() < count {
                let page = log.range(
                    after,
                    EventId::MAX,
                    if only.is_some() { PAGE } else { PAGE.min(count - all.len()) },
                );
                let page = page.await.map_err(|error| shared.event_error(error))?;
                let Some(last) = page.last() else { break };
                after = last.id.next();
                let standing =
                    page.iter().filter_map(|entry| JobInfo::standing(entry, level, JobState::Waiting));
                all.extend(standing.filter(|info| only.is_none() || info.job.as_ref() == only));
            }
            if only.is_some() {
                // Behind what was not given out: it may be given out meanwhile, and never the other way.
                self.given_out(level, EventId::MAX, None, (count, only), &mut all).await?;
            }
        }
        all.truncate(count);
        Ok(all)
    }

    /// The first jobs that workers have in hand.
    async fn running(&self, count: usize) -> Result<Vec<JobInfo>, Error> {
        let mut all = Vec::new();
        for level in (0..self.shared().served_levels().await?).rev() {
            let running = Some(JobState::Running);
            self.given_out(level, EventId::MAX, running, (count, None), &mut all).await?;
        }
        Ok(all)
    }

    /// Adds, up to `count`, what was given out of a level up to a place: what workers have in hand, what waits again, or both;
    /// all, or one job.
    async fn given_out(
        &self,
        level: u8,
        upto: EventId,
        wanted: Option<JobState>,
        (count, only): (usize, Option<&JobId>),
        all: &mut Vec<JobInfo>,
    ) -> Result<(), Error> {
        let shared = self.shared();
        let log = shared.log(shared.keys.level(level));
        let mut given = pin!(shared.given_out(level, upto));
        while all.len() < count
            && let Some(pending) = given.try_next().await?
        {
            let state = if shared.is_held(&pending) { JobState::Running } else { JobState::Waiting };
            if wanted.is_some_and(|wanted| state != wanted) {
                continue;
            }
            let entry = log.range(pending.id, pending.id, 1).await;
            let entry = entry.map_err(|error| shared.event_error(error))?;
            let info = entry.first().and_then(|entry| JobInfo::standing(entry, level, state));
            let info = info.filter(|info| only.is_none() || info.job.as_ref() == only);
            all.extend(
                info.map(|info| JobInfo {
                    attempt: info.attempt + pending.attempts.saturating_sub(1),
                    ..info
                }),
            );
        }
        Ok(())
    }
}

impl Shared {
    /// What was given out of a level, up to a place, and is not settled.
    pub(super) fn given_out(&self, level: u8, upto: EventId) -> impl Stream<Item = Result<Pending, Error>> {
        let log = self.log(self.keys.level(level));
        let group = GroupName::from(WORKERS);
        stream::try_unfold(Some(EventId::MIN), move |from| {
            let page = from.map(|from| log.event_log().pending(log.name(), &group, from, PAGE));
            async move {
                let Some(page) = page else { return Ok(None) };
                let page = match page.await {
                    Err(event::Error::NoGroup { .. }) => return Ok(None),
                    page => page.map_err(|error| self.event_error(error))?,
                };
                let next = page.last().filter(|_| page.len() == PAGE).map(|last| last.id.next());
                Ok(Some((stream::iter(page).map(Ok), next)))
            }
        })
        .try_flatten()
        .try_take_while(move |pending| std::future::ready(Ok(pending.id <= upto)))
    }

    /// Whether a worker has it in hand. It gives signs of life for what it has; anybody may have what is idle for longer: it
    /// was put back, or its worker is gone.
    pub(super) fn is_held(&self, pending: &Pending) -> bool {
        pending.idle < self.settings.lease
    }
}
