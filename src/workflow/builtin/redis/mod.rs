//! `redis:…`: commands of the server on which the runs are.
//!
//! A command that changes something is carried out once for each step: its answer is kept beside the run, in one with
//! what it does, so that a step that is begun again after a crash gets the answer, and does nothing.

mod commands;
mod permission;
mod task;

pub(super) use permission::Permission;
pub(super) use task::task;

use super::super::RunId;
use crate::knowledge::Key;

/// The answers to the commands of a run.
pub(super) fn answers(run: &RunId) -> Key {
    format!("mape:redis:{}", run.short()).into()
}

/// Takes the answers of a run away.
pub(super) async fn forget(
    store: &dyn crate::knowledge::Store,
    run: &RunId,
) -> Result<(), super::super::Error> {
    store.run(&answers(run), crate::knowledge::KeyCommand::Delete.into()).await?;
    Ok(())
}
