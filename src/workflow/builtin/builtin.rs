//! What the built-in tasks may do.

use super::super::{Task, keys};
use super::hub::Hub;
use super::latches::Latches;
use super::{approve, countdown, delay, event, latch};
use crate::backend::Backend;
use std::fmt;
use std::sync::Arc;

/// The tasks that come with the engine, and what they may do.
///
/// ```
/// use mape::prelude::*;
/// use mape::workflow::{Builtin, Engine, Tasks};
/// use serde_json::json;
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), BoxError> {
/// let app = App::new();
/// let tasks = Tasks::new().with_all(Builtin::new(app.backend()).tasks());
/// let engine = Engine::start(&app, tasks).await?;
/// let run = engine.run("wait:delay (- duration: 5m30s -) → echo", json!({"x": 1})).await?;
/// assert_eq!(*run.output().await??, json!({"x": 1}));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Builtin {
    backend: Backend,
}

impl Builtin {
    /// Built-in tasks for the runs of a backend.
    #[must_use]
    pub fn new(backend: &Backend) -> Self {
        Self { backend: backend.clone() }
    }

    /// The tasks, to be [registered](super::super::Tasks::with_all).
    #[must_use]
    pub fn tasks(&self) -> Vec<Task> {
        let hub = Arc::new(Hub::new(self.backend.events().log(keys::LOG)));
        let latches = Latches { store: self.backend.store() };
        vec![
            Task::echo("echo"),
            Task::log(),
            delay::task(),
            event::task(hub),
            latch::acquire(latches.clone()),
            latch::release(latches.clone()),
            countdown::task(latches),
            approve::task(),
        ]
    }
}

impl fmt::Debug for Builtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builtin").field("backend", &self.backend).finish_non_exhaustive()
    }
}
