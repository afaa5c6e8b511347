//! How the engine takes up runs that nobody goes on with.

use super::history::{self, Loaded};
use super::hosted::{Hosted, Owner};
use super::timers::{Timer, What};
use super::turner::{LEASE, Turner};
use super::{Command, Error, RunId, Time, Workflows, keys, process, record};
use crate::event::{ConsumerName, GroupName, Retention};
use crate::knowledge::{self, Data, Transaction};
use std::collections::HashMap;
use std::time::Duration;

/// How many events about runs are kept.
const EVENTS: u64 = 10_000;
/// For how long a run is kept in mind that others go on with.
const IN_MIND: Duration = Duration::from_secs(10);
/// For how long nothing has happened to a run that others go on with, before it is looked at.
const A_WHILE: Duration = Duration::from_millis(500);
/// How many statuses are asked for at a time.
const TOGETHER: usize = 512;
/// A consumer that has asked for nothing for so long is gone.
const GONE: Duration = Duration::from_secs(30);
/// What the names of our consumers begin with.
pub(super) const OURS: &str = "mape-";

impl Turner {
    /// Takes up a run in which something is to be started, or whose engine is gone.
    pub(super) async fn adopt(&mut self, id: &RunId, now: Time) {
        match self.try_to_adopt(id, now).await {
            Ok(()) | Err(Error::NoRun { .. } | Error::Knowledge(knowledge::Error::Conflict(_))) => {}
            Err(error) => {
                // It is tried again and again, and said once.
                if self.refused.insert(id.clone()) {
                    tracing::warn!(workflow = %id, %error, "a run cannot be taken over");
                }
            }
        }
    }

    async fn try_to_adopt(&mut self, id: &RunId, now: Time) -> Result<(), Error> {
        if self.runs.get(id).is_some_and(|run| run.owner == Owner::Us) {
            return Ok(());
        }
        let store = self.workflows.store().clone();
        let is_open = self.workflows.is_open();
        let loaded = self.workflows.load(id).await?;
        let is_over = loaded.state.status().is_over() && loaded.state.open() == 0;
        let held = match &loaded.owner {
            Some(owner) if owner.as_str() == Some(&*self.engine) => Some(owner.clone()),
            Some(owner) if history::lives(&*store, owner).await? => return Ok(()),
            other => other.clone(),
        };
        if is_over && !loaded.waits() || is_open && held.is_none() && !loaded.waits() {
            if loaded.records.last().is_some_and(|record| record.unowned) {
                // What was to be done is that nothing is done.
                let next = keys::number(loaded.next());
                let done = Transaction::new().expect_field(keys::steps(id), next, None);
                store.commit(done.srem(keys::WAITING, id.full())).await?;
            }
            return Ok(());
        }
        self.tasks.check(&loaded.definition)?;
        let mut run = match self.runs.remove(id) {
            Some(mut run) if !run.is_touched() => {
                run.becomes(&loaded);
                run
            }
            Some(run) => {
                // What has happened to it is kept first, or finds out.
                self.runs.insert(id.clone(), run);
                return Ok(());
            }
            None => Hosted::loaded(id.clone(), &loaded, &self.tasks),
        };
        if !is_open || held.is_some() {
            self.claim(id, held).await?;
            run.owner = Owner::Us;
        }
        run.reconcile(now, &loaded);
        let touched = run.is_touched();
        if run.owner == Owner::Us {
            tracing::info!(workflow = %id, "took over a run");
        } else {
            tracing::debug!(workflow = %id, "goes on with a run that waited for that");
        }
        self.runs.insert(id.clone(), run);
        self.give_grace(id, now);
        self.limit(id, &loaded, now);
        if touched {
            self.touched.push(id.clone());
        } else {
            self.perform(id, now);
        }
        Ok(())
    }

    /// Waits on until what others have in work takes too long, in a run that this engine has got with that.
    pub(super) fn limit(&self, id: &RunId, loaded: &Loaded, now: Time) {
        let Some(run) = self.runs.get(id).filter(|run| run.owner == Owner::Us) else { return };
        let (definition, fresh) = (&run.definition, &loaded.fresh);
        let limits = run.state.running(definition).into_iter().filter_map(|(place, attempt, _)| {
            let timeout = definition.policy(place.node)?.timeout?;
            // What is begun now has its limit with that.
            let is_begun = !fresh.iter().any(|command| {
                matches!(command, Command::Start { place: other, attempt: a, .. } if (*other, *a) == (place, attempt))
            });
            (is_begun && !run.is_here(place)).then_some((place, attempt, timeout))
        });
        let limits: Vec<_> = limits.collect();
        if limits.is_empty() {
            return;
        }
        let begun = record::begun(definition, &loaded.records);
        for (place, attempt, timeout) in limits {
            let at = begun.get(&(place, attempt)).copied().unwrap_or(now).after(timeout);
            self.timers.add(Timer { at, run: id.clone(), place, attempt, what: What::Timeout });
        }
    }

    /// Makes a run this engine's, if `held` is still whose it is.
    pub(super) async fn claim(&self, id: &RunId, held: Option<Data>) -> Result<(), Error> {
        let claim = Transaction::new().expect_field(keys::OWNERS, id.full(), held).hset(
            keys::OWNERS,
            id.full(),
            &*self.engine,
        );
        self.workflows.store().commit(claim).await?;
        Ok(())
    }

    pub(super) async fn tick(&mut self, now: Time) {
        let store = self.workflows.store().clone();
        let sign = Transaction::new().set_for(keys::engine(&self.engine), process::this(), LEASE);
        if let Err(error) = store.commit(sign).await {
            tracing::warn!(%error, "an engine could not give a sign of life");
            return;
        }
        // Nobody needs what was long ago; what a group has not read stays.
        if let Err(error) = self.workflows.log().trim(Retention::Entries(EVENTS)).await {
            tracing::debug!(%error, "old events could not be trimmed");
        }
        self.look_at_others().await;
        let long_ago = |run: &Hosted| now.since(run.touched) > IN_MIND;
        self.runs.retain(|_, run| {
            run.owner == Owner::Us || run.is_touched() || run.is_waited_for() || !long_ago(run)
        });
        self.look_after_others(now).await;
        let Ok((waiting, owned)) = history::unattended(&*store).await else { return };
        self.refused.retain(|id| waiting.contains(id) || owned.iter().any(|(other, _)| other == id));
        let mut living = HashMap::<Data, bool>::new();
        let mut abandoned = waiting;
        for (id, owner) in owned {
            if self.runs.get(&id).is_some_and(|run| run.owner == Owner::Us) {
                continue;
            }
            if owner.as_str() == Some(&*self.engine) {
                // Claimed, but the answer did not arrive.
                abandoned.push(id);
                continue;
            }
            let lives = if let Some(lives) = living.get(&owner) {
                *lives
            } else {
                let lives = history::lives(&*store, &owner).await.unwrap_or(true);
                living.insert(owner, lives);
                lives
            };
            if !lives {
                abandoned.push(id);
            }
        }
        for id in abandoned {
            self.adopt(&id, now).await;
        }
    }

    /// Looks how far runs are that others go on with, and for whose end somebody waits here.
    async fn look_after_others(&mut self, now: Time) {
        let waited = self.runs.values().filter(|run| {
            let is_waited_for = run.owner != Owner::Us && !run.is_touched() && run.is_waited_for();
            is_waited_for && now.since(run.touched) > A_WHILE
        });
        let ids: Vec<RunId> = waited.map(|run| run.id.clone()).collect();
        for ids in ids.chunks(TOGETHER) {
            let Ok(statuses) = history::statuses(&**self.workflows.store(), ids).await else { return };
            for (id, status) in ids.iter().zip(statuses) {
                let known = self.runs.get(id).map(|run| run.state.status());
                if status != known {
                    self.reload(id, now).await;
                }
            }
        }
    }

    /// Looks whether programs of other kinds are at work.
    async fn look_at_others(&mut self) {
        if let Ok(foreign) = self.workflows.foreign_engine().await {
            self.foreign_engine = foreign;
        }
        if let Ok(foreign) = self.workflows.foreign_lister().await {
            self.is_listed_by_others = foreign.is_some();
        }
    }
}

impl Workflows {
    /// Whether an engine is at work on this server, of whatever kind: one of this library that gives signs of life, or
    /// another program that has asked for events within half a minute. Elsewhere than on a server it cannot be told, and
    /// is false.
    ///
    /// # Errors
    ///
    /// What the backend says.
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn is_attended(&self) -> Result<bool, Error> {
        let engines = self.log().event_log().consumers(&self.names().log, &self.names().ending).await?;
        for engine in engines {
            let lives = match engine.name.as_str().strip_prefix(OURS) {
                Some(id) => history::lives(&**self.store(), &id.into()).await?,
                None => engine.idle < GONE,
            };
            if lives {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A program of another kind that turns runs, too.
    pub(super) async fn foreign_engine(&self) -> Result<Option<ConsumerName>, Error> {
        self.foreign(&self.names().ending).await
    }

    /// A program of another kind that lists runs.
    pub(super) async fn foreign_lister(&self) -> Result<Option<ConsumerName>, Error> {
        self.foreign(&self.names().lifecycle).await
    }

    async fn foreign(&self, group: &GroupName) -> Result<Option<ConsumerName>, Error> {
        if !self.is_open() {
            return Ok(None);
        }
        let consumers = self.log().event_log().consumers(&self.names().log, group).await?;
        let mut foreign = consumers
            .into_iter()
            .filter(|consumer| !consumer.name.as_str().starts_with(OURS) && consumer.idle < GONE);
        Ok(foreign.next().map(|consumer| consumer.name))
    }
}
