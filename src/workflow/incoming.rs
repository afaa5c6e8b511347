//! What the engine does about events.

use super::history;
use super::hosted::{Hosted, Owner};
use super::report::{Other, Report, Told};
use super::state::State;
use super::turner::{PATIENCE, Turner};
use super::{Cause, Definition, Error, Outcome, Place, RunId, Status, Time, builtin, keys};
use crate::event::{Delivery, EventId};
use crate::knowledge::{self, Data, ValueCommand};
use futures::future::{join, join_all};
use serde_json::Value;
use std::collections::HashMap;
use std::time::Duration;

/// The outputs that tasks elsewhere have written, by the events that say that they have ended.
pub(super) type Outputs = HashMap<EventId, Option<Data>>;

/// For how long an engine looks whether others have come before it, after one has.
const CROSSING: Duration = Duration::from_secs(10);

/// What is read for a run that events are about.
enum Reading {
    Loaded(RunId, Result<Box<history::Loaded>, Error>),
    News(RunId, Result<history::News, Error>),
}

impl Turner {
    /// Reads what the events among these need, all of it at once: runs that are not in hand, what others have made of
    /// those that are, and outputs.
    pub(super) async fn prepare(&mut self, reports: &[Report]) -> Outputs {
        self.over.clear();
        self.fresh.clear();
        if !self.workflows.is_open() {
            return Outputs::new();
        }
        let (mut runs, mut wanted) = (Vec::new(), Vec::new());
        for report in reports {
            let Report::Other(Other(told)) = report else { continue };
            let Told::Event(delivery) = &**told else { continue };
            let Some(id) = history::text(delivery, "workflow").map(RunId::from) else { continue };
            if delivery.get("output").is_none()
                && history::text(delivery, "kind").as_deref() == Some("end-task")
                && history::text(delivery, "status").is_none_or(|status| status == "SUCCESS")
                && let Some(place) = place_of(delivery).filter(|place| place.part == 0)
            {
                wanted.push((delivery.id(), keys::output(&id, place.node.into())));
            }
            runs.push(id);
        }
        if runs.is_empty() {
            return Outputs::new();
        }
        runs.sort_unstable();
        runs.dedup();
        let crossing = self.crossed_at.is_some_and(|at| at.elapsed() < CROSSING);
        let store = self.workflows.store().clone();
        let outputs = wanted.into_iter().map(|(event, key)| {
            let asked = store.run(&key, ValueCommand::Get.into());
            async move {
                asked
                    .await
                    .and_then(|reply| reply.non_nil().map(|reply| reply.data(&key)).transpose())
                    .map(|data| (event, data))
            }
        });
        let readings = runs.iter().filter_map(|id| self.reading(id, crossing));
        let (outputs, readings) = join(join_all(outputs), join_all(readings.collect::<Vec<_>>())).await;
        for reading in readings {
            self.read(reading).await;
        }
        // An output that could not be read is not known; its event comes again.
        outputs.into_iter().filter_map(Result::ok).collect()
    }

    fn reading(&self, id: &RunId, crossing: bool) -> Option<impl Future<Output = Reading> + Send + use<>> {
        let (workflows, id) = (self.workflows.clone(), id.clone());
        let held = self.runs.get(&id);
        let next = held.map(|run| run.next);
        if held.is_some_and(|run| run.is_touched() || !crossing) {
            return None;
        }
        Some(async move {
            match next {
                None => {
                    let loaded = workflows.load(&id).await.map(Box::new);
                    Reading::Loaded(id, loaded)
                }
                Some(next) => {
                    let news = workflows.news(&id, next).await;
                    Reading::News(id, news)
                }
            }
        })
    }

    async fn read(&mut self, reading: Reading) {
        match &reading {
            Reading::Loaded(id, Ok(_)) | Reading::News(id, Ok(_)) => drop(self.fresh.insert(id.clone())),
            _ => {}
        }
        match reading {
            Reading::Loaded(id, Ok(loaded)) => {
                if loaded.state.status().is_over() && loaded.state.open() == 0 && loaded.found.is_none() {
                    // Nothing can change it but a restart, which is told in another way.
                    self.over.insert(id);
                    return;
                }
                let mut run = Hosted::loaded(id.clone(), &loaded, &self.tasks);
                run.owner = match &loaded.owner {
                    Some(owner) if owner.as_str() == Some(&*self.engine) => Owner::Us,
                    Some(_) => Owner::Another,
                    None => Owner::Nobody,
                };
                // What others have left to be done is taken on with it.
                if run.owner == Owner::Us || run.owner == Owner::Nobody && run.is_startable {
                    run.reconcile(Time::now(), &loaded);
                    if run.is_touched() && !self.touched.contains(&id) {
                        self.touched.push(id.clone());
                    }
                }
                let (now, is_settled) = (Time::now(), run.owner == Owner::Us && !run.is_touched());
                self.runs.insert(id.clone(), run);
                self.limit(&id, &loaded, now);
                self.give_grace(&id, now);
                if is_settled {
                    self.perform(&id, now);
                }
            }
            Reading::Loaded(id, Err(error @ (Error::NoRun { .. } | Error::Damaged { .. }))) => {
                tracing::debug!(workflow = %id, %error, "an event is about a run that is not there");
                self.over.insert(id);
            }
            Reading::Loaded(id, Err(error)) => {
                tracing::warn!(workflow = %id, %error, "a run cannot be read; its events come again");
            }
            Reading::News(id, Ok(news)) => self.catch_up(&id, news).await,
            Reading::News(..) => {}
        }
    }

    /// Lets a run go the steps that others have made.
    async fn catch_up(&mut self, id: &RunId, news: history::News) {
        let Some(run) = self.runs.get_mut(id) else { return };
        let same = news.wire.as_ref().zip(run.wire.as_ref()).is_some_and(|(there, ours)| {
            (there.active, there.activations, &there.word) == (ours.active, ours.activations, &ours.word)
        });
        if news.records.is_empty() && same {
            return;
        }
        let lists = news.records.last().and_then(|record| record.lists);
        let is_last =
            news.wire.as_ref().is_some_and(|there| Some((there.active, there.activations)) == lists);
        let sums = run.wire.as_ref().is_some_and(|wire| wire.sums.is_some());
        let owner_stays = match &news.owner {
            Some(owner) => (owner.as_str() == Some(&*self.engine)) == (run.owner == Owner::Us),
            None => run.owner != Owner::Us,
        };
        // What others have left to be done is taken on with it.
        let is_left =
            news.owner.is_none() && run.is_startable && news.records.iter().any(|record| record.unowned);
        if is_left
            || news.more
            || news.records.is_empty()
            || !is_last
            || sums
            || !owner_stays
            || run.owner == Owner::Us
        {
            return self.reload(id, Time::now()).await;
        }
        let mut fresh = Vec::new();
        run.next += news.records.len() as u64;
        super::record::replay(&run.definition, &mut run.state, &news.records, &mut fresh);
        run.owner = if news.owner.is_some() { Owner::Another } else { Owner::Nobody };
        run.stands(news.wire);
        run.tell();
    }

    pub(super) async fn event(&mut self, delivery: &Delivery<Value>, outputs: &Outputs, now: Time) {
        let kind = history::text(delivery, "kind").unwrap_or_default();
        if kind == "start-workflow" {
            if let Some(id) = history::text(delivery, "workflow").map(RunId::from)
                && !self.runs.contains_key(&id)
                && self.workflows.is_waiting(&id).await
            {
                self.adopt(&id, now).await;
            }
            // It is answered by those who list runs.
            return delivery.acknowledge_quietly();
        }
        let Some(id) = history::text(delivery, "workflow").map(RunId::from) else {
            tracing::warn!(id = %delivery.id(), kind, "an event says of no run what has happened");
            return delivery.acknowledge();
        };
        let Some(run) = self.runs.get_mut(&id) else {
            if !self.workflows.is_open() {
                self.event_for_others(delivery, &id).await;
                return delivery.acknowledge();
            }
            if self.over.contains(&id) {
                if kind == "control-workflow" {
                    // A restart, told while the run had an owner.
                    self.event_for_others(delivery, &id).await;
                }
                // It is over, or not there: the event comes late, or twice.
                return delivery.acknowledge();
            }
            return delivery.give_back(None);
        };
        let mut meaning = cause_of(delivery, &run.definition, &run.state, outputs);
        let mut applied = self.apply_meaning(&id, &meaning, now);
        if !applied && self.fresh.insert(id.clone()) {
            // Perhaps it is about what others have started.
            self.reload(&id, now).await;
            let Some(run) = self.runs.get(&id) else { return delivery.give_back(None) };
            meaning = cause_of(delivery, &run.definition, &run.state, outputs);
            applied = self.apply_meaning(&id, &meaning, now);
        }
        let (ended, is_known) = match meaning {
            Meaning::Later => return delivery.give_back(None),
            Meaning::Nothing => {
                tracing::warn!(workflow = %id, event = %delivery.id(), kind, "an event is about no step of its run");
                return delivery.acknowledge();
            }
            Meaning::Cause(..) if !applied => return delivery.acknowledge(),
            Meaning::Cause(
                Cause::Ended { place, attempt, .. } | Cause::Cancelled { place, attempt },
                is_known,
            ) => (Some((place, attempt)), is_known),
            Meaning::Cause(_, is_known) => (None, is_known),
        };
        if let Some(run) = self.runs.get_mut(&id) {
            run.deliveries.push(delivery.clone());
            if let Some((place, attempt)) = ended {
                if is_known && place.part == 0 {
                    run.known.insert(place.node);
                }
                // Whoever works on it here can stop.
                if let Some(held) = run.in_hand.get(&place).filter(|held| held.attempt() == attempt) {
                    held.cancel();
                }
                self.let_go(&id, place, attempt);
            }
        }
    }

    fn apply_meaning(&mut self, id: &RunId, meaning: &Meaning, now: Time) -> bool {
        matches!(meaning, Meaning::Cause(cause, _) if self.apply(id, now, cause.clone()))
    }

    /// An event for a run that this engine has not in hand: nobody has, or another engine, which is told.
    pub(super) async fn event_for_others(&mut self, delivery: &Delivery<Value>, id: &RunId) {
        let loaded = loop {
            match self.workflows.load(id).await {
                Ok(loaded) => break loaded,
                Err(error) if is_away(&error) => tokio::time::sleep(PATIENCE).await,
                Err(_) => return,
            }
        };
        let meaning = cause_of(delivery, &loaded.definition, &loaded.state, &Outputs::new());
        let Meaning::Cause(cause, _) = meaning else { return };
        // Nobody else gets the event, so it is not given up.
        while let Err(error) = self.workflows.change_at_once(id, cause.clone()).await {
            if !is_away(&error) {
                return tracing::debug!(workflow = %id, %error, "an event changed nothing");
            }
            tokio::time::sleep(PATIENCE).await;
        }
    }
}

/// Whether the backend is out of reach.
fn is_away(error: &Error) -> bool {
    matches!(error, Error::Knowledge(error) if !matches!(error, knowledge::Error::Conflict(_)) && error.is_retryable())
}

/// What an event means for a run.
enum Meaning {
    /// This happens, and whether the output it brings stands where programs of other kinds look for it.
    Cause(Cause, bool),
    Nothing,
    /// It cannot be said now.
    Later,
}

fn number(event: &Value, name: &str) -> Option<u32> {
    event.get(name).and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok())
}

/// The step that an event is about.
fn place_of(event: &Value) -> Option<Place> {
    Some(Place { node: number(event, "index")?, part: number(event, "part").unwrap_or(0) })
}

/// An end that names no attempt, for the attempt that runs now.
pub(super) fn of_current_attempt(run: &Hosted, cause: Cause) -> Option<Cause> {
    let Cause::Ended { place, outcome, .. } = cause else { return None };
    let mut told = run.deliveries.iter().filter(|event| place_of(event) == Some(place));
    let is_unnumbered = told.any(|event| event.get("attempt").is_none());
    let attempt = run.state.attempt(place);
    is_unnumbered.then_some(Cause::Ended { place, attempt, outcome })
}

fn cause_of(event: &Delivery<Value>, definition: &Definition, state: &State, outputs: &Outputs) -> Meaning {
    let kind = history::text(event, "kind").unwrap_or_default();
    if kind == "control-workflow" {
        let cause = event.get("cause").and_then(|cause| serde_json::from_value(cause.clone()).ok());
        // What else happens to a run is not for others to say.
        let cause = cause.filter(|cause| {
            matches!(cause, Cause::Terminate | Cause::Pause | Cause::Resume | Cause::Restart { .. })
        });
        return cause.map_or(Meaning::Nothing, |cause| Meaning::Cause(cause, false));
    }
    let Some(place) = place_of(event).filter(|_| kind == "end-task") else { return Meaning::Nothing };
    if definition.graph().node(place.index()).is_none() {
        return Meaning::Nothing;
    }
    let attempt = number(event, "attempt").unwrap_or_else(|| state.attempt(place));
    let status = history::text(event, "status").unwrap_or_else(|| "SUCCESS".to_owned());
    let (outcome, is_known) = match (status.as_str(), event.get("output")) {
        ("CANCELLED", _) if state.status() == Status::Terminating => {
            return Meaning::Cause(Cause::Cancelled { place, attempt }, true);
        }
        // It was to stop, and what it was told to stop for is over.
        ("CANCELLED", _) => return Meaning::Nothing,
        ("SUCCESS", Some(output)) => (output.clone().into(), false),
        ("SUCCESS", None) => match outputs.get(&event.id()) {
            Some(Some(output)) => match serde_json::from_slice::<Value>(output) {
                Ok(output) => (output.into(), true),
                Err(error) => (Outcome::failed(format!("its output is no JSON: {error}")), true),
            },
            Some(None) => (Value::Null.into(), true),
            None if place.part != 0 => (Value::Null.into(), true),
            // Where there is no such form, an event says all.
            None if state.marks.is_none() => (Value::Null.into(), true),
            None => return Meaning::Later,
        },
        _ => {
            let reason = history::text(event, "reason").unwrap_or(status);
            let again = event.get("again").and_then(Value::as_bool).unwrap_or(true);
            (Outcome::Failed(super::Failed { reason, again }), true)
        }
    };
    Meaning::Cause(
        Cause::Ended { place, attempt, outcome: builtin::answered(definition, state, place, outcome) },
        is_known,
    )
}
