//! The part of an element that its task, its ports and its handles share, whatever its types are.

pub(crate) use super::founding::{Declared, Founding};
use super::handing::Handing;
use super::host::{Event, Host, Listeners, Registry};
use super::ports::Ports;
use super::queue::Fault;
pub(crate) use super::sides::{Inputs, Intake, Launch, LinkView, Outputs, PortStats};
use super::{
    AnyElement, DeadLetter, ElementError, ElementPath, ErrorKind, Role, StartError, StartPolicy, State,
};
use crate::stream::meter::Histogram;
use arc_swap::ArcSwap;
use futures::task::AtomicWaker;
use parking_lot::Mutex;
use std::any::Any;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering, fence};
use std::sync::{Arc, OnceLock, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::task::{AbortHandle, JoinHandle};

/// What the function of an element does with the items that its operators hand it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Work,
    /// Leave them where they are.
    Hold,
    /// Throw them away, counted.
    Skip,
}

/// Why an in-port has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dry {
    No,
    /// All its sources have completed.
    Ended,
    /// The element drains.
    Drained,
}

pub(crate) struct Site {
    pub(crate) host: Arc<Host>,
    pub(crate) role: Role,
    pub(crate) start_policy: StartPolicy,
    /// It has no output by construction.
    pub(crate) acts_only: bool,
    /// The type of its pipe, in words: what it is made of.
    pub(crate) pipe: fn() -> &'static str,
    /// Only where something was declared: most elements of a crowd declare nothing.
    declared: Option<Box<Declared>>,
    path: ArcSwap<ElementPath>,
    state: AtomicU8,
    mode: AtomicU8,
    /// Wakes the element's task.
    pub(crate) waker: AtomicWaker,
    /// Wakes the function that was told to hold; operators around it may ask it only when it is woken itself.
    held: AtomicWaker,
    /// Why the in-port has ended, if it has; see [`Dry`].
    dry: AtomicU8,
    /// Held while the state changes.
    idle: Mutex<Idle>,
    pub(crate) any_fault: AtomicBool,
    /// The element itself has failed on an item since its task last looked.
    pub(crate) failing: AtomicBool,
    /// An item went through since its task last looked.
    pub(crate) worked: AtomicBool,
    /// Its function measures its calls itself.
    pub(crate) measures_calls: AtomicBool,
    /// It was the function that panicked, not an operator.
    pub(crate) function_panicked: AtomicBool,
    pub(crate) owner: Mutex<Weak<dyn Registry>>,
    /// The operators are to be built anew.
    pub(crate) renew: AtomicBool,
    /// What most elements of a crowd never need.
    rare: OnceLock<Box<Rare>>,
    pub(crate) ports: OnceLock<(Weak<dyn Inputs>, Weak<dyn Outputs>)>,
    pub(crate) errors: AtomicU64,
    pub(crate) restarts: AtomicU32,
    /// It drains in order to complete.
    completing: AtomicBool,
    pub(crate) skipped: AtomicU64,
    pub(crate) debug: AtomicU8,
}

/// What comes into use when something fails, or when somebody waits, listens, or is let in.
#[derive(Default)]
pub(crate) struct Rare {
    waiters: Mutex<Vec<Waker>>,
    /// The item that the function works on, while somebody listens to dead letters.
    pub(crate) kept: Mutex<Option<Box<dyn Any + Send>>>,
    pub(crate) ports: OnceLock<Arc<dyn Ports>>,
    faults: Mutex<Vec<Fault>>,
    pub(crate) letters: OnceLock<Listeners<DeadLetter>>,
    /// How long the function takes.
    pub(crate) latency: OnceLock<Arc<Histogram>>,
}

#[derive(Default)]
struct Idle {
    recipe: Option<Box<dyn Launch>>,
    task: Option<AbortHandle>,
    helpers: Vec<Helper>,
}

/// A task that serves an element beside its own.
pub(crate) struct Helper {
    pub(crate) task: JoinHandle<()>,
    /// It feeds this sink.
    pub(crate) sink: Option<Arc<Handing>>,
}

impl Site {
    pub(crate) fn new(f: Founding) -> Arc<Self> {
        Arc::new(Self {
            host: f.host,
            role: f.role,
            start_policy: f.start_policy,
            acts_only: f.acts_only,
            pipe: f.pipe,
            declared: (!f.declared.is_nothing()).then(|| Box::new(f.declared)),
            path: ArcSwap::from_pointee(f.path),
            state: AtomicU8::new(State::Ready as u8),
            mode: AtomicU8::new(Mode::Work as u8),
            waker: AtomicWaker::new(),
            held: AtomicWaker::new(),
            dry: AtomicU8::new(Dry::No as u8),
            idle: Mutex::default(),
            any_fault: AtomicBool::new(false),
            failing: AtomicBool::new(false),
            worked: AtomicBool::new(false),
            measures_calls: AtomicBool::new(false),
            function_panicked: AtomicBool::new(false),
            owner: Mutex::new(f.owner),
            renew: AtomicBool::new(false),
            rare: OnceLock::new(),
            ports: OnceLock::new(),
            errors: AtomicU64::new(0),
            restarts: AtomicU32::new(0),
            completing: AtomicBool::new(false),
            skipped: AtomicU64::new(0),
            debug: AtomicU8::new(0),
        })
    }

    pub(crate) fn rare(&self) -> &Rare {
        self.rare.get_or_init(Box::default)
    }

    /// Takes what is kept of the item that the function works on.
    pub(crate) fn take_kept(&self) -> Option<Box<dyn Any + Send>> {
        self.rare.get()?.kept.lock().take()
    }

    /// Counts how long a batch or a call took.
    pub(crate) fn took(&self, time: Duration) {
        self.rare().latency.get_or_init(Arc::default).record(time);
    }

    /// How long batches or calls took, once one has been measured.
    pub(crate) fn latency(&self) -> Option<&Arc<Histogram>> {
        self.rare.get()?.latency.get()
    }

    /// Who listens to its dead letters, if somebody ever did.
    fn letters(&self) -> Option<&Listeners<DeadLetter>> {
        self.rare.get()?.letters.get()
    }

    pub(crate) fn declared(&self) -> &Declared {
        self.declared.as_deref().unwrap_or(Declared::nothing())
    }

    pub(crate) fn path(&self) -> ElementPath {
        (**self.path.load()).clone()
    }

    pub(crate) fn set_path(&self, path: ElementPath) {
        self.path.store(Arc::new(path));
    }

    pub(crate) fn state(&self) -> State {
        State::from_u8(self.state.load(Ordering::Acquire))
    }

    #[inline]
    pub(crate) fn mode(&self) -> Mode {
        match self.mode.load(Ordering::Relaxed) {
            0 => Mode::Work,
            1 => Mode::Hold,
            _ => Mode::Skip,
        }
    }

    /// The same; whoever is told to hold is woken when that changes.
    #[inline]
    pub(crate) fn mode_for(&self, cx: &mut Context<'_>) -> Mode {
        let mode = self.mode();
        if mode != Mode::Hold {
            return mode;
        }
        self.held.register(cx.waker());
        self.mode()
    }

    pub(crate) fn set_dry(&self, dry: Dry) {
        self.dry.store(dry as u8, Ordering::Release);
    }

    /// Waits until a change of state that is under way is over.
    pub(crate) fn settle(&self) {
        drop(self.idle.lock());
    }

    pub(crate) fn input(&self) -> Option<Arc<dyn Inputs>> {
        self.ports.get()?.0.upgrade()
    }

    pub(crate) fn output(&self) -> Option<Arc<dyn Outputs>> {
        self.ports.get()?.1.upgrade()
    }

    /// Puts a recipe by until the element is started.
    pub(crate) fn park(&self, recipe: Box<dyn Launch>) {
        self.idle.lock().recipe = Some(recipe);
    }

    /// Keeps a task that belongs to the element, to be ended with it.
    pub(crate) fn adopt(&self, task: JoinHandle<()>, sink: Option<Arc<Handing>>) {
        let mut idle = self.idle.lock();
        idle.helpers.retain(|helper| !helper.task.is_finished());
        idle.helpers.push(Helper { task, sink });
    }

    /// Sets the state and what follows from it. The caller holds `idle`.
    fn enter(&self, state: State) {
        let mode = match state {
            State::Paused | State::Restarting => Mode::Hold,
            State::Stopped | State::Disposed => Mode::Skip,
            _ => Mode::Work,
        };
        // Who throws something away finds out by the state that this is meant.
        let thrown = mode == Mode::Skip;
        if !thrown {
            self.mode.store(mode as u8, Ordering::Release);
        }
        let before = self.state.swap(state as u8, Ordering::AcqRel);
        if thrown {
            self.mode.store(mode as u8, Ordering::Release);
        }
        self.waker.wake();
        self.held.wake();
        if before != state as u8 {
            self.host.events.tell(&Event::State { path: self.path(), state });
            // Whoever registers meanwhile either is seen here, or sees the new state.
            fence(Ordering::SeqCst);
            let waiters = self.rare.get().map(|rare| std::mem::take(&mut *rare.waiters.lock()));
            for w in waiters.into_iter().flatten() {
                w.wake();
            }
        }
    }

    pub(crate) fn start(self: &Arc<Self>) -> Result<(), StartError> {
        let mut idle = self.idle.lock();
        match self.state() {
            State::Running | State::Restarting | State::Draining => {
                return Err(StartError::AlreadyRunning { path: self.path() });
            }
            State::Disposed => return Err(StartError::Disposed { path: self.path() }),
            _ => {}
        }
        let Some(runtime) = self.host.runtime() else {
            return Err(StartError::NoRuntime { path: self.path() });
        };
        let (input, output) = (self.input(), self.output());
        if let Some(recipe) = idle.recipe.take() {
            if let Some(output) = &output {
                output.reopen();
            }
            if let Some(input) = &input {
                input.reopen();
            }
            self.set_dry(Dry::No);
            idle.task = Some(recipe.launch(&runtime));
        }
        if let Some(input) = &input {
            input.set_intake(Intake::Open);
        }
        self.enter(State::Running);
        if let Some(input) = &input {
            // Those that were asked between the two lines above found it not running yet.
            input.ask_all();
        }
        Ok(())
    }

    /// Starts it if its policy says so in the present state.
    pub(crate) fn start_by_policy(self: &Arc<Self>, on: StartPolicy) {
        let begins = match self.state() {
            State::Ready => self.start_policy == on,
            // What ended because its sources ended lives again with them.
            State::Completed => self.start_policy != StartPolicy::Manual,
            _ => false,
        };
        if begins && let Err(error) = self.start() {
            tracing::debug!(element = %self.path(), %error, "not started by its policy");
        }
    }

    pub(crate) fn stop(&self) {
        let _idle = self.idle.lock();
        if !matches!(self.state(), State::Disposed | State::Completed | State::Failed | State::Ready) {
            self.enter(State::Stopped);
            if let Some(input) = self.input() {
                input.set_intake(Intake::Muted);
            }
        }
    }

    pub(crate) fn pause(&self) -> bool {
        let _idle = self.idle.lock();
        let running = self.state() == State::Running;
        if running {
            self.enter(State::Paused);
        }
        running
    }

    pub(crate) fn resume(&self) -> bool {
        let _idle = self.idle.lock();
        let paused = self.state() == State::Paused;
        if paused {
            self.enter(State::Running);
        }
        paused
    }

    /// Begins to work off what is queued and to take nothing new, then to stop, or to complete with what comes after it; the
    /// task says when it is done. `false` if it is in no state for that.
    pub(crate) fn drain(&self, completing: bool) -> bool {
        let _idle = self.idle.lock();
        let may = self.state().accepts_items();
        if may {
            self.completing.store(completing, Ordering::Release);
            self.enter(State::Draining);
            if let Some(input) = self.input() {
                input.set_intake(Intake::Draining);
            }
        }
        may
    }

    /// Asks the task to build the operators anew.
    pub(crate) fn rebuild(&self) {
        self.renew.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// The element's loop decides about the others.
    pub(crate) fn escalate(&self, error: &Arc<ElementError>) {
        self.host.events.tell(&Event::Escalated(error.clone()));
        let owner = self.owner.lock().upgrade();
        if let Some(owner) = owner {
            owner.escalated(&self.path(), error);
        }
    }

    /// Between a failure and the next attempt.
    pub(crate) fn set_restarting(&self, waiting: bool) {
        let _idle = self.idle.lock();
        match (self.state(), waiting) {
            (State::Running, true) => self.enter(State::Restarting),
            (State::Restarting, false) => self.enter(State::Running),
            _ => {}
        }
    }

    /// The task has ended and gives its recipe back.
    pub(crate) fn ended(self: &Arc<Self>, recipe: Box<dyn Launch>, failed: bool) {
        let mut idle = self.idle.lock();
        let state = self.state();
        if state == State::Disposed {
            drop(idle);
            drop(recipe);
            return;
        }
        let dry = self.dry.swap(Dry::No as u8, Ordering::AcqRel);
        // One that drains to complete ends as if its sources had.
        let completing = self.completing.swap(false, Ordering::AcqRel);
        let drained = !failed && (dry == Dry::Drained as u8 || state == State::Draining);
        let (input, output) = (self.input(), self.output());
        let goes_on = if drained {
            // It was started again while its last results went out.
            state.accepts_items()
        } else {
            // A source came after the last one had ended, so it has not completed after all.
            let ran_dry = !failed && dry == Dry::Ended as u8 && state.accepts_items();
            input.as_ref().is_some_and(|input| input.shut(ran_dry))
        };
        if goes_on && let Some(runtime) = self.host.runtime() {
            idle.task = Some(recipe.launch(&runtime));
            return;
        }
        idle.recipe = Some(recipe);
        idle.task = None;
        let drained = drained && !completing;
        if !drained && let Some(output) = output {
            output.complete();
        }
        if let Some(input) = &input {
            input.set_intake(Intake::Muted);
            if !drained {
                input.complete();
            }
        }
        self.enter(if failed {
            State::Failed
        } else if drained {
            State::Stopped
        } else {
            State::Completed
        });
        drop(idle);
        if input.is_some_and(|input| input.has_news()) {
            // A source came after the last look: as if it had come now.
            self.start_by_policy(StartPolicy::AtOnce);
        }
    }

    /// Ends it for good.
    pub(crate) fn dispose(self: &Arc<Self>) {
        let mut idle = self.idle.lock();
        if self.state() == State::Disposed {
            return;
        }
        let recipe = idle.recipe.take();
        if let Some(task) = idle.task.take() {
            task.abort();
        }
        for helper in idle.helpers.drain(..) {
            helper.task.abort();
        }
        self.enter(State::Disposed);
        drop(idle);
        if let Some(input) = self.input() {
            input.close();
        }
        if let Some(output) = self.output() {
            output.complete();
            output.forget();
        }
        if let Some(letters) = self.letters() {
            letters.end();
        }
        let owner = self.owner.lock().upgrade();
        if let Some(owner) = owner {
            owner.dismiss(&self.handle());
        }
        drop(recipe);
    }

    /// Ends its own task and both ports. What it emitted before goes on its way, also into sinks.
    pub(crate) fn retire(&self) {
        let mut idle = self.idle.lock();
        if let Some(task) = idle.task.take() {
            task.abort();
        }
        if self.state().is_active() {
            self.enter(State::Stopped);
        }
        drop(idle);
        if let Some(input) = self.input() {
            input.close();
        }
        if let Some(output) = self.output() {
            output.complete();
        }
    }

    /// The tasks that serve the element beside its own, such as those that feed a sink; no longer ended with it.
    pub(crate) fn take_helpers(&self) -> Vec<Helper> {
        std::mem::take(&mut self.idle.lock().helpers)
    }

    /// Waits until `holds` is true of the state.
    pub(crate) async fn wait_for(&self, mut holds: impl FnMut(State) -> bool) -> State {
        let mut waits = Waits { site: self, waker: None };
        std::future::poll_fn(|cx| {
            let state = self.state();
            if holds(state) {
                return Poll::Ready(state);
            }
            waits.register(cx);
            // It may have changed before the waker was there to be woken.
            let now = self.state();
            if now != state && holds(now) { Poll::Ready(now) } else { Poll::Pending }
        })
        .await
    }

    /// Calls the element's function, and notes if it panics. Costs nothing while it doesn't.
    #[inline]
    pub(crate) fn in_function<R>(&self, call: impl FnOnce() -> R) -> R {
        struct Unwinding<'s>(&'s Site);
        impl Drop for Unwinding<'_> {
            fn drop(&mut self) {
                self.0.function_panicked.store(true, Ordering::Relaxed);
            }
        }
        let unwinding = Unwinding(self);
        let result = call();
        std::mem::forget(unwinding);
        result
    }

    /// Somebody listens to the items that fail, so inputs are worth keeping.
    #[inline]
    pub(crate) fn keeps_inputs(&self) -> bool {
        self.host.letters.any() || self.letters().is_some_and(Listeners::any)
    }

    /// Reports an error of the element itself: an event, a dead letter, and soon a signal downstream.
    #[cold]
    pub(crate) fn failed(&self, kind: ErrorKind, input: Option<Box<dyn Any + Send>>) {
        let error = self.report(kind, input);
        self.pass_on(error);
    }

    /// The same, but for the signal: the caller passes it on in its place.
    #[cold]
    pub(crate) fn report(&self, kind: ErrorKind, input: Option<Box<dyn Any + Send>>) -> Fault {
        let error = Arc::new(ElementError { path: self.path(), kind });
        self.errors.fetch_add(1, Ordering::Relaxed);
        tracing::debug!(element = %error.path, error = %error.kind, "an item failed");
        self.host.events.tell(&Event::Error(error.clone()));
        let own = self.letters();
        if self.host.letters.any() || own.is_some_and(|l| l.any()) {
            let letter = DeadLetter::new(error.clone(), input);
            self.host.letters.tell(&letter);
            if let Some(own) = own {
                own.tell(&letter);
            }
        }
        self.failing.store(true, Ordering::Release);
        error
    }

    /// Hands an error to the task, which passes it on downstream behind what was emitted before.
    pub(crate) fn pass_on(&self, fault: Fault) {
        self.rare().faults.lock().push(fault);
        self.any_fault.store(true, Ordering::Release);
        self.waker.wake();
    }

    pub(crate) fn take_faults(&self) -> Vec<Fault> {
        self.any_fault.store(false, Ordering::Release);
        std::mem::take(&mut *self.rare().faults.lock())
    }

    pub(crate) fn handle(self: &Arc<Self>) -> AnyElement {
        AnyElement::new(self.clone())
    }
}

/// Somebody who waits for a state; one who waits no longer leaves no waker behind.
struct Waits<'a> {
    site: &'a Site,
    waker: Option<Waker>,
}

impl Waits<'_> {
    fn register(&mut self, cx: &Context<'_>) {
        let mut waiters = self.site.rare().waiters.lock();
        if !waiters.iter().any(|w| w.will_wake(cx.waker())) {
            waiters.push(cx.waker().clone());
        }
        drop(waiters);
        self.waker = Some(cx.waker().clone());
        fence(Ordering::SeqCst);
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        let Some(mine) = &self.waker else { return };
        let mut waiters = self.site.rare().waiters.lock();
        let found = waiters.iter().position(|w| w.will_wake(mine));
        let waker = found.map(|i| waiters.swap_remove(i));
        drop(waiters);
        // It may stand for others of the same task too.
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
