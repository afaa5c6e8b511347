//! The queue between the operations in memory and the one thread that keeps what they did.
//!
//! An operation puts its redo steps in while its shard is locked, so the queue has them in the order in which they
//! happened. All that gathers while one batch is being written is the next batch: it is kept as a whole or not at all,
//! and who put something in waits for its batch by number.

use super::redo::Redo;
use crate::event::{self, LogName};
use crate::knowledge::{self, Key};
use parking_lot::{Condvar, Mutex, MutexGuard};
use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// How much may gather before writers have to wait, in bytes.
const LIMIT: usize = 32 << 20;
/// How long after a failed write the next is tried.
const RETRY: Duration = Duration::from_secs(1);
/// How long the writer stays awake when it has nothing to do: who waited for it may come again at once.
const AWAKE: Duration = Duration::from_micros(30);
/// When nobody has come for so long, nobody is expected any more.
const QUIET: Duration = Duration::from_micros(20);
/// A list of steps that was once longer than this is not used again.
const SPARE: usize = 1 << 14;

/// What is to be kept beyond this process.
#[derive(Debug)]
pub(in crate::backend) struct Durable {
    state: Mutex<State>,
    /// For the writer: something was put in, or the end is near.
    work: Condvar,
    /// For those who wait for a batch: of two batches in a row, each has its own, so that nobody is woken in vain.
    even: Notify,
    odd: Notify,
    /// For those who want to write and found too much waiting.
    room: Notify,
    /// For those who wait until the writer is gone.
    ended: Notify,
}

#[derive(Debug)]
struct State {
    mode: Mode,
    gathered: Vec<Redo>,
    /// By how many operations.
    operations: usize,
    weight: usize,
    /// The number of the batch that gathers.
    batch: u64,
    /// The last batch that is kept.
    kept: u64,
    /// The last batch of which all who wait have been told.
    told: u64,
    writer_waits: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Mode {
    Open,
    /// The last attempt to write failed; the reason.
    Failing(Arc<str>),
    /// What has gathered is still written.
    Closing,
    Closed(Arc<str>),
}

/// What there is to write.
#[derive(Debug)]
pub(in crate::backend) struct Batch {
    pub(in crate::backend) steps: Vec<Redo>,
    operations: usize,
    number: u64,
    begun: Instant,
}

/// A batch that is written: its list to be used again, and what it tells about the next.
#[derive(Debug, Default)]
pub(in crate::backend) struct Written {
    spare: Vec<Redo>,
    operations: usize,
    took: Duration,
}

/// Whether a write may begin.
#[derive(Debug)]
pub(super) enum Admission {
    Now,
    /// When there is room.
    Later,
    Never(Trouble),
}

/// Why a write is not done, or not known to be kept.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// It was not begun.
    #[error("{0}; nothing was changed")]
    Refused(Arc<str>),
    /// It was done, and may be kept or not.
    #[error("{0}; what was to be written may or may not be kept")]
    Doubtful(Arc<str>),
}

impl Durable {
    pub(in crate::backend) fn new() -> Self {
        let state = State {
            mode: Mode::Open,
            gathered: Vec::new(),
            operations: 0,
            weight: 0,
            batch: 1,
            kept: 0,
            told: 0,
            writer_waits: false,
        };
        Self {
            state: Mutex::new(state),
            work: Condvar::new(),
            even: Notify::new(),
            odd: Notify::new(),
            room: Notify::new(),
            ended: Notify::new(),
        }
    }
}

/// For operations.
impl Durable {
    pub(super) fn admit(&self) -> Admission {
        let state = self.state.lock();
        match &state.mode {
            Mode::Open if state.weight < LIMIT => Admission::Now,
            Mode::Open => Admission::Later,
            Mode::Failing(why) | Mode::Closed(why) => Admission::Never(Trouble::Refused(why.clone())),
            Mode::Closing => Admission::Never(Trouble::Refused(CLOSED.into())),
        }
    }

    /// Waits until there is room, or until there is none to be expected.
    pub(super) async fn room(&self) {
        loop {
            let notified = self.room.notified();
            tokio::pin!(notified);
            notified.as_mut().enable();
            if !matches!(self.admit(), Admission::Later) {
                return;
            }
            notified.await;
        }
    }

    /// Puts the steps of one operation in; the batch after which they and all before them are kept.
    pub(super) fn push(&self, steps: Vec<Redo>) -> u64 {
        let mut state = self.state.lock();
        if matches!(state.mode, Mode::Closed(_)) {
            return state.batch;
        }
        if steps.is_empty() {
            return state.last();
        }
        state.weight += steps.iter().map(Redo::weight).sum::<usize>();
        state.gathered.extend(steps);
        state.operations += 1;
        let batch = state.batch;
        if mem::take(&mut state.writer_waits) {
            drop(state);
            self.work.notify_one();
        }
        batch
    }

    pub(super) fn is_kept(&self, batch: u64) -> bool {
        self.state.lock().kept >= batch
    }

    /// Waits until the batch is kept.
    pub(super) async fn kept(&self, batch: u64) -> Result<(), Trouble> {
        loop {
            let notified = self.news(batch).notified();
            tokio::pin!(notified);
            // In line before looking, so that nothing between looking and waiting is overheard.
            notified.as_mut().enable();
            {
                let state = self.state.lock();
                if state.kept >= batch {
                    self.tell_rest(state, batch);
                    return Ok(());
                }
                if let Mode::Failing(why) | Mode::Closed(why) = &state.mode {
                    return Err(Trouble::Doubtful(why.clone()));
                }
            }
            notified.await;
        }
    }

    /// Wakes those who still wait for a batch that is kept.
    ///
    /// The writer wakes only the first of them, who wakes the others from inside of the runtime, which costs much less
    /// than from outside. If that one takes its time, the writer does it itself the next time it looks up.
    fn tell_rest(&self, mut state: MutexGuard<'_, State>, batch: u64) {
        if state.told < batch {
            state.told = batch;
            drop(state);
            self.news(batch).notify_waiters();
        }
    }

    fn news(&self, batch: u64) -> &Notify {
        if batch.is_multiple_of(2) { &self.even } else { &self.odd }
    }

    fn tell_all(&self) {
        for notify in [&self.even, &self.odd, &self.room] {
            notify.notify_waiters();
        }
    }
}

const CLOSED: &str = "the backend is closed";

/// For the owner.
impl Durable {
    /// Refuses what comes from now on and lets the writer end when all that came before is kept.
    pub(in crate::backend) fn close(&self) {
        let mut state = self.state.lock();
        if !matches!(state.mode, Mode::Closed(_)) {
            // Also if it fails at the moment: it tries once more.
            state.mode = Mode::Closing;
        }
        drop(state);
        self.room.notify_waiters();
        self.work.notify_all();
    }

    /// Waits until the writer has ended.
    pub(in crate::backend) async fn ended(&self) {
        loop {
            let notified = self.ended.notified();
            tokio::pin!(notified);
            notified.as_mut().enable();
            if matches!(self.state.lock().mode, Mode::Closed(_)) {
                return;
            }
            notified.await;
        }
    }
}

/// For the writer.
impl Durable {
    /// Waits for something to write; `None` if there is nothing and nothing will come.
    pub(in crate::backend) fn take(&self, former: Written) -> Option<Batch> {
        let Written { mut spare, operations, took } = former;
        // Those who came while the last batch was written, and those who are answered now.
        let expected = operations + self.state.lock().operations;
        spare.clear();
        if spare.capacity() > SPARE {
            spare = Vec::new();
        }
        self.while_awake(AWAKE, |state| state.operations == 0);
        let state = self.state.lock();
        let kept = state.kept;
        if state.gathered.is_empty() {
            self.tell_rest(state, kept);
        } else {
            drop(state);
        }
        let mut state = self.state.lock();
        while state.gathered.is_empty() {
            if matches!(state.mode, Mode::Closing | Mode::Closed(_)) {
                return None;
            }
            state.writer_waits = true;
            self.work.wait(&mut state);
        }
        if state.operations < expected {
            // Those who were answered together come back together: without them the batch would be that of the
            // fastest, and all others would wait for two. And once divided into two batches they would stay so.
            drop(state);
            let (mut seen, mut grown) = (0, Instant::now());
            self.while_awake(took / 4, |state| {
                if state.operations > seen {
                    (seen, grown) = (state.operations, Instant::now());
                }
                seen < expected && grown.elapsed() < QUIET
            });
            state = self.state.lock();
        }
        let batch = Batch {
            steps: mem::replace(&mut state.gathered, spare),
            operations: mem::take(&mut state.operations),
            number: state.batch,
            begun: Instant::now(),
        };
        state.batch += 1;
        let was_full = mem::take(&mut state.weight) >= LIMIT;
        drop(state);
        if was_full {
            self.room.notify_waiters();
        }
        Some(batch)
    }

    /// Lets others run as long as `waits` is true, but not longer than this: it is over sooner than the system would
    /// wake the writer again.
    fn while_awake(&self, at_most: Duration, mut waits: impl FnMut(&State) -> bool) {
        let begun = Instant::now();
        while begun.elapsed() < at_most && waits(&self.state.lock()) {
            std::thread::yield_now();
        }
    }

    /// The batch is kept.
    pub(in crate::backend) fn is_written(&self, batch: Batch) -> Written {
        let mut state = self.state.lock();
        let former = mem::replace(&mut state.kept, batch.number);
        if matches!(state.mode, Mode::Failing(_)) {
            state.mode = Mode::Open;
        }
        self.tell_rest(state, former);
        self.news(batch.number).notify_one();
        Written { spare: batch.steps, operations: batch.operations, took: batch.begun.elapsed() }
    }

    /// A batch could not be written for this reason: everyone who waits is told, and nothing new is begun. Waits until
    /// it is to be tried again; `false` if it is not.
    pub(in crate::backend) fn failed(&self, why: &str) -> bool {
        let mut state = self.state.lock();
        if matches!(state.mode, Mode::Closing | Mode::Closed(_)) {
            return false;
        }
        state.mode = Mode::Failing(why.into());
        self.tell_all();
        self.work.wait_for(&mut state, RETRY);
        true
    }

    /// The writer ends.
    pub(in crate::backend) fn end(&self) {
        let mut state = self.state.lock();
        state.mode = Mode::Closed(CLOSED.into());
        let gathered = mem::take(&mut state.gathered);
        drop(state);
        drop(gathered);
        self.tell_all();
        self.ended.notify_waiters();
    }
}

impl State {
    fn last(&self) -> u64 {
        if self.gathered.is_empty() { self.batch - 1 } else { self.batch }
    }
}

impl Trouble {
    pub(super) fn with_key(self, key: &Key) -> knowledge::Error {
        let key = key.clone();
        match self {
            Self::Refused(_) => knowledge::Error::Refused { key, source: Box::new(self) },
            Self::Doubtful(_) => knowledge::Error::Unavailable { key, source: Box::new(self) },
        }
    }

    pub(super) fn with_log(self, log: &LogName) -> event::Error {
        let log = log.clone();
        match self {
            Self::Refused(_) => event::Error::Refused { log, source: Arc::new(self) },
            Self::Doubtful(_) => event::Error::Unavailable { log, source: Arc::new(self) },
        }
    }
}
