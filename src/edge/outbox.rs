//! What waits to be posted.

use super::stats::{Counters, DROPPED};
use super::target::Kind;
use super::{Error, PostFormat, PostStats};
use crate::element::Overflow;
use crate::element::handing::waits_for;
use crate::stream::LossySender;
use crate::stream::ops::alarm::after;
use crate::stream::trace::TraceContext;
use parking_lot::Mutex;
use serde_json::Value;
use smallvec::SmallVec;
use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::coop::poll_proceed;
use tokio::time::{Instant, timeout_at};
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
    /// How many bytes may wait, whatever their number; one letter always may.
    pub(super) capacity_bytes: usize,
    pub(super) overflow: Overflow,
    pub(super) batch: Batch,
    pub(super) refusals: Mutex<Option<LossySender<Refusal>>>,
}

/// What goes together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Batch {
    /// So many are not waited beyond.
    pub(super) count: usize,
    /// No more than this, unless one alone is longer; so much is not waited beyond.
    pub(super) bytes: usize,
    /// How long the first waits for others, if nobody hurries it; zero is not at all.
    pub(super) wait: Duration,
}

struct State {
    waiting: VecDeque<Letter>,
    /// Of what waits.
    bytes: usize,
    /// What waits is to go now, full batch or not.
    hurried: bool,
    /// Taken by the task, and not done with.
    in_hand: usize,
    /// Taken to be made ready while others are in hand, as if it waited: how many, and of how many bytes.
    ahead: (usize, usize),
    /// Nobody posts any more.
    ended: bool,
    feeder: Option<Waker>,
}

/// One thing to be posted.
pub(super) struct Letter {
    pub(super) kind: Kind,
    pub(super) body: Vec<u8>,
    /// Servers may read it differently, so one has to know which it is.
    pub(super) ambiguous: bool,
    pub(super) since: Instant,
    /// The trace to which it belongs, if it is known.
    pub(super) context: Option<TraceContext>,
}

/// Something that will not be delivered, and why; see [`PostSink::refusals`](super::PostSink::refusals).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Refusal {
    /// The item, or for an error of an element what was to be said of it; null if it can't be written. Of a point its
    /// line, or all of it if it has none.
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
        let state = State {
            waiting: VecDeque::new(),
            bytes: 0,
            hurried: false,
            in_hand: 0,
            ahead: (0, 0),
            ended: false,
            feeder: None,
        };
        Self {
            state: Mutex::new(state),
            fresh: Notify::new(),
            stats: PostStats(Arc::new(Counters::new(&place))),
            place,
            capacity: 1024,
            capacity_bytes: usize::MAX,
            overflow: Overflow::Wait,
            batch: Batch { count: usize::MAX, bytes: BODY_BYTES, wait: Duration::ZERO },
            refusals: Mutex::new(None),
        }
    }

    /// Ready when there is room, or something gives way; others, too, have their turn.
    pub(super) fn poll_room(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let turn = std::task::ready!(poll_proceed(cx));
        let room = self.poll(cx, |state| self.overflow != Overflow::Wait || !self.is_full(state));
        if room.is_ready() {
            turn.made_progress();
        }
        room
    }

    /// Ready when nothing waits any more.
    pub(super) fn poll_empty(&self, cx: &Context<'_>) -> Poll<Result<(), Error>> {
        self.poll(cx, |state| state.queued() == 0)
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
        waits_for(&self.stats.0.meter());
        self.fresh.notify_one();
        Poll::Pending
    }

    /// Whether there is no room for another.
    fn is_full(&self, state: &State) -> bool {
        let (count, bytes) = state.ahead;
        state.waiting.len() + count >= self.capacity || state.bytes + bytes >= self.capacity_bytes
    }

    /// Puts something in, or drops what gives way.
    pub(super) fn put(&self, kind: Kind, body: Vec<u8>, context: Option<TraceContext>) {
        self.put_letter(Letter { kind, body, ambiguous: false, since: Instant::now(), context });
    }

    pub(super) fn put_letter(&self, letter: Letter) {
        let mut state = self.state.lock();
        let was_enough = self.is_enough(&state);
        let is_full = self.is_full(&state) && letter.kind != Kind::Completed;
        // Dropped when the lock is released.
        let mut dropped = SmallVec::<[Letter; 1]>::new();
        if is_full && self.overflow == Overflow::DropNewest {
            dropped.push(letter);
        } else {
            if is_full && self.overflow == Overflow::DropOldest {
                while self.is_full(&state) {
                    let Some(oldest) = state.waiting.pop_front() else { break };
                    state.bytes -= oldest.body.len();
                    dropped.push(oldest);
                }
            }
            state.bytes += letter.body.len();
            state.waiting.push_back(letter);
        }
        // Who waits for more has a clock to start with the first, and is done waiting when there is enough.
        let is_enough = !was_enough && self.is_enough(&state);
        let wakes = !self.batch.wait.is_zero() && (state.waiting.len() == 1 || is_enough);
        self.stats.0.queued(state.queued());
        drop(state);
        if wakes {
            self.fresh.notify_one();
        }
        let dropped = dropped.len();
        if dropped > 0 && self.stats.0.add(DROPPED, dropped) == 0 {
            warn!(place = self.place, "the queue is full: items are dropped, and counted");
        }
    }

    /// Has what is there posted.
    pub(super) fn send(&self) {
        let mut state = self.state.lock();
        state.hurried = !state.waiting.is_empty();
        drop(state);
        self.fresh.notify_one();
    }

    /// Whether what waits is a batch, however short its first has waited.
    fn is_enough(&self, state: &State) -> bool {
        let Batch { count, bytes, .. } = self.batch;
        state.hurried || state.waiting.len() >= count || state.bytes >= bytes || self.is_full(state)
    }

    /// When a batch is to be taken, if there is something.
    fn due(&self) -> Option<Instant> {
        let state = self.state.lock();
        let first = state.waiting.front()?;
        Some(if self.is_enough(&state) { first.since } else { after(first.since, self.batch.wait) })
    }

    /// Takes what may go in one body, once there is something.
    pub(super) async fn take(&self, most: usize) -> VecDeque<Letter> {
        loop {
            match self.due() {
                None => self.fresh.notified().await,
                Some(due) if due <= Instant::now() => {
                    let taken = self.take_now(most);
                    if !taken.is_empty() {
                        return taken;
                    }
                }
                Some(due) => drop(timeout_at(due, self.fresh.notified()).await),
            }
        }
    }

    fn take_now(&self, most: usize) -> VecDeque<Letter> {
        let mut state = self.state.lock();
        let (taken, _) = self.pop(&mut state, most);
        state.in_hand = taken.len();
        let feeder = if taken.is_empty() { None } else { state.feeder.take() };
        drop(state);
        if let Some(feeder) = feeder {
            feeder.wake();
        }
        taken
    }

    /// The next that go in one body, and their bytes.
    fn pop(&self, state: &mut State, most: usize) -> (VecDeque<Letter>, usize) {
        let (mut taken, mut bytes) = (VecDeque::with_capacity(most.min(state.waiting.len())), 0);
        while let Some(next) = state.waiting.front() {
            let first: Option<&Letter> = taken.front();
            let fits = first.is_none_or(|first| {
                first.kind == next.kind
                    && next.kind == Kind::Next
                    && bytes + next.body.len() <= self.batch.bytes
            });
            if taken.len() >= most || !fits {
                break;
            }
            bytes += next.body.len();
            taken.extend(state.waiting.pop_front());
        }
        state.bytes -= bytes;
        state.hurried &= !state.waiting.is_empty();
        (taken, bytes)
    }

    /// Takes a full batch, once there is one, to make it ready while another is in hand; it still counts as waiting.
    pub(super) async fn take_ahead(&self, most: usize) -> VecDeque<Letter> {
        loop {
            if let Some(taken) = self.take_ahead_now(most) {
                return taken;
            }
            self.fresh.notified().await;
        }
    }

    fn take_ahead_now(&self, most: usize) -> Option<VecDeque<Letter>> {
        let mut state = self.state.lock();
        if state.waiting.len() < self.batch.count && state.bytes < self.batch.bytes {
            return None;
        }
        let (taken, bytes) = self.pop(&mut state, most);
        state.ahead = (taken.len(), bytes);
        Some(taken)
    }

    /// What was taken ahead is in hand now, where nothing else is.
    pub(super) fn go_ahead(&self) {
        let mut state = self.state.lock();
        (state.in_hand, _) = std::mem::take(&mut state.ahead);
        let feeder = state.feeder.take();
        drop(state);
        if let Some(feeder) = feeder {
            feeder.wake();
        }
    }

    /// Counts what has become of so many in hand, unless they were counted as lost with the sink.
    pub(super) fn count(&self, counter: usize, count: usize) {
        let mut state = self.state.lock();
        if !state.ended {
            state.in_hand = state.in_hand.saturating_sub(count);
            self.stats.0.add(counter, count);
        }
    }

    /// So many are still in hand.
    pub(super) fn left(&self, in_hand: usize) {
        let mut state = self.state.lock();
        if state.ended {
            return;
        }
        state.in_hand = in_hand;
        self.stats.0.queued(state.queued());
        let feeder = state.feeder.take();
        drop(state);
        if let Some(feeder) = feeder {
            feeder.wake();
        }
    }

    /// Nobody posts any more: what is left is lost, and counted at once.
    pub(super) fn end(&self) {
        let mut state = self.state.lock();
        state.ended = true;
        let left = state.queued();
        self.stats.0.add(DROPPED, left);
        (state.in_hand, state.ahead, state.bytes) = (0, (0, 0), 0);
        let waiting = std::mem::take(&mut state.waiting);
        let feeder = state.feeder.take();
        self.stats.0.queued(0);
        drop(state);
        drop(waiting);
        if let Some(feeder) = feeder {
            feeder.wake();
        }
        if left > 0 {
            warn!(place = self.place, dropped = left, "the sink is gone before all was posted");
        }
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

impl State {
    /// What waits or is under way.
    fn queued(&self) -> usize {
        self.waiting.len() + self.ahead.0 + self.in_hand
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
        self.0.end();
    }
}
