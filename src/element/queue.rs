//! The queue of one link: bounded in items, moved in batches, with its own overflow policy.
//!
//! A sender hands over a whole batch under one lock; a reader that has used up its batch swaps its empty one for
//! what is queued. So a busy link costs two lock operations a batch, and a lone item goes through at once. What
//! the reader has swapped out counts as received: up to twice the capacity can be under way.
//!
//! Every item offered is accounted for: `offered == received + dropped + skipped + queued`, at any moment.

use super::push::PushOne;
use super::waits::Waits;
use super::{ElementError, LinkStats, Overflow};
use crate::stream::meter::Histogram;
use parking_lot::{Mutex, MutexGuard};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use tokio::time::Instant;

/// An error on its way along the links, in order with the items.
pub(crate) type Fault = Arc<ElementError>;

/// The other side of the queue is gone; nothing more can be handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gone;

/// Why no more items will come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The sender has completed.
    Completed,
    /// The link was cut or moved; the sender goes on elsewhere.
    Unlinked,
}

/// What a reader finds.
pub(crate) enum Got {
    /// At least one item was moved into the reader's batch.
    Items,
    Fault(Fault),
    End(End),
}

/// Whether a reopened queue still has its reader.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    Attached,
    Needed,
}

struct State<T> {
    items: VecDeque<T>,
    /// Sequence number of `items[0]`; faults are placed by it.
    head: u64,
    faults: VecDeque<(u64, Fault)>,
    capacity: usize,
    overflow: Overflow,
    reader: Option<Waker>,
    writers: Vec<Waker>,
    reader_gone: bool,
    /// The reader is being replaced: what it leaves unread goes back.
    handing_over: bool,
    end: Option<End>,
    muted: bool,
    offered: u64,
    received: u64,
    dropped: u64,
    skipped: u64,
    blocked_since: Option<Instant>,
    /// How long items wait; made when there is the first one.
    waits: Option<Box<Waits>>,
    /// Largest batch since the buffers were last looked at for shrinking, and how many batches ago that was.
    peak: usize,
    batches: u16,
}

pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
}

/// Batches after which a queue that stayed far below its buffer gives the buffer back.
const SHRINK_AFTER: u16 = 256;
const SHRINK_ABOVE: usize = 64;
/// Errors that wait at most; then the oldest give way. They are events as well.
const FAULTS: usize = 1024;

impl<T> Queue<T> {
    pub(crate) fn new(capacity: usize, overflow: Overflow) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                items: VecDeque::new(),
                head: 0,
                faults: VecDeque::new(),
                capacity: capacity.max(1),
                overflow,
                reader: None,
                writers: Vec::new(),
                reader_gone: false,
                handing_over: false,
                end: None,
                muted: false,
                offered: 0,
                received: 0,
                dropped: 0,
                skipped: 0,
                blocked_since: None,
                waits: None,
                peak: 0,
                batches: 0,
            }),
        })
    }

    /// Moves the whole of `batch` in, or as much as fits; `Pending` while some is left in it.
    pub(crate) fn poll_push(&self, cx: &mut Context<'_>, batch: &mut VecDeque<T>) -> Poll<Result<(), Gone>> {
        self.poll_move::<false>(cx, batch)
    }

    /// The same, but what would be skipped stays in `batch` and is refused.
    pub(crate) fn poll_offer(&self, cx: &mut Context<'_>, batch: &mut VecDeque<T>) -> Poll<Result<(), Gone>> {
        self.poll_move::<true>(cx, batch)
    }

    #[inline]
    fn poll_move<const REFUSE: bool>(
        &self,
        cx: &mut Context<'_>,
        batch: &mut VecDeque<T>,
    ) -> Poll<Result<(), Gone>> {
        let mut s = self.state.lock();
        s.accepts()?;
        let n = batch.len();
        let mut gone = VecDeque::new();
        if REFUSE && s.muted {
            return Poll::Ready(Err(Gone));
        }
        if s.muted {
            s.skipped += n as u64;
            s.offered += n as u64;
            gone.append(batch);
        } else {
            match s.overflow {
                Overflow::Wait if s.items.is_empty() && n <= s.capacity => {
                    std::mem::swap(&mut s.items, batch);
                }
                Overflow::Wait => {
                    let room = s.room().min(n);
                    if room == n { s.items.append(batch) } else { s.items.extend(batch.drain(..room)) }
                }
                Overflow::DropNewest => {
                    let room = s.room().min(n);
                    s.items.extend(batch.drain(..room));
                    s.dropped += batch.len() as u64;
                    gone.append(batch);
                }
                Overflow::DropOldest => {
                    s.items.append(batch);
                    s.shed(&mut gone);
                }
            }
            if n > batch.len() {
                s.measure();
            }
            s.offered += (n - batch.len()) as u64;
        }
        s.hand_over(cx, !batch.is_empty(), n > batch.len(), gone)
    }

    /// Moves one item in; `Pending` leaves it in `one`.
    pub(crate) fn poll_push_one(&self, cx: &mut Context<'_>, one: &mut Option<T>) -> Poll<Result<(), Gone>> {
        let mut s = self.state.lock();
        s.accepts()?;
        let mut gone = VecDeque::new();
        let full = s.room() == 0;
        if s.muted {
            s.skipped += 1;
            s.offered += 1;
            gone.extend(one.take());
        } else if full && s.overflow == Overflow::Wait {
            return s.hand_over(cx, true, false, gone);
        } else if full && s.overflow == Overflow::DropNewest {
            s.dropped += 1;
            s.offered += 1;
            gone.extend(one.take());
        } else {
            s.items.extend(one.take());
            s.offered += 1;
            s.shed(&mut gone);
            s.measure();
        }
        s.hand_over(cx, false, true, gone)
    }

    /// Moves one item in, waiting while there is no room.
    pub(crate) fn push_one(&self, item: T) -> PushOne<'_, T> {
        PushOne::new(self, item)
    }

    /// Clones `items[*pos..]` in; `Pending` while some is left. Where a clone panics, so does this, and that item is
    /// passed over.
    pub(crate) fn poll_push_from(
        &self,
        cx: &mut Context<'_>,
        items: &VecDeque<T>,
        pos: &mut usize,
    ) -> Poll<Result<(), Gone>>
    where
        T: Clone,
    {
        let mut s = self.state.lock();
        s.accepts()?;
        let mut gone = VecDeque::new();
        let n = items.len().saturating_sub(*pos);
        let take = match s.overflow {
            _ if s.muted => 0,
            Overflow::DropOldest => n,
            Overflow::Wait | Overflow::DropNewest => s.room().min(n),
        };
        let before = s.items.len();
        let cloned =
            catch_unwind(AssertUnwindSafe(|| s.items.extend(items.range(*pos..*pos + take).cloned())));
        let took = s.items.len() - before;
        *pos += took;
        s.offered += took as u64;
        if let Err(panic) = cloned {
            *pos += 1;
            s.wake_reader();
            resume_unwind(panic);
        }
        let rest = (n - take) as u64;
        if s.muted {
            s.skipped += rest;
            s.offered += rest;
            *pos = items.len();
        } else {
            match s.overflow {
                Overflow::Wait => {}
                Overflow::DropNewest => {
                    s.dropped += rest;
                    s.offered += rest;
                    *pos = items.len();
                }
                Overflow::DropOldest => s.shed(&mut gone),
            }
        }
        if took > 0 {
            s.measure();
        }
        let left = *pos < items.len();
        s.hand_over(cx, left, take > 0, gone)
    }

    /// Moves one item in if that needs no waiting; `Ok(false)` leaves it in `one`.
    pub(crate) fn try_push(&self, one: &mut Option<T>) -> Result<bool, Gone> {
        let s = self.state.lock();
        s.accepts()?;
        if s.room() == 0 && s.overflow == Overflow::Wait && !s.muted {
            return Ok(false);
        }
        drop(s);
        match self.poll_push_one(&mut Context::from_waker(Waker::noop()), one) {
            Poll::Ready(result) => result.map(|()| true),
            Poll::Pending => Ok(false),
        }
    }

    /// Takes all the rest in, whatever the capacity is: for a link that is being cut, so that its sender is freed and
    /// nothing emitted is lost.
    pub(crate) fn force(&self, items: impl Iterator<Item = T>) {
        let mut s = self.state.lock();
        if s.accepts().is_err() {
            return;
        }
        let before = s.items.len();
        s.items.extend(items);
        let n = s.items.len() - before;
        s.offered += n as u64;
        s.blocked_since = None;
        if s.muted {
            let gone = s.items.split_off(before);
            s.skipped += n as u64;
            drop(s);
            drop(gone);
        } else {
            s.wake_reader();
        }
    }

    /// Puts an error behind the items queued so far. Errors are never refused, except by a muted queue; of many that
    /// nobody reads the oldest give way.
    pub(crate) fn push_fault(&self, fault: Fault) {
        let mut s = self.state.lock();
        if s.muted || s.reader_gone {
            return;
        }
        let at = s.head + s.items.len() as u64;
        if s.faults.len() >= FAULTS {
            s.faults.pop_front();
        }
        s.faults.push_back((at, fault));
        s.wake_reader();
    }

    /// No more items: the reader ends after what is queued, and later pushes are refused.
    pub(crate) fn finish(&self, end: End) {
        let mut s = self.state.lock();
        s.end.get_or_insert(end);
        let writers = std::mem::take(&mut s.writers);
        s.wake_reader();
        wake_all(writers);
    }

    /// Lets a finished queue carry items again.
    pub(crate) fn reopen(&self) -> Reader {
        let mut s = self.state.lock();
        s.end = None;
        if std::mem::take(&mut s.reader_gone) { Reader::Needed } else { Reader::Attached }
    }

    /// While muted, what is offered is skipped and counted; with `clear`, what is queued goes the same way.
    pub(crate) fn mute(&self, muted: bool, clear: bool) {
        let mut s = self.state.lock();
        s.muted = muted;
        let mut gone = VecDeque::new();
        if clear {
            gone = s.take_items();
            s.skipped += gone.len() as u64;
            s.faults.clear();
        }
        s.blocked_since = None;
        let writers = std::mem::take(&mut s.writers);
        drop(s);
        drop(gone);
        wake_all(writers);
    }

    /// Puts items in before any sender does, whatever the capacity is.
    pub(crate) fn preload(&self, items: impl Iterator<Item = T>) {
        let mut s = self.state.lock();
        let before = s.items.len();
        s.items.extend(items);
        s.offered += (s.items.len() - before) as u64;
        let mut gone = VecDeque::new();
        if s.overflow != Overflow::Wait {
            s.shed(&mut gone);
        }
        s.wake_reader();
    }

    /// Changes what a full queue does; waiting senders try again under the new rule.
    pub(crate) fn set_overflow(&self, overflow: Overflow) {
        let mut s = self.state.lock();
        s.overflow = overflow;
        let writers = std::mem::take(&mut s.writers);
        drop(s);
        wake_all(writers);
    }

    /// The reader goes: waiting senders are released and later pushes are refused.
    ///
    /// `unread` items of the batch that it took last count as dropped, not as received.
    pub(crate) fn close(&self, unread: usize) {
        let mut s = self.state.lock();
        s.reader_gone = true;
        let gone = s.take_items();
        s.received = s.received.saturating_sub(unread as u64);
        s.dropped += (gone.len() + unread) as u64;
        s.faults.clear();
        s.blocked_since = None;
        let writers = std::mem::take(&mut s.writers);
        drop(s);
        drop(gone);
        wake_all(writers);
    }

    /// The reader goes and leaves what it has not read of its last batch.
    pub(crate) fn leave(&self, mut unread: VecDeque<T>) {
        let mut s = self.state.lock();
        if !s.handing_over {
            drop(s);
            self.close(unread.len());
            return;
        }
        let n = unread.len() as u64;
        s.head -= n;
        s.received -= n;
        unread.append(&mut s.items);
        s.items = unread;
    }

    /// While handing over, a reader that leaves gives back what it has not read, and the queue waits for the next one.
    pub(crate) fn hand_over(&self, begins: bool) {
        self.state.lock().handing_over = begins;
    }

    /// Its reader has gone or has read the end.
    pub(crate) fn is_gone(&self) -> bool {
        self.state.lock().reader_gone
    }

    /// Somebody waits no longer. The waker may stand for others too, so it is woken.
    pub(crate) fn give_up(&self, waker: &Waker) {
        let mut s = self.state.lock();
        let found = s.writers.iter().position(|w| w.will_wake(waker));
        let waker = found.map(|i| s.writers.swap_remove(i));
        drop(s);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Moves what is queued into `batch` (which is empty), or says what else there is.
    pub(crate) fn poll_take(&self, cx: &mut Context<'_>, batch: &mut VecDeque<T>) -> Poll<Got> {
        let mut s = self.state.lock();
        if let Some(got) = s.take_ready(batch) {
            return s.released(got);
        }
        match &mut s.reader {
            Some(w) => w.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    /// As [`poll_take`](Self::poll_take) for a caller that asks again anyway: nobody is woken later.
    pub(crate) fn try_take(&self, batch: &mut VecDeque<T>) -> Option<Got> {
        let mut s = self.state.lock();
        let got = s.take_ready(batch)?;
        match s.released(got) {
            Poll::Ready(got) => Some(got),
            Poll::Pending => None,
        }
    }

    /// How long items waited, of those that were measured.
    pub(crate) fn waits(&self) -> Option<Arc<Histogram>> {
        self.state.lock().waits.as_ref().map(|waits| waits.measured().clone())
    }

    pub(crate) fn stats(&self) -> LinkStats {
        let s = self.state.lock();
        LinkStats {
            offered: s.offered,
            received: s.received,
            dropped: s.dropped,
            skipped: s.skipped,
            queued: s.items.len(),
            capacity: s.capacity,
            overflow: s.overflow,
            blocked: s.blocked_since.map(|t| t.elapsed()),
        }
    }
}

impl<T> State<T> {
    fn accepts(&self) -> Result<(), Gone> {
        if self.reader_gone || self.end.is_some() { Err(Gone) } else { Ok(()) }
    }

    fn room(&self) -> usize {
        self.capacity.saturating_sub(self.items.len())
    }

    /// Items came in. If nothing is being measured, the newest of them is from now on.
    #[inline]
    fn measure(&mut self) {
        if let Some(last) = self.items.len().checked_sub(1) {
            self.waits.get_or_insert_default().begin(self.head + last as u64);
        }
    }

    /// All up to `head` has left, read or given up.
    #[inline]
    fn measured(&mut self, read: bool) {
        if let Some(waits) = &mut self.waits {
            waits.upto(self.head, read);
        }
    }

    /// Lets the oldest give way until the capacity is kept.
    fn shed(&mut self, gone: &mut VecDeque<T>) {
        let over = self.items.len().saturating_sub(self.capacity);
        if over > 0 {
            gone.extend(self.items.drain(..over));
            self.head += over as u64;
            self.dropped += over as u64;
            self.measured(false);
        }
    }

    fn take_items(&mut self) -> VecDeque<T> {
        self.head += self.items.len() as u64;
        self.measured(false);
        std::mem::take(&mut self.items)
    }

    /// What can be had without waiting: a fault whose turn it is, items up to the next fault, or the end.
    fn take_ready(&mut self, batch: &mut VecDeque<T>) -> Option<Got> {
        let upto = match self.faults.front() {
            Some((at, _)) if *at <= self.head => {
                return self.faults.pop_front().map(|(_, fault)| Got::Fault(fault));
            }
            Some((at, _)) => usize::try_from(*at - self.head).unwrap_or(usize::MAX).min(self.items.len()),
            None => self.items.len(),
        };
        if upto == 0 {
            // From here on the queue has no reader, so that a sender that begins anew gets one.
            self.reader_gone |= self.end.is_some();
            return self.end.map(Got::End);
        }
        // What waits in a queue that drops may still be replaced by something newer: take one at a time.
        let n = if self.overflow == Overflow::Wait { upto } else { 1 };
        if n == self.items.len() {
            std::mem::swap(&mut self.items, batch);
            self.give_back_buffers(n);
        } else {
            batch.extend(self.items.drain(..n));
        }
        self.head += n as u64;
        self.received += n as u64;
        self.blocked_since = None;
        self.measured(true);
        Some(Got::Items)
    }

    /// A burst leaves large buffers behind; they go when the queue has long been far below them.
    fn give_back_buffers(&mut self, n: usize) {
        self.peak = self.peak.max(n);
        self.batches += 1;
        if self.batches >= SHRINK_AFTER {
            if self.items.capacity() > SHRINK_ABOVE.max(4 * self.peak) {
                self.items.shrink_to(2 * self.peak);
            }
            self.batches = 0;
            self.peak = 0;
        }
    }
}

/// The ends of a locked operation: unlock first, then wake and drop.
trait Unlock<T> {
    fn hand_over(
        self,
        cx: &mut Context<'_>,
        left: bool,
        moved: bool,
        gone: VecDeque<T>,
    ) -> Poll<Result<(), Gone>>;
    fn released(self, got: Got) -> Poll<Got>;
    fn wake_reader(self);
}

impl<T> Unlock<T> for MutexGuard<'_, State<T>> {
    fn hand_over(
        mut self,
        cx: &mut Context<'_>,
        left: bool,
        moved: bool,
        gone: VecDeque<T>,
    ) -> Poll<Result<(), Gone>> {
        if left {
            if !self.writers.iter().any(|w| w.will_wake(cx.waker())) {
                self.writers.push(cx.waker().clone());
            }
            self.blocked_since.get_or_insert_with(Instant::now);
        }
        let reader = if moved { self.reader.take() } else { None };
        drop(self);
        if let Some(w) = reader {
            w.wake();
        }
        drop(gone);
        if left { Poll::Pending } else { Poll::Ready(Ok(())) }
    }

    fn released(mut self, got: Got) -> Poll<Got> {
        let writers = std::mem::take(&mut self.writers);
        drop(self);
        wake_all(writers);
        Poll::Ready(got)
    }

    fn wake_reader(mut self) {
        let reader = self.reader.take();
        drop(self);
        if let Some(w) = reader {
            w.wake();
        }
    }
}

fn wake_all(wakers: Vec<Waker>) {
    for w in wakers {
        w.wake();
    }
}
