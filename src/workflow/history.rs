//! Runs as a backend keeps them.

use super::record::{Kept, Record, replay};
use super::state::State;
use super::{Cause, Command, Definition, Error, RunId, Status, keys};
use crate::event::Event;
use crate::knowledge::{
    Command as StoreCommand, Data, HashCommand, Key, ListCommand, Reply, SetCommand, Store, Transaction,
    ValueCommand,
};
use serde_json::Value as Json;
use std::sync::Arc;

/// A run as it is kept.
#[derive(Clone, Debug)]
pub(super) struct Loaded {
    pub(super) definition: Arc<Definition>,
    pub(super) kept: Kept,
    pub(super) records: Vec<Record>,
    pub(super) state: State,
    /// What the last changes ask for, if nobody has done it yet.
    pub(super) fresh: Vec<Command>,
}

impl Loaded {
    /// Whether it is the run of this flow with this input.
    pub(super) fn is(&self, graph: &crate::flow::Graph, input: Option<&Arc<Json>>) -> bool {
        let began = self.records.first().and_then(|record| record.causes.first());
        let same_input = matches!(began, Some(Cause::Begin { input: given }) if given.as_ref() == input);
        same_input && **self.definition.graph() == *graph
    }

    /// The number of the next change.
    pub(super) fn next(&self) -> u64 {
        self.records.len() as u64
    }
}

async fn run(store: &dyn Store, key: &Key, command: impl Into<StoreCommand>) -> Result<Reply, Error> {
    Ok(store.run(key, command.into()).await?)
}

/// Reads a run and its whole history.
pub(super) async fn load(store: &dyn Store, id: &RunId) -> Result<Loaded, Error> {
    let key = keys::definition(id);
    let kept = run(store, &key, ValueCommand::Get)
        .await?
        .non_nil()
        .ok_or_else(|| Error::NoRun { id: id.clone() })?;
    let kept = kept.data(&key)?;
    let damaged = |reason: String| Error::Damaged { id: id.clone(), reason };
    let kept: Kept = serde_json::from_slice(&kept).map_err(|error| damaged(error.to_string()))?;
    let key = keys::steps(id);
    let pairs = run(store, &key, HashCommand::All).await?.pairs(&key)?;
    let mut records = Vec::with_capacity(pairs.len());
    for (number, record) in pairs {
        let number: u64 = number
            .as_str()
            .and_then(|n| n.parse().ok())
            .ok_or_else(|| damaged(format!("a record is called {number:?}")))?;
        let record: Record =
            serde_json::from_slice(&record).map_err(|error| damaged(format!("record {number}: {error}")))?;
        records.push((number, record));
    }
    records.sort_by_key(|(number, _)| *number);
    if let Some(at) = records.iter().zip(0..).position(|((number, _), at)| *number != at) {
        return Err(damaged(format!("its record {at} is missing")));
    }
    let records: Vec<Record> = records.into_iter().map(|(_, record)| record).collect();
    let definition = Arc::new(kept.clone().into_definition());
    let mut state = State::new(&definition);
    let mut fresh = Vec::new();
    replay(&definition, &mut state, &records, &mut fresh);
    Ok(Loaded { definition, kept, records, state, fresh })
}

/// The change of a run by a record: its place in the history, and what follows from the status it has then.
pub(super) fn change(
    id: &RunId,
    steps: &Key,
    number: u64,
    record: &Record,
    commands: &[Command],
) -> Result<Transaction, Error> {
    let field = keys::number(number);
    let data = serde_json::to_vec(record)
        .map_err(|error| Error::Damaged { id: id.clone(), reason: error.to_string() })?;
    let mut transaction =
        Transaction::new().expect_field(steps.clone(), field.clone(), None).hset(steps.clone(), field, data);
    let mut statuses = commands.iter().filter_map(|command| match command {
        Command::Became(status) => Some(*status),
        _ => None,
    });
    if let Some(status) = statuses.next_back() {
        transaction = transaction.set(keys::state(id), status.word());
        let full = id.full();
        transaction = match status {
            Status::Running | Status::Terminating => transaction.sadd(keys::IN_PROGRESS, full),
            Status::Finished | Status::Failed | Status::Terminated => {
                transaction.srem(keys::IN_PROGRESS, full).hdel(keys::OWNERS, full)
            }
        };
        if let Some(kind) = event_of(status) {
            transaction = transaction.append(keys::LOG, about(kind, id).stamped());
        }
    }
    Ok(transaction)
}

fn event_of(status: Status) -> Option<&'static str> {
    match status {
        Status::Finished => Some("end-workflow"),
        Status::Failed => Some("failed-workflow"),
        Status::Terminated => Some("terminated-workflow"),
        Status::Running | Status::Terminating => None,
    }
}

/// An event about a run.
pub(super) fn about(kind: &str, id: &RunId) -> Event {
    Event::default().with("workflow", id.full()).with("kind", kind)
}

/// A new run: nothing may be there under its id.
pub(super) fn found(
    id: &RunId,
    kept: &Kept,
    records: &[Record],
    status: Status,
    owner: Option<&str>,
) -> Result<Transaction, Error> {
    let damaged = |error: serde_json::Error| Error::Damaged { id: id.clone(), reason: error.to_string() };
    let definition = serde_json::to_vec(kept).map_err(damaged)?;
    let mut transaction = Transaction::new()
        .expect_absent(keys::definition(id))
        .set(keys::definition(id), definition)
        .set(keys::state(id), status.word())
        .lpush(keys::ALL, id.full());
    for (number, record) in (0..).zip(records) {
        let record = serde_json::to_vec(record).map_err(damaged)?;
        transaction = transaction.hset(keys::steps(id), keys::number(number), record);
    }
    if !status.is_over() {
        transaction = transaction.sadd(keys::IN_PROGRESS, id.full());
        transaction = transaction.append(keys::LOG, about("start-workflow", id).stamped());
    }
    Ok(match owner {
        Some(engine) if !status.is_over() => transaction.hset(keys::OWNERS, id.full(), engine),
        _ => transaction,
    })
}

/// All runs, newest first, with their status.
pub(super) async fn list(store: &dyn Store, from: i64, to: i64) -> Result<Vec<(RunId, Status)>, Error> {
    let key = Key::from(keys::ALL);
    let ids = run(store, &key, ListCommand::Range(from, to)).await?.list(&key)?;
    let mut listed = Vec::with_capacity(ids.len());
    for id in ids.iter().filter_map(|id| id.as_str()).map(RunId::from) {
        if let Some(status) = status(store, &id).await? {
            listed.push((id, status));
        }
    }
    Ok(listed)
}

/// The status that a run is kept with.
pub(super) async fn status(store: &dyn Store, id: &RunId) -> Result<Option<Status>, Error> {
    let key = keys::state(id);
    let word =
        run(store, &key, ValueCommand::Get).await?.non_nil().map(|reply| reply.data(&key)).transpose()?;
    Ok(word.and_then(|word| Status::of_word(word.as_str()?)))
}

pub(super) async fn in_progress(store: &dyn Store) -> Result<Vec<RunId>, Error> {
    let key = Key::from(keys::IN_PROGRESS);
    let ids = run(store, &key, SetCommand::Members).await?.list(&key)?;
    Ok(ids.iter().filter_map(|id| id.as_str()).map(RunId::from).collect())
}

/// The engine that has a run in hand, and whether it gives signs of life.
pub(super) async fn owner(store: &dyn Store, id: &RunId) -> Result<Option<(Data, bool)>, Error> {
    let key = Key::from(keys::OWNERS);
    let owner = run(store, &key, HashCommand::Get(id.full().into())).await?.non_nil();
    let Some(owner) = owner.map(|owner| owner.data(&key)).transpose()? else { return Ok(None) };
    let key = keys::engine(owner.as_str().unwrap_or_default());
    let sign =
        run(store, &key, ValueCommand::Get).await?.non_nil().map(|sign| sign.data(&key)).transpose()?;
    let lives = sign.is_some_and(|sign| !sign.as_str().is_some_and(super::process::is_gone));
    Ok(Some((owner, lives)))
}

/// A value as the engine reads it from an event.
pub(super) fn text(event: &Json, name: &str) -> Option<String> {
    event.get(name).and_then(Json::as_str).map(str::to_owned)
}
