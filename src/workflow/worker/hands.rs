//! What a worker has in hand.

use super::super::ready::Ready;
use super::super::{Invocation, Task};
use super::cancels::{Cancel, Cancels};
use super::intake::Begins;
use super::start::Start;
use crate::event::EventId;
use foldhash::fast::RandomState;
use parking_lot::Mutex;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::Notify;

/// What a worker has taken and not ended: in work, as far as there is room, or waiting.
pub(super) struct Hands {
    kinds: Vec<Kind>,
    concurrency: usize,
    receipts: bool,
    inner: Mutex<Inner>,
    /// Nothing is in hand any more.
    empty: Notify,
}

struct Kind {
    ready: Arc<Ready>,
    limit: usize,
}

#[derive(Default)]
struct Inner {
    held: HashMap<EventId, Held, RandomState>,
    /// What has not begun, in the order in which it came.
    waiting: VecDeque<EventId>,
    begun: usize,
    /// The same of each kind.
    begun_of: Vec<usize>,
    cancels: Cancels,
    draining: bool,
}

struct Held {
    delivery: Begins,
    /// The same, claimed by this worker from itself after an outage that was longer than its lease.
    again: Vec<Begins>,
    invocation: Invocation,
    kind: usize,
    begun: bool,
}

impl Held {
    /// Gives it back, for anybody to have at once.
    fn give_back(&self) {
        for delivery in self.deliveries() {
            delivery.give_back(Some(Duration::ZERO));
        }
    }

    fn deliveries(&self) -> impl Iterator<Item = &Begins> {
        std::iter::once(&self.delivery).chain(&self.again)
    }
}

/// How an invocation is tied to the worker that was given it.
pub(in super::super) struct Begun {
    id: EventId,
    hands: Weak<Hands>,
}

impl Begun {
    pub(in super::super) fn id(&self) -> EventId {
        self.id
    }

    /// Its task has answered that somebody else will end it.
    pub(in super::super) fn goes_on_elsewhere(&self, cancelled: bool) {
        // One that was told to stop is ended here.
        if !cancelled && let Some(hands) = self.hands.upgrade() {
            hands.done(self.id);
        }
    }
}

/// What was cancelled before it began.
pub(super) type Unwanted = (Begins, Invocation);

impl Hands {
    pub(super) fn new<'a>(
        tasks: impl Iterator<Item = &'a Task>,
        concurrency: usize,
        receipts: bool,
    ) -> Arc<Self> {
        let kinds: Vec<_> = tasks.map(|task| Kind { ready: Arc::default(), limit: task.limit }).collect();
        let inner = Inner { begun_of: vec![0; kinds.len()], ..Inner::default() };
        Arc::new(Self { kinds, concurrency, receipts, inner: Mutex::new(inner), empty: Notify::new() })
    }

    /// What is ready for the element of each kind.
    pub(super) fn ready(&self) -> impl Iterator<Item = &Arc<Ready>> {
        self.kinds.iter().map(|kind| &kind.ready)
    }

    /// Takes a start in hand, and begins it if there is room; what was cancelled before is not taken.
    pub(super) fn accept(self: &Arc<Self>, delivery: Begins, start: Start, kind: usize) -> Option<Unwanted> {
        let id = delivery.id();
        let mut inner = self.inner.lock();
        if let Some(held) = inner.held.get_mut(&id) {
            held.again.push(delivery);
            return None;
        }
        if inner.draining {
            drop(inner);
            delivery.give_back(Some(Duration::ZERO));
            return None;
        }
        let invocation = start.invocation(id, self.begun_by(id));
        if inner.cancels.has(id, &invocation) {
            return Some((delivery, invocation));
        }
        inner.held.insert(id, Held { delivery, again: Vec::new(), invocation, kind, begun: false });
        inner.waiting.push_back(id);
        self.begin_waiting(&mut inner);
        None
    }

    pub(super) fn begun_by(self: &Arc<Self>, id: EventId) -> Begun {
        Begun { id, hands: Arc::downgrade(self) }
    }

    /// Begins what waits, as far as there is room.
    fn begin_waiting(&self, inner: &mut Inner) {
        let mut at = 0;
        while inner.begun < self.concurrency
            && let Some(id) = inner.waiting.get(at)
        {
            let Some(held) = inner.held.get_mut(id) else {
                inner.waiting.remove(at);
                continue;
            };
            let Some((kind, begun)) = self.kinds.get(held.kind).zip(inner.begun_of.get_mut(held.kind)) else {
                return;
            };
            if *begun >= kind.limit {
                at += 1;
                continue;
            }
            held.begun = true;
            *begun += 1;
            inner.begun += 1;
            inner.waiting.remove(at);
            kind.ready.put(held.invocation.clone());
            kind.ready.wake();
        }
    }

    /// Tells what is in work that it is no longer wanted; what has not begun does not begin.
    pub(super) fn cancel(&self, cancel: Cancel) -> Vec<Unwanted> {
        let mut inner = self.inner.lock();
        let meant: Vec<EventId> = inner
            .held
            .iter()
            .filter(|(id, held)| cancel.means(**id, &held.invocation))
            .map(|(id, _)| *id)
            .collect();
        if meant.is_empty() {
            inner.cancels.remember(cancel);
            return Vec::new();
        }
        let mut unwanted = Vec::new();
        for id in meant {
            if let Some(held) = inner.held.get(&id).filter(|held| held.begun) {
                held.invocation.cancel();
            } else if let Some(held) = inner.held.remove(&id) {
                inner.waiting.retain(|waiting| *waiting != id);
                unwanted.push((held.delivery, held.invocation));
            }
        }
        self.tell_if_empty(&inner);
        unwanted
    }

    /// The start of what has ended, if it is still in hand.
    pub(super) fn begun(&self, id: EventId) -> Option<Begins> {
        self.inner.lock().held.get(&id).map(|held| held.delivery.clone())
    }

    /// It is acknowledged here.
    pub(super) fn done(&self, id: EventId) {
        let Some(held) = self.release(id) else { return };
        let receipt = super::intake::receipt(&held.delivery);
        if self.receipts {
            held.delivery.acknowledge_with([receipt]);
        }
        for delivery in held.deliveries() {
            delivery.acknowledge();
        }
    }

    /// It was acknowledged by a transaction.
    pub(super) fn settled(&self, id: EventId) {
        if let Some(held) = self.release(id) {
            held.deliveries().for_each(|delivery| delivery.settled());
        }
    }

    /// It is not this worker's any more, or cannot be ended.
    pub(super) fn let_go(&self, id: EventId) {
        if let Some(held) = self.release(id) {
            held.deliveries().for_each(|delivery| delivery.give_back(None));
        }
    }

    fn release(&self, id: EventId) -> Option<Held> {
        let mut inner = self.inner.lock();
        let held = inner.held.remove(&id)?;
        if held.begun {
            inner.begun -= 1;
            if let Some(begun) = inner.begun_of.get_mut(held.kind) {
                *begun -= 1;
            }
        }
        self.begin_waiting(&mut inner);
        self.tell_if_empty(&inner);
        Some(held)
    }

    fn tell_if_empty(&self, inner: &Inner) {
        if inner.held.is_empty() {
            self.empty.notify_waiters();
        }
    }

    /// Gives back what has not begun; from now on all that comes.
    pub(super) fn drain(&self) {
        let mut inner = self.inner.lock();
        inner.draining = true;
        let waiting = std::mem::take(&mut inner.waiting);
        let waiting: Vec<Held> = waiting.iter().filter_map(|id| inner.held.remove(id)).collect();
        self.tell_if_empty(&inner);
        drop(inner);
        waiting.iter().for_each(Held::give_back);
    }

    /// Gives back everything; how many.
    pub(super) fn give_back_all(&self) -> usize {
        let mut inner = self.inner.lock();
        inner.draining = true;
        inner.waiting.clear();
        let held = std::mem::take(&mut inner.held);
        drop(inner);
        held.values().for_each(Held::give_back);
        held.len()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.inner.lock().held.len()
    }

    /// Waits until there is nothing.
    pub(super) async fn emptied(&self) {
        loop {
            let empty = self.empty.notified();
            tokio::pin!(empty);
            empty.as_mut().enable();
            if self.len() == 0 {
                return;
            }
            empty.await;
        }
    }
}
