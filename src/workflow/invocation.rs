//! One attempt at a task.

use super::worker::Begun;
use super::{Outcome, Place, RunId, Time};
use crate::event::EventId;
use crate::stream::trace::TraceContext;
use serde_json::Value;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;

/// What a task is given: one attempt at one step of a run. Cheap to clone.
#[derive(Clone)]
pub struct Invocation(Arc<Inner>);

pub(super) struct Inner {
    pub(super) run: RunId,
    pub(super) place: Place,
    pub(super) items: Vec<u32>,
    pub(super) attempt: u32,
    pub(super) name: Arc<str>,
    pub(super) base: Arc<str>,
    pub(super) parameters: Arc<Value>,
    pub(super) input: Arc<Value>,
    pub(super) since: Time,
    pub(super) cancelled: AtomicBool,
    pub(super) elsewhere: AtomicBool,
    pub(super) told: Notify,
    /// The event by which a worker was given it.
    pub(super) begun: Option<Begun>,
    /// The trace to which it belongs.
    pub(super) context: Option<TraceContext>,
}

impl Invocation {
    pub(super) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// One that belongs to no run, to try a task by itself.
    #[must_use]
    pub fn alone(name: &str, parameters: Value, input: Value) -> Self {
        Self::of_job(RunId::from("alone"), 1, name, parameters, input)
    }

    /// One that belongs to no run but to something else of that name, which has so many attempts.
    pub(crate) fn of_job(run: RunId, attempt: u32, name: &str, parameters: Value, input: Value) -> Self {
        Self::new(Inner {
            run,
            place: Place::node(1),
            items: Vec::new(),
            attempt,
            name: name.into(),
            base: name.into(),
            parameters: Arc::new(parameters),
            input: Arc::new(input),
            since: Time::now(),
            cancelled: AtomicBool::new(false),
            elsewhere: AtomicBool::new(false),
            told: Notify::new(),
            begun: None,
            context: TraceContext::current(),
        })
    }

    /// The run it belongs to.
    #[must_use]
    pub fn workflow(&self) -> &RunId {
        &self.0.run
    }

    /// The task as the flow writes it; an alias is not resolved.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The task that is invoked; it decides who is asked.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.0.base
    }

    /// The index of the step in the flow.
    #[must_use]
    pub fn index(&self) -> u32 {
        self.0.place.node
    }

    /// The step, with the part of the run it is in.
    #[must_use]
    pub fn place(&self) -> Place {
        self.0.place
    }

    /// Which items of iterations it is for, from the outside in; empty outside of iterations.
    #[must_use]
    pub fn items(&self) -> &[u32] {
        &self.0.items
    }

    /// The number of this attempt at the step, from 1. It only goes up; work that must not be done twice keeps it, or
    /// [`key`](Self::key), beside its result.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.0.attempt
    }

    /// When the step began: the time of its first attempt, which is the same for those after a failure or a crash. What
    /// waits for a length of time waits from here.
    #[must_use]
    pub fn since(&self) -> Time {
        self.0.since
    }

    /// The parameters: an object or array, or any other literal of the flow; `{}` without any.
    #[must_use]
    pub fn parameters(&self) -> &Value {
        &self.0.parameters
    }

    /// The input: an object or array; `{}` without any.
    #[must_use]
    pub fn input(&self) -> &Value {
        &self.0.input
    }

    /// The input, to be passed on without a copy.
    #[must_use]
    pub fn shared_input(&self) -> Arc<Value> {
        self.0.input.clone()
    }

    /// A name for the work of this step that is the same for all attempts at it.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}/{}", self.0.run, self.step())
    }

    /// The step as it is named beside its run: its index, and the part if it is in an iteration.
    #[must_use]
    pub fn step(&self) -> String {
        self.0.place.to_string().trim_start_matches('#').to_owned()
    }

    /// The trace to which it belongs, with the span before it: that in which its run was begun. While the task is done,
    /// [`TraceContext::current`] is its own span.
    #[must_use]
    pub fn context(&self) -> Option<&TraceContext> {
        self.0.context.as_ref()
    }

    /// Whether its end is no longer wanted.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Ordering::Acquire)
    }

    /// Waits until its end is no longer wanted. A task that has something to clean up selects on this: it has
    /// [`Task::GRACE`](super::Task::GRACE) left then, before its future is dropped.
    ///
    /// # Cancel safety
    ///
    /// Yes.
    pub async fn cancelled(&self) {
        let told = self.0.told.notified();
        tokio::pin!(told);
        told.as_mut().enable();
        if !self.is_cancelled() {
            told.await;
        }
    }

    /// Whether its task has answered that it is under way elsewhere.
    pub(super) fn is_elsewhere(&self) -> bool {
        self.0.elsewhere.load(Ordering::Acquire)
    }

    pub(super) fn goes_on_elsewhere(&self) {
        self.0.elsewhere.store(true, Ordering::Release);
        if let Some(begun) = &self.0.begun {
            begun.goes_on_elsewhere(self.is_cancelled());
        }
    }

    /// The event `start-task` by which a worker was given it; nothing if an engine hosts its task.
    pub(super) fn begun_by(&self) -> Option<EventId> {
        self.0.begun.as_ref().map(Begun::id)
    }

    pub(super) fn cancel(&self) {
        self.0.cancelled.store(true, Ordering::Release);
        self.0.told.notify_waiters();
    }
}

impl fmt::Debug for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invocation")
            .field("workflow", &self.0.run)
            .field("name", &self.name())
            .field("place", &self.0.place)
            .field("attempt", &self.0.attempt)
            .field("begun_by", &self.begun_by())
            .field("input", &self.0.input)
            .finish_non_exhaustive()
    }
}

/// The end of an invocation, as the element of its task emits it.
#[derive(Clone, Debug)]
pub struct Ended {
    /// What has ended.
    pub invocation: Invocation,
    /// How; nothing if it was cancelled.
    pub outcome: Option<Outcome>,
}
