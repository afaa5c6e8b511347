//! What can go wrong with workflows.

use super::{Place, RunId, Status, Unchanged, WrongPolicy};
use crate::{app, element, event, flow, knowledge};

/// What can go wrong with workflows.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is no flow.
    #[error(transparent)]
    Flow(#[from] flow::Error),
    /// The flow invokes tasks that nobody hosts. Nothing was started.
    #[error("nobody has the task{} {}: {}", plural(.missing), listed(.missing), there(.known))]
    UnknownTask {
        /// Which.
        missing: Vec<String>,
        /// What there is.
        known: Vec<String>,
    },
    /// The flow says what littleflow cannot, and a program of another kind turns runs, too. Nothing was started.
    #[error(
        "{consumer}, a program of another kind, turns runs in the group {group}, and would damage one of this flow, \
         which has what it does not know (iteration, resources, guards, retries, cycles, or more than 1,000 steps): \
         end that program first"
    )]
    Foreign {
        /// Its consumer.
        consumer: String,
        /// The group of engines.
        group: String,
    },
    /// A parameter is no policy.
    #[error(transparent)]
    Policy(#[from] WrongPolicy),
    /// A task has no such parameter, or it cannot be what it is. Nothing was started.
    #[error("{}", first(.wrong))]
    Parameters {
        /// What is wrong, each with its task.
        wrong: Vec<String>,
    },
    /// The input is neither an object nor a list.
    #[error("the input of a flow has to be an object or a list, and is {found}")]
    Input {
        /// What it is.
        found: String,
    },
    /// There is no such run.
    #[error("there is no run {id}; `mape list` shows all of a backend")]
    NoRun {
        /// Which.
        id: RunId,
    },
    /// A run of this id exists, and is of another flow or has another input.
    #[error("there is a run {id} already, and it is another one: choose another id")]
    Exists {
        /// Which.
        id: RunId,
    },
    /// The run changed nothing.
    #[error("the run {id} stays as it is: {why}")]
    Unchanged {
        /// Which.
        id: RunId,
        /// Why.
        why: Unchanged,
    },
    /// What is archived is no run.
    #[error("the archive cannot be restored: {reason}")]
    Archive {
        /// Why.
        reason: String,
    },
    /// What is kept of a run cannot be read.
    #[error("the run {id} cannot be read: {reason}")]
    Damaged {
        /// Which.
        id: RunId,
        /// What is wrong.
        reason: String,
    },
    /// Only a run that is over can be deleted.
    #[error("the run {id} is {status}: terminate it first")]
    NotOver {
        /// Which.
        id: RunId,
        /// Its status.
        status: Status,
    },
    /// What a step that waits for a person was answered says neither yes nor no. It waits on.
    #[error(
        "{place} of the run {id} waits on: {reason}; answer {{\"approved\": false}}, or true or false alone"
    )]
    Answer {
        /// Of which run.
        id: RunId,
        /// The step.
        place: Place,
        /// What is wrong.
        reason: String,
    },
    /// There is no such schedule.
    #[error("there is no schedule `{name}`; `mape schedule list` shows all of a backend")]
    NoSchedule {
        /// Which.
        name: String,
    },
    /// There is a schedule of this name already.
    #[error("there is a schedule `{name}` already: remove it first, or choose another name")]
    ScheduleExists {
        /// Which.
        name: String,
    },
    /// A schedule cannot be as it is.
    #[error("the schedule `{name}` {reason}")]
    Schedule {
        /// Which.
        name: String,
        /// What is wrong: the end of a sentence that begins with it.
        reason: String,
    },
    /// A token for which no step waits.
    #[error("no step waits for an answer with this token: it has ended, was begun anew, or never was")]
    Token,
    /// The engine is gone, with all that it hosted; runs go on when another begins.
    #[error("the engine has ended")]
    EngineGone,
    /// The backend failed.
    #[error(transparent)]
    Knowledge(#[from] knowledge::Error),
    /// The backend failed.
    #[error(transparent)]
    Event(#[from] event::Error),
    /// The elements of the engine or of a task cannot be made.
    #[error("the element of a task cannot be made")]
    Spawn(#[from] element::SpawnError),
    /// The elements of the engine cannot be linked.
    #[error("the elements of the engine cannot be linked")]
    Link(#[from] element::LinkError),
    /// The loops of the engine cannot be made.
    #[error(transparent)]
    App(#[from] app::Error),
}

impl Error {
    /// Whether the same may do in a while.
    pub(crate) fn is_retryable(&self) -> bool {
        match self {
            Self::Knowledge(error) => error.is_retryable(),
            Self::Event(error) => error.is_retryable(),
            _ => false,
        }
    }
}

fn plural(list: &[String]) -> &'static str {
    if list.len() == 1 { "" } else { "s" }
}

fn listed(list: &[String]) -> String {
    list.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn there(known: &[String]) -> String {
    if known.is_empty() { "there are no tasks".to_owned() } else { format!("there are {}", listed(known)) }
}

/// As much as a message has room for.
fn first(wrong: &[String]) -> String {
    const MOST: usize = 10;
    let shown = wrong.iter().take(MOST).map(String::as_str).collect::<Vec<_>>().join("; ");
    match wrong.len().saturating_sub(MOST) {
        0 => shown,
        more => format!("{shown}; and {more} more"),
    }
}
