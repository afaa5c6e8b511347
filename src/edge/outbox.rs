//! What waits to be posted.

use super::target::Kind;
use super::{Error, PostFormat, PostStats};
use crate::element::Overflow;
use crate::stream::LossySender;
use crate::stream::trace::TraceContext;
use parking_lot::Mutex;
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, Waker};
use tokio::sync::Notify;
use tokio::time::Instant;
use tracing::warn;

/// What a sink puts in and its task takes out: a bounded queue.
pub(super) struct Outbox {
    state: Mutex<State>,
    /// Something is to be posted.
    fresh: Notify,
    /// As the sink's place is shown.
    pub(super) place: String,
    pub(super) stats: PostStats,
    pub(super) capacity: usize,
    pub(super) overflow: Overflow,
    pub(super) refusals: Mutex<Option<LossySender<Refusal>>>,
}

struct State {
    waiting: VecDeque<Letter>,
    /// Taken by the task, and not done with.
    in_hand: usize,
    /// Nobody posts any more.
    ended: bool,
    feeder: Option<Waker>,
}

/// One thing to be posted.
pub(super) struct Letter {
    pub(super) kind: Kind,
    pub(super) body: Vec<u8>,
    pub(super) since: Instant,
    /// The trace to which it belongs, if it is known.
    pub(super) context: Option<TraceContext>,
}

/// Something that will not be delivered, and why; see [`PostSink::refusals`](super::PostSink::refusals).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Refusal {
    /// The item, or for an error of an element what was to be said of it; null if it can't be written.
    pub value: Value,
    /// It is an error, which was to be posted in its place between the items.
    pub is_error: bool,
    /// Why.
    pub error: Error,
}

/// What is posted at once has to fit into half of what our own service takes by default.
const BODY_BYTES: usize = 512 * 1024;

impl Outbox {
    pub(super) fn new(place: String) -> Self {
        let state = State { waiting: VecDeque::new(), in_hand: 0, ended: false, feeder: None };
        Self {
            state: Mutex::new(state),
            fresh: Notify::new(),
            place,
            stats: PostStats::default(),
            capacity: 1024,
            overflow: Overflow::Wait,
            refusals: Mutex::new(None),
        }
    }

    /// Ready when there is room, or something gives way.
    pub(super) fn poll_room(&self, cx: &Context<'_>) -> Poll<Result<(), Error>> {
        self.poll(cx, |state| self.overflow != Overflow::Wait || state.waiting.len() < self.capacity)
    }

    /// Ready when nothing waits any more.
    pub(super) fn poll_empty(&self, cx: &Context<'_>) -> Poll<Result<(), Error>> {
        self.poll(cx, |state| state.waiting.is_empty() && state.in_hand == 0)
    }

    fn poll(&self, cx: &Context<'_>, reached: impl Fn(&State) -> bool) -> Poll<Result<(), Error>> {
        let mut state = self.state.lock();
        if state.ended {
            return Poll::Ready(Err(Error::Closed { place: self.place.clone() }));
        }
        if reached(&state) {
            return Poll::Ready(Ok(()));
        }
        state.feeder = Some(cx.waker().clone());
        drop(state);
        self.fresh.notify_one();
        Poll::Pending
    }

    /// Puts something in, or drops what gives way.
    pub(super) fn put(&self, kind: Kind, body: Vec<u8>, context: Option<TraceContext>) {
        let letter = Letter { kind, body, since: Instant::now(), context };
        let mut state = self.state.lock();
        let is_full = state.waiting.len() >= self.capacity && kind != Kind::Completed;
        // Dropped when the lock is released.
        let dropped = match self.overflow {
            Overflow::DropOldest if is_full => {
                let oldest = state.waiting.pop_front();
                state.waiting.push_back(letter);
                oldest
            }
            Overflow::DropNewest if is_full => Some(letter),
            _ => {
                state.waiting.push_back(letter);
                None
            }
        };
        self.stats.0.queued.store(state.waiting.len() + state.in_hand, Relaxed);
        drop(state);
        if dropped.is_some() && self.stats.0.dropped.fetch_add(1, Relaxed) == 0 {
            warn!(place = self.place, "the queue is full: items are dropped, and counted");
        }
    }

    /// Has what is there posted.
    pub(super) fn send(&self) {
        self.fresh.notify_one();
    }

    /// Takes what may go in one body, once there is something.
    pub(super) async fn take(&self, most: usize) -> VecDeque<Letter> {
        loop {
            let taken = self.take_now(most);
            if !taken.is_empty() {
                return taken;
            }
            self.fresh.notified().await;
        }
    }

    fn take_now(&self, most: usize) -> VecDeque<Letter> {
        let (mut taken, mut bytes) = (VecDeque::new(), 0);
        let mut state = self.state.lock();
        while let Some(next) = state.waiting.front() {
            let first: Option<&Letter> = taken.front();
            let fits = first.is_none_or(|first| {
                first.kind == next.kind && next.kind == Kind::Next && bytes + next.body.len() <= BODY_BYTES
            });
            if taken.len() >= most || !fits {
                break;
            }
            bytes += next.body.len();
            taken.extend(state.waiting.pop_front());
        }
        state.in_hand = taken.len();
        let feeder = if taken.is_empty() { None } else { state.feeder.take() };
        drop(state);
        if let Some(feeder) = feeder {
            feeder.wake();
        }
        taken
    }

    /// So many are still in hand.
    pub(super) fn left(&self, in_hand: usize) {
        let mut state = self.state.lock();
        state.in_hand = in_hand;
        self.stats.0.queued.store(state.waiting.len() + in_hand, Relaxed);
        let feeder = state.feeder.take();
        drop(state);
        if let Some(feeder) = feeder {
            feeder.wake();
        }
    }

    /// Nobody posts any more; how many were left.
    pub(super) fn end(&self) -> usize {
        let mut state = self.state.lock();
        state.ended = true;
        let left = state.waiting.len() + state.in_hand;
        state.in_hand = 0;
        let waiting = std::mem::take(&mut state.waiting);
        let feeder = state.feeder.take();
        self.stats.0.queued.store(0, Relaxed);
        drop(state);
        drop(waiting);
        if let Some(feeder) = feeder {
            feeder.wake();
        }
        left
    }

    /// Remembers what went wrong.
    pub(super) fn failed(&self, error: &Error) {
        *self.stats.0.last_error.lock() = Some(error.to_string());
    }

    /// Tells of something that will not be delivered.
    pub(super) fn refuse(&self, value: impl FnOnce() -> Value, is_error: bool, error: Error) {
        let mut refusals = self.refusals.lock();
        let Some(sender) = refusals.as_ref() else { return };
        if !sender.send(Refusal { value: value(), is_error, error }) {
            *refusals = None;
        }
    }
}

impl Letter {
    /// What it says.
    pub(super) fn value(&self, format: PostFormat) -> Value {
        if self.kind == Kind::Next && format == PostFormat::MessagePack {
            return rmp_serde::from_slice(&self.body).unwrap_or_default();
        }
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// Ends an outbox with the task that empties it.
pub(super) struct Emptying(pub(super) Arc<Outbox>);

impl Drop for Emptying {
    fn drop(&mut self) {
        let left = self.0.end() as u64;
        if left > 0 {
            self.0.stats.0.dropped.fetch_add(left, Relaxed);
            warn!(place = self.0.place, dropped = left, "the sink is gone before all was posted");
        }
    }
}
