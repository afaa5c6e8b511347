//! The thread that a model runs on.

use super::Error;
use super::plan::Plan;
use super::running::{Answers, Running};
use parking_lot::Mutex;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Weak};
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

/// One batch at a time runs on a thread of its own, which ends with the lane; one more is ready, so that the thread goes on
/// with it at once.
///
/// A run that takes too long is left where it is: its thread ends when it has come back, and the next batch gets another.
/// So nothing waits for it, also not a runtime that shuts down.
pub(super) struct Lane {
    /// What people call the model.
    pub(super) name: String,
    plan: Arc<Plan>,
    late_at_most: usize,
    /// Of the batch that runs and of the one that is ready.
    places: Arc<Semaphore>,
    desk: Arc<Desk>,
    counts: Arc<Counts>,
}

/// What the lane and its thread share.
#[derive(Default)]
struct Desk(Mutex<Hands>);

#[derive(Default)]
struct Hands {
    /// The batch that runs, unless it was left where it is.
    running: Option<Arc<Turn>>,
    /// The batch that is ready; only while one runs.
    next: Option<Job>,
    /// To the thread, once there was a batch.
    worker: Option<SyncSender<Job>>,
}

impl Desk {
    /// A run has ended. Whether that was in time, and what its thread runs next.
    fn ended(&self, turn: &Arc<Turn>) -> (bool, Option<Job>) {
        let mut hands = self.0.lock();
        let in_time = turn.is_over();
        if !hands.running.as_ref().is_some_and(|running| Arc::ptr_eq(running, turn)) {
            return (in_time, None);
        }
        let next = hands.next.take();
        hands.running = next.as_ref().map(|next| {
            next.turn.begins();
            next.turn.clone()
        });
        (in_time, next)
    }

    /// Takes a batch back, if it has not begun.
    fn take_back(&self, turn: &Arc<Turn>) {
        let taken = self.0.lock().next.take_if(|next| Arc::ptr_eq(&next.turn, turn));
        // Not while the lock is held.
        drop(taken);
    }
}

/// How many late runs are under way.
#[derive(Default)]
struct Counts {
    /// All of them.
    late: AtomicUsize,
    /// Those that keep others from running, because there were too many already.
    stuck: AtomicUsize,
}

/// The right to run, until the run has ended or was late.
struct Turn {
    counts: Arc<Counts>,
    rows: usize,
    /// How long it may run.
    limit: Duration,
    state: Mutex<State>,
}

struct State {
    place: Option<OwnedSemaphorePermit>,
    /// From when on it is late, whether anybody waits for it or not.
    until: Option<Instant>,
    begun: bool,
    over: bool,
    late: bool,
}

impl Turn {
    fn begins(&self) {
        let mut state = self.state.lock();
        state.begun = true;
        state.until = Instant::now().checked_add(self.limit);
    }

    fn has_begun(&self) -> bool {
        self.state.lock().begun
    }

    /// Marks a run as late; the next may begin if no more than `limit` are late. Whether it was still under way, and whether
    /// the next may begin for that.
    fn is_late(&self, limit: usize) -> (bool, bool) {
        let mut state = self.state.lock();
        if state.over || state.late {
            return (!state.over, false);
        }
        state.late = true;
        if self.counts.late.fetch_add(1, Relaxed) < limit {
            state.place = None;
            return (true, true);
        }
        self.counts.stuck.fetch_add(1, Relaxed);
        (true, false)
    }

    /// Lets others run beside it after all, if no more than `limit` are late by now. Whether it does.
    fn is_let_go(&self, limit: usize) -> bool {
        let mut state = self.state.lock();
        let is_stuck = state.late && !state.over && state.place.is_some();
        if is_stuck && self.counts.late.load(Relaxed) <= limit {
            self.counts.stuck.fetch_sub(1, Relaxed);
            state.place = None;
            return true;
        }
        false
    }

    fn was_late(&self) -> bool {
        self.state.lock().late
    }

    /// How much time the run has left; nothing if it has not begun, has ended, was late already, or has no end.
    fn left(&self) -> Option<Duration> {
        let state = self.state.lock();
        let until = state.until.filter(|_| !state.over && !state.late)?;
        Some(until.saturating_duration_since(Instant::now()))
    }

    /// The run has ended. Whether that was in time.
    fn is_over(&self) -> bool {
        let mut state = self.state.lock();
        state.over = true;
        if state.late {
            self.counts.late.fetch_sub(1, Relaxed);
            if state.place.is_some() {
                self.counts.stuck.fetch_sub(1, Relaxed);
            }
        }
        state.place = None;
        !state.late
    }
}

/// Takes a batch back, if it has not begun, when nobody waits for it any more.
struct Awaited<'l>(&'l Lane, Arc<Turn>);

impl Drop for Awaited<'_> {
    fn drop(&mut self) {
        self.0.desk.take_back(&self.1);
    }
}

impl Lane {
    pub(super) fn new(name: String, plan: Arc<Plan>, late_at_most: usize) -> Self {
        let (desk, counts) = Default::default();
        Self { name, plan, late_at_most, places: Arc::new(Semaphore::new(2)), desk, counts }
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
        let came = Instant::now();
        let place = self.place(came, limit).await?;
        let (answer, answered) = oneshot::channel();
        let then = Box::new(move |ended| drop(answer.send(ended)));
        let turn = self.hand_in(self.job(place, input, rows, limit, then))?;
        let Awaited(_, turn) = &Awaited(self, turn);
        let mut answered = pin!(answered);
        let ended = loop {
            let begun = turn.has_begun();
            let wait = if begun { Ok(turn.left().unwrap_or_default()) } else { self.patience(came, limit) };
            let wait = match wait {
                // It was given the turn of one that was late.
                Err(_) if turn.has_begun() => continue,
                wait => wait?,
            };
            if let Some(ended) = within(wait, answered.as_mut()).await {
                break ended;
            }
            if begun && turn.left().unwrap_or_default().is_zero() {
                if self.give_up(turn) {
                    tracing::warn!(model = self.name, rows, ?limit, "a batch takes too long");
                    return Err(Error::Late { model: self.name.clone(), rows, limit });
                }
                break answered.await;
            }
        };
        match ended {
            // Another has given it up, and then it came back.
            Err(_) if turn.was_late() => Err(Error::Late { model: self.name.clone(), rows, limit }),
            Ok(Ok(answers)) => Ok(answers),
            Ok(Err(Failure::Failed(why))) => Err(Error::Run { model: self.name.clone(), rows, why }),
            Ok(Err(Failure::Panicked(why))) => Err(Error::Panicked { model: self.name.clone(), rows, why }),
            Err(_) => Err(Error::Run { model: self.name.clone(), rows, why: "its thread ended".to_owned() }),
        }
    }

    /// Runs a batch if nothing else runs now, and does something with what comes of it in time; else `then` is dropped.
    pub(super) fn run_if_free(&self, input: Arc<Tensor>, rows: usize, limit: Duration, then: Then) {
        self.give_up_late();
        let Ok(place) = self.places.clone().try_acquire_owned() else { return };
        let mut hands = self.desk.0.lock();
        if hands.running.is_none() {
            // Without a thread for it, it is dropped, too.
            let _begun = self.begin(&mut hands, self.job(place, input, rows, limit, then));
        }
    }

    /// Waits for a place.
    async fn place(&self, came: Instant, limit: Duration) -> Result<OwnedSemaphorePermit, Error> {
        let mut place = pin!(self.places.clone().acquire_owned());
        loop {
            let wait = self.patience(came, limit)?;
            match within(wait, place.as_mut()).await {
                Some(Ok(place)) => return Ok(place),
                // Nobody closes it.
                Some(Err(_)) => return Err(self.busy("other batches")),
                None => {}
            }
        }
    }

    /// How long who came then waits for the run under way: a run that nobody waits for any more has no longer than another.
    fn patience(&self, came: Instant, limit: Duration) -> Result<Duration, Error> {
        let left_of_it = self.give_up_late();
        if self.counts.stuck.load(Relaxed) > 0 {
            return Err(self.busy("late batches"));
        }
        let left = limit.saturating_sub(came.elapsed());
        if left.is_zero() {
            return Err(self.busy("other batches"));
        }
        Ok(left_of_it.map_or(left, |most| most.min(left)))
    }

    /// Gives up a run under way that is late, also if nobody waits for it. How much time it has left if it is not.
    fn give_up_late(&self) -> Option<Duration> {
        let running = self.desk.0.lock().running.clone()?;
        let left = running.left();
        if left == Some(Duration::ZERO) && self.give_up(&running) {
            let (model, rows) = (&*self.name, running.rows);
            tracing::warn!(model, rows, "a batch takes too long, and another waits for its turn");
        }
        if self.counts.stuck.load(Relaxed) > 0 {
            let mut hands = self.desk.0.lock();
            if running.is_let_go(self.late_at_most) {
                self.go_on(&mut hands, &running);
            }
        }
        left.filter(|left| !left.is_zero())
    }

    fn busy(&self, with: &'static str) -> Error {
        Error::Busy { model: self.name.clone(), with }
    }

    /// Leaves a run that is late where it is. Whether it was still under way.
    fn give_up(&self, turn: &Arc<Turn>) -> bool {
        let mut hands = self.desk.0.lock();
        let (under_way, freed) = turn.is_late(self.late_at_most);
        if freed {
            self.go_on(&mut hands, turn);
        }
        under_way
    }

    /// Goes on with the next batch, on a thread of its own, beside a run that is late.
    fn go_on(&self, hands: &mut Hands, late: &Arc<Turn>) {
        if hands.running.as_ref().is_some_and(|running| Arc::ptr_eq(running, late)) {
            hands.worker = None;
            hands.running = None;
            if let Some(next) = hands.next.take() {
                // If there is no thread for it, whoever waits for it is told that it ended.
                let _begun = self.begin(hands, next);
            }
        }
    }

    /// Begins a batch, or lets it be the next.
    fn hand_in(&self, job: Job) -> Result<Arc<Turn>, Error> {
        let turn = job.turn.clone();
        let mut hands = self.desk.0.lock();
        if hands.running.is_some() {
            // There are two places: nobody else is the next.
            hands.next = Some(job);
        } else {
            self.begin(&mut hands, job)?;
        }
        Ok(turn)
    }

    fn job(
        &self,
        place: OwnedSemaphorePermit,
        input: Arc<Tensor>,
        rows: usize,
        limit: Duration,
        then: Then,
    ) -> Job {
        let (begun, over, late) = Default::default();
        let state = Mutex::new(State { place: Some(place), until: None, begun, over, late });
        Job { input, rows, turn: Arc::new(Turn { counts: self.counts.clone(), rows, limit, state }), then }
    }

    fn begin(&self, hands: &mut Hands, mut job: Job) -> Result<(), Error> {
        let turn = job.turn.clone();
        turn.begins();
        if let Some(jobs) = &hands.worker {
            match jobs.try_send(job) {
                Ok(()) => {
                    hands.running = Some(turn);
                    return Ok(());
                }
                // It has ended.
                Err(TrySendError::Full(back) | TrySendError::Disconnected(back)) => job = back,
            }
        }
        let (jobs, taken) = sync_channel(1);
        let (plan, desk) = (self.plan.clone(), Arc::downgrade(&self.desk));
        let thread = Builder::new().name("mape-model".to_owned()).spawn(move || work(&plan, &desk, &taken));
        thread.map_err(|source| Error::Thread { model: self.name.clone(), source: Arc::new(source) })?;
        // The channel is new, so there is room.
        let _taken = jobs.try_send(job);
        hands.worker = Some(jobs);
        hands.running = Some(turn);
        Ok(())
    }
}

/// Runs batch after batch until the lane is dropped, or has got another thread.
fn work(plan: &Arc<Plan>, desk: &Weak<Desk>, jobs: &Receiver<Job>) {
    let (mut running, mut next): (Option<Running>, Option<Job>) = (None, None);
    while let Some(Job { input, rows, turn, then }) = next.take().or_else(|| jobs.recv().ok()) {
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
        let in_time;
        (in_time, next) = match desk.upgrade() {
            Some(desk) => desk.ended(&turn),
            None => (turn.is_over(), None),
        };
        if in_time {
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
