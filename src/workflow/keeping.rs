//! How the engine keeps what has happened: one transaction for all that has come in together.

use super::builtin::announced;
use super::hosted::{Hosted, Origin};
use super::record::{Kept, Record};
use super::report::Begin;
use super::state::State;
use super::turner::{PATIENCE, Turner};
use super::{Cause, Command, Error, RunId, Time, history, keys};
use crate::element::Emitter;
use crate::knowledge::{self, Committed, Transaction};
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
        let Begin { id, definition, text, input, answer } = begin;
        let first = || {
            let kept = Kept::of(&definition, text);
            let mut run =
                Hosted::new(id.clone(), definition.clone(), State::new(&definition), 1, &self.tasks);
            run.apply(now, Cause::Begin { input }).map_err(|why| Error::Unchanged { id: id.clone(), why })?;
            let record = Record { at: now, causes: std::mem::take(&mut run.causes), unowned: false };
            let status = run.state.status();
            let found =
                history::found(&id, &kept, std::slice::from_ref(&record), status, Some(&self.engine))?;
            let found = announced(found, &id, &definition, &run.state, &run.commands);
            Ok((run, found))
        };
        match first() {
            Ok((run, found)) => self.beginning.push(Beginning { run, answer, found }),
            // Whoever asked may be gone.
            Err(error) => drop(answer.send(Err(error))),
        }
    }

    fn begun(&mut self, run: Hosted, answer: Asker, kept: Result<Committed, knowledge::Error>, now: Time) {
        let id = run.id.clone();
        let told = match kept {
            Ok(_) => {
                let progress = run.progress.subscribe();
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
            let Some(record) = self.record(&id, now) else { continue };
            let Some(change) = self.change(&id, &record) else { continue };
            all = Some(match all {
                Some(all) => all.and(change),
                None => change,
            });
            records.push((id, record));
        }
        let store = self.workflows.store().clone();
        let begun =
            std::mem::take(&mut self.beginning).into_iter().map(|Beginning { run, answer, found }| {
                let commit = store.commit(found);
                async move { (run, answer, commit.await) }
            });
        let begun: Vec<_> = begun.collect();
        let kept = all.map(|all| store.commit(all));
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
        for (run, answer, kept) in begun {
            self.begun(run, answer, kept, now);
        }
        match kept {
            Err(knowledge::Error::Conflict(_)) if records.len() > 1 => {
                for (id, record) in records {
                    let Some(change) = self.change(&id, &record) else { continue };
                    let kept = store.commit(change).await.map(drop);
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
                for (id, _) in records {
                    self.kept(&id, now, out).await;
                }
                return;
            }
            Err(knowledge::Error::Conflict(_)) => {}
            Err(error) => {
                tracing::warn!(%error, "steps of runs could not be kept; trying again");
                tokio::time::sleep(PATIENCE).await;
            }
        }
        for (id, record) in records {
            self.again(&id, record, now).await;
        }
    }

    /// What has happened to a run and is not kept yet.
    fn record(&mut self, id: &RunId, now: Time) -> Option<Record> {
        let run = self.runs.get_mut(id)?;
        let record = Record { at: now, causes: std::mem::take(&mut run.causes), unowned: false };
        (run.takes || !record.causes.is_empty()).then_some(record)
    }

    /// What is to be kept of a run.
    fn change(&self, id: &RunId, record: &Record) -> Option<Transaction> {
        let run = self.runs.get(id)?;
        let change = history::change(id, &run.steps, run.next, record, &run.commands);
        let change = change.inspect_err(
            |error| tracing::error!(workflow = %id, %error, "a step of a run cannot be written"),
        );
        let change = announced(change.ok()?, id, &run.definition, &run.state, &run.commands);
        let acknowledged = run.deliveries.iter().map(crate::event::Delivery::id);
        Some(acknowledged.fold(change, |change, id| change.acknowledge(keys::LOG, keys::GROUP, id)))
    }

    async fn kept(&mut self, id: &RunId, now: Time, out: &Emitter<RunId>) {
        let Some(run) = self.runs.get_mut(id) else { return };
        run.next += 1;
        run.takes = false;
        for delivery in run.deliveries.drain(..) {
            delivery.acknowledge();
        }
        let became = run.commands.iter().any(|command| matches!(command, Command::Became(_)));
        self.perform(id, now);
        if became {
            out.emit(id.clone()).await;
        }
    }
}
