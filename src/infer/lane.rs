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
use std::time::Duration;
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
        state.late = true;
        if self.counts.late.fetch_add(1, Relaxed) < limit {
            state.permit = None;
        } else {
            self.counts.stuck.fetch_add(1, Relaxed);
        }
        true
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
        let busy = |with| Error::Busy { model: self.name.clone(), with };
        if self.counts.stuck.load(Relaxed) > 0 {
            return Err(busy("late batches"));
        }
        let permit = within(limit, self.turns.clone().acquire_owned()).await;
        let Some(Ok(permit)) = permit else { return Err(busy("other batches")) };
        let (answer, answered) = oneshot::channel();
        let turn = self.begin(permit, input, rows, Box::new(move |ended| drop(answer.send(ended))))?;
        let mut answered = pin!(answered);
        let ended = if let Some(ended) = within(limit, answered.as_mut()).await {
            ended
        } else {
            // The next batch gets a thread of its own. This comes first: once it is late, the next may begin.
            *self.worker.lock() = None;
            if turn.is_late(self.late_at_most) {
                tracing::warn!(model = self.name, rows, ?limit, "a batch takes too long");
                return Err(Error::Late { model: self.name.clone(), rows, limit });
            }
            answered.await
        };
        match ended {
            Ok(Ok(answers)) => Ok(answers),
            Ok(Err(Failure::Failed(why))) => Err(Error::Run { model: self.name.clone(), rows, why }),
            Ok(Err(Failure::Panicked(why))) => Err(Error::Panicked { model: self.name.clone(), rows, why }),
            Err(_) => Err(Error::Run { model: self.name.clone(), rows, why: "its thread ended".to_owned() }),
        }
    }

    /// Runs a batch if nothing else runs now, and does something with what comes of it. Whether it does.
    pub(super) fn run_if_free(&self, input: Arc<Tensor>, rows: usize, then: Then) -> bool {
        let Ok(permit) = self.turns.clone().try_acquire_owned() else { return false };
        self.begin(permit, input, rows, then).is_ok()
    }

    fn begin(
        &self,
        permit: OwnedSemaphorePermit,
        input: Arc<Tensor>,
        rows: usize,
        then: Then,
    ) -> Result<Arc<Turn>, Error> {
        let state = Mutex::new(State { permit: Some(permit), over: false, late: false });
        let turn = Arc::new(Turn { counts: self.counts.clone(), state });
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
    let began = std::time::Instant::now();
    let mut done = pin!(done);
    match tokio::time::timeout(limit, &mut done).await {
        Ok(done) => Some(done),
        // A paused clock leaps to the limit as soon as nobody else has anything to do.
        Err(_) if began.elapsed() < limit / 2 => Some(done.await),
        Err(_) => None,
    }
}
