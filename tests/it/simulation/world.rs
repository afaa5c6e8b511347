//! What all processes of a simulation share: the backend, chance, and the record of what happened.

use super::ledger::Ledger;
use fastrand::Rng;
use mape::backend::Backend;
use mape::event::{EventLog, Log};
use mape::knowledge::Store;
use parking_lot::Mutex;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// What all processes of a simulation share.
pub(super) struct World {
    /// The backend itself, without the way to it.
    pub(super) backend: Backend,
    pub(super) store: Arc<dyn Store>,
    pub(super) log: Arc<dyn EventLog>,
    pub(super) ledger: Ledger,
    random: Mutex<Rng>,
    began: Instant,
    /// Calls in the order in which they ended, with all they say if that is wanted.
    trace: Mutex<Vec<Call>>,
    tells: bool,
    /// Whether programs of other kinds share the backend.
    pub(super) is_open: bool,
}

/// A call of a process to the backend.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Call {
    /// Virtual milliseconds since the beginning.
    pub(super) at: u128,
    pub(super) process: Arc<str>,
    pub(super) what: &'static str,
    pub(super) on: Arc<str>,
    pub(super) how: How,
    /// All it says; empty unless it is to be told.
    pub(super) told: String,
}

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    Done,
    /// The backend said no.
    Refused,
    /// It was not carried out, and whoever called hears that something went wrong.
    NotDone,
    /// It was carried out, and whoever called does not know.
    Lost,
    /// Something that is no call.
    Note,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, process, what, on, how, told } = self;
        match how {
            How::Note => write!(f, "{at:>7} ms  {process:<9} {what} {on} {told}"),
            how => write!(f, "{at:>7} ms  {process:<9} {what:<12} {on:<28} {how:?} {told}"),
        }
    }
}

impl World {
    pub(super) fn new(seed: u64, is_open: bool, tells: bool) -> Arc<Self> {
        let backend = Backend::memory();
        Arc::new(Self {
            store: backend.store(),
            log: backend.event_log(),
            backend,
            ledger: Ledger::default(),
            random: Mutex::new(Rng::with_seed(seed ^ 0x5EED)),
            began: Instant::now(),
            trace: Mutex::default(),
            tells,
            is_open,
        })
    }

    pub(super) fn at(&self) -> Duration {
        self.began.elapsed()
    }

    pub(super) fn began(&self) -> Instant {
        self.began
    }

    /// A number below `end`, from the chance that all share.
    pub(super) fn below(&self, end: u64) -> u64 {
        self.random.lock().u64(..end)
    }

    /// Whether something happens that does so many times in a thousand.
    pub(super) fn happens(&self, permille: u64) -> bool {
        permille > 0 && self.below(1_000) < permille
    }

    pub(super) fn draw<T>(&self, from: impl FnOnce(&mut Rng) -> T) -> T {
        from(&mut self.random.lock())
    }

    /// How long a call is on its way: mostly no time, sometimes long enough for much to happen meanwhile.
    pub(super) fn delay(&self) -> Duration {
        let mut random = self.random.lock();
        let millis = match random.u8(..100) {
            0..=59 => 0,
            60..=89 => random.u64(1..5),
            90..=98 => random.u64(5..40),
            _ => random.u64(100..400),
        };
        Duration::from_millis(millis)
    }

    pub(super) fn record(
        &self,
        process: &Arc<str>,
        what: &'static str,
        on: Arc<str>,
        how: How,
        told: impl FnOnce() -> String,
    ) {
        let told = if self.tells { told() } else { String::new() };
        let call = Call { at: self.at().as_millis(), process: process.clone(), what, on, how, told };
        self.trace.lock().push(call);
    }

    /// Something that is no call, for who reads the trace.
    pub(super) fn note(&self, process: &Arc<str>, what: &'static str, on: impl Into<Arc<str>>) {
        self.record(process, what, on.into(), How::Note, String::new);
    }

    pub(super) fn tells(&self) -> bool {
        self.tells
    }

    pub(super) fn take_trace(&self) -> Vec<Call> {
        std::mem::take(&mut self.trace.lock())
    }

    /// The log of runs, without a way to it.
    pub(super) fn runs_log(&self) -> Log {
        self.backend.events().log("workflows:run")
    }
}
