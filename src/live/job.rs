//! Work that a client asked for.

use super::client::Inner as Client;
use super::kind::Doer;
use super::pipeline::{Record, Recorded, Station};
use super::{Body, Delivery, Part, Settings, Viewer};
use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use smallvec::SmallVec;
use std::any::Any;
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use tokio::sync::Notify;

/// The id of a job: 16 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(u64);

/// A text that is no id of a job.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no id of a job; they have 16 hexadecimal digits")]
pub struct NoJobId(String);

impl JobId {
    pub(super) fn random() -> Self {
        Self(fastrand::u64(..))
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for JobId {
    type Err = NoJobId;
    fn from_str(text: &str) -> Result<Self, NoJobId> {
        let is_id = text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
        let id = is_id.then(|| u64::from_str_radix(text, 16).ok()).flatten();
        id.map(Self).ok_or_else(|| NoJobId(text.chars().take(100).collect()))
    }
}

impl Serialize for JobId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for JobId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What is told of a job that was broken off.
const BROKEN_OFF: &str = "the element that did it was stopped";

/// Work that a client asked for: what an element takes that does jobs, and makes [`Part`]s of.
///
/// Cheap to clone. The job ends when neither it nor a part of it is held any more: then those who asked for it are told
/// so, behind its last part.
#[derive(Clone)]
pub struct Job(Arc<Running>);

pub(super) struct Running {
    id: JobId,
    name: Arc<str>,
    input: Arc<Value>,
    asked_by: Viewer,
    /// How many parts were made.
    parts: AtomicU64,
    has_failed: AtomicBool,
    /// What it has failed on, until that was handed out.
    untold: Mutex<Option<Arc<str>>>,
    /// A function works on it, which says how it ends.
    is_begun: AtomicBool,
    doer: OnceLock<Doer>,
    is_cancelled: AtomicBool,
    cancelling: Notify,
    /// What else is to be done when nobody wants it any more.
    when_cancelled: Mutex<Option<Box<dyn FnOnce() + Send>>>,
    owners: Mutex<Vec<Arc<Client>>>,
    /// Another node wants it.
    is_for_other: AtomicBool,
    /// What is let go of when it ends, such as its place among those that run in parallel.
    holds: Mutex<Vec<Box<dyn Any + Send>>>,
    /// What was handed out of it, if somebody else may ask for the same.
    record: OnceLock<Mutex<Record>>,
}

impl Job {
    pub(super) fn new(name: Arc<str>, input: Arc<Value>, asked_by: Viewer) -> Self {
        Self::of(JobId::random(), name, input, asked_by)
    }

    /// One that has its id already.
    pub(super) fn of(id: JobId, name: Arc<str>, input: Arc<Value>, asked_by: Viewer) -> Self {
        Self(Arc::new(Running {
            id,
            name,
            input,
            asked_by,
            parts: AtomicU64::new(0),
            has_failed: AtomicBool::new(false),
            untold: Mutex::default(),
            is_begun: AtomicBool::new(false),
            doer: OnceLock::new(),
            is_cancelled: AtomicBool::new(false),
            cancelling: Notify::new(),
            when_cancelled: Mutex::default(),
            owners: Mutex::default(),
            is_for_other: AtomicBool::new(false),
            holds: Mutex::default(),
            record: OnceLock::new(),
        }))
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> JobId {
        self.0.id
    }

    /// Its name: what is to be done.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.0.name
    }

    /// With what.
    #[must_use]
    pub fn input(&self) -> &Arc<Value> {
        &self.0.input
    }

    /// With what, as a `T`.
    ///
    /// # Errors
    /// That of serde: what does not fit.
    pub fn input_as<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        T::deserialize(&*self.0.input)
    }

    /// Who asked for it first.
    #[must_use]
    pub fn asked_by(&self) -> &Viewer {
        &self.0.asked_by
    }

    /// The next part of its result.
    #[must_use]
    pub fn part(&self, data: impl Into<Value>) -> Part {
        self.make(Body::Data(Arc::new(data.into())))
    }

    /// A part that says what went wrong. More may follow.
    #[must_use]
    pub fn error(&self, error: impl fmt::Display) -> Part {
        self.make(Body::Error(error.to_string().into()))
    }

    /// A part that says what one of an equal job said.
    pub(super) fn again(&self, body: &Body) -> Part {
        self.make(body.clone())
    }

    fn make(&self, body: Body) -> Part {
        let nr = self.0.parts.fetch_add(1, Ordering::Relaxed);
        Part { name: self.0.name.clone(), nr, body, job: Some(self.clone()), is_local: false }
    }

    /// How many parts were made of it so far.
    #[must_use]
    pub fn parts(&self) -> u64 {
        self.0.parts.load(Ordering::Relaxed)
    }

    /// The last part of a job that has failed; `None` if those who asked know already. If it gets lost, they are told when
    /// the job ends.
    pub(super) fn fail(&self, error: impl fmt::Display) -> Option<Part> {
        Some(self.make(Body::Error(self.failed(error)?)))
    }

    fn failed(&self, error: impl fmt::Display) -> Option<Arc<str>> {
        if self.0.has_failed.swap(true, Ordering::Relaxed) {
            return None;
        }
        let error: Arc<str> = error.to_string().into();
        *self.0.untold.lock() = Some(error.clone());
        Some(error)
    }

    /// An error was handed out.
    pub(super) fn told(&self, error: &Arc<str>) {
        if self.0.has_failed.load(Ordering::Relaxed) {
            self.0.untold.lock().take_if(|untold| Arc::ptr_eq(untold, error));
        }
    }

    /// An element has it in hand.
    pub(super) fn given_to(&self, doer: Doer) {
        let _before = self.0.doer.set(doer);
    }

    /// Whether nobody wants it any more. Whoever works on it should stop.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled.load(Ordering::Acquire)
    }

    /// Waits until nobody wants it any more.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn cancelled(&self) {
        loop {
            let told = self.0.cancelling.notified();
            if self.is_cancelled() {
                return;
            }
            told.await;
        }
    }

    pub(super) fn cancel(&self) {
        self.0.is_cancelled.store(true, Ordering::Release);
        self.0.cancelling.notify_waiters();
        let also = self.0.when_cancelled.lock().take();
        if let Some(also) = also {
            also();
        }
    }

    /// Calls a function when nobody wants it any more.
    pub(super) fn when_cancelled(&self, f: impl FnOnce() + Send + 'static) {
        *self.0.when_cancelled.lock() = Some(Box::new(f));
    }

    /// Whether another node wants it.
    pub(super) fn set_for_other(&self, is_for_other: bool) {
        self.0.is_for_other.store(is_for_other, Ordering::Release);
    }

    /// A part of this number was made of it elsewhere.
    pub(super) fn has_part(&self, nr: u64) {
        self.0.parts.fetch_max(nr.saturating_add(1), Ordering::Relaxed);
    }

    /// Keeps something until it ends.
    pub(super) fn hold(&self, what: impl Any + Send) {
        self.0.holds.lock().push(Box::new(what));
    }

    /// What is handed out of it from now on.
    pub(super) fn record(&self, settings: &Settings, all: &Arc<Recorded>) -> &Mutex<Record> {
        self.0.record.get_or_init(|| Mutex::new(Record::new(settings, all.clone())))
    }

    /// What was handed out of it, if that is recorded.
    pub(super) fn recorded(&self) -> Option<&Mutex<Record>> {
        self.0.record.get()
    }

    pub(super) fn running(&self) -> &Arc<Running> {
        &self.0
    }

    /// Those who asked for it.
    pub(super) fn owners(&self) -> Vec<Arc<Client>> {
        self.0.owners.lock().clone()
    }

    /// `false` if the client has asked for it before.
    pub(super) fn own(&self, client: Arc<Client>) -> bool {
        let mut owners = self.0.owners.lock();
        let is_new = owners.iter().all(|owner| owner.key != client.key);
        if is_new {
            owners.push(client);
        }
        is_new
    }
}

/// Has jobs told that they were broken off, unless they have come to their end.
pub(super) struct Unfinished(SmallVec<[Job; 1]>);

impl Unfinished {
    /// What a function begins to work on.
    pub(super) fn begin(jobs: &[Job]) -> Self {
        for job in jobs {
            job.0.is_begun.store(true, Ordering::Relaxed);
        }
        Self(jobs.iter().cloned().collect())
    }

    pub(super) fn finish(mut self) {
        self.0.clear();
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        for job in self.0.drain(..).filter(|job| !job.is_cancelled()) {
            let _told_in_the_end = job.failed(BROKEN_OFF);
        }
    }
}

impl From<Arc<Running>> for Job {
    fn from(running: Arc<Running>) -> Self {
        Self(running)
    }
}

impl Running {
    /// Whether somebody asks for it.
    pub(super) fn is_owned(&self) -> bool {
        !self.owners.lock().is_empty() || self.is_for_other.load(Ordering::Acquire)
    }

    /// Takes a client from those who asked; whether none is left.
    pub(super) fn disown(&self, client: u64) -> bool {
        let mut owners = self.owners.lock();
        owners.retain(|owner| owner.key != client);
        owners.is_empty() && !self.is_for_other.load(Ordering::Acquire)
    }

    /// What those who asked have to be told still, and where that goes; once.
    fn last_words(&mut self) -> Option<(Arc<Station>, Arc<str>)> {
        let doer = self.doer.take().filter(|_| !*self.is_cancelled.get_mut())?;
        let error = self.untold.get_mut().take().or_else(|| {
            // Nothing says that it was ever worked on.
            let is_untouched = !*self.is_begun.get_mut() && *self.parts.get_mut() == 0;
            (is_untouched && !*self.has_failed.get_mut() && doer.is_over()).then(|| BROKEN_OFF.into())
        })?;
        self.has_failed = true.into();
        Some((doer.station()?, error))
    }

    /// The same job once more, for a part that comes behind all others.
    fn again(&mut self) -> Job {
        Job(Arc::new(Self {
            id: self.id,
            name: self.name.clone(),
            input: self.input.clone(),
            asked_by: self.asked_by.clone(),
            parts: std::mem::take(self.parts.get_mut()).into(),
            has_failed: true.into(),
            untold: Mutex::default(),
            is_begun: true.into(),
            doer: OnceLock::new(),
            is_cancelled: false.into(),
            cancelling: Notify::new(),
            when_cancelled: std::mem::take(self.when_cancelled.get_mut()).into(),
            owners: std::mem::take(self.owners.get_mut()).into(),
            is_for_other: (*self.is_for_other.get_mut()).into(),
            holds: std::mem::take(self.holds.get_mut()).into(),
            record: OnceLock::new(),
        }))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some((station, error)) = self.last_words() {
            station.send(self.again().make(Body::Error(error)));
            return;
        }
        let is_whole = !*self.has_failed.get_mut() && !*self.is_cancelled.get_mut();
        if let Some(record) = self.record.take().filter(|_| is_whole) {
            record.into_inner().keep();
        }
        self.holds.get_mut().clear();
        let (job, parts) = (self.id, *self.parts.get_mut());
        for owner in self.owners.get_mut().drain(..) {
            owner.ended(job, Delivery::Ended { job, name: self.name.clone(), parts });
        }
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("id", &self.id())
            .field("name", self.name())
            .field("input", self.input())
            .finish_non_exhaustive()
    }
}
