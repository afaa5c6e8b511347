//! Why a run does not go on.

use super::slot::{Phase, Slot};
use super::status::Status;
use super::{Error, Inspected, Inspection, Place, RunId, State, Waiting, Workflows, stall};
use crate::flow::Graph;
use serde::Serialize;
use std::collections::HashMap;
use std::time::Duration;

/// What a run waits for.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema), schema(as = WhyRunWaits))]
#[non_exhaustive]
pub struct Why {
    /// Its id, in the short form.
    #[serde(serialize_with = "super::inspection::short")]
    #[cfg_attr(feature = "http", schema(value_type = String))]
    pub id: RunId,
    /// How far it is.
    #[serde(rename = "state")]
    pub status: Status,
    /// What is to be said of the run as a whole, in a sentence.
    pub says: String,
    /// What its steps wait for.
    pub waits: Vec<Wait>,
}

/// What a step waits for.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema), schema(as = StepWait))]
#[non_exhaustive]
pub struct Wait {
    /// The index of its node.
    pub index: u32,
    /// The part of the run it is in, see [`Place`].
    #[serde(skip_serializing_if = "super::inspection::is_zero")]
    pub part: u32,
    /// What it is.
    pub name: String,
    /// What kind of thing.
    #[serde(rename = "for")]
    pub waits_for: WaitKind,
    /// In a sentence that begins with its name.
    pub says: String,
    /// What exactly, where it waits as its task says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
    /// The steps whose ends it waits for, by their indices.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<u32>,
}

/// What kind of thing a step waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema), schema(as = StepWaitKind))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WaitKind {
    /// As its task says: a person, an event, a latch, a time, the answer to a request.
    Task,
    /// Its work, which somebody does.
    Work,
    /// A worker or an engine that takes it.
    Worker,
    /// The time of its next attempt.
    Attempt,
    /// Its items.
    Items,
    /// Other steps.
    Steps,
    /// That the run goes on: it is paused, has failed or was terminated.
    Run,
}

/// For how long a task may be in nobody's hands before that is worth a word.
const A_WHILE: Duration = Duration::from_secs(5);

impl Workflows {
    /// What a run waits for, and each step of it that has begun or has been reached.
    ///
    /// # Errors
    ///
    /// [`Error::NoRun`], [`Error::Damaged`].
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn why(&self, id: &RunId) -> Result<Why, Error> {
        let run = self.inspect(id).await?;
        let loaded = self.load(id).await?;
        let untaken = self.untaken(&run, A_WHILE).await?;
        let is_attended = !self.is_open() || self.is_attended().await?;
        let (graph, state) = (loaded.definition.graph(), &loaded.state);
        let mut waits: Vec<Wait> =
            run.steps.iter().filter_map(|step| wait(graph, state, step, &untaken)).collect();
        waits.sort_by_key(|wait| (wait.part, wait.index));
        Ok(Why { id: id.clone(), status: run.status, says: says(&run, is_attended), waits })
    }
}

/// What is to be said of a run as a whole.
fn says(run: &Inspection, is_attended: bool) -> String {
    let failures: Vec<String> = run.failures.iter().map(ToString::to_string).collect();
    match run.status {
        Status::Finished => "It has finished.".to_owned(),
        Status::Failed => format!("It has failed: {}. A restart goes on from there.", failures.join("; ")),
        Status::Terminated => "It was terminated. A restart goes on from there.".to_owned(),
        Status::Terminating => {
            "It is being terminated: its tasks are told to stop. A second time does not wait for them."
                .to_owned()
        }
        Status::Running if run.paused => "It is paused: nothing starts until it is resumed.".to_owned(),
        Status::Running if !is_attended => {
            "No engine is at work, so nothing goes on: start `mape serve` or `mape worker`.".to_owned()
        }
        Status::Running if !run.in_hand => {
            "No engine has it in hand: one that has its tasks takes it up within some seconds.".to_owned()
        }
        Status::Running => "It goes on.".to_owned(),
    }
}

fn wait(graph: &Graph, state: &State, step: &Inspected, untaken: &HashMap<Place, String>) -> Option<Wait> {
    let place = Place { node: step.index, part: step.part };
    let slot = state.slot(place)?;
    let mut steps = Vec::new();
    let name = &step.name;
    let (waits_for, says) = match step.phase {
        Phase::Active => match (&step.waiting, untaken.get(&place)) {
            (_, Some(why)) => (WaitKind::Worker, format!("{name} waits for a worker: {why}")),
            (Some(waiting), None) => (WaitKind::Task, format!("{name} {waiting}")),
            (None, None) => (WaitKind::Work, format!("{name} is at work{}", since(step))),
        },
        Phase::BackingOff => {
            let why = step.reason.as_deref().unwrap_or("it failed");
            let says =
                format!("{name} waits for its next attempt at {}, for the last one failed: {why}", slot.due);
            (WaitKind::Attempt, says)
        }
        Phase::Iterating => (WaitKind::Items, format!("{name} waits for its items, which are in work")),
        Phase::Idle if state.held.contains(&place) || state.can_fire(graph, place) => {
            (WaitKind::Run, format!("{name} begins when the run goes on"))
        }
        Phase::Idle if has_been_reached(graph, place, slot) => {
            let missing = stall::missing(graph, state, place);
            steps = missing.iter().filter_map(|node| u32::try_from(*node).ok()).collect();
            let whom: Vec<String> = missing.iter().map(|node| graph.label(*node)).collect();
            (WaitKind::Steps, format!("{name} waits for {}", listed(&whom)))
        }
        Phase::Failed => {
            let why = step.reason.as_deref().unwrap_or("nothing is known");
            (WaitKind::Run, format!("{name} has failed, and begins again with a restart: {why}"))
        }
        Phase::Cancelled => (WaitKind::Run, format!("{name} was cancelled, and begins again with a restart")),
        _ => return None,
    };
    let (name, waiting) = (name.clone(), step.waiting.clone().filter(|_| waits_for == WaitKind::Task));
    Some(Wait { index: place.node, part: place.part, name, waits_for, says, waiting, steps })
}

/// Whether something has come to a step, but not all that it needs.
fn has_been_reached(graph: &Graph, place: Place, slot: &Slot) -> bool {
    slot.arrivals > 0 && (slot.arrivals as usize) < graph.threshold(place.index()).max(1)
}

fn since(step: &Inspected) -> String {
    step.started.as_ref().map_or_else(String::new, |at| format!(" since {at}"))
}

fn listed(whom: &[String]) -> String {
    const MOST: usize = 5;
    if whom.is_empty() {
        return "another turn of what it follows".to_owned();
    }
    let shown = whom.iter().take(MOST).map(String::as_str).collect::<Vec<_>>().join(", ");
    match whom.len().saturating_sub(MOST) {
        0 => shown,
        more => format!("{shown}, and {more} more"),
    }
}
