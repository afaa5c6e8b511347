//! What waits to be put into the log of all nodes, and what is on its way there.

use super::wire::What;
use crate::event::{Event, EventId};
use crate::live::hub::Arrived;
use crate::live::nodes::wire;
use crate::live::{Body, JobId};
use parking_lot::Mutex;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Whoever can wait waits while so many are on their way.
const ROOM: usize = 4096;
/// So many parts wait while the log is away, and so many bytes; then the oldest gives way.
const MOST: usize = 20_000;
const MOST_BYTES: usize = 64 * 1024 * 1024;
/// So many, or so many bytes, are appended at a time.
const AT_ONCE: usize = 512;
const BYTES_AT_ONCE: usize = 1024 * 1024;

/// What was appended and has not come back for so long was lost by the server.
const LOST: Duration = Duration::from_secs(15);

/// A part that this node has published. It is kept here until the log brings it, so that it need not be read again, and
/// keeps no job going: those who asked have it already.
pub(super) struct Own {
    pub(super) name: Arc<str>,
    pub(super) job: Option<JobId>,
    pub(super) nr: u64,
    pub(super) body: Body,
    /// Those who asked for it and have it.
    pub(super) have: Vec<u64>,
    pub(super) at: Instant,
}

impl Own {
    /// At its place, or without one if it never had any.
    pub(super) fn arrived(self, offset: Option<EventId>) -> Arrived {
        let part = wire::delivered(self.name, self.job, self.nr, offset, self.body);
        Arrived { part, owners: Vec::new(), have: self.have, is_old: false }
    }
}

/// What is on its way to the log, as far as it is needed if that loses it.
pub(super) enum UnderWay {
    Part(Own),
    /// A job for another node.
    Ask(JobId),
    /// What can be said again: nothing else that is said hangs on it.
    Again(What),
}

impl From<What> for UnderWay {
    fn from(what: What) -> Self {
        match what {
            What::Part { own, .. } => Self::Part(own),
            What::Ask { job, .. } => Self::Ask(job.id()),
            other => Self::Again(other),
        }
    }
}

/// What waits to be put into the log of all nodes, and what is on its way there, numbered in its order.
#[derive(Default)]
pub(super) struct Outgoing {
    state: Mutex<State>,
    /// There is something to be appended.
    more: Notify,
    /// Something less is on its way.
    pub(super) less: Notify,
}

#[derive(Default)]
struct State {
    last: u64,
    waiting: VecDeque<(u64, What)>,
    bytes: usize,
    /// Appended, or about to be, and not brought yet.
    under_way: BTreeMap<u64, UnderWay>,
    /// How many are being appended.
    taken: usize,
    is_away: bool,
    /// When something was last appended, or brought.
    moved: Option<Instant>,
    wakers: Vec<Waker>,
}

impl Outgoing {
    /// Puts something behind what waits; what gives way for it if it is a part, which reaches the clients of this node
    /// alone.
    pub(super) fn put(&self, make: impl FnOnce(u64) -> What) -> Vec<Own> {
        let mut state = self.state.lock();
        state.last += 1;
        let seq = state.last;
        let what = make(seq);
        state.bytes += what.size();
        let is_part = matches!(what, What::Part { .. });
        state.waiting.push_back((seq, what));
        let mut gave_way = Vec::new();
        while is_part && (state.waiting.len() > MOST || state.bytes > MOST_BYTES) {
            // Asks and ends are few, and stay.
            let at = state.waiting.iter().position(|(_, what)| matches!(what, What::Part { .. }));
            let Some((_, what)) = at.and_then(|at| state.waiting.remove(at)) else { break };
            state.bytes -= what.size();
            if let What::Part { own, .. } = what {
                gave_way.push(own);
            }
        }
        drop(state);
        self.more.notify_one();
        gave_way
    }

    /// Waits until what is on its way is less than it may be; not while the log is away.
    pub(super) fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state.lock();
        if state.is_away || (state.len() < ROOM && state.bytes < MOST_BYTES / 4) {
            return Poll::Ready(());
        }
        if !state.wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
            state.wakers.push(cx.waker().clone());
        }
        Poll::Pending
    }

    /// What is to be appended next; waits until there is something.
    pub(super) async fn take(&self, node: &str) -> Vec<Event> {
        loop {
            let events = self.state.lock().take(node);
            if !events.is_empty() {
                return events;
            }
            self.more.notified().await;
        }
    }

    /// Whether the log is away.
    pub(super) fn away(&self, is_away: bool) {
        let mut state = self.state.lock();
        if !is_away {
            state.taken = 0;
            state.moved = Some(Instant::now());
        }
        state.is_away = is_away;
        state.wake();
        drop(state);
        self.less.notify_waiters();
    }

    /// The last number that was given.
    pub(super) fn last(&self) -> u64 {
        self.state.lock().last
    }

    /// What the log has brought of this node: what is before it and that it never will bring, and the part itself, unless
    /// it was brought before or is none.
    pub(super) fn brought(&self, seq: u64) -> (Vec<UnderWay>, Option<Own>) {
        let mut state = self.state.lock();
        let rest = state.under_way.split_off(&seq);
        let lost = std::mem::replace(&mut state.under_way, rest);
        let own = match state.under_way.remove(&seq) {
            Some(UnderWay::Part(own)) => Some(own),
            _ => None,
        };
        state.moved = Some(Instant::now());
        if state.len() < ROOM {
            state.wake();
        }
        if !state.waiting.is_empty() {
            self.more.notify_one();
        }
        (lost.into_values().collect(), own)
    }

    /// Takes back what was appended to a log that is gone.
    pub(super) fn take_back(&self) -> Vec<UnderWay> {
        let mut state = self.state.lock();
        if state.taken > 0 {
            // What is being appended may come by the new one.
            return Vec::new();
        }
        state.wake();
        std::mem::take(&mut state.under_way).into_values().collect()
    }

    /// The same if nothing has been brought for so long that the log must have lost it.
    pub(super) fn take_back_lost(&self) -> Vec<UnderWay> {
        let is_lost = {
            let state = self.state.lock();
            let is_quiet = state.moved.is_none_or(|moved| moved.elapsed() >= LOST);
            is_quiet && !state.is_away && state.waiting.is_empty() && !state.under_way.is_empty()
        };
        if is_lost { self.take_back() } else { Vec::new() }
    }

    /// How many wait to be appended.
    pub(super) fn waiting(&self) -> usize {
        let state = self.state.lock();
        state.waiting.len() + state.taken
    }
}

impl State {
    fn len(&self) -> usize {
        self.waiting.len() + self.under_way.len()
    }

    fn take(&mut self, node: &str) -> Vec<Event> {
        let (mut events, mut bytes) = (Vec::new(), 0);
        // While nothing comes back, no more is sent.
        while self.under_way.len() < MOST && events.len() < AT_ONCE && bytes < BYTES_AT_ONCE {
            let Some((seq, what)) = self.waiting.pop_front() else { break };
            bytes += what.size();
            self.bytes -= what.size();
            events.push(what.event(node, seq));
            self.under_way.insert(seq, what.into());
        }
        self.taken = events.len();
        events
    }

    fn wake(&mut self) {
        self.wakers.drain(..).for_each(Waker::wake);
    }
}
