//! A transaction as the script takes it.

use super::client::Client;
use super::commands::Wire;
use super::version;
use crate::event::{Event, EventId, LogName};
use crate::knowledge::{Condition, Data, Error, Key, LogStep, Transaction};
use std::collections::HashMap;

/// More arguments than this are sent as several commands, for Lua cannot unpack many.
const ARGUMENTS: usize = 2000;
/// Fields of an event that can be appended by a script.
pub(super) const FIELDS: usize = 3000;

/// What is sent to the script, and what is needed to understand its answer.
#[derive(Default)]
pub(super) struct Call {
    /// The keys as the server knows them, and as their owner calls them.
    pub(super) keys: Vec<String>,
    names: Vec<Key>,
    numbers: HashMap<String, usize>,
    conditions: Section,
    /// The commands in order, with the number of parts in which each is sent.
    pub(super) steps: Vec<(Key, Wire, usize)>,
    parts: Section,
    /// The keys whose version is wanted, with their numbers.
    pub(super) set: Vec<(Key, Data)>,
    log_steps: Section,
}

/// Counted items of some arguments each.
#[derive(Default)]
struct Section {
    count: usize,
    args: Vec<Data>,
}

impl Section {
    fn add(&mut self, args: impl IntoIterator<Item = Data>) {
        self.count += 1;
        self.args.extend(args);
    }

    fn write(self, to: &mut Vec<Data>) {
        to.push(number(self.count));
        to.extend(self.args);
    }
}

pub(super) fn number(number: usize) -> Data {
    Data::from(i64::try_from(number).unwrap_or(i64::MAX))
}

fn flag(flag: bool) -> Data {
    Data::from(if flag { "1" } else { "0" })
}

impl Call {
    /// One command by itself.
    pub(super) fn of_one(client: &Client, key: &Key, wire: Wire) -> Self {
        let mut call = Self { steps: vec![(key.clone(), wire, 0)], ..Self::default() };
        call.write_steps(client);
        call
    }

    /// All of a transaction.
    pub(super) fn of(client: &Client, transaction: &Transaction) -> Result<Self, Error> {
        let mut call = Self::default();
        for condition in transaction.conditions() {
            call.condition(client, condition);
        }
        for (key, command) in transaction.steps() {
            call.steps.push((key.clone(), Wire::of(key, command.clone())?, 0));
        }
        call.write_steps(client);
        if transaction.is_unversioned() {
            call.set.clear();
        }
        for step in transaction.log_steps() {
            call.log_step(client, step)?;
        }
        Ok(call)
    }

    /// The keys that are written to.
    pub(super) fn written(&self) -> impl Iterator<Item = &Key> {
        self.steps.iter().filter(|(_, wire, _)| wire.writes).map(|(key, ..)| key)
    }

    /// The key of this number in the script, which counts from 1.
    pub(super) fn name(&self, number: i64) -> Key {
        let index = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
        index.and_then(|index| self.names.get(index)).cloned().unwrap_or_else(|| Key::from(""))
    }

    /// The step to which the part of this number, counted from 0, belongs.
    pub(super) fn step_of(&self, part: i64) -> Option<&(Key, Wire, usize)> {
        let mut before = usize::try_from(part).ok()?;
        self.steps.iter().find(|(_, _, parts)| {
            let found = before < *parts;
            before = before.saturating_sub(*parts);
            found
        })
    }

    /// All arguments; `watched` are those for the script that tells watchers, as `told` writes them.
    pub(super) fn arguments(&mut self, watched: Vec<Data>) -> Vec<Data> {
        let mut args = watched;
        std::mem::take(&mut self.conditions).write(&mut args);
        std::mem::take(&mut self.parts).write(&mut args);
        args.push(number(self.set.len()));
        args.extend(self.set.iter().map(|(_, place)| place.clone()));
        std::mem::take(&mut self.log_steps).write(&mut args);
        args
    }

    /// What the script that tells watchers is told first: which keys are watched, under which channels.
    pub(super) fn watched(&mut self, client: &Client, edges: bool, watched: &[(Key, String)]) -> Vec<Data> {
        let mut args = vec![flag(edges), number(watched.len())];
        for (key, channel) in watched {
            args.push(self.key(client, key));
            args.push(Data::from(channel.as_str()));
        }
        args
    }

    /// The number of a key in the script.
    fn key(&mut self, client: &Client, name: &str) -> Data {
        let key = client.key(name);
        if let Some(known) = self.numbers.get(&key) {
            return number(*known);
        }
        self.keys.push(key.clone());
        self.names.push(Key::from(name));
        self.numbers.insert(key, self.keys.len());
        number(self.keys.len())
    }

    fn condition(&mut self, client: &Client, condition: &Condition) {
        let about = match condition {
            Condition::Pending(consumer, _) => consumer.log.as_str(),
            condition => condition.key().map_or("", Key::as_str),
        };
        let key = self.key(client, about);
        let (what, args) = match condition {
            Condition::Version(_, version) => ("version", vec![Data::from(version::to_hex(*version))]),
            Condition::Exists(_, there) => ("exists", vec![flag(*there)]),
            Condition::Value(_, value) => ("value", vec![value.clone()]),
            Condition::Field(_, field, value) => {
                let there = flag(value.is_some());
                ("field", vec![field.clone(), there, value.clone().unwrap_or_else(|| Data::from(""))])
            }
            Condition::Member(_, member, there) => ("member", vec![member.clone(), flag(*there)]),
            Condition::Length(_, length) => {
                ("length", vec![Data::from(i64::try_from(*length).unwrap_or(i64::MAX))])
            }
            Condition::Pending(consumer, id) => {
                let of = [consumer.group.as_str(), consumer.name.as_str()];
                let id = id.to_string();
                ("pending", of.into_iter().chain([id.as_str()]).map(Data::from).collect())
            }
        };
        self.conditions.add([Data::from(what), key].into_iter().chain(args));
    }

    /// Writes the commands, those with many arguments in parts.
    fn write_steps(&mut self, client: &Client) {
        let may_fail = self.steps.iter().rposition(|(_, wire, _)| wire.may_fail());
        let mut steps = std::mem::take(&mut self.steps);
        for (index, (key, wire, parts)) in steps.iter_mut().enumerate() {
            let place = self.key(client, key);
            if wire.name == "SET" && self.set.iter().all(|(set, _)| set != key) {
                self.set.push((key.clone(), place.clone()));
            }
            let undo = flag(wire.writes && may_fail.is_some_and(|last| index < last));
            let asked = Data::from(wire.asked.map_or_else(String::new, |kind| kind.to_string()));
            let mut chunks = wire.args.chunks(ARGUMENTS);
            let first = chunks.next().unwrap_or_default();
            for args in std::iter::once(first).chain(chunks) {
                *parts += 1;
                let head = [Data::from(wire.name), place.clone(), asked.clone(), undo.clone()];
                let args = std::iter::once(number(args.len())).chain(args.iter().cloned());
                self.parts.add(head.into_iter().chain(args));
            }
        }
        self.steps = steps;
    }

    fn log_step(&mut self, client: &Client, step: &LogStep) -> Result<(), Error> {
        match step {
            LogStep::Append(log, event) => {
                let key = self.key(client, log.as_str());
                let args = appended(event).ok_or_else(|| too_many_fields(log))?;
                let place = [Data::from("XADD"), key, number(args.len() + 1), Data::from("*")];
                self.log_steps.add(place.into_iter().chain(args));
            }
            LogStep::Acknowledge(log, group, ids) => {
                let key = self.key(client, log.as_str());
                for ids in ids.chunks(ARGUMENTS) {
                    let place = [Data::from("XACK"), key.clone(), number(ids.len() + 1)];
                    let ids = ids.iter().map(|id: &EventId| Data::from(id.to_string()));
                    let args = std::iter::once(Data::from(group.as_str())).chain(ids);
                    self.log_steps.add(place.into_iter().chain(args));
                }
            }
        }
        Ok(())
    }
}

/// The names and values of an event one behind the other; `None` if a script cannot take that many.
pub(super) fn appended(event: &Event) -> Option<Vec<Data>> {
    let fields = super::entries::written(event);
    (fields.len() <= FIELDS)
        .then(|| fields.into_iter().flat_map(|(name, json)| [Data::from(name), Data::from(json)]).collect())
}

fn too_many_fields(log: &LogName) -> Error {
    let reason = format!("an event of more than {FIELDS} fields cannot be appended by a transaction");
    super::explain::refused(&Key::from(log.as_str()), reason)
}
