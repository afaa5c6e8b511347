//! What is counted of runs and tasks.

use super::{Status, Time};
use crate::stream::meter::{Kind, Meter};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// Runs, as the engine of this process sees them.
static RUNS: Kind = Kind {
    name: "workflow",
    label: "status",
    counters: &[("runs", "Runs that came into this status by a change of this engine.")],
    gauges: &[],
    latency: Some(("run", "From when a run began until it came into this status.")),
};

/// An engine.
static ENGINE: Kind = Kind {
    name: "engine",
    label: "engine",
    counters: &[
        ("changes", "Changes of runs that were kept."),
        ("crossings", "Changes that were not kept, because another engine had come before."),
    ],
    gauges: &[("runs", "Runs that it has in hand.")],
    latency: Some(("keeping", "How long it takes to keep what has come in together.")),
};

/// Tasks, as the engine of this process sees them.
static TASK: Kind = Kind {
    name: "task",
    label: "task",
    counters: &[
        ("started", "Attempts that were begun."),
        ("retried", "Those of them that were not the first of their step."),
        ("completed", "Attempts that gave an output."),
        ("failed", "Attempts that failed."),
        ("cancelled", "Attempts that were stopped."),
    ],
    gauges: &[],
    latency: Some(("step", "From when a step became active until it gave an output.")),
};
const STARTED: usize = 0;
const RETRIED: usize = 1;

/// How an attempt ended.
#[derive(Clone, Copy)]
pub(super) enum How {
    Completed = 2,
    Failed = 3,
    Cancelled = 4,
}

/// Tasks that a worker carries out.
pub(super) static WORKER: Kind = Kind {
    name: "worker",
    label: "task",
    counters: &[
        ("completed", "Tasks that gave an output."),
        ("failed", "Tasks that failed."),
        ("cancelled", "Tasks that were stopped."),
    ],
    gauges: &[],
    latency: None,
};

pub(crate) static KINDS: [&Kind; 4] = [&RUNS, &ENGINE, &TASK, &WORKER];

/// Names of tasks that are told apart; those beyond are counted as `other`.
const TASKS: usize = 500;

/// The meters of an engine.
pub(super) struct Metered {
    runs: HashMap<&'static str, Arc<Meter>>,
    tasks: HashMap<Arc<str>, Arc<Meter>>,
    engine: Arc<Meter>,
}

impl Metered {
    pub(super) fn new(engine: &str) -> Self {
        let engine = Meter::new(&ENGINE, engine);
        Self { runs: HashMap::new(), tasks: HashMap::new(), engine }
    }

    pub(super) fn hosts(&self, runs: usize) {
        self.engine.set(0, runs as f64);
    }

    pub(super) fn changed(&self) {
        self.engine.add(0, 1);
    }

    pub(super) fn kept_within(&self, took: Option<Duration>) {
        if let Some(took) = took {
            self.engine.record(took);
        }
    }

    pub(super) fn crossed(&self) {
        self.engine.add(1, 1);
    }

    pub(super) fn became(&mut self, status: Status, began: Option<Time>, now: Time) {
        let word = status.word();
        let meter = self.runs.entry(word).or_insert_with(|| Meter::new(&RUNS, word.to_lowercase()));
        meter.add(0, 1);
        if let Some(began) = began.filter(|_| status.is_over()) {
            meter.record(now.since(began));
        }
    }

    pub(super) fn started(&mut self, task: &Arc<str>, attempt: u32) {
        let meter = self.task(task);
        meter.add(STARTED, 1);
        if attempt > 1 {
            meter.add(RETRIED, 1);
        }
    }

    pub(super) fn ended(&mut self, task: &Arc<str>, how: How, since: Option<Time>, now: Time) {
        let meter = self.task(task);
        meter.add(how as usize, 1);
        if let (How::Completed, Some(since)) = (how, since) {
            meter.record(now.since(since));
        }
    }

    fn task(&mut self, task: &Arc<str>) -> &Meter {
        let other = || Arc::<str>::from("other");
        let known = self.tasks.len() < TASKS || self.tasks.contains_key(task);
        let name = if known { task.clone() } else { other() };
        self.tasks.entry(name).or_insert_with_key(|name| Meter::new(&TASK, &**name))
    }
}
