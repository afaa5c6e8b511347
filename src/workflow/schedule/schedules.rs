//! The schedules of a backend.

use super::super::workflows::Submitted;
use super::super::{Error, RunId, Time, Workflows};
use super::schedule::{Due, Schedule};
use crate::backend::Backend;
use crate::knowledge::{self, Changes, Data, Filter, HashCommand, Key, Store, Transaction};
use crate::stream::Backoff;
use futures::StreamExt;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// The schedules of a backend: what begins by the clock. Cheap to clone.
///
/// Somebody has to [serve](Self::serve) them, such as `mape serve`; any number may. A run is made in one with the mark that
/// its time is dealt with, so each time makes one run, whoever serves and whoever dies; its id is the name of the schedule
/// and the time, `report-20261125T023000Z`. The engines of the backend go on with it.
///
/// ```
/// use mape::prelude::*;
/// use mape::workflow::{Builtin, Engine, Schedule, Schedules, Tasks};
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), BoxError> {
/// let app = App::new();
/// let engine = Engine::start(&app, Tasks::new().with_all(Builtin::new(app.backend()).tasks())).await?;
/// let schedules = Schedules::new(app.backend());
/// schedules.add(Schedule::new("tick", "*/5 * * * *".parse()?, "log:info (- message: tick -)")).await?;
/// tokio::select! {
///     () = schedules.serve() => {}
///     () = tokio::time::sleep(std::time::Duration::from_secs(3600)) => {}
/// }
/// assert_eq!(engine.workflows().list(0, 100).await?.len(), 12);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Schedules {
    workflows: Workflows,
    store: Arc<dyn Store>,
}

/// A schedule as it was read, with what was read.
struct Read {
    schedule: Schedule,
    kept: Data,
}

/// Where they are kept: a hash, by their names.
const SCHEDULES: &str = "mape:schedules";
/// Which run was made last with a key: a hash.
const KEYS: &str = "mape:schedules:keys";
/// How often they are looked at in any case.
const LOOK: Duration = Duration::from_secs(30);
/// How often it is looked whether a run is over for which others wait.
const BUSY: Duration = Duration::from_secs(1);
/// How many times a change is tried that others come before.
const TRIES: usize = 32;

impl Schedules {
    /// The schedules of this backend.
    #[must_use]
    pub fn new(backend: &Backend) -> Self {
        Self::of(&Workflows::new(backend))
    }

    /// Those that begin runs among these.
    #[must_use]
    pub fn of(workflows: &Workflows) -> Self {
        Self { workflows: workflows.clone(), store: workflows.store().clone() }
    }

    /// Keeps a schedule, which begins at its next time from now.
    ///
    /// # Errors
    ///
    /// [`Error::ScheduleExists`]; [`Error::Schedule`], [`Error::Flow`], [`Error::Policy`] if it cannot be run.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it happens. The same holds for all that change something here.
    pub async fn add(&self, schedule: Schedule) -> Result<(), Error> {
        schedule.check()?;
        let (name, schedule) = (schedule.name.clone(), schedule.beginning(Time::now()));
        let adding = Transaction::new().expect_field(SCHEDULES, name.as_str(), None).hset(
            SCHEDULES,
            name.as_str(),
            written(&schedule)?,
        );
        match self.store.commit(adding).await {
            Ok(_) => Ok(()),
            Err(knowledge::Error::Conflict(_)) => Err(Error::ScheduleExists { name }),
            Err(error) => Err(error.into()),
        }
    }

    /// All of them, by name.
    ///
    /// # Errors
    ///
    /// [`Error::Schedule`] if one cannot be read.
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn list(&self) -> Result<Vec<Schedule>, Error> {
        let mut all = Vec::new();
        for (name, kept) in self.pairs().await? {
            all.push(read(&name, kept)?.schedule);
        }
        all.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(all)
    }

    /// The one of this name.
    ///
    /// # Errors
    ///
    /// [`Error::NoSchedule`].
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn get(&self, name: &str) -> Result<Schedule, Error> {
        Ok(self.read(name).await?.schedule)
    }

    /// Takes one away; its runs stay.
    ///
    /// # Errors
    ///
    /// [`Error::NoSchedule`].
    pub async fn remove(&self, name: &str) -> Result<(), Error> {
        let (key, removal) = (Key::from(SCHEDULES), HashCommand::Remove(Data::from(name).into()));
        match self.store.run(&key, removal.into()).await?.count(&key)? {
            0 => Err(Error::NoSchedule { name: name.to_owned() }),
            _ => Ok(()),
        }
    }

    /// Lets one make no runs.
    ///
    /// # Errors
    ///
    /// [`Error::NoSchedule`].
    pub async fn pause(&self, name: &str) -> Result<(), Error> {
        self.change(name, |schedule| Schedule { paused: true, ..schedule }).await
    }

    /// Lets one make runs again after a pause; the times of the pause do not count as missed.
    ///
    /// # Errors
    ///
    /// [`Error::NoSchedule`].
    pub async fn resume(&self, name: &str) -> Result<(), Error> {
        let go_on = |schedule: Schedule| {
            if !schedule.paused {
                return schedule;
            }
            Schedule { paused: false, ..schedule }.beginning(Time::now())
        };
        self.change(name, go_on).await
    }

    async fn change(&self, name: &str, change: impl Fn(Schedule) -> Schedule) -> Result<(), Error> {
        for _ in 0..TRIES {
            let Read { schedule, kept } = self.read(name).await?;
            if self.replace(&kept, &change(schedule)).await? {
                return Ok(());
            }
            tokio::task::yield_now().await;
        }
        Err(Error::Schedule { name: name.to_owned(), reason: "is changed by others all the time".to_owned() })
    }

    /// Makes the runs whose time has come, for ever: outages are sat out. Whoever calls it owns what it does.
    ///
    /// # Cancel safety
    ///
    /// Yes: a run is made with the mark that its time is dealt with, or not at all.
    pub async fn serve(&self) {
        let backoff = Backoff::exponential(Duration::from_millis(200), Duration::from_secs(10));
        let (mut failures, mut changes) = (0, None);
        loop {
            match self.pass(&mut changes).await {
                Ok(next) => {
                    failures = 0;
                    let wait = next.map_or(LOOK, |next| next.since(Time::now())).min(LOOK);
                    tokio::select! {
                        () = sleep(wait) => {}
                        notice = changed(&mut changes) => {
                            if notice.is_none() {
                                changes = None;
                            }
                        }
                    }
                }
                Err(error) => {
                    if failures == 0 {
                        tracing::warn!(%error, "schedules cannot be served; it is tried again");
                    }
                    sleep(backoff.wait(failures).unwrap_or_default()).await;
                    failures += 1;
                }
            }
        }
    }

    /// Does what is due, and says when there is more to do.
    async fn pass(&self, changes: &mut Option<Changes>) -> Result<Option<Time>, Error> {
        if changes.is_none() {
            // Before they are read, so that no change is missed.
            *changes = Some(self.store.watch(Filter::key(SCHEDULES)).await?);
        }
        let mut next: Option<Time> = None;
        for (name, kept) in self.pairs().await? {
            let read = match read(&name, kept) {
                Ok(read) => read,
                Err(error) => {
                    tracing::warn!(%error, "a schedule is left out");
                    continue;
                }
            };
            if let Some(at) = self.work_off(read).await? {
                next = Some(next.map_or(at, |sooner| sooner.min(at)));
            }
        }
        Ok(next)
    }

    /// Makes the runs of a schedule that are due, and says when it is due again.
    async fn work_off(&self, mut read: Read) -> Result<Option<Time>, Error> {
        loop {
            let (now, schedule) = (Time::now(), &read.schedule);
            let held = self.held(schedule).await?;
            let busy = held.as_ref().is_some_and(|(_, busy)| *busy);
            let (written_over, is_new) = match schedule.due(now, busy) {
                Due::Never => return Ok(None),
                // It waits for another run.
                Due::At(at) if at <= now => return Ok(Some(now.after(BUSY))),
                Due::At(at) => return Ok(Some(at)),
                Due::Skip(after) => {
                    tracing::warn!(schedule = schedule.name, "times were missed for which there is no run");
                    (after, false)
                }
                Due::Run(at, after) => {
                    let id = schedule.run_at(at);
                    let after = Schedule { last: Some(id.clone()), ..after };
                    match self.make(&read, id, &after, held.and_then(|(id, _)| id)).await {
                        Ok(Some(is_new)) => (after, is_new),
                        Ok(None) => return Ok(Some(now)),
                        Err(error) if is_of_the_backend(&error) => return Err(error),
                        Err(error) => {
                            tracing::warn!(schedule = schedule.name, %error, "a run could not be made");
                            (Schedule { error: Some(error.to_string()), ..after }, false)
                        }
                    }
                }
            };
            if !is_new && !self.replace(&read.kept, &written_over).await? {
                // Somebody else was first.
                return Ok(Some(now));
            }
            read = Read { kept: written(&written_over)?, schedule: written_over };
        }
    }

    /// Makes a run in one with the schedule as it is `after` that: whether that was done, or the run was there before;
    /// nothing if somebody else was first.
    async fn make(
        &self,
        read: &Read,
        id: RunId,
        after: &Schedule,
        held: Option<Data>,
    ) -> Result<Option<bool>, Error> {
        let Read { schedule, kept } = read;
        let mut more = Transaction::new()
            .expect_field(SCHEDULES, schedule.name.as_str(), Some(kept.clone()))
            .hset(SCHEDULES, schedule.name.as_str(), written(after)?);
        if let Some(key) = &schedule.key {
            more = more.expect_field(KEYS, key.as_str(), held).hset(KEYS, key.as_str(), id.full());
        }
        let made = self.workflows.submit_with(Some(id), &schedule.flow, schedule.input.clone(), more);
        Ok(match made.await? {
            Submitted::New(run) => {
                tracing::debug!(schedule = schedule.name, %run, "a run begins by the clock");
                Some(true)
            }
            Submitted::Known(_) => Some(false),
            Submitted::Overtaken(_) => None,
        })
    }

    /// The run that was made last with the key of a schedule, if it has one, and whether it is under way.
    async fn held(&self, schedule: &Schedule) -> Result<Option<(Option<Data>, bool)>, Error> {
        let Some(key) = &schedule.key else { return Ok(None) };
        let keys = Key::from(KEYS);
        let get = HashCommand::Get(key.as_str().into());
        let Some(held) = self.store.run(&keys, get.into()).await?.non_nil() else {
            return Ok(Some((None, false)));
        };
        let held = held.data(&keys)?;
        let busy = match self.workflows.status(&RunId::from(held.as_str().unwrap_or_default())).await {
            Ok(status) => !status.is_over(),
            Err(Error::NoRun { .. }) => false,
            Err(error) => return Err(error),
        };
        Ok(Some((Some(held), busy)))
    }

    async fn pairs(&self) -> Result<Vec<(Data, Data)>, Error> {
        let key = Key::from(SCHEDULES);
        Ok(self.store.run(&key, HashCommand::All.into()).await?.pairs(&key)?)
    }

    async fn read(&self, name: &str) -> Result<Read, Error> {
        let key = Key::from(SCHEDULES);
        let kept = self.store.run(&key, HashCommand::Get(name.into()).into()).await?.non_nil();
        let kept = kept.ok_or_else(|| Error::NoSchedule { name: name.to_owned() })?.data(&key)?;
        read(&name.into(), kept)
    }

    /// Puts one in place of what was read; whether that was still so.
    async fn replace(&self, kept: &Data, by: &Schedule) -> Result<bool, Error> {
        let name = by.name.as_str();
        let change = Transaction::new().expect_field(SCHEDULES, name, Some(kept.clone())).hset(
            SCHEDULES,
            name,
            written(by)?,
        );
        match self.store.commit(change).await {
            Ok(_) => Ok(true),
            Err(knowledge::Error::Conflict(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// Waits for a change; nothing if none can be heard of any more.
async fn changed(changes: &mut Option<Changes>) -> Option<knowledge::Notice> {
    match changes {
        Some(changes) => changes.next().await,
        None => std::future::pending().await,
    }
}

fn is_of_the_backend(error: &Error) -> bool {
    matches!(error, Error::Knowledge(_) | Error::Event(_))
}

fn written(schedule: &Schedule) -> Result<Data, Error> {
    let damaged = |error: serde_json::Error| Error::Schedule {
        name: schedule.name.clone(),
        reason: format!("cannot be written: {error}"),
    };
    serde_json::to_vec(schedule).map(|written| written.as_slice().into()).map_err(damaged)
}

fn read(name: &Data, kept: Data) -> Result<Read, Error> {
    let damaged = |error: serde_json::Error| Error::Schedule {
        name: name.as_str().unwrap_or_default().to_owned(),
        reason: format!("cannot be read: {error}"),
    };
    let schedule = serde_json::from_slice(&kept).map_err(damaged)?;
    Ok(Read { schedule, kept })
}

impl fmt::Debug for Schedules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Schedules").field(&self.workflows).finish()
    }
}
