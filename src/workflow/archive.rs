//! Runs that are kept elsewhere and come back, and copies of runs.

use super::found::{Found, Read};
use super::history::{Loaded, New};
use super::record::{Kept, Record, replay};
use super::step::step;
use super::wire::{self, Sums, Wire};
use super::{Cause, Definition, Error, RunId, State, Status, Time, Workflows, keys};
use crate::flow::{Graph, NodeKind};
use crate::knowledge::{self, Transaction};
use serde_json::{Value as Json, json};
use std::collections::HashMap;
use std::sync::Arc;

/// A run that is to be made anew.
struct Past {
    kept: Kept,
    records: Vec<Record>,
    /// Its lists in littleflow's form, if they are known.
    lists: Option<Lists>,
}

/// The lists of a run in littleflow's form, as they stand there: the oldest line first.
struct Lists {
    active: Vec<String>,
    activations: Vec<String>,
    sums: Sums,
}

impl Workflows {
    /// The run with its whole history, to be kept elsewhere and [restored](Self::restore). It has the keys that
    /// littleflow looks for in an archive, too: `F`, `T`, `S` and `A`.
    ///
    /// # Errors
    ///
    /// [`Error::NoRun`].
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn archive(&self, id: &RunId) -> Result<Json, Error> {
        let mut loaded = self.load(id).await?;
        let form = self.form_of(id, &loaded).await?;
        loaded.records.extend(loaded.found.map(|found| Record::new(Time::now(), vec![found])));
        let mut archive = json!({
            "mape": 1, "id": id.short(), "status": loaded.state.status(), "definition": loaded.kept,
            "steps": loaded.records, "S": form.active_trace, "A": form.activations_trace,
        });
        if let (Some(archive), Json::Object(definition)) = (archive.as_object_mut(), form.definition) {
            archive.extend(definition);
        }
        Ok(archive)
    }

    /// Makes a run of an archive, under a new id: over if it was, else [`Terminated`](Status::Terminated), to be
    /// restarted.
    ///
    /// An archive of littleflow has no outputs: what is restarted of it gets `{}` from what had ended, but for literals.
    /// It is [`Terminated`](Status::Terminated) in any case.
    ///
    /// # Errors
    ///
    /// [`Error::Archive`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it happens. The same holds for [`restore_as`](Self::restore_as) and
    /// [`fork`](Self::fork).
    pub async fn restore(&self, archive: &Json) -> Result<RunId, Error> {
        self.found_again(None, Past::of(archive)?).await
    }

    /// As [`restore`](Self::restore), under this id.
    ///
    /// # Errors
    ///
    /// [`Error::Archive`], [`Error::Exists`].
    pub async fn restore_as(&self, id: RunId, archive: &Json) -> Result<RunId, Error> {
        self.found_again(Some(id), Past::of(archive)?).await
    }

    /// A copy of a run with its history up to now, under a new id: over if that is, else
    /// [`Terminated`](Status::Terminated), to be restarted.
    ///
    /// # Errors
    ///
    /// [`Error::NoRun`].
    pub async fn fork(&self, id: &RunId) -> Result<RunId, Error> {
        let Loaded { kept, mut records, found, .. } = self.load(id).await?;
        records.extend(found.map(|found| Record::new(Time::now(), vec![found])));
        self.found_again(None, Past { kept, records, lists: None }).await
    }

    async fn found_again(&self, id: Option<RunId>, past: Past) -> Result<RunId, Error> {
        let Past { kept, mut records, lists } = past;
        let definition = kept.clone().into_definition();
        let mut state = State::new(&definition);
        replay(&definition, &mut state, &records, &mut Vec::new());
        let (mut causes, at, before) = (Vec::new(), Time::now(), records.len());
        // Nobody works on the copy: what was in work is to be started again.
        while !state.status().is_over() || state.open() > 0 {
            if step(&definition, &mut state, at, Cause::Terminate, &mut Vec::new()).is_err() {
                break;
            }
            causes.push(Cause::Terminate);
        }
        if !causes.is_empty() {
            records.push(Record::unowned(at, causes));
        }
        let id = id.unwrap_or_else(|| RunId::random(definition.graph().name()));
        wire::fits(self, &definition, self.foreign_engine().await?.as_ref())?;
        let lists = lists.map(|lists| (before, lists));
        let founding = self.founding_with(&id, &kept, &definition, records, lists, false)?;
        match self.store().commit(founding).await {
            Err(knowledge::Error::Conflict(_)) => Err(Error::Exists { id }),
            done => done.map(|_| id).map_err(Into::into),
        }
    }

    /// A run with its whole history.
    pub(super) fn founding(
        &self,
        id: &RunId,
        kept: &Kept,
        definition: &Definition,
        records: Vec<Record>,
        is_listed_by_others: bool,
    ) -> Result<Transaction, Error> {
        self.founding_with(id, kept, definition, records, None, is_listed_by_others)
    }

    /// The same; of so many records at the beginning it is known what they have left in littleflow's lists.
    fn founding_with(
        &self,
        id: &RunId,
        kept: &Kept,
        definition: &Definition,
        mut records: Vec<Record>,
        lists: Option<(usize, Lists)>,
        is_listed_by_others: bool,
    ) -> Result<Transaction, Error> {
        let (before, mut lists) = lists.filter(|_| self.is_open()).unzip();
        let before = before.unwrap_or(0);
        let mut state = State::new(definition);
        let mut wire = self.is_open().then(Wire::new);
        let mut effects = Transaction::new();
        for (number, record) in records.iter_mut().enumerate() {
            let is_known = number < before;
            state.marks = (wire.is_some() && !is_known).then(Vec::new);
            let mut commands = Vec::new();
            for cause in &record.causes {
                if let (Cause::Begin { input: Some(input) }, true) = (cause, self.is_open()) {
                    effects = effects.set(keys::output(id, -1), input.to_string());
                }
                // What was recorded had an effect; should it have none, there is nothing to be written either.
                let _ = step(definition, &mut state, record.at, cause.clone(), &mut commands);
            }
            if is_known {
                if number + 1 == before
                    && let Some(lists) = lists.take()
                {
                    let (written, then) = lists.written(id, definition, &state);
                    effects = effects.and(written);
                    record.lists = Some((then.active, then.activations));
                    wire = Some(then);
                }
                continue;
            }
            let (written, then) = self.effects((id, definition, &state), &commands, record.at, wire.as_ref());
            if self.is_open() || record.unowned {
                effects = effects.and(written);
            }
            record.lists = then.as_ref().map(|then| (then.active, then.activations));
            wire = then;
        }
        let new = New {
            id,
            kept,
            definition,
            records: &records,
            status: state.status(),
            is_open: self.is_open(),
            is_listed_by_others,
        };
        Ok(new.founding(self.names())?.and(effects))
    }
}

impl Past {
    fn of(archive: &Json) -> Result<Self, Error> {
        let refuse = |reason: String| Error::Archive { reason };
        if !archive.is_object() {
            return Err(refuse("it is no object".to_owned()));
        }
        let part =
            |name: &str| archive.get(name).cloned().ok_or_else(|| refuse(format!("it has no `{name}`")));
        if archive.get("steps").is_none() && archive.get("T").is_some() {
            return Self::of_littleflow(archive, &part).map_err(|error| match error {
                Error::Archive { .. } => error,
                other => refuse(other.to_string()),
            });
        }
        let kept: Kept =
            serde_json::from_value(part("definition")?).map_err(|error| refuse(error.to_string()))?;
        let records: Vec<Record> =
            serde_json::from_value(part("steps")?).map_err(|error| refuse(error.to_string()))?;
        let count = kept.clone().into_definition().graph().nodes().len();
        // Without them, they are made of the history.
        let lists = Lists::of(archive, count).ok().filter(|lists| !lists.active.is_empty());
        Ok(Self { kept, records, lists })
    }

    /// Of an archive that littleflow has made.
    fn of_littleflow(archive: &Json, part: &dyn Fn(&str) -> Result<Json, Error>) -> Result<Self, Error> {
        let form = json!({"F": part("F")?, "T": part("T")?, "name": archive.get("name")});
        let definition = Definition::new(Graph::from_json(&form.to_string())?)?;
        let count = definition.graph().nodes().len();
        let lists = Lists::of(archive, count)?;
        let entries = lists.active.iter().filter_map(|line| wire::read_line(line, count));
        let (mut ended, mut began, mut last) = (vec![false; count], None, None);
        for (at, entry) in entries {
            began = began.or(Some(at));
            last = Some(at);
            for (ended, by) in ended.iter_mut().zip(entry) {
                *ended |= by < 0;
            }
        }
        // All that can be known of the outputs.
        let outputs = (0..).zip(definition.graph().nodes()).filter_map(|(index, node)| match node.kind() {
            NodeKind::Source { value } => Some((index, value.clone())),
            _ => None,
        });
        let outputs: HashMap<u32, Arc<Json>> = outputs.collect();
        let found = Found::of(
            &definition,
            Read {
                status: Status::Running,
                active: &lists.sums.active,
                activations: &lists.sums.activations,
                failed: &[],
                ended: &ended,
                outputs,
                began,
                input: None,
            },
        );
        let at = last.unwrap_or_else(Time::now);
        let records = vec![Record::new(at, vec![Cause::Found(Box::new(found))])];
        Ok(Self { kept: Kept::of(&definition, None), records, lists: Some(lists) })
    }
}

impl Lists {
    fn of(archive: &Json, count: usize) -> Result<Self, Error> {
        let refuse = |reason: String| Error::Archive { reason };
        let read = |name: &str| {
            let list = archive.get(name).ok_or_else(|| refuse(format!("it has no `{name}`")))?;
            let list: Vec<(String, Vec<i64>)> = serde_json::from_value(list.clone())
                .map_err(|_| refuse(format!("`{name}` is no list of pairs of a time and numbers")))?;
            let mut sum = vec![0_i64; count];
            let mut lines = Vec::with_capacity(list.len());
            for (at, entry) in list.iter().rev() {
                if entry.len() != count || at.parse::<jiff::Timestamp>().is_err() {
                    return Err(refuse(format!(
                        "`{name}` has an entry that is no time with {count} numbers"
                    )));
                }
                for (sum, by) in sum.iter_mut().zip(entry) {
                    *sum = sum.saturating_add(*by);
                }
                let numbers: Vec<String> = entry.iter().map(i64::to_string).collect();
                lines.push(format!("{at} {}", numbers.join(" ")));
            }
            Ok((lines, sum))
        };
        let ((active, active_sum), (activations, activations_sum)) = (read("S")?, read("A")?);
        let sums = Sums { active: active_sum, activations: activations_sum };
        Ok(Self { active, activations, sums })
    }

    /// What writes them, and the outputs beside them; how the run stands then.
    fn written(self, id: &RunId, definition: &Definition, state: &State) -> (Transaction, Wire) {
        let wire = Wire {
            active: self.active.len() as u64,
            activations: self.activations.len() as u64,
            word: state.status().word().into(),
            sums: Some(Box::new(self.sums)),
        };
        let mut change = Transaction::new()
            .lpush_all(keys::active(id), self.active)
            .lpush_all(keys::activations(id), self.activations);
        if let Some(failed) = wire::failures(definition, state) {
            change = change.set(keys::failed(id), failed);
        }
        for node in 0..definition.graph().nodes().len() {
            if let Some(output) = state.output_of(node) {
                change = change.set(keys::output(id, i64::try_from(node).unwrap_or(-1)), output.to_string());
            }
        }
        (change, wire)
    }
}
