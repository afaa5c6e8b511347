//! How the engine keeps what has happened: one transaction for all that has come in together.

use super::effects::Change;
use super::history::{self, New};
use super::hosted::{Hosted, Origin, Owner};
use super::metered::{How, Metered};
use super::record::{Kept, Record};
use super::report::Begin;
use super::state::State;
use super::turner::{PATIENCE, Turner};
use super::wire::{self, Wire};
use super::{Cause, Command, Error, Outcome, Phase, Place, RunId, Status, Time, keys};
use crate::element::Emitter;
use crate::event::Event;
use crate::knowledge::{self, Committed, Condition, Transaction};
use crate::stream::meter;
use futures::future::join_all;
use tokio::sync::oneshot;

/// A run that is to begin, and who has asked for it.
pub(super) struct Beginning {
    run: Hosted,
    answer: Asker,
    found: Transaction,
}

type Asker = oneshot::Sender<Result<Origin, Error>>;

impl Turner {
    /// Begins a run as soon as it is kept.
    pub(super) fn begin(&mut self, begin: Begin, now: Time) {
        let Begin { id, definition, text, input, context, answer } = begin;
        let first = || {
            wire::fits(&self.workflows, &definition, self.foreign_engine.as_ref())?;
            let kept = Kept::of(&definition, text);
            let is_open = self.workflows.is_open();
            let mut run = Hosted::new(id.clone(), definition.clone(), State::new(&definition), &self.tasks);
            run.context.clone_from(&context);
            run.stands(is_open.then(Wire::new));
            run.apply(now, Cause::Begin { input: input.clone() })
                .map_err(|why| Error::Unchanged { id: id.clone(), why })?;
            let mut record = Record::new(now, std::mem::take(&mut run.causes)).traced_by(context.as_ref());
            record.here = run.starts_here();
            let names = self.workflows.names().clone();
            let is_here = |place: Place| run.is_here(place);
            let effects = Change {
                names: &names,
                id: &id,
                definition: &definition,
                state: &run.state,
                commands: &run.commands,
                at: now,
                is_here: Some(&is_here),
                known: &run.known,
                context: context.as_ref(),
            };
            let (effects, then) = effects.add(Transaction::new(), run.wire.as_ref());
            record.lists = then.as_ref().map(|then| (then.active, then.activations));
            let founding = New {
                id: &id,
                kept: &kept,
                definition: &definition,
                records: std::slice::from_ref(&record),
                status: run.state.status(),
                is_open,
                is_listed_by_others: self.is_listed_by_others,
            };
            let mut found = founding.founding(&names)?.and(effects);
            if let Some(input) = input.filter(|_| is_open) {
                found = found.set(keys::output(&id, -1), input.to_string());
            }
            if !run.is_done() && run.needs_owner() {
                run.owner = Owner::Us;
                found = found.hset(keys::OWNERS, id.full(), &*self.engine);
            }
            if is_open {
                found = found.hset(keys::steps(&id), history::ORIGIN, &*self.engine);
            }
            run.then = then;
            Ok((run, found))
        };
        match first() {
            Ok((run, found)) => self.beginning.push(Beginning { run, answer, found }),
            // Whoever asked may be gone.
            Err(error) => drop(answer.send(Err(error))),
        }
    }

    fn begun(
        &mut self,
        mut run: Hosted,
        answer: Asker,
        kept: Result<Committed, knowledge::Error>,
        now: Time,
    ) {
        let id = run.id.clone();
        let told = match kept {
            Ok(_) => {
                self.metered.changed();
                self.metered.became(Status::Running, None, now);
                let progress = run.progress.subscribe();
                let then = run.then.take();
                run.stands(then);
                self.runs.insert(id.clone(), run);
                self.perform(&id, now);
                Ok(progress)
            }
            Err(knowledge::Error::Conflict(_)) => Err(Error::Exists { id }),
            Err(error) => Err(error.into()),
        };
        // Whoever asked may be gone; the run goes on.
        drop(answer.send(told));
    }

    /// Keeps what has happened to all runs that were touched, and does what follows.
    ///
    /// It is one transaction for all of them: each has a condition of its own, and hardly ever one does not hold.
    pub(super) async fn keep(&mut self, now: Time, out: &Emitter<RunId>) {
        let (mut records, mut all) = (Vec::new(), None::<Transaction>);
        for id in std::mem::take(&mut self.touched) {
            let Some(mut record) = self.record(&id, now) else { continue };
            let Some(change) = self.change(&id, &mut record) else { continue };
            all = Some(match all {
                Some(all) => all.and(change),
                None => change,
            });
            records.push((id, record));
        }
        let store = self.workflows.store().clone();
        let since = meter::now();
        let begun =
            std::mem::take(&mut self.beginning).into_iter().map(|Beginning { run, answer, found }| {
                let commit = store.commit(found.unversioned());
                async move { (run, answer, commit.await) }
            });
        let begun: Vec<_> = begun.collect();
        let kept = all.map(|all| store.commit(all.unversioned()));
        let kept = async {
            match kept {
                Some(kept) => kept.await.map(drop),
                None => Ok(()),
            }
        };
        let (kept, begun) = if begun.is_empty() {
            (kept.await, Vec::new())
        } else {
            // At once: they share what it costs to make them durable.
            futures::future::join(kept, join_all(begun)).await
        };
        self.metered.kept_within(since.map(|since| since.elapsed()));
        for (run, answer, kept) in begun {
            self.begun(run, answer, kept, now);
        }
        match kept {
            Err(error @ (knowledge::Error::Conflict(_) | knowledge::Error::WrongKind { .. }))
                if records.len() > 1 =>
            {
                // Others have come before in some of them; each is tried by itself, and read again if it is one of these.
                if matches!(error, knowledge::Error::Conflict(_)) {
                    self.crossed_at = Some(tokio::time::Instant::now());
                    self.metered.crossed();
                }
                let single = records.into_iter().filter_map(|(id, mut record)| {
                    let change = self.change(&id, &mut record)?;
                    let commit = store.commit(change);
                    Some(async move { (id, record, commit.await.map(drop)) })
                });
                for (id, record, kept) in join_all(single.collect::<Vec<_>>()).await {
                    self.answered(vec![(id, record)], kept, now, out).await;
                }
            }
            kept => self.answered(records, kept, now, out).await,
        }
    }

    /// Goes on with runs whose changes are kept, or are not.
    async fn answered(
        &mut self,
        records: Vec<(RunId, Record)>,
        kept: Result<(), knowledge::Error>,
        now: Time,
        out: &Emitter<RunId>,
    ) {
        match kept {
            Ok(()) => {
                for (id, record) in records {
                    self.kept(&id, &record, now, out).await;
                }
                return;
            }
            Err(knowledge::Error::Conflict(conflict)) => {
                self.crossed_at = Some(tokio::time::Instant::now());
                self.metered.crossed();
                self.gone(&records, &conflict);
            }
            Err(error) => {
                tracing::warn!(%error, "steps of runs could not be kept; trying again");
                tokio::time::sleep(PATIENCE).await;
            }
        }
        for (id, record) in records {
            self.again(&id, record, now).await;
        }
    }

    /// Lets go of an event that another engine has by now.
    fn gone(&mut self, records: &[(RunId, Record)], conflict: &knowledge::Conflict) {
        let condition = conflict.transaction.conditions().get(conflict.condition);
        let Some(Condition::Pending(_, event)) = condition else { return };
        for (id, _) in records {
            if let Some(run) = self.runs.get_mut(id) {
                run.deliveries.retain(|delivery| delivery.id() != *event);
            }
        }
    }

    /// What has happened to a run and is not kept yet.
    fn record(&mut self, id: &RunId, now: Time) -> Option<Record> {
        let run = self.runs.get_mut(id)?;
        run.touched = now;
        let happened = run.takes || run.has_happened();
        happened.then(|| Record::new(now, std::mem::take(&mut run.causes)))
    }

    /// What is to be kept of a run.
    fn change(&mut self, id: &RunId, record: &mut Record) -> Option<Transaction> {
        let run = self.runs.get_mut(id)?;
        // What was to be started and has ended in the same batch, as an end that names no attempt says, is not started.
        let state = &run.state;
        run.commands.retain(|command| match command {
            Command::Start { place, attempt, .. } => {
                state.phase(*place) == Phase::Active && state.attempt(*place) == *attempt
            }
            _ => true,
        });
        let starts = run.starts();
        record.unowned = !starts;
        record.leaves = run.owner == Owner::Another && !run.takes;
        record.here = if starts { run.starts_here() } else { Vec::new() };
        let names = self.workflows.names();
        let is_here = |place: Place| run.is_here(place);
        let effects = Change {
            names,
            id,
            definition: &run.definition,
            state: &run.state,
            commands: &run.commands,
            at: record.at,
            is_here: if starts { Some(&is_here) } else { None },
            known: &run.known,
            context: run.context.as_ref(),
        };
        let (effects, then) = effects.add(Transaction::new(), run.wire.as_ref());
        record.lists = then.as_ref().map(|then| (then.active, then.activations));
        let change = history::change(names, id, &run.steps, run.next, record, &run.commands);
        let change = change.inspect_err(
            |error| tracing::error!(workflow = %id, %error, "a step of a run cannot be written"),
        );
        let change = change.ok()?;
        let change = match &run.wire {
            Some(wire) => wire.unchanged(id, change),
            None => change,
        };
        let mut change = change.and(effects);
        run.then = then;
        let full = id.full();
        let is_done = run.is_done();
        if !starts {
            change = change.set(keys::CHANGED, full);
            if run.owner == Owner::Nobody && !is_done {
                change = change.sadd(keys::WAITING, full);
            }
        } else if run.owner == Owner::Nobody && !is_done && run.needs_owner() {
            change = change.expect_field(keys::OWNERS, full, None).hset(keys::OWNERS, full, &*self.engine);
        }
        if is_done {
            // Not before: what still runs in one that has failed is in the hands of its owner.
            change = change.hdel(keys::OWNERS, full);
            let elsewhere = run.origin.as_ref().is_some_and(|origin| origin.as_str() != Some(&*self.engine));
            if run.owner == Owner::Another || elsewhere {
                change = change.set(keys::CHANGED, full);
            }
        }
        if run.takes && starts {
            change = change.srem(keys::WAITING, full);
        }
        Some(run.deliveries.iter().fold(change, |change, delivery| {
            let change = change.acknowledge(&names.log, &names.ending, delivery.id());
            if self.receipts {
                let receipt = Event::receipt(delivery.id(), "processed");
                return change.expect_pending(delivery.consumer(), delivery.id()).append(&names.log, receipt);
            }
            change
        }))
    }

    async fn kept(&mut self, id: &RunId, record: &Record, now: Time, out: &Emitter<RunId>) {
        let Some(run) = self.runs.get_mut(id) else { return };
        self.metered.changed();
        count(&mut self.metered, run, record);
        run.next += 1;
        run.takes = false;
        run.known.clear();
        if !record.unowned && run.owner == Owner::Nobody && !run.is_done() && run.needs_owner() {
            run.owner = Owner::Us;
        }
        let then = run.then.take();
        run.stands(then);
        for delivery in run.deliveries.drain(..) {
            delivery.settled();
        }
        let became = run.commands.iter().any(|command| matches!(command, Command::Became(_)));
        if record.unowned {
            run.commands.retain(|command| matches!(command, Command::Became(_)));
        }
        self.give_grace(id, now);
        self.perform(id, now);
        if became {
            out.emit(id.clone()).await;
        }
    }
}

/// Counts the attempts that have ended by a change.
fn count(metered: &mut Metered, run: &Hosted, record: &Record) {
    for cause in &record.causes {
        let (place, how) = match cause {
            Cause::Ended { place, outcome: Outcome::Output(_), .. } => (*place, How::Completed),
            Cause::Ended { place, outcome: Outcome::Failed(_), .. } => (*place, How::Failed),
            Cause::Cancelled { place, .. } => (*place, How::Cancelled),
            _ => continue,
        };
        if let Some(task) = run.task(place) {
            metered.ended(task, how, run.state.times(place).0, record.at);
        }
    }
}
