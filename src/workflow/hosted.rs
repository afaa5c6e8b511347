//! A run in the hands of an engine.

use super::definition::{parameters_of, task_of};
use super::invocation::Inner;
use super::state::State;
use super::step::{Unchanged, step};
use super::{Cause, Command, Definition, Failure, Invocation, Place, RunId, Status, Tasks, Time, keys};
use crate::event::Delivery;
use crate::flow::NodeKind;
use crate::knowledge::Key;
use foldhash::fast::RandomState;
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tokio::sync::{Notify, watch};

/// How a run ended, or how it stands.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// How far it is.
    pub status: Status,
    /// Its output, once it is finished.
    pub output: Option<Arc<Value>>,
    /// What failed for good.
    pub failures: Vec<Failure>,
}

impl Progress {
    pub(super) fn of(state: &State) -> Self {
        let output = state.output().filter(|_| state.status() == Status::Finished).cloned();
        Self { status: state.status(), output, failures: state.failures().to_vec() }
    }
}

/// Who tells how a run stands.
pub(super) type Origin = watch::Receiver<Progress>;

/// What an invocation of a node needs, made once.
struct Call {
    name: Arc<str>,
    base: Arc<str>,
    parameters: Arc<Value>,
    /// The kind that takes it; nothing if it is not hosted here.
    kind: Option<usize>,
}

/// A run in the hands of an engine: its state, and what has happened to it that is not kept yet.
pub(super) struct Hosted {
    pub(super) id: RunId,
    pub(super) definition: Arc<Definition>,
    pub(super) state: State,
    /// Where its history is.
    pub(super) steps: Key,
    /// The number of the next record.
    pub(super) next: u64,
    calls: Vec<Option<Call>>,
    pub(super) causes: Vec<Cause>,
    pub(super) commands: Vec<Command>,
    /// Whether it is to start what somebody else asked for, which is kept first: whoever comes after a crash has to know
    /// that it may have been begun.
    pub(super) takes: bool,
    /// Of the causes, those that came as events.
    pub(super) deliveries: Vec<Delivery<Value>>,
    /// Attempts that this engine has started and that have not ended.
    pub(super) in_hand: HashMap<Place, Invocation, RandomState>,
    pub(super) progress: watch::Sender<Progress>,
}

impl Hosted {
    pub(super) fn new(
        id: RunId,
        definition: Arc<Definition>,
        state: State,
        next: u64,
        tasks: &Tasks,
    ) -> Self {
        let calls = definition.graph().nodes().iter().map(|node| {
            let base = task_of(node.kind())?;
            let name = match node.kind() {
                NodeKind::Task { alias: Some(alias), .. } => alias.clone(),
                _ => base.into(),
            };
            let parameters = parameters_of(node.kind());
            Some(Call { name, base: base.into(), parameters, kind: tasks.position(base) })
        });
        Self {
            steps: keys::steps(&id),
            id,
            calls: calls.collect(),
            progress: watch::Sender::new(Progress::of(&state)),
            definition,
            state,
            next,
            causes: Vec::new(),
            takes: false,
            commands: Vec::new(),
            deliveries: Vec::new(),
            in_hand: HashMap::default(),
        }
    }

    /// Lets it go a step in memory; whether anything changed.
    pub(super) fn apply(&mut self, now: Time, cause: Cause) -> Result<(), Unchanged> {
        step(&self.definition, &mut self.state, now, cause.clone(), &mut self.commands)?;
        self.causes.push(cause);
        Ok(())
    }

    /// Whether something has happened that is not kept yet.
    pub(super) fn is_touched(&self) -> bool {
        !self.causes.is_empty() || self.takes || !self.deliveries.is_empty()
    }

    /// The invocation of an attempt, and the kind that takes it.
    pub(super) fn invocation(
        &self,
        place: Place,
        attempt: u32,
        input: Arc<Value>,
    ) -> Option<(Invocation, Option<usize>)> {
        let call = self.calls.get(place.index())?.as_ref()?;
        let invocation = Invocation::new(Inner {
            run: self.id.clone(),
            place,
            items: if place.part == 0 { Vec::new() } else { self.state.items(place.part) },
            attempt,
            name: call.name.clone(),
            base: call.base.clone(),
            parameters: call.parameters.clone(),
            input,
            since: self.state.times(place).0.unwrap_or_default(),
            cancelled: AtomicBool::new(false),
            elsewhere: AtomicBool::new(false),
            told: Notify::new(),
            begun: None,
        });
        Some((invocation, call.kind))
    }

    /// Makes what is in hand that which the state says is in work: for a run that is taken over, or that somebody else has
    /// changed. `fresh` are the starts that nobody has carried out yet.
    pub(super) fn reconcile(&mut self, now: Time, fresh: &[Command]) {
        let active = self.state.running(&self.definition);
        let current: HashMap<Place, u32> =
            active.iter().map(|(place, attempt, _)| (*place, *attempt)).collect();
        self.in_hand.retain(|place, invocation| {
            let wanted = current.get(place) == Some(&invocation.attempt());
            if !wanted {
                invocation.cancel();
            }
            wanted
        });
        let starts: HashSet<(Place, u32)> = self.commands.iter().filter_map(started).collect();
        for (place, attempt, _) in active {
            if starts.contains(&(place, attempt)) {
                continue;
            }
            let is_here = |command: &&Command| started(command) == Some((place, attempt));
            if self.in_hand.get(&place).is_some_and(|held| held.attempt() == attempt) {
                if self.state.status() == Status::Terminating {
                    self.commands.push(Command::Cancel { place, attempt });
                }
            } else if let Some(start) = fresh.iter().find(is_here) {
                self.takes = true;
                self.commands.push(start.clone());
            } else {
                // It cannot be stale: it is what the state says.
                let _ = self.apply(now, Cause::Lost { place, attempt });
            }
        }
        for (place, attempt, until) in self.state.waiting() {
            self.commands.push(Command::Wait { place, attempt, until });
        }
    }

    pub(super) fn tell(&self) {
        self.progress.send_replace(Progress::of(&self.state));
    }
}

/// The attempt that a command starts.
fn started(command: &Command) -> Option<(Place, u32)> {
    match command {
        Command::Start { place, attempt, .. } => Some((*place, *attempt)),
        _ => None,
    }
}
