//! Where runs are kept: the names of littleflow, and some of our own.
//!
//! Under `workflow:` and `workflows:` stands what programs of other kinds know; everything else is under `mape:`.

use super::RunId;
use crate::event::{GroupName, LogName};
use crate::knowledge::{Data, Key};

/// What runs of a deployment have in common: the names that programs of other kinds may be told, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The log of events about runs. All engines, workers and clients of a backend have to have the same: deployments that
    /// share a server are kept apart by a prefix or a database each.
    pub log: LogName,
    /// The list of all runs, newest first.
    pub all: Key,
    /// The set of those that are not over.
    pub in_progress: Key,
    /// The group of engines.
    pub ending: GroupName,
    /// The group of those who list runs.
    pub lifecycle: GroupName,
}

impl Default for Names {
    /// Those of littleflow.
    fn default() -> Self {
        Self {
            log: "workflows:run".into(),
            all: "workflows:all".into(),
            in_progress: "workflows:inprogress".into(),
            ending: "ending".into(),
            lifecycle: "lifecycle".into(),
        }
    }
}

/// The log of events about runs, unless another is named.
pub(super) const LOG: &str = "workflows:run";
/// Which engine has work of a run in its process.
pub(super) const OWNERS: &str = "mape:owners";
/// The run that was changed last by somebody who starts nothing; engines watch it.
pub(super) const CHANGED: &str = "mape:changed";
/// Runs in which something is to be started that nobody has started yet.
pub(super) const WAITING: &str = "mape:waiting";

/// The definition.
pub(super) fn definition(id: &RunId) -> Key {
    id.full().into()
}

/// The status, as a word.
pub(super) fn state(id: &RunId) -> Key {
    under(id, "state")
}

/// The changes of what is active.
pub(super) fn active(id: &RunId) -> Key {
    under(id, "S")
}

/// The changes of the activations.
pub(super) fn activations(id: &RunId) -> Key {
    under(id, "A")
}

/// Which steps have failed.
pub(super) fn failed(id: &RunId) -> Key {
    under(id, "FAILED")
}

/// The output of a step; of -1, the input of the run.
pub(super) fn output(id: &RunId, node: i64) -> Key {
    format!("{}:output:{node}", id.full()).into()
}

fn under(id: &RunId, what: &str) -> Key {
    format!("{}:{what}", id.full()).into()
}

/// The history: a hash of records by their number. That a number is free is the condition of the next change, so of two
/// that change a run at once one finds out.
pub(super) fn steps(id: &RunId) -> Key {
    own(id, "run")
}

/// Which holds a run has, and which steps have given one back.
pub(super) fn held(id: &RunId) -> Key {
    own(id, "held")
}

/// Which requests of a run are answered later, and by what token.
#[cfg(feature = "http-client")]
pub(super) fn callbacks(id: &RunId) -> Key {
    own(id, "callbacks")
}

fn own(id: &RunId, what: &str) -> Key {
    format!("mape:{what}:{}", id.short()).into()
}

/// The sign of life of an engine.
pub(super) fn engine(engine: &str) -> Key {
    format!("mape:engine:{engine}").into()
}

/// A latch: a hash of its holds.
pub(super) fn latch(name: &str) -> Key {
    format!("mape:latch:{name}").into()
}

pub(super) fn number(n: u64) -> Data {
    n.to_string().into()
}
