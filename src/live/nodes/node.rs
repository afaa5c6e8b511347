//! One live server among others.

use super::cache::Cache;
use super::jobs::Jobs;
use super::outgoing::{Outgoing, Own};
use super::peers::Peers;
use super::pulls::Pulls;
use super::wire::{self, Field, LARGEST, What};
use super::{Extract, metered};
use crate::app::App;
use crate::channel::Channels;
use crate::event::Log;
use crate::knowledge::Knowledge;
use crate::live::hub::Hub;
use crate::live::{Body, Part};
use crate::stream::meter::Meter;
use parking_lot::{Mutex, RwLock};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

/// One live server among others on the same backend.
pub(in crate::live) struct Node {
    pub(super) id: Arc<str>,
    pub(super) hub: Arc<Hub>,
    pub(super) log: Log,
    pub(super) channels: Channels,
    pub(super) knowledge: Knowledge,
    pub(super) outgoing: Outgoing,
    pub(super) peers: Peers,
    pub(super) jobs: Jobs,
    pub(super) pulls: Pulls,
    pub(super) cache: Mutex<Cache>,
    pub(super) extracts: RwLock<BTreeMap<Arc<str>, Extract>>,
    pub(super) meter: Arc<Meter>,
    /// It has read what was there before it.
    pub(super) is_ready: watch::Sender<bool>,
    /// It knows who else is there.
    pub(super) has_looked: watch::Sender<bool>,
    /// It is to say goodbye.
    pub(super) leaving: Notify,
    pub(super) is_leaving: AtomicBool,
    /// It has said goodbye.
    pub(super) has_left: watch::Sender<bool>,
    /// Parts up to this number, or 0, are not in the log: whoever comes back across them is told so.
    unshared: AtomicU64,
}

impl Node {
    pub(in crate::live) fn new(app: &App, hub: Arc<Hub>) -> Self {
        let settings = hub.settings();
        let cache = Cache::new(settings.cache_bytes, settings.cache_lifetime);
        Self {
            id: format!("{:016x}", fastrand::u64(..)).into(),
            hub,
            log: app.logs().log(wire::LOG),
            channels: app.channels(),
            knowledge: app.knowledge(),
            outgoing: Outgoing::default(),
            peers: Peers::default(),
            jobs: Jobs::default(),
            pulls: Pulls::default(),
            cache: Mutex::new(cache),
            extracts: RwLock::default(),
            meter: Meter::new(&metered::NODE, ""),
            is_ready: watch::Sender::new(false),
            has_looked: watch::Sender::new(false),
            leaving: Notify::new(),
            is_leaving: AtomicBool::new(false),
            has_left: watch::Sender::new(false),
            unshared: AtomicU64::new(0),
        }
    }

    /// Lets parts go their way: at once to those who asked for the jobs, to all others by the log. Their jobs, which are
    /// kept by them, end behind them.
    pub(in crate::live) fn publish(&self, parts: &[Part]) {
        let served = self.hub.serve(parts);
        for (part, have) in parts.iter().zip(served) {
            if part.is_local {
                self.hub.arrive_here(&part.delivered(None));
            } else {
                self.share(part, have);
            }
        }
        self.meter.set(metered::WAITING, self.outgoing.waiting() as f64);
    }

    fn share(&self, part: &Part, have: Vec<u64>) {
        let job = part.job.as_ref().map(crate::live::Job::id);
        let own = Own {
            name: part.name.clone(),
            job,
            nr: part.nr,
            body: part.body.clone(),
            have,
            at: Instant::now(),
        };
        // Who asked for it at another node needs all of it.
        let is_asked_for = job.is_some_and(|job| self.jobs.is_taken(job));
        let extract = (!is_asked_for).then(|| self.extracts.read().get(&part.name).cloned()).flatten();
        let (field, json) = written(&part.body, extract.as_ref());
        let (field, json) = if json.len() <= LARGEST {
            (field, json)
        } else {
            self.meter.add(metered::UNSHARED, 1);
            let length = json.len();
            let error = format!(
                "{length} bytes are too many for other nodes to be told; they are told up to {LARGEST}"
            );
            (Field::Error, Value::from(error).to_string())
        };
        let gave_way = self.outgoing.put(|seq| {
            if field == Field::Values {
                let size = size_of(&part.body);
                let mut cache = self.cache.lock();
                cache.put(seq, part.body.clone(), size);
                self.meter.set(metered::KEPT_BYTES, cache.bytes() as f64);
            }
            What::Part { own, field, json }
        });
        self.only_here(gave_way);
    }

    /// Hands parts that the log does not bring to the clients of this node.
    pub(super) fn only_here(&self, owns: Vec<Own>) {
        if !owns.is_empty() {
            self.meter.add(metered::UNSHARED, owns.len() as u64);
            self.unshared.fetch_max(self.outgoing.last(), Ordering::AcqRel);
            self.hub.arrive(owns.into_iter().map(|own| own.arrived(None)).collect());
        }
    }
}

impl Node {
    /// Whether parts that are not in the log may have been before this one that is.
    pub(super) fn is_behind_unshared(&self, seq: u64) -> bool {
        let unshared = self.unshared.load(Ordering::Acquire);
        if unshared > 0 && seq > unshared {
            // Unless there are more by now.
            let _ = self.unshared.compare_exchange(unshared, 0, Ordering::AcqRel, Ordering::Acquire);
        }
        unshared > 0
    }
}

/// What the log is told of a part.
fn written(body: &Body, extract: Option<&Extract>) -> (Field, String) {
    match (body, extract) {
        (Body::Data(data), Some(extract)) => match extract.values_of(data) {
            Some(values) => (Field::Values, values.to_string()),
            None => (Field::Data, data.to_string()),
        },
        (Body::Data(data), None) => (Field::Data, data.to_string()),
        // It comes the same way, so that it stays behind the parts before it.
        (Body::Error(_), Some(_)) => (Field::Values, "null".to_owned()),
        (Body::Error(error), None) => (Field::Error, Value::from(&**error).to_string()),
    }
}

fn size_of(body: &Body) -> usize {
    match body {
        Body::Data(data) => data.to_string().len(),
        Body::Error(error) => error.len(),
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let waiting = self.outgoing.waiting();
        if waiting > 0 {
            tracing::warn!(
                waiting,
                "parts are lost that were not yet shared with other nodes; wait for `Live::flush`"
            );
        }
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").field("id", &self.id).finish_non_exhaustive()
    }
}
