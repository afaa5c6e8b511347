//! Runs seen from outside.

use super::effects::Change;
use super::history::{self, Loaded};
use super::inspection::Inspection;
use super::keys::Names;
use super::record::Record;
use super::step::step;
use super::wire::Wire;
use super::{Cause, Error, Place, RunId, Status, Time, keys};
use crate::backend::Backend;
use crate::event::{Event, EventId, Log};
use crate::knowledge::{self, Store, Transaction};
use serde_json::{Value as Json, json};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

/// The runs of a backend, for whoever looks into them or steers them; it needs no engine in this process. Cheap to clone.
///
/// What it changes is seen by the engine that has the run in hand, wherever that is.
#[derive(Clone, Debug)]
pub struct Workflows {
    backend: Backend,
    store: Arc<dyn Store>,
    names: Arc<Names>,
}

/// How many times a change is tried that others come before.
const TRIES: usize = 32;
/// How long the engine that has a run in hand may take to do what it was told.
const ANSWER: Duration = Duration::from_secs(10);

/// What became of a run that was submitted in one with something else.
pub(super) enum Submitted {
    /// It was made, and the rest was done.
    New(RunId),
    /// It is there already; the rest was not done.
    Known(RunId),
    /// It was not made, for a condition of the rest does not hold.
    Overtaken(RunId),
}

impl Workflows {
    /// The runs of this backend.
    #[must_use]
    pub fn new(backend: &Backend) -> Self {
        Self { backend: backend.clone(), store: backend.store(), names: Arc::default() }
    }

    /// Those under other names.
    #[must_use]
    pub fn named(self, names: Names) -> Self {
        Self { names: names.into(), ..self }
    }

    /// The names of what they have in common.
    #[must_use]
    pub fn names(&self) -> &Arc<Names> {
        &self.names
    }

    /// Up to `count` runs, newest first, from the `from`-th on.
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn list(&self, from: usize, count: usize) -> Result<Vec<(RunId, Status)>, Error> {
        let first = i64::try_from(from).unwrap_or(i64::MAX);
        let last = first.saturating_add(i64::try_from(count).unwrap_or(i64::MAX)).saturating_sub(1);
        if count == 0 {
            Ok(Vec::new())
        } else {
            history::list(&*self.store, &self.names.all, first, last).await
        }
    }

    /// The status of a run.
    ///
    /// # Errors
    ///
    /// [`Error::NoRun`].
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn status(&self, id: &RunId) -> Result<Status, Error> {
        history::status(&*self.store, id).await?.ok_or_else(|| Error::NoRun { id: id.clone() })
    }

    /// All there is to know of a run.
    ///
    /// # Errors
    ///
    /// [`Error::NoRun`], [`Error::Damaged`].
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn inspect(&self, id: &RunId) -> Result<Inspection, Error> {
        let loaded = self.load(id).await?;
        let in_hand = match &loaded.owner {
            Some(owner) => history::lives(&*self.store, owner).await?,
            // What was announced needs no engine before it ends.
            None => self.is_open() && !loaded.waits(),
        };
        Ok(Inspection::of(id, &loaded, in_hand, Time::now()))
    }

    /// What a run is pinned to, and the text of its flow, if it was begun by that.
    ///
    /// # Errors
    ///
    /// [`Error::NoRun`], [`Error::Damaged`].
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn flow(&self, id: &RunId) -> Result<(Arc<super::Definition>, Option<Arc<str>>), Error> {
        let Loaded { definition, kept, .. } = self.load(id).await?;
        Ok((definition, kept.text))
    }

    /// Whether an engine that lives has work of a run in its process.
    pub(super) async fn is_in_hand(&self, id: &RunId) -> Result<bool, Error> {
        Ok(history::owner(&*self.store, id).await?.is_some_and(|(_, lives)| lives))
    }

    pub(super) async fn load(&self, id: &RunId) -> Result<Loaded, Error> {
        history::load(&*self.store, id, self.is_open()).await
    }

    /// What has become of a run behind the record before `next`.
    pub(super) async fn news(&self, id: &RunId, next: u64) -> Result<history::News, Error> {
        let steps = keys::steps(id);
        let asked = self.store.commit(history::ask(id, &steps, next, self.is_open())).await?;
        history::news(id, &steps, self.is_open(), asked.replies)
    }

    /// Whether something is to be started in a run, as far as can be said; where that cannot be said now, yes.
    pub(super) async fn is_waiting(&self, id: &RunId) -> bool {
        let waiting = knowledge::Key::from(keys::WAITING);
        let asked = self.store.run(&waiting, knowledge::SetCommand::Has(id.full().into()).into()).await;
        asked.and_then(|reply| reply.flag(&waiting)).unwrap_or(true)
    }

    pub(super) fn log(&self) -> Log {
        self.backend.events().log(&self.names.log)
    }

    /// Whether programs of other kinds read and write runs, too.
    pub(super) fn is_open(&self) -> bool {
        self.backend.is_open()
    }

    pub(super) fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Ends a run: its tasks are cancelled, and it is [`Terminated`](Status::Terminated) when they have ended. A second
    /// time does not wait for them.
    ///
    /// # Errors
    ///
    /// [`Error::Unchanged`] if it is over.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it happens. The same holds for all that change something here.
    pub async fn terminate(&self, id: &RunId) -> Result<Status, Error> {
        self.change(id, Cause::Terminate).await
    }

    /// Lets nothing start any more; what runs goes on.
    ///
    /// # Errors
    ///
    /// [`Error::Unchanged`] if it is over or paused.
    pub async fn pause(&self, id: &RunId) -> Result<Status, Error> {
        self.change(id, Cause::Pause).await
    }

    /// Lets things start again after a pause.
    ///
    /// # Errors
    ///
    /// [`Error::Unchanged`] if it is not paused.
    pub async fn resume(&self, id: &RunId) -> Result<Status, Error> {
        self.change(id, Cause::Resume).await
    }

    /// Lets a run go on after a failure or a termination, or from any step it has been at.
    ///
    /// # Errors
    ///
    /// [`Error::Unchanged`] if it is in no status for that.
    pub async fn restart(&self, id: &RunId, from: Option<u32>) -> Result<Status, Error> {
        self.change(id, Cause::Restart { from }).await
    }

    /// Does a change at once if nobody has the run in hand, else tells whoever has it.
    async fn change(&self, id: &RunId, cause: Cause) -> Result<Status, Error> {
        if !history::owner(&*self.store, id).await?.is_some_and(|(_, lives)| lives) {
            return self.change_at_once(id, cause).await;
        }
        let Loaded { definition, mut state, records, .. } = self.load(id).await?;
        step(&definition, &mut state, Time::now(), cause.clone(), &mut Vec::new())
            .map_err(|why| Error::Unchanged { id: id.clone(), why })?;
        let event = history::about("control-workflow", id).with("cause", json!(cause)).stamped();
        self.log().append(event).await?;
        self.changed_since(id, records.len() as u64, &cause).await?;
        self.status(id).await
    }

    /// Does a change; an engine that has the run in hand notices it, or one takes it up if there is anything to be started.
    pub(super) async fn change_at_once(&self, id: &RunId, cause: Cause) -> Result<Status, Error> {
        for _ in 0..TRIES {
            let loaded = self.load(id).await?;
            let (definition, mut state, wire) =
                (&loaded.definition, loaded.state.clone(), loaded.wire.as_ref());
            let (mut commands, at) = (Vec::new(), Time::now());
            state.marks = wire.is_some().then(Vec::new);
            step(definition, &mut state, at, cause.clone(), &mut commands)
                .map_err(|why| Error::Unchanged { id: id.clone(), why })?;
            let causes = loaded.found.iter().chain([&cause]).cloned().collect();
            let mut record = Record::unowned(at, causes);
            let (effects, then) = self.effects((id, definition, &state), &commands, at, wire);
            record.lists = then.map(|then| (then.active, then.activations));
            let (steps, number) = (keys::steps(id), loaded.next());
            let change = history::change(&self.names, id, &steps, number, &record, &commands)?;
            let change = match wire {
                Some(wire) => wire.unchanged(id, change),
                None => change,
            };
            let change = change.and(effects).set(keys::CHANGED, id.full()).sadd(keys::WAITING, id.full());
            let is_done = state.status().is_over() && state.open() == 0;
            let change = if is_done { change.hdel(keys::OWNERS, id.full()) } else { change };
            match self.store.commit(change).await {
                Ok(_) => return Ok(state.status()),
                Err(knowledge::Error::Conflict(_)) => tokio::task::yield_now().await,
                Err(error) => return Err(error.into()),
            }
        }
        self.status(id).await
    }

    /// What a change by somebody who starts nothing writes besides its record.
    pub(super) fn effects(
        &self,
        (id, definition, state): (&RunId, &super::Definition, &super::State),
        commands: &[super::Command],
        at: Time,
        wire: Option<&Wire>,
    ) -> (knowledge::Transaction, Option<Wire>) {
        let known = HashSet::new();
        // Whoever starts nothing tells nobody of the trace.
        let (names, context) = (&*self.names, None);
        let change =
            Change { names, id, definition, state, commands, at, is_here: None, known: &known, context };
        change.add(knowledge::Transaction::new(), wire)
    }

    /// Waits until the engine has done to a run what it was told, for as long as that may take.
    async fn changed_since(&self, id: &RunId, mut number: u64, cause: &Cause) -> Result<(), Error> {
        let deadline = tokio::time::Instant::now() + ANSWER;
        let key = keys::steps(id);
        while tokio::time::Instant::now() < deadline {
            let has = knowledge::HashCommand::Has(keys::number(number));
            if !self.store.run(&key, has.into()).await?.flag(&key)? {
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            }
            // Something else may have come before.
            let Loaded { definition, mut state, records, .. } = self.load(id).await?;
            let is_done = match cause {
                Cause::Terminate => state.status() != Status::Running,
                cause => step(&definition, &mut state, Time::now(), cause.clone(), &mut Vec::new()).is_err(),
            };
            if is_done {
                break;
            }
            number = records.len() as u64;
        }
        Ok(())
    }

    /// Says that the task at a step of a run has ended, for tasks whose work is done elsewhere: the index of a node, or
    /// a [`Place`] in an iteration.
    ///
    /// # Delivery
    ///
    /// The event is in the log when this returns; the engine that has the run in hand works on it then. One that comes
    /// late or twice changes nothing.
    ///
    /// # Errors
    ///
    /// [`Error::NoRun`]; [`Error::Answer`] if the step waits for a person, and the output says neither yes nor no.
    pub async fn end(
        &self,
        id: &RunId,
        name: &str,
        step: impl Into<Place>,
        outcome: Result<Option<Json>, String>,
    ) -> Result<EventId, Error> {
        self.end_event(id, name, step.into(), outcome, None).await
    }

    /// As [`end`](Self::end); the event says in its field `by` who says so.
    ///
    /// # Errors
    ///
    /// As [`end`](Self::end).
    pub async fn end_as(
        &self,
        who: &str,
        id: &RunId,
        name: &str,
        step: impl Into<Place>,
        outcome: Result<Option<Json>, String>,
    ) -> Result<EventId, Error> {
        self.end_event(id, name, step.into(), outcome, Some(who)).await
    }

    async fn end_event(
        &self,
        id: &RunId,
        name: &str,
        place: Place,
        outcome: Result<Option<Json>, String>,
        by: Option<&str>,
    ) -> Result<EventId, Error> {
        self.status(id).await?;
        if let Ok(Some(output)) = &outcome {
            self.check_answer(id, place, output).await?;
        }
        let Place { node, part } = place;
        let event = Event::default().with("name", name).with("index", node).with("workflow", id.full());
        let event = if part == 0 { event } else { event.with("part", part) };
        let event = match outcome {
            Ok(Some(output)) => event.with("output", output).with("status", "SUCCESS"),
            Ok(None) => event.with("status", "SUCCESS"),
            Err(reason) => event.with("status", "FAILURE").with("reason", reason),
        };
        let event = by.into_iter().fold(event, |event, by| event.with("by", by));
        Ok(self.log().append(event.with("kind", "end-task").stamped()).await?)
    }

    /// Refuses what answers no question, for a step that asks one.
    async fn check_answer(&self, id: &RunId, place: Place, output: &Json) -> Result<(), Error> {
        // What would be an answer to any question needs no look at the run.
        if super::builtin::wrong_answer(output).is_none() {
            return Ok(());
        }
        let definition = self.load(id).await?.definition;
        match super::builtin::no_answer(&definition, place, output) {
            Some(reason) => Err(Error::Answer { id: id.clone(), place, reason }),
            None => Ok(()),
        }
    }

    /// As [`end`](Self::end), for the step whose request carried this token.
    ///
    /// # Errors
    ///
    /// [`Error::Token`] if no step waits with it: it is unknown, or the step has ended or was begun anew.
    #[cfg(feature = "http-client")]
    pub async fn end_by_token(
        &self,
        token: &str,
        outcome: Result<Option<Json>, String>,
    ) -> Result<EventId, Error> {
        let found = super::builtin::find_callback(&self.store, token).await?;
        let (id, place, since) = found.ok_or(Error::Token)?;
        let Loaded { definition, state, .. } = self.load(&id).await?;
        let waits = state.phase(place) == super::Phase::Active
            && state.times(place).0.is_some_and(|started| started.micros() == since);
        let node = definition.graph().node(place.index());
        let name = node.and_then(|node| super::definition::task_of(node.kind()));
        let name = name.filter(|_| waits).ok_or(Error::Token)?;
        self.end(&id, name, place, outcome).await
    }

    /// Sends an event that flows may wait for.
    ///
    /// # Errors
    ///
    /// [`Error::Input`] if the data are no object.
    pub async fn event(&self, kind: &str, data: &Json) -> Result<EventId, Error> {
        let event = if data.is_null() { Event::default() } else { Event::of(data)? };
        Ok(self.log().append(event.with("kind", kind).stamped()).await?)
    }

    /// Makes a run that whatever engine is there, now or next, goes on with. What holds for its tasks is what the flow
    /// says; whether they are hosted there shows then.
    ///
    /// # Errors
    ///
    /// [`Error::Flow`], [`Error::Policy`], [`Error::Input`]; [`Error::Exists`] if there is a run of that id, and it is
    /// another one: the same flow with the same input is the same run, however often it is submitted.
    pub async fn submit(&self, id: Option<RunId>, flow: &str, input: Json) -> Result<RunId, Error> {
        match self.submit_with(id, flow, input, Transaction::new()).await? {
            Submitted::New(id) | Submitted::Known(id) => Ok(id),
            Submitted::Overtaken(id) => Err(Error::Exists { id }),
        }
    }

    /// As [`submit`](Self::submit), in one with `more`.
    pub(super) async fn submit_with(
        &self,
        id: Option<RunId>,
        flow: &str,
        input: Json,
        more: Transaction,
    ) -> Result<Submitted, Error> {
        let graph = crate::flow::Workflow::parse(flow).into_graph()?;
        let definition = super::Definition::new(graph)?;
        let input = super::input::checked(input)?;
        super::wire::fits(self, &definition, self.foreign_engine().await?.as_ref())?;
        let id = id.unwrap_or_else(|| RunId::random(definition.graph().name()));
        let given = input.clone();
        let (mut state, at, cause) = (super::State::new(&definition), Time::now(), Cause::Begin { input });
        let mut commands = Vec::new();
        step(&definition, &mut state, at, cause.clone(), &mut commands)
            .map_err(|why| Error::Unchanged { id: id.clone(), why })?;
        let kept = super::record::Kept::of(&definition, Some(flow.into()));
        let is_listed_by_others = self.foreign_lister().await?.is_some();
        let record = Record::unowned(at, vec![cause]).traced_by(super::traced::begins(&id).as_ref());
        let records = vec![record];
        let found = self.founding(&id, &kept, &definition, records, is_listed_by_others)?;
        let found = if state.status().is_over() { found } else { found.sadd(keys::WAITING, id.full()) };
        match self.store.commit(found.and(more)).await {
            Ok(_) => Ok(Submitted::New(id)),
            Err(knowledge::Error::Conflict(_)) => match self.load(&id).await {
                Ok(known) if known.is(definition.graph(), given.as_ref()) => Ok(Submitted::Known(id)),
                Ok(_) => Err(Error::Exists { id }),
                Err(Error::NoRun { .. }) => Ok(Submitted::Overtaken(id)),
                Err(error) => Err(error),
            },
            Err(error) => Err(error.into()),
        }
    }

    /// Deletes a run with all that is kept of it.
    ///
    /// # Errors
    ///
    /// [`Error::NotOver`], [`Error::NoRun`].
    pub async fn delete(&self, id: &RunId) -> Result<(), Error> {
        let status = self.status(id).await?;
        if !status.is_over() {
            return Err(Error::NotOver { id: id.clone(), status });
        }
        let definition = self.load(id).await?.definition;
        super::builtin::forget(&*self.store, id).await?;
        let mut transaction = Transaction::new()
            .del(keys::definition(id))
            .del(keys::state(id))
            .del(keys::steps(id))
            .srem(self.names.in_progress.clone(), id.full())
            .srem(keys::WAITING, id.full())
            .hdel(keys::OWNERS, id.full())
            .run(self.names.all.clone(), knowledge::ListCommand::Remove(id.full().into()));
        if self.is_open() {
            for key in [keys::active(id), keys::activations(id), keys::failed(id)] {
                transaction = transaction.del(key);
            }
            let count = i64::try_from(definition.graph().nodes().len()).unwrap_or(i64::MAX);
            for node in -1..count {
                transaction = transaction.del(keys::output(id, node));
            }
        }
        self.store.commit(transaction).await?;
        Ok(())
    }
}
