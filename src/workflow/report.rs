//! What the engine is told.

use super::hosted::Origin;
use super::timers::Timer;
use super::{Definition, Ended, Error, RunId};
use crate::event::Delivery;
use crate::stream::trace::TraceContext;
use parking_lot::Mutex;
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::oneshot;

/// What the element of the engine is told.
#[derive(Clone)]
pub(super) enum Report {
    /// A task of this process has ended.
    Task(Ended),
    /// Something else; it is the engine's own.
    Other(Other),
}

impl std::fmt::Debug for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Task(ended) => f.debug_tuple("Task").field(ended).finish(),
            Self::Other(_) => f.write_str("Other"),
        }
    }
}

/// What is told by others than tasks.
#[derive(Clone)]
pub(super) struct Other(pub(super) Arc<Told>);

pub(super) enum Told {
    /// A time has come.
    Due(Timer),
    /// An event of the log.
    Event(Delivery<Value>),
    /// A run was changed by somebody else.
    Changed(RunId),
    /// Runs may have been changed by somebody else.
    Missed,
    /// Time to give a sign of life, and to look after runs that nobody has in hand.
    Tick,
    /// A run is to begin.
    Begin(Mutex<Option<Begin>>),
}

pub(super) struct Begin {
    pub(super) id: RunId,
    pub(super) definition: Arc<Definition>,
    pub(super) text: Option<Arc<str>>,
    pub(super) input: Option<Arc<Value>>,
    /// The trace to which it is to belong.
    pub(super) context: Option<TraceContext>,
    pub(super) answer: oneshot::Sender<Result<Origin, Error>>,
}

impl From<Told> for Report {
    fn from(told: Told) -> Self {
        Self::Other(Other(Arc::new(told)))
    }
}
