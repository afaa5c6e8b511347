//! The pipelines of jobs, or of results, that are in force.

use super::Pipeline;
use super::chain::{Chain, Out, Unit};
use crate::live::hub::Hub;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use tokio::sync::Notify;
use tokio::time::Instant;

/// The pipelines of jobs, or of results, that are in force.
pub(super) struct Side<T: Unit> {
    /// Whether there are any. While not, nothing here is locked.
    is_active: AtomicBool,
    state: Mutex<State<T>>,
}

struct State<T: Unit> {
    chains: Vec<Chain<T>>,
    /// No longer in force; they let go of what they hold by their own rules.
    draining: Vec<Chain<T>>,
    /// When the task that drives it looks next.
    armed: Option<Instant>,
    /// Who waits for room.
    waiting: Vec<Waker>,
}

impl<T: Unit> Side<T> {
    pub(super) fn new() -> Self {
        let state = State { chains: Vec::new(), draining: Vec::new(), armed: None, waiting: Vec::new() };
        Self { is_active: AtomicBool::new(false), state: Mutex::new(state) }
    }

    pub(super) fn is_active(&self) -> bool {
        self.is_active.load(Ordering::Acquire)
    }

    /// Lets one go its way; `through` is called with what comes through, in the order in which it does. What is left is to
    /// be dropped by the caller.
    pub(super) fn offer(
        &self,
        name: &str,
        item: T,
        sooner: &Notify,
        through: impl FnOnce(&mut Out<T>),
    ) -> Out<T> {
        let mut out = Out::new();
        let mut state = self.state.lock();
        state.offer(name, item, Instant::now(), &mut out);
        through(&mut out);
        state.arm(sooner);
        out
    }

    /// The same with many, as long as the pipelines they go through hold less than `most`; those that found no room stay in
    /// the list, and the task is woken when there is.
    pub(super) fn poll_offer(
        &self,
        items: &mut Vec<T>,
        most: usize,
        cx: &mut Context<'_>,
        sooner: &Notify,
        through: impl FnOnce(&mut Out<T>),
    ) -> (Out<T>, Poll<()>)
    where
        T: Named,
    {
        let mut out = Out::new();
        let (now, mut rest) = (Instant::now(), std::mem::take(items).into_iter());
        let mut state = self.state.lock();
        let mut polled = Poll::Ready(());
        while let Some(item) = rest.next() {
            if !state.has_room(item.name(), most) {
                items.push(item);
                items.extend(rest);
                state.waiting.retain(|waker| !waker.will_wake(cx.waker()));
                state.waiting.push(cx.waker().clone());
                polled = Poll::Pending;
                break;
            }
            let name = item.name().clone();
            state.offer(&name, item, now, &mut out);
        }
        through(&mut out);
        state.arm(sooner);
        (out, polled)
    }

    pub(super) fn has_room(&self, name: &str, most: usize) -> bool {
        self.state.lock().has_room(name, most)
    }

    /// Does what is due; when to look next.
    pub(super) fn advance(&self, through: impl FnOnce(&mut Out<T>)) -> (Out<T>, Option<Instant>) {
        let mut out = Out::new();
        let mut state = self.state.lock();
        let now = Instant::now();
        let State { chains, draining, .. } = &mut *state;
        for chain in chains.iter_mut().chain(draining.iter_mut()) {
            if chain.due().is_some_and(|due| due <= now) {
                let left = out.left.len();
                chain.advance(now, &mut out);
                chain.count(out.left.len() - left);
            }
        }
        state.draining.retain(|chain| chain.held() > 0);
        through(&mut out);
        state.armed = state.due();
        let woken = std::mem::take(&mut state.waiting);
        let next = state.armed;
        drop(state);
        woken.into_iter().for_each(Waker::wake);
        (out, next)
    }

    /// Puts other pipelines in force. Those before let go of what they only collected; and `all`: also of what waits.
    pub(super) fn replace(
        &self,
        declared: &[Pipeline],
        all: bool,
        hub: &Arc<Hub>,
        sooner: &Notify,
        through: impl FnOnce(&mut Out<T>),
    ) -> Out<T> {
        let mut out = Out::new();
        let mut state = self.state.lock();
        let now = Instant::now();
        let mut before = std::mem::take(&mut state.chains);
        for chain in &mut before {
            let left = out.left.len();
            chain.flush(all, now, &mut out);
            chain.count(out.left.len() - left);
        }
        for pipeline in declared {
            let known = before.iter_mut().find(|chain| chain.names() == pipeline.names);
            state.chains.push(Chain::new(pipeline, known, hub));
        }
        state.draining.extend(before.into_iter().filter(|chain| chain.held() > 0));
        state.chains.iter().for_each(|chain| chain.count(0));
        through(&mut out);
        self.is_active.store(!state.chains.is_empty(), Ordering::Release);
        state.arm(sooner);
        let woken = std::mem::take(&mut state.waiting);
        drop(state);
        woken.into_iter().for_each(Waker::wake);
        out
    }

    /// Takes out what nobody wants any more. It is to be dropped by the caller.
    pub(super) fn take_unwanted(&self) -> Vec<T> {
        let mut gone = Vec::new();
        let mut state = self.state.lock();
        let State { chains, draining, .. } = &mut *state;
        for chain in chains.iter_mut().chain(draining.iter_mut()) {
            chain.take_unwanted(&mut gone);
            chain.count(0);
        }
        draining.retain(|chain| chain.held() > 0);
        gone
    }

    /// Calls a function with all stages of their own.
    pub(super) fn each_own(&self, act: impl FnMut(&T::Own)) {
        let state = self.state.lock();
        state.chains.iter().chain(&state.draining).flat_map(Chain::owned).for_each(act);
    }
}

impl<T: Unit> Drop for Side<T> {
    /// Who waits for room finds that there is nothing any more.
    fn drop(&mut self) {
        self.state.get_mut().waiting.drain(..).for_each(Waker::wake);
    }
}

/// What has a name.
pub(super) trait Named {
    fn name(&self) -> &Arc<str>;
}

impl<T: Unit> State<T> {
    fn offer(&mut self, name: &str, item: T, now: Instant, out: &mut Out<T>) {
        match self.chains.iter_mut().find(|chain| chain.is_for(name)) {
            Some(chain) => {
                let left = out.left.len();
                chain.offer(item, now, out);
                chain.count(out.left.len() - left);
            }
            None => out.through.push(item),
        }
    }

    fn has_room(&self, name: &str, most: usize) -> bool {
        self.chains.iter().find(|chain| chain.is_for(name)).is_none_or(|chain| chain.held() < most)
    }

    fn due(&self) -> Option<Instant> {
        self.chains.iter().chain(&self.draining).filter_map(Chain::due).min()
    }

    /// Wakes the task that drives it if it would look too late.
    fn arm(&mut self, sooner: &Notify) {
        let due = self.due();
        if due.is_some_and(|due| self.armed.is_none_or(|armed| due < armed)) {
            self.armed = due;
            sooner.notify_one();
        }
    }
}
