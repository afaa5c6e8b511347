//! The heart of the engine: takes what has happened, lets runs go a step, keeps that, and starts what follows.

use super::history::{self, Loaded};
use super::hosted::Hosted;
use super::keeping::Beginning;
use super::lanes::Lanes;
use super::ready::Ready;
use super::record::Record;
use super::report::{Other, Report, Told};
use super::state::State;
use super::timers::{Timer, Timers, What};
use super::{
    Cause, Command, Definition, Ended, Error, Invocation, Place, RunId, Tasks, Time, Workflows, keys,
};
use crate::element::{BoxError, Emitter, Handler};
use crate::event::{Delivery, Retention};
use crate::knowledge::{self, Data, Transaction};
use foldhash::fast::RandomState;
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

/// How long an engine lives without a sign of life.
pub(super) const LEASE: Duration = Duration::from_secs(3);
/// How many events about runs are kept.
const EVENTS: u64 = 10_000;
/// How long to wait before the backend is asked again after it failed.
pub(super) const PATIENCE: Duration = Duration::from_millis(200);

pub(super) struct Turner {
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
}

impl Handler for Turner {
    type In = Vec<Report>;
    type Out = RunId;

    /// All that is there at a time is worked on together: each run that it is about goes on by one change.
    async fn on_item(&mut self, reports: Vec<Report>, out: &Emitter<RunId>) -> Result<(), BoxError> {
        let now = Time::now();
        for report in reports {
            match report {
                Report::Task(ended) => self.task_ended(ended, now),
                Report::Other(Other(told)) => self.told(&told, now).await,
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
    fn apply(&mut self, id: &RunId, now: Time, cause: Cause) -> bool {
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
    fn let_go(&mut self, id: &RunId, place: Place, attempt: u32) {
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

    async fn told(&mut self, told: &Told, now: Time) {
        match told {
            Told::Due(Timer { run, place, attempt, what, .. }) => {
                let (place, attempt) = (*place, *attempt);
                let cause = match what {
                    What::Timeout => Cause::TimedOut { place, attempt },
                    What::Retry => Cause::Due { place, attempt },
                };
                self.apply(run, now, cause);
            }
            Told::Event(delivery) => self.event(delivery, now).await,
            Told::Changed(id) => {
                if self.runs.contains_key(id) {
                    self.reload(id, now).await;
                } else {
                    self.adopt(id, now).await;
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
    async fn reload(&mut self, id: &RunId, now: Time) {
        let mut said = false;
        let loaded = loop {
            match self.load_own(id).await {
                Ok(Some(loaded)) => break loaded,
                Ok(None) => {
                    tracing::warn!(workflow = %id, "another engine has taken a run over");
                    return self.lose(id).await;
                }
                Err(error @ (Error::NoRun { .. } | Error::Damaged { .. })) => {
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
        let Some(run) = self.runs.get_mut(id) else { return };
        if loaded.next() == run.next && !run.is_touched() {
            return;
        }
        let happened = std::mem::take(&mut run.causes);
        run.next = loaded.next();
        run.state = loaded.state;
        run.takes = false;
        run.commands.clear();
        for cause in happened {
            // What has no effect any more is dropped: it came late.
            let _ = run.apply(now, cause);
        }
        // Only then: what has just ended is no longer in hand, and is not to be started again for that.
        run.reconcile(now, &loaded.fresh);
        run.tell();
        if run.causes.is_empty() && !run.takes {
            run.deliveries.drain(..).for_each(|delivery| delivery.acknowledge());
            self.touched.retain(|other| other != id);
            self.perform(id, now);
        } else if !self.touched.contains(id) {
            self.touched.push(id.clone());
        }
    }

    /// A run as it is kept, unless another engine has it in hand.
    async fn load_own(&self, id: &RunId) -> Result<Option<Loaded>, Error> {
        let loaded = self.workflows.load(id).await?;
        let is_ours = match history::owner(&**self.workflows.store(), id).await? {
            Some((owner, _)) => owner.as_str() == Some(&*self.engine),
            None if loaded.state.status().is_over() => true,
            // It was over, and goes on.
            None => match self.claim(id, None).await {
                Err(Error::Knowledge(knowledge::Error::Conflict(_))) => false,
                claimed => claimed.map(|()| true)?,
            },
        };
        Ok(is_ours.then_some(loaded))
    }

    /// A run is in other hands: what it does here ends, and what has been told is for others.
    async fn lose(&mut self, id: &RunId) {
        self.touched.retain(|other| other != id);
        let Some(run) = self.runs.remove(id) else { return };
        for (place, invocation) in &run.in_hand {
            invocation.cancel();
            self.take_back(&run.definition, invocation);
            self.leave_lane(&run.definition, id, *place);
        }
        for delivery in &run.deliveries {
            self.event_for_others(delivery, id).await;
            delivery.acknowledge();
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
                Command::Became(_) => {
                    if let Some(run) = self.runs.get(id) {
                        run.tell();
                    }
                }
            }
        }
        let Some(run) = self.runs.get_mut(id) else { return };
        if run.commands.is_empty() {
            run.commands = commands;
        }
        if run.state.status().is_over() && run.state.open() == 0 && !run.is_touched() {
            self.runs.remove(id);
        }
    }

    fn start(&mut self, id: &RunId, place: Place, attempt: u32, input: Arc<Value>, now: Time) {
        let Some(run) = self.runs.get_mut(id) else { return };
        let Some((invocation, kind)) = run.invocation(place, attempt, input) else { return };
        run.in_hand.insert(place, invocation.clone());
        // What nobody hosts here waits for whoever ends it.
        let Some(kind) = kind else { return };
        if let Some(policy) = run.definition.policy(place.node) {
            if let Some(timeout) = policy.timeout {
                let at = now.after(timeout);
                self.timers.add(Timer { at, run: id.clone(), place, attempt, what: What::Timeout });
            }
            if let Some(how) = policy.concurrency.clone() {
                let Some(invocation) = self.lanes.enter(&how, invocation, kind) else { return };
                return self.dispatch(invocation, kind);
            }
        }
        self.dispatch(invocation, kind);
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

    // --- what comes from outside ------------------------------------------------------------------------------

    async fn event(&mut self, delivery: &Delivery<Value>, now: Time) {
        let Some(id) = history::text(delivery, "workflow").map(RunId::from) else {
            return delivery.acknowledge();
        };
        let Some(run) = self.runs.get_mut(&id) else {
            self.event_for_others(delivery, &id).await;
            return delivery.acknowledge();
        };
        let Some(cause) = cause_of(delivery, &run.definition, &run.state) else {
            return delivery.acknowledge();
        };
        let ended = match &cause {
            Cause::Ended { place, attempt, .. } => Some((*place, *attempt)),
            _ => None,
        };
        if !self.apply(&id, now, cause) {
            return delivery.acknowledge();
        }
        if let Some(run) = self.runs.get_mut(&id) {
            run.deliveries.push(delivery.clone());
            if let Some((place, attempt)) = ended {
                // Whoever works on it here can stop.
                if let Some(held) = run.in_hand.get(&place).filter(|held| held.attempt() == attempt) {
                    held.cancel();
                }
                self.let_go(&id, place, attempt);
            }
        }
    }

    /// An event for a run that this engine has not in hand: nobody has, or another engine, which is told.
    async fn event_for_others(&mut self, delivery: &Delivery<Value>, id: &RunId) {
        if history::text(delivery, "kind").as_deref() == Some("start-workflow") {
            return self.adopt(id, Time::now()).await;
        }
        let Ok(loaded) = self.workflows.load(id).await else { return };
        if let Some(cause) = cause_of(delivery, &loaded.definition, &loaded.state)
            && let Err(error) = self.workflows.change_at_once(id, cause).await
        {
            tracing::debug!(workflow = %id, %error, "an event changed nothing");
        }
    }

    /// Takes a run in hand that nobody has.
    async fn adopt(&mut self, id: &RunId, now: Time) {
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
        let store = self.workflows.store().clone();
        let held = history::owner(&*store, id).await?;
        if self.runs.contains_key(id) || held.as_ref().is_some_and(|(_, lives)| *lives) {
            return Ok(());
        }
        let loaded = self.workflows.load(id).await?;
        if loaded.state.status().is_over() && loaded.state.open() == 0 {
            return Ok(());
        }
        self.tasks.check(&loaded.definition)?;
        self.claim(id, held.map(|(owner, _)| owner)).await?;
        let mut run = Hosted::new(
            id.clone(),
            loaded.definition.clone(),
            loaded.state.clone(),
            loaded.next(),
            &self.tasks,
        );
        run.reconcile(now, &loaded.fresh);
        let touched = run.is_touched();
        tracing::info!(workflow = %id, "took over a run");
        self.runs.insert(id.clone(), run);
        if touched {
            self.touched.push(id.clone());
        } else {
            self.perform(id, now);
        }
        Ok(())
    }

    /// Makes a run this engine's, if `held` is still whose it is.
    async fn claim(&self, id: &RunId, held: Option<Data>) -> Result<(), Error> {
        let claim = Transaction::new().expect_field(keys::OWNERS, id.full(), held).hset(
            keys::OWNERS,
            id.full(),
            &*self.engine,
        );
        self.workflows.store().commit(claim).await?;
        Ok(())
    }

    async fn tick(&mut self, now: Time) {
        let store = self.workflows.store().clone();
        let sign = Transaction::new().set_for(keys::engine(&self.engine), super::process::this(), LEASE);
        if let Err(error) = store.commit(sign).await {
            tracing::warn!(%error, "an engine could not give a sign of life");
            return;
        }
        // Nobody needs what was long ago; what a group has not read stays.
        if let Err(error) = self.workflows.log().trim(Retention::Entries(EVENTS)).await {
            tracing::debug!(%error, "old events could not be trimmed");
        }
        let Ok(open) = history::in_progress(&*store).await else { return };
        self.refused.retain(|id| open.contains(id));
        for id in open {
            if !self.runs.contains_key(&id) {
                self.adopt(&id, now).await;
            }
        }
    }
}

/// What an event means for a run.
fn cause_of(event: &Value, definition: &Definition, state: &State) -> Option<Cause> {
    match history::text(event, "kind")?.as_str() {
        "control-workflow" => serde_json::from_value(event.get("cause")?.clone()).ok(),
        "end-task" => {
            let number =
                |name: &str| event.get(name).and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
            let place = Place { node: number("index")?, part: number("part").unwrap_or(0) };
            let attempt = number("attempt").unwrap_or_else(|| state.attempt(place));
            let status = history::text(event, "status").unwrap_or_else(|| "SUCCESS".to_owned());
            let outcome = if status == "SUCCESS" {
                event.get("output").cloned().unwrap_or(Value::Null).into()
            } else {
                super::Outcome::failed_for_good(history::text(event, "reason").unwrap_or(status))
            };
            let outcome = super::builtin::answered(definition, state, place, outcome);
            Some(Cause::Ended { place, attempt, outcome })
        }
        _ => None,
    }
}
