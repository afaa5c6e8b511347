//! Runs in the form of littleflow, as programs of other kinds read and write them.
//!
//! Beside the history of a run stand its definition as a matrix and steps, lists of changes of what is active (`S`) and
//! of the activations (`A`), its state as a word, and the outputs. They follow the history, but other programs may change
//! them, too: a change of ours is only kept if they are as the last one left them.
//!
//! Source: `littleflow_redis` 0.10, and `littleflow` 0.13.

use super::definition::Definition;
use super::record::Kept;
use super::state::{Mark, Marked, State};
use super::{Error, Phase, RunId, Status, Time, Workflows, keys};
use crate::event::ConsumerName;
use crate::flow::Graph;
use crate::knowledge::{Data, Transaction};
use serde_json::Value as Json;
use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;

/// Vectors of more steps than this are written as pairs of index and number: Python's form of them cannot be read back.
const DENSE: usize = 1_000;

/// How a run stands there after the last change of ours, which is the condition of the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wire {
    /// How long the lists of changes are.
    pub(super) active: u64,
    pub(super) activations: u64,
    /// The state, as a word.
    pub(super) word: Data,
    /// What the lists add up to, if others have written to them, too.
    pub(super) sums: Option<Box<Sums>>,
}

/// What the lists of changes add up to, a number a step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) active: Vec<i64>,
    pub(super) activations: Vec<i64>,
}

impl Wire {
    /// Of a run that is not there yet.
    pub(super) fn new() -> Self {
        Self { active: 0, activations: 0, word: Data::from(""), sums: None }
    }

    /// That nobody else has changed anything.
    pub(super) fn unchanged(&self, id: &RunId, change: Transaction) -> Transaction {
        let state = keys::state(id);
        let change = if self.word.is_empty() {
            change.expect_absent(state)
        } else {
            change.expect_value(state, self.word.clone())
        };
        change
            .expect_length(keys::active(id), self.active)
            .expect_length(keys::activations(id), self.activations)
    }
}

/// What a change of a run writes there.
pub(super) struct Written {
    pub(super) change: Transaction,
    /// How it stands then.
    pub(super) then: Wire,
}

/// Adds to a change what it means there: `marks` are the changes at nodes since the last one, `known` the outputs that
/// stand there already.
pub(super) fn written(
    change: Transaction,
    id: &RunId,
    (definition, state): (&Definition, &State),
    (marks, known): (&[Mark], &HashSet<u32>),
    (before, at): (&Wire, Time),
) -> Written {
    let count = definition.graph().nodes().len();
    let (mut active, mut activations) = entries(marks);
    let mut then = before.clone();
    if let Some(sums) = &mut then.sums {
        add_up(&mut sums.active, &active);
        add_up(&mut sums.activations, &activations);
        if state.status().is_over() && state.open() == 0 {
            // What others have left out or done twice.
            active.extend(correction(&mut sums.active, |node| target_of(state, node)));
            activations.extend(correction(&mut sums.activations, |node| arrived_at(state, node)));
        }
    }
    then.active += active.len() as u64;
    then.activations += activations.len() as u64;
    then.word = state.status().word().into();
    let change = if before.active > 0 && status(&before.word).is_none() {
        // The word is gone, or says nothing.
        change.set(keys::state(id), then.word.clone())
    } else {
        change
    };
    let line = |entry: &Entry| line(at, entry, count);
    let mut change = change
        .lpush_all(keys::activations(id), activations.iter().map(line))
        .lpush_all(keys::active(id), active.iter().map(line));
    for node in ended(marks) {
        if known.contains(&node) {
            continue;
        }
        if let Some(output) = state.output_of(node as usize) {
            change = change.set(keys::output(id, node.into()), output.to_string());
        }
    }
    Written { change, then }
}

/// Which steps have failed, as the vector of littleflow; nothing if none has.
pub(super) fn failures(definition: &Definition, state: &State) -> Option<String> {
    let failed: Entry = state.failures().iter().map(|failure| (failure.index, 1)).collect();
    let count = definition.graph().nodes().len();
    (!failed.is_empty()).then(|| numbers(&failed, count).trim_start().to_owned())
}

/// A change: a number for each node at which something changes.
type Entry = BTreeMap<u32, i64>;

/// The changes at nodes as few entries, in which each node changes once.
fn entries(marks: &[Mark]) -> (Vec<Entry>, Vec<Entry>) {
    let (mut active, mut activations) = (Vec::<Entry>::new(), Vec::<Entry>::new());
    for mark in marks {
        let (to, by) = match mark.what {
            Marked::Active(by) => (&mut active, by),
            Marked::Activations(by) => (&mut activations, by),
        };
        match to.last_mut().filter(|last| !last.contains_key(&mark.node)) {
            Some(last) => drop(last.insert(mark.node, by.into())),
            None => to.push(Entry::from([(mark.node, by.into())])),
        }
    }
    (active, activations)
}

fn ended(marks: &[Mark]) -> impl Iterator<Item = u32> {
    marks.iter().filter(|mark| mark.what == Marked::Active(-1)).map(|mark| mark.node)
}

fn add_up(sums: &mut [i64], entries: &[Entry]) {
    for (node, by) in entries.iter().flatten() {
        if let Some(sum) = sums.get_mut(*node as usize) {
            *sum = sum.saturating_add(*by);
        }
    }
}

/// The entry that makes sums what they should be, if they are not.
fn correction(sums: &mut [i64], should: impl Fn(usize) -> i64) -> Option<Entry> {
    let mut entry = Entry::new();
    for (node, sum) in sums.iter_mut().enumerate() {
        let by = should(node).saturating_sub(*sum);
        if by != 0 {
            *sum = sum.saturating_add(by);
            entry.insert(u32::try_from(node).unwrap_or(u32::MAX), by);
        }
    }
    (!entry.is_empty()).then_some(entry)
}

/// 1 if a step is active: also if it failed or was cancelled, for then it can be restarted.
pub(super) fn target_of(state: &State, node: usize) -> i64 {
    let phase = state.phase(super::Place::of(node, 0));
    i64::from(phase.is_open() || matches!(phase, Phase::Failed | Phase::Cancelled))
}

pub(super) fn arrived_at(state: &State, node: usize) -> i64 {
    state.slot(super::Place::of(node, 0)).map_or(0, |slot| {
        let tokens = i64::try_from(slot.tokens.len()).unwrap_or(i64::MAX);
        i64::from(slot.arrivals).saturating_add(tokens)
    })
}

/// An entry as it stands in a list: a time, and a number a step.
fn line(at: Time, entry: &Entry, count: usize) -> String {
    format!("{at}{}", numbers(entry, count))
}

fn numbers(entry: &Entry, count: usize) -> String {
    let mut text = String::new();
    if count > DENSE {
        for (node, by) in entry {
            let _ = write!(text, " {node}:{by}");
        }
        return text;
    }
    for node in 0..u32::try_from(count).unwrap_or(u32::MAX) {
        let _ = write!(text, " {}", entry.get(&node).copied().unwrap_or(0));
    }
    text
}

/// Reads an entry; nothing if it is none of `count` numbers.
pub(super) fn read_line(line: &str, count: usize) -> Option<(Time, Vec<i64>)> {
    let mut words = line.split_ascii_whitespace();
    let at: jiff::Timestamp = words.next()?.parse().ok()?;
    let at = Time::from_micros(u64::try_from(at.as_microsecond()).ok()?);
    Some((at, read_numbers(words, count)?))
}

/// Reads the numbers of a vector; nothing if there are not `count`.
pub(super) fn read_numbers<'t>(words: impl Iterator<Item = &'t str>, count: usize) -> Option<Vec<i64>> {
    if count > DENSE {
        let mut vector = vec![0; count];
        for word in words {
            let (node, by) = word.split_once(':')?;
            *vector.get_mut(node.parse::<usize>().ok()?)? = by.parse().ok()?;
        }
        return Some(vector);
    }
    let vector = words.map(|word| word.parse().ok()).collect::<Option<Vec<i64>>>()?;
    (vector.len() == count).then_some(vector)
}

/// Adds up a list of changes, newest first; entries that are none are left out.
pub(super) fn sum(lines: &[Data], count: usize) -> Vec<i64> {
    let mut sum = vec![0_i64; count];
    for (_, entry) in lines.iter().filter_map(|line| read_line(line.as_str()?, count)) {
        for (sum, by) in sum.iter_mut().zip(entry) {
            *sum = sum.saturating_add(by);
        }
    }
    sum
}

/// A definition in the form of littleflow, and what is to be kept of it elsewhere, if that does not say everything and
/// its steps are the same.
pub(super) fn definition(definition: &Definition, kept: &Kept) -> Result<(Json, bool), serde_json::Error> {
    let (mut form, says_all) = definition.graph().to_python_as_far_as_possible();
    let is_plain = says_all && definition.is_plain();
    if !is_plain && let Some(keys) = form.as_object_mut() {
        keys.insert("mape".to_owned(), serde_json::to_value(kept)?);
    }
    Ok((form, is_plain))
}

/// Refuses what littleflow does not know where a program of its kind turns runs, too.
pub(super) fn fits(
    workflows: &Workflows,
    definition: &Definition,
    foreign: Option<&ConsumerName>,
) -> Result<(), Error> {
    let Some(consumer) = foreign else { return Ok(()) };
    if definition.is_plain() && definition.graph().to_python_as_far_as_possible().1 {
        return Ok(());
    }
    Err(Error::Foreign { consumer: consumer.to_string(), group: workflows.names().ending.to_string() })
}

/// Reads a definition in the form of littleflow.
pub(super) fn read_definition(form: &str) -> Result<Kept, String> {
    #[derive(serde::Deserialize)]
    struct Form {
        mape: Option<Json>,
        /// Of an archive of ours that another program has restored.
        definition: Option<Kept>,
    }
    let Form { mape, definition } = serde_json::from_str(form).map_err(|error| error.to_string())?;
    if let Some(kept) = mape.filter(Json::is_object) {
        return serde_json::from_value(kept).map_err(|error| error.to_string());
    }
    if let Some(kept) = definition {
        return Ok(kept);
    }
    let graph = Graph::from_json(form).map_err(|error| error.to_string())?;
    let definition = Definition::new(graph).map_err(|error| error.to_string())?;
    Ok(Kept::of(&definition, None))
}

/// The status that a word says, as other programs write it.
pub(super) fn status(word: &Data) -> Option<Status> {
    Status::of_word(word.as_str()?.trim_matches('"'))
}
