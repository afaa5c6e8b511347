//! Runs as a backend keeps them.

use super::found::{Found, Read};
use super::keys::Names;
use super::lifecycle::UNLISTED;
use super::record::{Kept, Record, replay};
use super::state::State;
use super::step::step;
use super::wire::{self, Sums, Wire};
use super::{Cause, Command, Definition, Error, Place, RunId, Status, Time, keys};
use crate::event::Event;
use crate::knowledge::{
    Command as StoreCommand, Data, HashCommand, Key, ListCommand, Reply, SetCommand, Store, Transaction,
    ValueCommand,
};
use serde_json::Value as Json;
use std::collections::{HashMap, HashSet};
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
    /// The attempts that were started in the process of an engine.
    pub(super) here: HashSet<(Place, u32)>,
    /// The engine that has work of it in its process.
    pub(super) owner: Option<Data>,
    /// The engine that has begun it.
    pub(super) origin: Option<Data>,
    /// How it stands in the form of littleflow, if it is kept in that.
    pub(super) wire: Option<Wire>,
    /// What others have made of it since our last change; the state has it already.
    pub(super) found: Option<Cause>,
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

    /// Whether somebody has to start something.
    pub(super) fn waits(&self) -> bool {
        self.fresh.iter().any(|command| !matches!(command, Command::Became(_)))
    }
}

async fn run(store: &dyn Store, key: &Key, command: impl Into<StoreCommand>) -> Result<Reply, Error> {
    Ok(store.run(key, command.into()).await?)
}

/// The field of a history that has the definition, where that cannot stand elsewhere.
pub(super) const FLOW: &str = "flow";

/// The field with the engine that began the run, where any may end it.
pub(super) const ORIGIN: &str = "origin";

/// Reads a run and its whole history; `is_open` if programs of other kinds read and write it, too.
pub(super) async fn load(store: &dyn Store, id: &RunId, is_open: bool) -> Result<Loaded, Error> {
    let damaged = |reason: String| Error::Damaged { id: id.clone(), reason };
    let (form, steps) = (keys::definition(id), keys::steps(id));
    // As one, so that all of it is of one moment.
    let reading = Transaction::new()
        .run(form.clone(), ValueCommand::Get)
        .run(steps.clone(), HashCommand::All)
        .run(keys::OWNERS, HashCommand::Get(id.full().into()));
    let reading = if is_open { stands(reading, id) } else { reading };
    let mut replies = store.commit(reading).await?.replies.into_iter();
    let mut next = || replies.next().unwrap_or(Reply::Nil);
    let data = |reply: Reply, key: &Key| reply.non_nil().map(|reply| reply.data(key)).transpose();
    let form = data(next(), &form)?.ok_or_else(|| Error::NoRun { id: id.clone() })?;
    let Parts { flow, origin, records } = parts(next().pairs(&steps)?).map_err(damaged)?;
    let owner = data(next(), &Key::from(keys::OWNERS))?;
    let stands = if is_open { Some(read_standing(&mut next, id)?) } else { None };
    let kept = match (flow, form.as_str()) {
        (Some(kept), _) => kept,
        (None, Some(form)) if is_open => wire::read_definition(form).map_err(damaged)?,
        (None, _) => serde_json::from_slice(&form).map_err(|error| damaged(error.to_string()))?,
    };
    let definition = Arc::new(kept.clone().into_definition());
    let mut state = State::new(&definition);
    let (mut fresh, mut here) = (Vec::new(), HashSet::new());
    replay(&definition, &mut state, &records, &mut fresh);
    here.extend(records.iter().flat_map(|record| record.here.iter().copied()));
    let loaded =
        Loaded { definition, kept, records, state, fresh, here, owner, origin, wire: None, found: None };
    match stands {
        Some(wire) => compared(store, id, loaded, wire).await,
        None => Ok(loaded),
    }
}

/// Adds to what is read how a run stands in the form of littleflow.
fn stands(reading: Transaction, id: &RunId) -> Transaction {
    reading
        .run(keys::state(id), ValueCommand::Get)
        .run(keys::active(id), ListCommand::Len)
        .run(keys::activations(id), ListCommand::Len)
}

fn read_standing(next: &mut impl FnMut() -> Reply, id: &RunId) -> Result<Wire, Error> {
    let word = next().non_nil().map(|reply| reply.data(&keys::state(id))).transpose()?;
    let word = word.unwrap_or_else(|| Data::from(""));
    let active = next().count(&keys::active(id))?;
    let activations = next().count(&keys::activations(id))?;
    Ok(Wire { active, activations, word, sums: None })
}

/// What a history consists of.
struct Parts {
    flow: Option<Kept>,
    origin: Option<Data>,
    records: Vec<Record>,
}

fn parts(pairs: Vec<(Data, Data)>) -> Result<Parts, String> {
    let (mut flow, mut origin, mut records) = (None, None, Vec::with_capacity(pairs.len()));
    for (number, record) in pairs {
        match number.as_str() {
            Some(UNLISTED) => continue,
            Some(ORIGIN) => {
                origin = Some(record);
                continue;
            }
            Some(FLOW) => {
                flow = Some(serde_json::from_slice(&record).map_err(|error| error.to_string())?);
                continue;
            }
            _ => {}
        }
        let number: u64 = number
            .as_str()
            .and_then(|n| n.parse().ok())
            .ok_or_else(|| format!("a record is called {number:?}"))?;
        let record: Record =
            serde_json::from_slice(&record).map_err(|error| format!("record {number}: {error}"))?;
        records.push((number, record));
    }
    records.sort_by_key(|(number, _)| *number);
    if let Some(at) = records.iter().zip(0..).position(|((number, _), at)| *number != at) {
        return Err(format!("its record {at} is missing"));
    }
    Ok(Parts { flow, origin, records: records.into_iter().map(|(_, record)| record).collect() })
}

/// A run with what others have made of it, if it does not stand as our last change left it.
async fn compared(store: &dyn Store, id: &RunId, mut loaded: Loaded, wire: Wire) -> Result<Loaded, Error> {
    let ours = loaded.records.last().and_then(|record| record.lists) == Some((wire.active, wire.activations))
        && wire::status(&wire.word) == Some(loaded.state.status());
    let were_there = loaded
        .records
        .iter()
        .any(|record| record.causes.iter().any(|cause| matches!(cause, Cause::Found(_))));
    if ours && !were_there {
        loaded.wire = Some(wire);
        return Ok(loaded);
    }
    let (found, wire) = found(store, id, &loaded).await?;
    if !ours {
        let cause = Cause::Found(Box::new(found));
        // It cannot be refused: it says how things are.
        let _ = step(&loaded.definition, &mut loaded.state, Time::now(), cause.clone(), &mut loaded.fresh);
        loaded.found = Some(cause);
    }
    loaded.wire = Some(wire);
    Ok(loaded)
}

/// How a run stands in the form of littleflow.
async fn found(store: &dyn Store, id: &RunId, loaded: &Loaded) -> Result<(Found, Wire), Error> {
    let count = loaded.definition.graph().nodes().len();
    let all = || ListCommand::Range(0, -1);
    let mut reading = stands(Transaction::new(), id)
        .run(keys::active(id), all())
        .run(keys::activations(id), all())
        .run(keys::failed(id), ValueCommand::Get);
    let last = i64::try_from(count).unwrap_or(i64::MAX);
    for node in -1..last {
        reading = reading.run(keys::output(id, node), ValueCommand::Get);
    }
    let mut replies = store.commit(reading).await?.replies.into_iter();
    let mut next = || replies.next().unwrap_or(Reply::Nil);
    let mut wire = read_standing(&mut next, id)?;
    let lines = next().list(&keys::active(id))?;
    let active = wire::sum(&lines, count);
    let activations = wire::sum(&next().list(&keys::activations(id))?, count);
    let failed = next().non_nil().map(|reply| reply.data(&keys::failed(id))).transpose()?;
    let failed = failed.as_ref().and_then(Data::as_str).and_then(|text| {
        wire::read_numbers(text.trim_matches(['[', ']', '"']).split_ascii_whitespace(), count)
    });
    let mut outputs = HashMap::new();
    for node in -1..last {
        let output = next().non_nil().map(|reply| reply.data(&keys::output(id, node))).transpose()?;
        if let Some(value) = output.and_then(|output| serde_json::from_slice(&output).ok()) {
            outputs.insert(node, Arc::<Json>::new(value));
        }
    }
    let (mut ended, mut began) = (vec![false; count], None);
    for (at, entry) in lines.iter().filter_map(|line| wire::read_line(line.as_str()?, count)) {
        began = Some(at);
        for (ended, by) in ended.iter_mut().zip(entry) {
            *ended |= by < 0;
        }
    }
    let is_new = loaded.records.is_empty();
    let found = Found::of(
        &loaded.definition,
        Read {
            status: wire::status(&wire.word).unwrap_or_else(|| loaded.state.status()),
            active: &active,
            activations: &activations,
            failed: failed.as_deref().unwrap_or_default(),
            ended: &ended,
            began: began.filter(|_| is_new),
            input: outputs.remove(&-1).filter(|_| is_new),
            outputs: outputs
                .into_iter()
                .filter_map(|(node, output)| Some((u32::try_from(node).ok()?, output)))
                .collect(),
        },
    );
    wire.sums = Some(Box::new(Sums { active, activations }));
    Ok((found, wire))
}

/// What somebody has changed since: the records behind ours, and how the run stands.
pub(super) struct News {
    pub(super) records: Vec<Record>,
    pub(super) owner: Option<Data>,
    pub(super) wire: Option<Wire>,
    /// There are more.
    pub(super) more: bool,
}

/// How many records are asked for at a time where hardly any are expected.
const FEW: u64 = 4;

/// Asks what has become of a run behind the record before `next`.
pub(super) fn ask(id: &RunId, steps: &Key, next: u64, is_open: bool) -> Transaction {
    let fields = (next..next + FEW).map(keys::number).collect();
    let asking = Transaction::new()
        .run(steps.clone(), HashCommand::GetMany(fields))
        .run(keys::OWNERS, HashCommand::Get(id.full().into()));
    if is_open { stands(asking, id) } else { asking }
}

/// Reads what [`ask`] was answered.
pub(super) fn news(
    id: &RunId,
    steps: &Key,
    is_open: bool,
    replies: impl IntoIterator<Item = Reply>,
) -> Result<News, Error> {
    let mut replies = replies.into_iter();
    let mut next = || replies.next().unwrap_or(Reply::Nil);
    let found = next().options(steps)?;
    let owner = next().non_nil().map(|reply| reply.data(&Key::from(keys::OWNERS))).transpose()?;
    let wire = if is_open { Some(read_standing(&mut next, id)?) } else { None };
    let damaged = |error: serde_json::Error| Error::Damaged { id: id.clone(), reason: error.to_string() };
    let records: Vec<Record> = found
        .iter()
        .map_while(Option::as_ref)
        .map(|record| serde_json::from_slice(record).map_err(damaged))
        .collect::<Result<_, _>>()?;
    let more = records.len() as u64 == FEW;
    Ok(News { records, owner, wire, more })
}

/// The change of a run by a record: its place in the history, and what follows from the status it has then.
pub(super) fn change(
    names: &Names,
    id: &RunId,
    steps: &Key,
    number: u64,
    record: &Record,
    commands: &[Command],
) -> Result<Transaction, Error> {
    let field = keys::number(number);
    let data = serde_json::to_vec(record)
        .map_err(|error| Error::Damaged { id: id.clone(), reason: error.to_string() })?;
    // One that was deleted does not come back by a late change.
    let mut transaction = Transaction::new().expect_present(keys::definition(id));
    transaction =
        transaction.expect_field(steps.clone(), field.clone(), None).hset(steps.clone(), field, data);
    let mut statuses = commands.iter().filter_map(|command| match command {
        Command::Became(status) => Some(*status),
        _ => None,
    });
    if let Some(status) = statuses.next_back() {
        transaction = transaction.set(keys::state(id), status.word());
        let full = id.full();
        transaction = match status {
            Status::Running | Status::Terminating => transaction.sadd(names.in_progress.clone(), full),
            Status::Finished | Status::Failed | Status::Terminated => {
                transaction.srem(names.in_progress.clone(), full)
            }
        };
        if let Some(kind) = event_of(status) {
            transaction = transaction.append(&names.log, about(kind, id).stamped());
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

/// A new run, nothing of which is there yet.
pub(super) struct New<'n> {
    pub(super) id: &'n RunId,
    pub(super) kept: &'n Kept,
    pub(super) definition: &'n Definition,
    pub(super) records: &'n [Record],
    pub(super) status: Status,
    pub(super) is_open: bool,
    /// Whether the group of those who list runs is left to do it.
    pub(super) is_listed_by_others: bool,
}

impl New<'_> {
    /// What is kept of it: nothing may be there under its id.
    pub(super) fn founding(&self, names: &Names) -> Result<Transaction, Error> {
        let Self { id, kept, status, .. } = *self;
        let damaged = |error: serde_json::Error| Error::Damaged { id: id.clone(), reason: error.to_string() };
        let mut transaction =
            Transaction::new().expect_absent(keys::definition(id)).expect_absent(keys::state(id));
        if self.is_open {
            let (form, is_plain) = wire::definition(self.definition, kept).map_err(damaged)?;
            transaction = transaction.set(keys::definition(id), form.to_string());
            if is_plain {
                let flow = serde_json::to_vec(kept).map_err(damaged)?;
                transaction = transaction.hset(keys::steps(id), FLOW, flow);
            }
        } else {
            transaction = transaction.set(keys::definition(id), serde_json::to_vec(kept).map_err(damaged)?);
        }
        transaction = transaction.set(keys::state(id), status.word());
        for (number, record) in (0..).zip(self.records) {
            let record = serde_json::to_vec(record).map_err(damaged)?;
            transaction = transaction.hset(keys::steps(id), keys::number(number), record);
        }
        let (full, is_over) = (id.full(), status.is_over());
        if !self.is_listed_by_others || is_over {
            transaction = transaction.lpush(names.all.clone(), full);
        }
        if !is_over {
            if self.is_listed_by_others {
                transaction = transaction.hset(keys::steps(id), UNLISTED, "1");
            } else {
                transaction = transaction.sadd(names.in_progress.clone(), full);
            }
            transaction = transaction.append(&names.log, about("start-workflow", id).stamped());
        }
        Ok(transaction)
    }
}

/// All runs, newest first, with their status.
pub(super) async fn list(
    store: &dyn Store,
    key: &Key,
    from: i64,
    to: i64,
) -> Result<Vec<(RunId, Status)>, Error> {
    let ids = run(store, key, ListCommand::Range(from, to)).await?.list(key)?;
    let mut ids: Vec<RunId> = ids.iter().filter_map(|id| id.as_str()).map(RunId::from).collect();
    // Of another program that lists runs beside ours, it may be there twice.
    let mut seen = HashSet::new();
    ids.retain(|id| seen.insert(id.clone()));
    let statuses = statuses(store, &ids).await?;
    Ok(ids.into_iter().zip(statuses).filter_map(|(id, status)| Some((id, status?))).collect())
}

/// The status that a run is kept with.
pub(super) async fn status(store: &dyn Store, id: &RunId) -> Result<Option<Status>, Error> {
    let key = keys::state(id);
    let word =
        run(store, &key, ValueCommand::Get).await?.non_nil().map(|reply| reply.data(&key)).transpose()?;
    Ok(word.and_then(|word| wire::status(&word)))
}

/// Runs in which something is to be started, and runs with work in the process of an engine, and of which.
pub(super) async fn unattended(store: &dyn Store) -> Result<(Vec<RunId>, Vec<(RunId, Data)>), Error> {
    let reading =
        Transaction::new().run(keys::WAITING, SetCommand::Members).run(keys::OWNERS, HashCommand::All);
    let mut replies = store.commit(reading).await?.replies.into_iter();
    let waiting = replies.next().unwrap_or(Reply::Nil).list(&Key::from(keys::WAITING))?;
    let owners = replies.next().unwrap_or(Reply::Nil).pairs(&Key::from(keys::OWNERS))?;
    Ok((
        waiting.iter().filter_map(|id| id.as_str()).map(RunId::from).collect(),
        owners.into_iter().filter_map(|(id, owner)| Some((RunId::from(id.as_str()?), owner))).collect(),
    ))
}

/// The statuses that runs are kept with.
pub(super) async fn statuses(store: &dyn Store, ids: &[RunId]) -> Result<Vec<Option<Status>>, Error> {
    let read = |reading: Transaction, id: &RunId| reading.run(keys::state(id), ValueCommand::Get);
    let replies = store.commit(ids.iter().fold(Transaction::new(), read)).await?.replies;
    let status = |(id, reply): (&RunId, Reply)| {
        reply.non_nil().and_then(|reply| wire::status(&reply.data(&keys::state(id)).ok()?))
    };
    Ok(ids.iter().zip(replies).map(status).collect())
}

/// Whether an engine gives signs of life.
pub(super) async fn lives(store: &dyn Store, engine: &Data) -> Result<bool, Error> {
    let key = keys::engine(engine.as_str().unwrap_or_default());
    let sign =
        run(store, &key, ValueCommand::Get).await?.non_nil().map(|sign| sign.data(&key)).transpose()?;
    Ok(sign.is_some_and(|sign| !sign.as_str().is_some_and(super::process::is_gone)))
}

/// The engine that has a run in hand, and whether it gives signs of life.
pub(super) async fn owner(store: &dyn Store, id: &RunId) -> Result<Option<(Data, bool)>, Error> {
    let key = Key::from(keys::OWNERS);
    let owner = run(store, &key, HashCommand::Get(id.full().into())).await?.non_nil();
    let Some(owner) = owner.map(|owner| owner.data(&key)).transpose()? else { return Ok(None) };
    let lives = lives(store, &owner).await?;
    Ok(Some((owner, lives)))
}

/// A value as the engine reads it from an event.
pub(super) fn text(event: &Json, name: &str) -> Option<String> {
    event.get(name).and_then(Json::as_str).map(str::to_owned)
}
