//! Where runs are kept: the names of littleflow, and some of our own.

use super::RunId;
use crate::knowledge::{Data, Key};

/// The log of events about runs.
pub(super) const LOG: &str = "workflows:run";
/// All runs, newest first.
pub(super) const ALL: &str = "workflows:all";
/// Those that are not over.
pub(super) const IN_PROGRESS: &str = "workflows:inprogress";
/// Which engine has a run in hand.
pub(super) const OWNERS: &str = "workflows:owners";
/// The group of engines.
pub(super) const GROUP: &str = "ending";

/// The definition.
pub(super) fn definition(id: &RunId) -> Key {
    id.full().into()
}

/// The status, as a word.
pub(super) fn state(id: &RunId) -> Key {
    format!("{}:state", id.full()).into()
}

/// The history: a hash of records by their number. That a number is free is the condition of the next change, so of two
/// that change a run at once one finds out.
pub(super) fn steps(id: &RunId) -> Key {
    format!("{}:steps", id.full()).into()
}

/// The sign of life of an engine.
pub(super) fn engine(engine: &str) -> Key {
    format!("workflows:engine:{engine}").into()
}

/// A latch: a hash of its holds.
pub(super) fn latch(name: &str) -> Key {
    format!("workflow:latch:{name}").into()
}

/// Which holds a run has, and which steps have given one back.
pub(super) fn held(id: &RunId) -> Key {
    format!("{}:held", id.full()).into()
}

/// Which requests of a run are answered later, and by what token.
#[cfg(feature = "http-client")]
pub(super) fn callbacks(id: &RunId) -> Key {
    format!("{}:callbacks", id.full()).into()
}

pub(super) fn number(n: u64) -> Data {
    n.to_string().into()
}

/// The run that was changed last by somebody who has it not in hand; engines watch it.
pub(super) const CHANGED: &str = "workflows:changed";
