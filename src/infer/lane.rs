//! The thread that a model runs on.

use super::Error;
use super::plan::Plan;
use super::running::{Answers, Running};
use parking_lot::Mutex;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::Builder;
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tract_onnx::prelude::Tensor;

/// How a run failed.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    Panicked(String),
    Failed(String),
}

impl Failure {
    pub(super) fn why(self) -> String {
        match self {
            Self::Panicked(why) => format!("it panicked: {why}"),
            Self::Failed(why) => format!("it failed: {why}"),
        }
    }
}

/// What is done with what came of a run, on the thread of the model.
type Then = Box<dyn FnOnce(Result<Answers, Failure>) + Send>;

/// A batch on its way.
struct Job {
    input: Arc<Tensor>,
    rows: usize,
    turn: Arc<Turn>,
    then: Then,
}

/// One batch at a time runs on a thread of its own, which ends with the lane.
///
/// A run that takes too long is left where it is: its thread ends when it has come back, and the next batch gets another.
/// So nothing waits for it, also not a runtime that shuts down.
pub(super) struct Lane {
    /// What people call the model.
    pub(super) name: String,
    plan: Arc<Plan>,
    late_at_most: usize,
    turns: Arc<Semaphore>,
    /// The run that had the turn last.
    latest: Mutex<Option<Arc<Turn>>>,
    /// To the thread, once there was a batch.
    worker: Mutex<Option<SyncSender<Job>>>,
    counts: Arc<Counts>,
}

/// How many late runs are under way.
#[derive(Default)]
struct Counts {
    /// All of them.
    late: AtomicUsize,
    /// Those that hold the turn, because there were too many already.
    stuck: AtomicUsize,
}

/// The right to run, until the run has ended or was late.
struct Turn {
    counts: Arc<Counts>,
    rows: usize,
    /// From when on it is late, whether anybody waits for it or not; never if nothing is said.
    until: Option<Instant>,
    state: Mutex<State>,
}

struct State {
    permit: Option<OwnedSemaphorePermit>,
    over: bool,
    late: bool,
}

impl Turn {
    /// Marks a run as late; the next may begin if no more than `limit` are late. Whether it was still under way.
    fn is_late(&self, limit: usize) -> bool {
        let mut state = self.state.lock();
        if state.over {
            return false;
        }
        if !state.late {
            state.late = true;
            if self.counts.late.fetch_add(1, Relaxed) < limit {
                state.permit = None;
            } else {
                self.counts.stuck.fetch_add(1, Relaxed);
            }
        }
        true
    }

    /// How much time the run has left; nothing if it has ended, was late already, or has no end.
    fn left(&self) -> Option<Duration> {
        let state = self.state.lock();
        let until = self.until.filter(|_| !state.over && !state.late)?;
        Some(until.saturating_duration_since(Instant::now()))
    }

    /// The run has ended. Whether that was in time.
    fn is_over(&self) -> bool {
        let mut state = self.state.lock();
        state.over = true;
        if state.late {
            self.counts.late.fetch_sub(1, Relaxed);
            if state.permit.is_some() {
                self.counts.stuck.fetch_sub(1, Relaxed);
            }
        }
        state.permit = None;
        !state.late
    }
}

impl Lane {
    pub(super) fn new(name: String, plan: Arc<Plan>, late_at_most: usize) -> Self {
        Self {
            name,
            plan,
            late_at_most,
            turns: Arc::new(Semaphore::new(1)),
            latest: Mutex::new(None),
            worker: Mutex::new(None),
            counts: Arc::default(),
        }
    }

    /// How many runs are under way that were late.
    pub(super) fn late(&self) -> usize {
        self.counts.late.load(Relaxed)
    }

    /// Runs a batch when its turn comes, which it waits for as long as it may take.
    pub(super) async fn run(
        &self,
        input: Arc<Tensor>,
        rows: usize,
        limit: Duration,
    ) -> Result<Answers, Error> {
        let permit = self.turn(limit).await?;
        let (answer, answered) = oneshot::channel();
        let until = Instant::now().checked_add(limit);
        let then = Box::new(move |ended| drop(answer.send(ended)));
        let turn = self.begin(permit, input, rows, until, then)?;
        let mut answered = pin!(answered);
        let ended = if let Some(ended) = within(limit, answered.as_mut()).await {
            ended
        } else if self.give_up(&turn) {
            tracing::warn!(model = self.name, rows, ?limit, "a batch takes too long");
            return Err(Error::Late { model: self.name.clone(), rows, limit });
        } else {
            answered.await
        };
        match ended {
            Ok(Ok(answers)) => Ok(answers),
            Ok(Err(Failure::Failed(why))) => Err(Error::Run { model: self.name.clone(), rows, why }),
            Ok(Err(Failure::Panicked(why))) => Err(Error::Panicked { model: self.name.clone(), rows, why }),
            Err(_) => Err(Error::Run { model: self.name.clone(), rows, why: "its thread ended".to_owned() }),
        }
    }

    /// Waits for the turn. A run that nobody waits for any more has it no longer than another.
    async fn turn(&self, limit: Duration) -> Result<OwnedSemaphorePermit, Error> {
        let busy = |with| Err(Error::Busy { model: self.name.clone(), with });
        let began = Instant::now();
        let mut permit = pin!(self.turns.clone().acquire_owned());
        loop {
            let left = limit.saturating_sub(began.elapsed());
            let latest = self.latest.lock().clone();
            let of_latest = latest.as_ref().and_then(|turn| turn.left());
            if let (Some(turn), Some(Duration::ZERO)) = (&latest, of_latest)
                && self.give_up(turn)
            {
                let (model, rows) = (&*self.name, turn.rows);
                tracing::warn!(model, rows, "a batch takes too long, and another waits for its turn");
            }
            if self.counts.stuck.load(Relaxed) > 0 {
                return busy("late batches");
            }
            let wait = of_latest.filter(|of_latest| !of_latest.is_zero()).map_or(left, |most| most.min(left));
            match within(wait, permit.as_mut()).await {
                Some(Ok(permit)) => return Ok(permit),
                None if !left.is_zero() => {}
                Some(Err(_)) | None => return busy("other batches"),
            }
        }
    }

    /// Leaves a run that is late where it is. Whether it was still under way.
    fn give_up(&self, turn: &Turn) -> bool {
        // The next batch gets a thread of its own. This comes first: once this one is late, the next may begin.
        *self.worker.lock() = None;
        turn.is_late(self.late_at_most)
    }

    /// Runs a batch if nothing else runs now, and does something with what comes of it. Whether it does.
    pub(super) fn run_if_free(&self, input: Arc<Tensor>, rows: usize, then: Then) -> bool {
        let Ok(permit) = self.turns.clone().try_acquire_owned() else { return false };
        self.begin(permit, input, rows, None, then).is_ok()
    }

    fn begin(
        &self,
        permit: OwnedSemaphorePermit,
        input: Arc<Tensor>,
        rows: usize,
        until: Option<Instant>,
        then: Then,
    ) -> Result<Arc<Turn>, Error> {
        let state = Mutex::new(State { permit: Some(permit), over: false, late: false });
        let turn = Arc::new(Turn { counts: self.counts.clone(), rows, until, state });
        *self.latest.lock() = Some(turn.clone());
        let mut job = Job { input, rows, turn: turn.clone(), then };
        let mut worker = self.worker.lock();
        if let Some(jobs) = &*worker {
            match jobs.try_send(job) {
                Ok(()) => return Ok(turn),
                // It still does something with what came of its last run and has another waiting, or has ended.
                Err(
                    std::sync::mpsc::TrySendError::Full(back)
                    | std::sync::mpsc::TrySendError::Disconnected(back),
                ) => {
                    job = back;
                }
            }
        }
        let (jobs, taken) = sync_channel(1);
        let plan = self.plan.clone();
        let thread = Builder::new().name("mape-model".to_owned()).spawn(move || work(&plan, &taken));
        thread.map_err(|source| Error::Thread { model: self.name.clone(), source: Arc::new(source) })?;
        // The channel is new, so there is room.
        let _taken = jobs.try_send(job);
        *worker = Some(jobs);
        Ok(turn)
    }
}

/// Runs batch after batch until the lane is dropped, or has got another thread.
fn work(plan: &Arc<Plan>, jobs: &Receiver<Job>) {
    let mut running: Option<Running> = None;
    while let Ok(Job { input, rows, turn, then }) = jobs.recv() {
        let ended = catch_unwind(AssertUnwindSafe(|| {
            let running = match &mut running {
                Some(running) => running,
                none => none.insert(Running::new(plan.clone())?),
            };
            running.run(&input, rows)
        }));
        let ended = match ended {
            Ok(Ok(answers)) => Ok(answers),
            Ok(Err(error)) => Err(Failure::Failed(format!("{error:#}"))),
            Err(panic) => Err(Failure::Panicked(said(&*panic))),
        };
        if ended.is_err() {
            // Nobody knows what a failed run has left behind.
            running = None;
        }
        drop(input);
        if turn.is_over() {
            then(ended);
        }
    }
}

/// What a panic says.
pub(super) fn said(panic: &(dyn Any + Send)) -> String {
    let said = panic.downcast_ref::<&str>().map(|said| (*said).to_owned());
    said.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "it does not say why".to_owned())
}

/// Waits for what threads do, for so long by the real clock: what they do takes as long as it takes.
pub(super) async fn within<T>(limit: Duration, done: impl Future<Output = T>) -> Option<T> {
    let began = Instant::now();
    let mut done = pin!(done);
    match tokio::time::timeout(limit, &mut done).await {
        Ok(done) => Some(done),
        // A paused clock leaps to the limit as soon as nobody else has anything to do.
        Err(_) if began.elapsed() < limit / 2 => Some(done.await),
        Err(_) => None,
    }
}
