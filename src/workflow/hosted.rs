//! A run in the hands of an engine.

use super::definition::{parameters_of, task_of};
use super::history::Loaded;
use super::invocation::Inner;
use super::record::Record;
use super::state::State;
use super::step::{Unchanged, step};
use super::wire::Wire;
use super::{Cause, Command, Definition, Failure, Invocation, Place, RunId, Status, Tasks, Time, keys};
use crate::event::Delivery;
use crate::flow::NodeKind;
use crate::knowledge::{Data, Key};
use crate::stream::trace::TraceContext;
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

/// Who has work of a run in its process, as far as an engine knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// Nobody: all that is in work was announced in the log.
    Nobody,
    /// This engine.
    Us,
    /// Another one, that gave signs of life.
    Another,
}

/// A run as an engine has it: its state, and what has happened to it that is not kept yet.
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
    /// Attempts that this engine carries out and that have not ended.
    pub(super) in_hand: HashMap<Place, Invocation, RandomState>,
    pub(super) progress: watch::Sender<Progress>,
    pub(super) owner: Owner,
    /// Whether this engine may start things in it: it knows who does all of its tasks.
    pub(super) is_startable: bool,
    /// How it stands in littleflow's form, if it is kept in that, too.
    pub(super) wire: Option<Wire>,
    /// How it stands there when what has happened is kept.
    pub(super) then: Option<Wire>,
    /// The steps that have just ended whose outputs stand there already.
    pub(super) known: HashSet<u32>,
    /// When something last happened to it.
    pub(super) touched: Time,
    /// Another engine that has begun it: somebody may wait there for its end.
    pub(super) origin: Option<Data>,
    /// The trace to which it belongs.
    pub(super) context: Option<TraceContext>,
}

impl Hosted {
    pub(super) fn new(id: RunId, definition: Arc<Definition>, state: State, tasks: &Tasks) -> Self {
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
            is_startable: tasks.check(&definition).is_ok(),
            definition,
            state,
            next: 1,
            causes: Vec::new(),
            takes: false,
            commands: Vec::new(),
            deliveries: Vec::new(),
            in_hand: HashMap::default(),
            owner: Owner::Nobody,
            wire: None,
            then: None,
            known: HashSet::new(),
            touched: Time::now(),
            origin: None,
            context: None,
        }
    }

    /// One that is kept.
    pub(super) fn loaded(id: RunId, loaded: &Loaded, tasks: &Tasks) -> Self {
        let mut run = Self::new(id, loaded.definition.clone(), loaded.state.clone(), tasks);
        run.becomes(loaded);
        run.origin.clone_from(&loaded.origin);
        run.context = Record::context(&loaded.records);
        run
    }

    /// Makes it what others have made of it; what has happened here has to happen to that.
    pub(super) fn becomes(&mut self, loaded: &Loaded) {
        self.state = loaded.state.clone();
        self.next = loaded.next();
        self.causes = loaded.found.iter().cloned().collect();
        self.takes = false;
        self.commands.clear();
        self.stands(loaded.wire.clone());
    }

    /// How it stands in littleflow's form; the changes at its nodes that are there are of no interest any more.
    pub(super) fn stands(&mut self, wire: Option<Wire>) {
        self.state.marks = wire.is_some().then(Vec::new);
        self.wire = wire;
        self.then = None;
    }

    /// Whether a task of it is done in this process.
    pub(super) fn is_here(&self, place: Place) -> bool {
        self.calls.get(place.index()).and_then(Option::as_ref).is_some_and(|call| call.kind.is_some())
    }

    /// Whether what is to be done needs somebody who keeps at it: work in a process, a time to be waited for.
    pub(super) fn needs_owner(&self) -> bool {
        self.wire.is_none()
            || (self.state.status() == Status::Terminating && self.state.open() > 0)
            || self.commands.iter().any(|command| match command {
                Command::Start { place, .. } => {
                    let policy = self.definition.policy(place.node);
                    self.is_here(*place) || policy.is_some_and(|policy| policy.timeout.is_some())
                }
                Command::Wait { .. } => true,
                // Its owner has to hear of it.
                Command::Cancel { place, .. } => self.is_here(*place),
                Command::Became(_) => false,
            })
    }

    /// Whether this engine does what is to be done; else it leaves that to the owner, or to whoever can.
    pub(super) fn starts(&self) -> bool {
        match self.owner {
            Owner::Us => true,
            _ if !self.is_startable => false,
            Owner::Another => !self.needs_owner(),
            Owner::Nobody => true,
        }
    }

    /// Whether nothing can happen to it any more but a restart.
    pub(super) fn is_done(&self) -> bool {
        self.state.status().is_over() && self.state.open() == 0
    }

    /// The attempts that what is to be done starts in this process.
    pub(super) fn starts_here(&self) -> Vec<(Place, u32)> {
        self.commands.iter().filter_map(started).filter(|(place, _)| self.is_here(*place)).collect()
    }

    /// Lets it go a step in memory; whether anything changed.
    pub(super) fn apply(&mut self, now: Time, cause: Cause) -> Result<(), Unchanged> {
        step(&self.definition, &mut self.state, now, cause.clone(), &mut self.commands)?;
        self.causes.push(cause);
        Ok(())
    }

    /// Whether something has happened that is not kept yet.
    pub(super) fn is_touched(&self) -> bool {
        self.takes || !self.deliveries.is_empty() || self.has_happened()
    }

    /// Whether somebody here waits for its end.
    pub(super) fn is_waited_for(&self) -> bool {
        self.progress.receiver_count() > 0
    }

    /// Whether there is a cause of ours that is not kept yet.
    pub(super) fn has_happened(&self) -> bool {
        self.causes.iter().any(|cause| !matches!(cause, Cause::Found(_)))
    }

    /// What the task of a step is called.
    pub(super) fn task(&self, place: Place) -> Option<&Arc<str>> {
        self.calls.get(place.index())?.as_ref().map(|call| &call.base)
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
            context: self.context.clone(),
        });
        Some((invocation, call.kind))
    }

    /// Makes what is in hand that which the state says is in work: for a run that is taken over, or that somebody else has
    /// changed.
    pub(super) fn reconcile(&mut self, now: Time, loaded: &Loaded) {
        let fresh = &loaded.fresh;
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
        let mut taken = Vec::new();
        for (place, attempt, _) in active {
            if starts.contains(&(place, attempt)) {
                continue;
            }
            let is_it = |command: &&Command| started(command) == Some((place, attempt));
            if self.in_hand.get(&place).is_some_and(|held| held.attempt() == attempt) {
                if self.state.status() == Status::Terminating {
                    self.commands.push(Command::Cancel { place, attempt });
                }
            } else if let Some(start) = fresh.iter().find(is_it) {
                taken.push(start.clone());
            } else if self.owner == Owner::Us && loaded.here.contains(&(place, attempt)) {
                // It cannot be stale: it is what the state says.
                let _ = self.apply(now, Cause::Lost { place, attempt });
            }
        }
        for command in fresh {
            if let Command::Cancel { place, attempt } = command
                && current.get(place) == Some(attempt)
                && !self.is_here(*place)
                && !self.commands.contains(command)
            {
                taken.push(command.clone());
            }
        }
        if !taken.is_empty() {
            self.commands.extend(taken.iter().cloned());
            self.takes = self.starts();
            if !self.takes {
                // It is for others, as it was.
                self.commands.retain(|command| !taken.contains(command));
            }
        }
        if self.owner == Owner::Us || self.takes {
            for (place, attempt, until) in self.state.waiting() {
                self.commands.push(Command::Wait { place, attempt, until });
            }
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
