//! What a service says, as far as it is shown. What an older one does not say is absent, what a newer one says besides is
//! left out.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// `GET /topology`, and the event `topology`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Topology {
    pub(super) levels: Vec<Level>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Level {
    pub(super) uid: String,
    pub(super) loops: Vec<Loop>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Loop {
    pub(super) uid: String,
    pub(super) elements: Vec<Element>,
}

/// An element, also by itself: `GET /loops/{loop}/elements/{element}`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Element {
    pub(super) path: String,
    pub(super) role: String,
    pub(super) state: String,
    pub(super) start: String,
    pub(super) acts_only: bool,
    pub(super) input: Input,
    pub(super) output: Output,
    pub(super) errors: u64,
    pub(super) restarts: u64,
    pub(super) latency: Option<Spread>,
    pub(super) parameters: BTreeMap<String, Value>,
    pub(super) methods: Vec<String>,
    pub(super) destinations: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Input {
    pub(super) item: String,
    pub(super) operators: Vec<String>,
    pub(super) received: u64,
    pub(super) skipped: u64,
    pub(super) dropped: u64,
    pub(super) queued: u64,
    pub(super) sources: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Output {
    pub(super) item: String,
    pub(super) operators: Vec<String>,
    pub(super) emitted: u64,
    pub(super) unheard: u64,
    pub(super) links: Vec<Link>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Link {
    pub(super) id: u64,
    /// The element that it leads to; nothing for whoever else listens.
    pub(super) to: Option<String>,
    pub(super) feedback: bool,
    pub(super) stats: LinkStats,
    pub(super) wait: Option<Spread>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct LinkStats {
    pub(super) offered: u64,
    pub(super) dropped: u64,
    pub(super) skipped: u64,
    pub(super) queued: u64,
    pub(super) capacity: u64,
    pub(super) overflow: String,
    pub(super) blocked_seconds: Option<f64>,
}

/// How times are spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Spread {
    pub(super) count: u64,
    pub(super) p50_seconds: Option<f64>,
    pub(super) p99_seconds: Option<f64>,
}

impl Spread {
    /// Half of them took no longer, in seconds; nothing before any is measured.
    pub(super) fn median(&self) -> Option<f64> {
        self.p50_seconds.filter(|_| self.count > 0)
    }

    /// All but one in a hundred took no longer, in seconds.
    pub(super) fn slow(&self) -> Option<f64> {
        self.p99_seconds.filter(|_| self.count > 0)
    }
}

/// What the event `counters` says of an element.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Counters {
    pub(super) state: String,
    pub(super) received: u64,
    pub(super) emitted: u64,
    pub(super) queued: u64,
    pub(super) dropped: u64,
    pub(super) skipped: u64,
    pub(super) errors: u64,
    pub(super) restarts: u64,
    pub(super) latency: Option<Spread>,
    pub(super) links: BTreeMap<String, Fill>,
}

/// How full a link is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fill {
    pub(super) queued: u64,
    pub(super) capacity: u64,
    pub(super) dropped: u64,
    pub(super) blocked_seconds: Option<f64>,
}

/// The event `event`: what has happened to an element.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Happened {
    pub(super) kind: String,
    pub(super) path: String,
    pub(super) state: Option<String>,
    pub(super) error: Option<String>,
    pub(super) name: Option<String>,
    pub(super) value: Option<Value>,
}

/// The event `missed`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Missed {
    pub(super) missed: u64,
}

/// `GET /runs`, newest first.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Runs {
    pub(super) runs: Vec<ListedRun>,
    pub(super) total: u64,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct ListedRun {
    pub(super) id: String,
    pub(super) flow: Option<String>,
    pub(super) state: Option<String>,
    pub(super) began: Option<String>,
    pub(super) ended: Option<String>,
}

/// `GET /runs/{id}`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Run {
    pub(super) id: String,
    pub(super) state: String,
    pub(super) paused: bool,
    pub(super) in_hand: bool,
    pub(super) began: Option<String>,
    pub(super) ended: Option<String>,
    pub(super) failures: Vec<Failure>,
    pub(super) steps: Vec<Step>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Failure {
    pub(super) step: String,
    pub(super) reason: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Step {
    pub(super) name: String,
    pub(super) phase: String,
    pub(super) items: Vec<u32>,
    pub(super) attempt: u32,
    pub(super) started: Option<String>,
    pub(super) ended: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) untaken_seconds: Option<u64>,
}

/// One of `GET /queues`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct TaskQueue {
    pub(super) name: String,
    /// Times are milliseconds.
    pub(super) settings: Map<String, Value>,
    pub(super) stats: Jobs,
}

/// How many jobs there are in a task queue, and who works on them.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Jobs {
    /// By level of priority from the lowest on.
    pub(super) waiting: Vec<u64>,
    pub(super) running: u64,
    pub(super) delayed: u64,
    pub(super) dead: u64,
    pub(super) outcomes: u64,
    pub(super) workers: u64,
    pub(super) paused: bool,
}

impl TaskQueue {
    pub(super) fn waiting(&self) -> u64 {
        self.stats.waiting.iter().sum()
    }

    /// Whether jobs wait that nobody works on, though nobody has paused them.
    pub(super) fn is_left_alone(&self) -> bool {
        self.stats.workers == 0 && !self.stats.paused && self.waiting() > 0
    }

    /// What it does.
    pub(super) fn state(&self) -> &'static str {
        match self.stats {
            Jobs { paused: true, .. } => "paused",
            Jobs { workers: 0, .. } => "no worker",
            Jobs { running: 1.., .. } => "at work",
            _ => "ready",
        }
    }
}

/// One of `GET /goals`: all that is told of it, as some of it is only shown.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(transparent)]
pub(super) struct Goal(pub(super) Map<String, Value>);

impl Goal {
    /// What it is called.
    pub(super) fn name(&self) -> &str {
        self.text("goal").or_else(|| self.text("name")).unwrap_or_default()
    }

    /// `met`, `violated`, `unknown`.
    pub(super) fn state(&self) -> &str {
        self.text("state").unwrap_or("unknown")
    }

    /// How far it is from being violated; less than nothing if it is.
    pub(super) fn margin(&self) -> Option<f64> {
        self.0.get("margin").and_then(Value::as_f64)
    }

    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(Value::as_str)
    }
}
