//! The heart of the engine: takes what has happened, lets runs go a step, keeps that, and starts what follows.

use super::history::Loaded;
use super::hosted::{Hosted, Owner};
use super::incoming::Outputs;
use super::keeping::Beginning;
use super::lanes::Lanes;
use super::metered::Metered;
use super::ready::Ready;
use super::record::Record;
use super::report::{Other, Report, Told};
use super::timers::{Timer, Timers, What};
use super::{
    Cause, Command, Definition, Ended, Error, Invocation, Place, RunId, Status, Tasks, Time, Workflows, keys,
};
use crate::element::{BoxError, Emitter, Handler};
use crate::event::ConsumerName;
use crate::knowledge::{self, Transaction};
use foldhash::fast::RandomState;
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

/// How long an engine lives without a sign of life.
pub(super) const LEASE: Duration = Duration::from_secs(3);
/// How long those who work elsewhere have to say that they have stopped.
const ELSEWHERE: Duration = Duration::from_secs(2);
/// How long to wait before the backend is asked again after it failed.
pub(super) const PATIENCE: Duration = Duration::from_millis(200);

pub(super) struct Turner {
    pub(super) metered: Metered,
    pub(super) engine: Arc<str>,
    pub(super) workflows: Workflows,
    pub(super) tasks: Arc<Tasks>,
    /// For each kind of task, what is ready for its element.
    pub(super) ready: Vec<Arc<Ready>>,
    pub(super) timers: Arc<Timers>,
    pub(super) runs: HashMap<RunId, Hosted, RandomState>,
    pub(super) touched: Vec<RunId>,
    pub(super) beginning: Vec<Beginning>,
    pub(super) lanes: Lanes,
    /// Runs that nobody has in hand, and this engine cannot take.
    pub(super) refused: HashSet<RunId>,
    /// Kinds to be woken.
    pub(super) woken: Vec<bool>,
    /// Runs that events of this batch are about, and that are over or not there.
    pub(super) over: HashSet<RunId>,
    /// Runs that were read in this batch.
    pub(super) fresh: HashSet<RunId>,
    /// When another engine last came before this one.
    pub(super) crossed_at: Option<tokio::time::Instant>,
    /// Whether events are answered by receipts.
    pub(super) receipts: bool,
    /// Whether a program of another kind lists runs.
    pub(super) is_listed_by_others: bool,
    /// Whether a program of another kind turns runs, too.
    pub(super) foreign_engine: Option<ConsumerName>,
}

impl Handler for Turner {
    type In = Vec<Report>;
    type Out = RunId;

    /// All that is there at a time is worked on together: each run that it is about goes on by one change.
    async fn on_item(&mut self, reports: Vec<Report>, out: &Emitter<RunId>) -> Result<(), BoxError> {
        let outputs = self.prepare(&reports).await;
        let now = Time::now();
        for report in reports {
            match report {
                Report::Task(ended) => self.task_ended(ended, now),
                Report::Other(Other(told)) => self.told(&told, &outputs, now).await,
            }
        }
        while !self.touched.is_empty() || !self.beginning.is_empty() {
            self.keep(now, out).await;
        }
        for (ready, woken) in self.ready.iter().zip(&mut self.woken) {
            if std::mem::take(woken) {
                ready.wake();
            }
        }
        Ok(())
    }
}

impl Turner {
    pub(super) fn apply(&mut self, id: &RunId, now: Time, cause: Cause) -> bool {
        let Some(run) = self.runs.get_mut(id) else { return false };
        let untouched = !run.is_touched();
        let changed = run.apply(now, cause).is_ok();
        if changed && untouched {
            self.touched.push(id.clone());
        }
        changed
    }

    fn task_ended(&mut self, Ended { invocation, outcome }: Ended, now: Time) {
        let (id, place, attempt) = (invocation.workflow(), invocation.place(), invocation.attempt());
        let cause = match outcome {
            Some(outcome) => Cause::Ended { place, attempt, outcome },
            None => Cause::Cancelled { place, attempt },
        };
        self.apply(id, now, cause);
        self.let_go(id, place, attempt);
    }

    /// An attempt is no longer in hand, and others with its key may run.
    pub(super) fn let_go(&mut self, id: &RunId, place: Place, attempt: u32) {
        let Some(run) = self.runs.get_mut(id) else { return };
        if run.in_hand.get(&place).is_some_and(|held| held.attempt() == attempt) {
            run.in_hand.remove(&place);
        }
        if run.definition.policy(place.node).is_some() {
            let definition = run.definition.clone();
            self.leave_lane(&definition, id, place);
        }
    }

    fn leave_lane(&mut self, definition: &Definition, id: &RunId, place: Place) {
        let Some(how) = definition.policy(place.node).and_then(|policy| policy.concurrency.as_ref()) else {
            return;
        };
        for (invocation, kind) in self.lanes.leave(how, id, place) {
            self.dispatch(invocation, kind);
        }
    }

    async fn told(&mut self, told: &Told, outputs: &Outputs, now: Time) {
        match told {
            Told::Due(Timer { run, what: What::Grace, .. }) => self.grace_is_over(run, now),
            Told::Due(Timer { run, place, attempt, what, .. }) => {
                let (place, attempt) = (*place, *attempt);
                let cause = match what {
                    What::Timeout => Cause::TimedOut { place, attempt },
                    What::Grace => return,
                    What::Retry => Cause::Due { place, attempt },
                };
                self.apply(run, now, cause);
            }
            Told::Event(delivery) => self.event(delivery, outputs, now).await,
            Told::Changed(id) => {
                if self.runs.contains_key(id) {
                    self.reload(id, now).await;
                } else {
                    self.adopt(id, now).await;
                }
            }
            Told::Missed => {
                let mut ids: Vec<RunId> = self.runs.keys().cloned().collect();
                ids.sort_unstable();
                for id in ids {
                    self.reload(&id, now).await;
                }
            }
            Told::Tick => self.tick(now).await,
            Told::Begin(begin) => {
                let begin = begin.lock().take();
                if let Some(begin) = begin {
                    self.begin(begin, now);
                }
            }
        }
    }

    // --- when others came before --------------------------------------------------------------------------------------

    /// Others came before: what has happened is applied to what they made of the run.
    pub(super) async fn again(&mut self, id: &RunId, record: Record, now: Time) {
        if let Some(run) = self.runs.get_mut(id) {
            run.causes = record.causes;
        }
        self.reload(id, now).await;
    }

    /// Reads a run again, as somebody else has changed it. What has happened and is not kept yet happens once more.
    pub(super) async fn reload(&mut self, id: &RunId, now: Time) {
        let mut said = false;
        let (loaded, owner) = loop {
            match self.load_own(id).await {
                Ok(loaded) => break loaded,
                Err(
                    error @ (Error::NoRun { .. }
                    | Error::Damaged { .. }
                    | Error::Knowledge(knowledge::Error::WrongKind { .. })),
                ) => {
                    tracing::warn!(workflow = %id, %error, "a run is no longer in hand");
                    return self.lose(id).await;
                }
                Err(error) => {
                    if !std::mem::replace(&mut said, true) {
                        tracing::warn!(workflow = %id, %error, "a run cannot be read; trying again");
                    }
                    tokio::time::sleep(PATIENCE).await;
                }
            }
        };
        self.renew(id, &loaded, owner, now).await;
    }

    /// Makes a run what others have made of it.
    async fn renew(&mut self, id: &RunId, loaded: &Loaded, owner: Owner, now: Time) {
        let Some(run) = self.runs.get_mut(id) else { return };
        if loaded.next() == run.next && !run.is_touched() && loaded.found.is_none() && owner == run.owner {
            return;
        }
        let was_ours = std::mem::replace(&mut run.owner, owner) == Owner::Us;
        if was_ours && owner != Owner::Us {
            tracing::warn!(workflow = %id, "another engine has taken a run over");
            if self.workflows.is_open() { self.drop_in_hand(id) } else { return self.lose(id).await }
        }
        let Some(run) = self.runs.get_mut(id) else { return };
        let mut happened = std::mem::take(&mut run.causes);
        // What others had done is read anew.
        happened.retain(|cause| !matches!(cause, Cause::Found(_)));
        run.becomes(loaded);
        for cause in happened {
            // What has no effect any more is dropped: it came late; but an end that names no attempt is that of the one
            // that runs.
            if run.apply(now, cause.clone()).is_err()
                && let Some(cause) = super::incoming::of_current_attempt(run, cause)
            {
                let _ = run.apply(now, cause);
            }
        }
        // Only then: what has just ended is no longer in hand, and is not to be started again for that.
        run.reconcile(now, loaded);
        run.tell();
        let left_nothing = loaded.records.last().is_some_and(|record| record.unowned) && !run.takes;
        if left_nothing && !loaded.waits() {
            // Nobody has to look at it for that any more; should this not arrive, somebody looks once more.
            let next = keys::number(loaded.next());
            let done =
                Transaction::new().expect_field(keys::steps(id), next, None).srem(keys::WAITING, id.full());
            drop(self.workflows.store().commit(done).await);
        }
        if owner == Owner::Us && !was_ours {
            self.limit(id, loaded, now);
        }
        let Some(run) = self.runs.get_mut(id) else { return };
        if !run.has_happened() && !run.takes {
            run.deliveries.drain(..).for_each(|delivery| delivery.acknowledge());
            self.touched.retain(|other| other != id);
            self.perform(id, now);
        } else if !self.touched.contains(id) {
            self.touched.push(id.clone());
        }
    }

    /// A run as it is kept, and whose it is.
    async fn load_own(&self, id: &RunId) -> Result<(Loaded, Owner), Error> {
        let loaded = self.workflows.load(id).await?;
        let owner = match &loaded.owner {
            Some(owner) if owner.as_str() == Some(&*self.engine) => Owner::Us,
            Some(_) => Owner::Another,
            None if self.workflows.is_open() => Owner::Nobody,
            // It is over, and may go on here.
            None if loaded.state.status().is_over() => Owner::Us,
            // It was over, and goes on.
            None => match self.claim(id, None).await {
                Err(Error::Knowledge(knowledge::Error::Conflict(_))) => Owner::Another,
                claimed => claimed.map(|()| Owner::Us)?,
            },
        };
        Ok((loaded, owner))
    }

    /// A run is in other hands: what it does here ends, and what has been told is for others.
    async fn lose(&mut self, id: &RunId) {
        self.drop_in_hand(id);
        self.touched.retain(|other| other != id);
        let Some(run) = self.runs.remove(id) else { return };
        for delivery in &run.deliveries {
            if self.workflows.is_open() {
                // It is read again, and found out then.
                delivery.give_back(None);
            } else {
                self.event_for_others(delivery, id).await;
                delivery.acknowledge();
            }
        }
    }

    fn drop_in_hand(&mut self, id: &RunId) {
        let Some(run) = self.runs.get_mut(id) else { return };
        let definition = run.definition.clone();
        for (place, invocation) in std::mem::take(&mut run.in_hand) {
            invocation.cancel();
            self.take_back(&definition, &invocation);
            self.leave_lane(&definition, id, place);
        }
    }

    // --- doing ------------------------------------------------------------------------------------------------

    /// Does what the last steps of a run asked for.
    pub(super) fn perform(&mut self, id: &RunId, now: Time) {
        let Some(run) = self.runs.get_mut(id) else { return };
        let mut commands = std::mem::take(&mut run.commands);
        for command in commands.drain(..) {
            match command {
                Command::Start { place, attempt, input } => self.start(id, place, attempt, input, now),
                Command::Cancel { place, attempt } => self.cancel(id, place, attempt, now),
                Command::Wait { place, attempt, until } => {
                    self.timers.add(Timer { at: until, run: id.clone(), place, attempt, what: What::Retry });
                }
                Command::Became(status) => {
                    let Some(run) = self.runs.get(id) else { return };
                    self.metered.became(status, run.state.began(), now);
                    run.tell();
                }
            }
        }
        let Some(run) = self.runs.get_mut(id) else { return };
        if run.commands.is_empty() {
            run.commands = commands;
        }
        if run.is_done() && !run.is_touched() {
            self.drop_in_hand(id);
            self.runs.remove(id);
        }
        self.metered.hosts(self.runs.len());
    }

    fn start(&mut self, id: &RunId, place: Place, attempt: u32, input: Arc<Value>, now: Time) {
        let Some(run) = self.runs.get_mut(id) else { return };
        let Some((invocation, kind)) = run.invocation(place, attempt, input) else { return };
        if let Some(task) = run.task(place) {
            self.metered.started(task, attempt);
        }
        let policy = run.definition.policy(place.node).cloned();
        if let Some(timeout) = policy.as_ref().and_then(|policy| policy.timeout) {
            let at = now.after(timeout);
            self.timers.add(Timer { at, run: id.clone(), place, attempt, what: What::Timeout });
        }
        // What nobody hosts here was announced in the log.
        let Some(kind) = kind else { return };
        run.in_hand.insert(place, invocation.clone());
        if let Some(how) = policy.and_then(|policy| policy.concurrency) {
            let Some(invocation) = self.lanes.enter(&how, invocation, kind) else { return };
            return self.dispatch(invocation, kind);
        }
        self.dispatch(invocation, kind);
    }

    /// Gives those who work elsewhere for a run that is being terminated time to say that they have stopped.
    pub(super) fn give_grace(&self, id: &RunId, now: Time) {
        let Some(run) = self.runs.get(id) else { return };
        if run.owner == Owner::Us && run.state.status() == Status::Terminating {
            let (run, at) = (id.clone(), now.after(ELSEWHERE));
            self.timers.add(Timer { at, run, place: Place::node(0), attempt: 0, what: What::Grace });
        }
    }

    /// Who works elsewhere had time to say that it has stopped.
    fn grace_is_over(&mut self, id: &RunId, now: Time) {
        let Some(run) = self.runs.get(id).filter(|run| run.state.status() == Status::Terminating) else {
            return;
        };
        let elsewhere =
            run.state.running(&run.definition).into_iter().filter(|(place, ..)| !run.is_here(*place));
        for (place, attempt, _) in elsewhere.collect::<Vec<_>>() {
            self.apply(id, now, Cause::Cancelled { place, attempt });
        }
    }

    fn dispatch(&mut self, invocation: Invocation, kind: usize) {
        if let (Some(ready), Some(woken)) = (self.ready.get(kind), self.woken.get_mut(kind)) {
            ready.put(invocation);
            *woken = true;
        }
    }

    fn cancel(&mut self, id: &RunId, place: Place, attempt: u32, now: Time) {
        let Some(run) = self.runs.get_mut(id) else { return };
        let Some(invocation) = run.in_hand.get(&place).filter(|held| held.attempt() == attempt).cloned()
        else {
            return;
        };
        invocation.cancel();
        let definition = run.definition.clone();
        let waited = self.take_back(&definition, &invocation);
        if waited || invocation.is_elsewhere() {
            // Nobody has begun it, so nobody will say that it has ended.
            self.apply(id, now, Cause::Cancelled { place, attempt });
            self.let_go(id, place, attempt);
        }
    }

    /// Takes an invocation back that nobody has begun.
    fn take_back(&mut self, definition: &Definition, invocation: &Invocation) -> bool {
        let how = definition.policy(invocation.index()).and_then(|policy| policy.concurrency.as_ref());
        let kind = self.tasks.position(invocation.base());
        how.is_some_and(|how| self.lanes.withdraw(how, invocation))
            || kind.and_then(|kind| self.ready.get(kind)).is_none_or(|ready| ready.take_back(invocation))
    }
}
