//! The in-port: merges its links, each with a queue and policy of its own, into one stream.
//!
//! Every source has a waker of its own that enters it in a list of what is ready, so a port with thousands of links
//! looks only at those that have something. Links from the same out-port are read one after the other: what the
//! earlier one still holds comes before what the later one brings, so order holds over relinking to and fro.

use super::batch::Batch;
use super::out_port::Plug;
use super::queue::{End, Fault, Got, Queue, Reader};
use super::site::{Dry, Inputs, Intake, PortStats, Site};
pub(crate) use super::source::{BatchSource, Source, Valve};
use super::watch::Watchers;
use super::{Item, LinkOptions, LinkStats, Overflow, StartPolicy};
use futures::Stream;
use parking_lot::{Mutex, MutexGuard};
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::task::{Context, Poll, Wake, Waker, ready};

/// A queue that leads in.
struct Entrance {
    valve: Arc<dyn Valve>,
    /// Pushes fill it, not a link.
    own: bool,
    /// What it had skipped and dropped when it was plugged in: a link that lives again is counted once.
    before: (u64, u64),
}

impl Entrance {
    fn new(valve: Arc<dyn Valve>, own: bool) -> Self {
        let stats = valve.stats();
        Self { valve, own, before: (stats.skipped, stats.dropped) }
    }

    /// What was skipped and dropped since it was plugged in.
    fn lost(&self, stats: &LinkStats) -> (u64, u64) {
        (stats.skipped.saturating_sub(self.before.0), stats.dropped.saturating_sub(self.before.1))
    }
}

struct Gate<T> {
    incoming: Vec<(usize, Source<T>)>,
    woken: Vec<usize>,
    waker: Option<Waker>,
    entrances: Vec<Entrance>,
    intake: Intake,
    finishing: bool,
    closed: bool,
    received: u64,
    skipped_before: u64,
    dropped_before: u64,
    /// What an in-port that was dropped left, boxed because it is hardly ever there.
    lane: Option<Box<Lane<T>>>,
    /// Every source is to be asked again.
    poke: bool,
}

/// The shared side of an in-port: where links and pushes arrive.
pub(crate) struct InSide<T> {
    site: Arc<Site>,
    gate: Mutex<Gate<T>>,
    entry: OnceLock<Arc<Queue<T>>>,
    pub(crate) watchers: Watchers<T>,
}

impl<T: Item> InSide<T> {
    pub(crate) fn new(site: Arc<Site>) -> Arc<Self> {
        Arc::new(Self {
            site,
            gate: Mutex::new(Gate {
                incoming: Vec::new(),
                woken: Vec::new(),
                waker: None,
                entrances: Vec::new(),
                intake: Intake::Muted,
                finishing: false,
                closed: false,
                received: 0,
                skipped_before: 0,
                dropped_before: 0,
                lane: None,
                poke: false,
            }),
            entry: OnceLock::new(),
            watchers: Watchers::default(),
        })
    }

    pub(crate) fn site(&self) -> &Arc<Site> {
        &self.site
    }

    /// Adds a source. `from` tells the out-port it comes from (0: none); `own` is true of queues that pushes fill.
    pub(crate) fn add(self: &Arc<Self>, from: usize, source: Source<T>, own: bool) -> bool {
        let mut gate = self.gate.lock();
        if gate.closed {
            drop(gate);
            close(source);
            return false;
        }
        if let Some(valve) = source.valve() {
            let entrance = Entrance::new(valve.clone(), own);
            // Also to be opened: a link that lives again may have been muted when it ended.
            valve.mute(gate.intake != Intake::Open, gate.intake == Intake::Muted);
            if gate.finishing && own {
                valve.finish(End::Unlinked);
            }
            one_at_first(&mut gate.entrances);
            gate.entrances.push(entrance);
        }
        gate.incoming.push((from, source));
        let ending = gate.intake == Intake::Muted && self.site.state().accepts_items();
        wake_reader(gate);
        if ending {
            self.site.settle();
        }
        self.site.start_by_policy(StartPolicy::AtOnce);
        true
    }

    /// The queue that single pushes share.
    pub(crate) fn entry(self: &Arc<Self>) -> &Arc<Queue<T>> {
        self.entry.get_or_init(|| {
            let queue = Queue::new(LinkOptions::default().capacity, Overflow::Wait);
            self.add(0, Source::Queue(queue.clone()), true);
            queue
        })
    }

    /// The reading end, with what an earlier one left.
    pub(crate) fn port(self: &Arc<Self>) -> InPort<T> {
        let lane = self.gate.lock().lane.take().unwrap_or_default();
        InPort { side: self.clone(), lane: *lane }
    }
}

impl<T: Item> Plug<T> for InSide<T> {
    fn plug(self: Arc<Self>, queue: Arc<Queue<T>>, from: usize) {
        self.add(from, Source::Queue(queue), false);
    }
    fn target(&self) -> Option<Arc<Site>> {
        Some(self.site.clone())
    }
}

impl<T: Item> Inputs for InSide<T> {
    fn set_intake(&self, intake: Intake) {
        let mut gate = self.gate.lock();
        gate.intake = intake;
        gate.poke = true;
        let valves: Vec<_> = gate.entrances.iter().map(|e| e.valve.clone()).collect();
        wake_reader(gate);
        // Whoever is woken here may come back to this gate.
        for valve in valves {
            valve.mute(intake != Intake::Open, intake == Intake::Muted);
        }
    }

    fn finish(&self) {
        let mut gate = self.gate.lock();
        gate.finishing = true;
        gate.poke = true;
        let valves: Vec<_> = gate.entrances.iter().filter(|e| e.own).map(|e| e.valve.clone()).collect();
        wake_reader(gate);
        for valve in valves {
            valve.finish(End::Unlinked);
        }
    }

    fn ask_all(&self) {
        let mut gate = self.gate.lock();
        gate.poke = true;
        wake_reader(gate);
    }

    fn has_news(&self) -> bool {
        !self.gate.lock().incoming.is_empty()
    }

    fn shut(&self, unless_news: bool) -> bool {
        let mut gate = self.gate.lock();
        let goes_on = unless_news && !gate.finishing && !gate.incoming.is_empty();
        if !goes_on {
            gate.intake = Intake::Muted;
        }
        goes_on
    }

    fn complete(&self) {
        self.watchers.end();
    }

    fn close(&self) {
        let mut gate = self.gate.lock();
        gate.closed = true;
        let (incoming, lane) = (std::mem::take(&mut gate.incoming), gate.lane.take());
        let entrances = std::mem::take(&mut gate.entrances);
        drop(gate);
        self.watchers.clear();
        for (_, source) in incoming {
            close(source);
        }
        drop(lane);
        for Entrance { valve, .. } in entrances {
            valve.mute(true, true);
            valve.finish(End::Unlinked);
            // A sender that begins anew finds it gone.
            valve.close();
        }
    }

    fn reopen(&self) {
        let mut gate = self.gate.lock();
        if let Some(lane) = &mut gate.lane {
            // It waits for new sources, and does not end because all the former have.
            lane.completed = false;
        }
        if let Some(entry) = self.entry.get()
            && entry.reopen() == Reader::Needed
        {
            gate.entrances.push(Entrance::new(entry.clone(), true));
            gate.incoming.push((0, Source::Queue(entry.clone())));
            wake_reader(gate);
        }
    }

    fn item_type(&self) -> &'static str {
        std::any::type_name::<T>()
    }

    fn stats(&self) -> PortStats {
        let gate = self.gate.lock();
        let mut stats = PortStats {
            received: gate.received,
            skipped: gate.skipped_before + self.site.skipped.load(Ordering::Relaxed),
            dropped: gate.dropped_before,
            sources: gate.entrances.len(),
            queued: 0,
        };
        for entrance in &gate.entrances {
            let one = entrance.valve.stats();
            let (skipped, dropped) = entrance.lost(&one);
            stats.skipped += skipped;
            stats.dropped += dropped;
            stats.queued += one.queued;
        }
        stats
    }
}

/// Most ports have a single link: room for four of them would be most of what an idle element takes.
pub(crate) fn one_at_first<T>(list: &mut Vec<T>) {
    if list.is_empty() {
        list.reserve_exact(1);
    }
}

fn close<T>(source: Source<T>) {
    if let Source::Queue(queue) = source {
        queue.close(0);
    }
}

impl<T> Gate<T> {
    fn forget(&mut self, valve: &Arc<dyn Valve>) {
        if let Some(i) = self.entrances.iter().position(|e| Arc::ptr_eq(&e.valve, valve)) {
            let entrance = self.entrances.swap_remove(i);
            let (skipped, dropped) = entrance.lost(&entrance.valve.stats());
            self.skipped_before += skipped;
            self.dropped_before += dropped;
        }
    }
}

/// Unlocks first: whoever is woken may come back.
fn wake_reader<T>(mut gate: MutexGuard<'_, Gate<T>>) {
    let waker = gate.waker.take();
    drop(gate);
    if let Some(w) = waker {
        w.wake();
    }
}

/// Enters one slot of the port as ready.
struct SlotWaker<T> {
    side: Weak<InSide<T>>,
    slot: usize,
    entered: AtomicBool,
}

impl<T: Item> Wake for SlotWaker<T> {
    fn wake(self: Arc<Self>) {
        if !self.entered.swap(true, Ordering::AcqRel)
            && let Some(side) = self.side.upgrade()
        {
            let mut gate = side.gate.lock();
            gate.woken.push(self.slot);
            wake_reader(gate);
        }
    }
}

/// The sources of one out-port, the earliest first.
struct Slot<T> {
    from: usize,
    sources: VecDeque<Source<T>>,
    entered: Arc<SlotWaker<T>>,
    waker: Waker,
    /// It is in the list of what is ready.
    ready: bool,
}

/// What the reading end holds; it outlives a pipe that is built anew.
struct Lane<T> {
    batch: Batch<T>,
    /// Only where there has ever been a source.
    slots: Option<Box<Slots<T>>>,
    completed: bool,
}

impl<T> Default for Lane<T> {
    fn default() -> Self {
        Self { batch: Batch::default(), slots: None, completed: false }
    }
}

/// The slots of a port, and which of them have something.
struct Slots<T> {
    all: Vec<Option<Slot<T>>>,
    ready: VecDeque<usize>,
    woken: Vec<usize>,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { all: Vec::new(), ready: VecDeque::new(), woken: Vec::new() }
    }
}

impl<T> Slots<T> {
    fn set_ready(&mut self, index: usize) {
        if let Some(Some(slot)) = self.all.get_mut(index)
            && !std::mem::replace(&mut slot.ready, true)
        {
            self.ready.push_back(index);
        }
    }

    fn next_ready(&mut self) -> Option<usize> {
        let index = self.ready.pop_front()?;
        if let Some(Some(slot)) = self.all.get_mut(index) {
            slot.ready = false;
        }
        Some(index)
    }
}

/// The stream of what arrives at an element's in-port: where its operators begin.
///
/// It merges the links in turn, a batch each, and keeps the order of every single one. The end of one link doesn't
/// end the port; it ends when all its links have completed.
#[must_use = "streams do nothing unless polled"]
pub struct InPort<T: Item> {
    side: Arc<InSide<T>>,
    lane: Lane<T>,
}

impl<T: Item> Drop for InPort<T> {
    fn drop(&mut self) {
        let mut gate = self.side.gate.lock();
        if !gate.closed {
            gate.lane = Some(Box::new(std::mem::take(&mut self.lane)));
        }
    }
}

impl<T: Item> Unpin for InPort<T> {}

impl<T: Item> Stream for InPort<T> {
    type Item = T;

    #[inline]
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        match self.lane.batch.next() {
            Some(item) => Poll::Ready(Some(item)),
            None => self.poll_sources(cx),
        }
    }
}

enum Turn {
    Items,
    Fault(Fault),
    Nothing,
}

impl<T: Item> InPort<T> {
    #[inline(never)]
    fn poll_sources(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        // One unit of tokio's budget a batch: a busy element lets others run.
        let progress = ready!(tokio::task::coop::poll_proceed(cx));
        loop {
            self.take_news();
            while let Some(slot) = self.lane.slots.as_mut().and_then(|s| s.next_ready()) {
                match self.poll_slot(slot) {
                    Turn::Items => {
                        self.set_ready(slot);
                        progress.made_progress();
                        self.look();
                        return Poll::Ready(self.lane.batch.next());
                    }
                    Turn::Fault(fault) => {
                        // The pipe has to hand on what it holds first: seem empty, and be asked again at once.
                        self.set_ready(slot);
                        self.side.site.pass_on(fault);
                        cx.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                    Turn::Nothing => {}
                }
            }
            let mut gate = self.side.gate.lock();
            if !gate.incoming.is_empty() || !gate.woken.is_empty() {
                continue;
            }
            let empty = self.lane.slots.as_ref().is_none_or(|s| s.all.iter().all(Option::is_none));
            let dry = if empty && (gate.finishing || self.lane.completed) {
                Dry::Ended
            } else if gate.intake == Intake::Draining {
                Dry::Drained
            } else {
                Dry::No
            };
            if dry != Dry::No {
                self.side.site.set_dry(dry);
                return Poll::Ready(None);
            }
            match &mut gate.waker {
                Some(w) => w.clone_from(cx.waker()),
                none => *none = Some(cx.waker().clone()),
            }
            return Poll::Pending;
        }
    }

    /// Takes in new sources and what was woken.
    fn take_news(&mut self) {
        let mut gate = self.side.gate.lock();
        let poke = std::mem::take(&mut gate.poke);
        if let Some(slots) = &mut self.lane.slots {
            std::mem::swap(&mut gate.woken, &mut slots.woken);
            if poke {
                slots.woken.extend(0..slots.all.len());
            }
        } else if gate.incoming.is_empty() {
            return;
        }
        if gate.incoming.is_empty() {
            drop(gate);
        } else {
            let incoming = std::mem::take(&mut gate.incoming);
            drop(gate);
            self.lane.completed = false;
            for (from, source) in incoming {
                self.enter(from, source);
            }
        }
        let Some(slots) = &mut self.lane.slots else { return };
        while let Some(slot) = slots.woken.pop() {
            if let Some(Some(s)) = slots.all.get(slot) {
                s.entered.entered.store(false, Ordering::Release);
                slots.set_ready(slot);
            }
        }
    }

    fn set_ready(&mut self, slot: usize) {
        if let Some(slots) = &mut self.lane.slots {
            slots.set_ready(slot);
        }
    }

    fn enter(&mut self, from: usize, source: Source<T>) {
        let slots = self.lane.slots.get_or_insert_default();
        if from != 0
            && let Some(slot) = slots.all.iter_mut().flatten().find(|s| s.from == from)
        {
            slot.sources.push_back(source);
            return;
        }
        let free = slots.all.iter().position(Option::is_none).unwrap_or(slots.all.len());
        let entered = Arc::new(SlotWaker {
            side: Arc::downgrade(&self.side),
            slot: free,
            entered: AtomicBool::new(false),
        });
        let waker = Waker::from(entered.clone());
        let slot = Some(Slot { from, sources: VecDeque::from([source]), entered, waker, ready: false });
        if let Some(place) = slots.all.get_mut(free) {
            *place = slot;
        } else {
            one_at_first(&mut slots.all);
            slots.all.push(slot);
        }
        slots.set_ready(free);
    }

    fn poll_slot(&mut self, index: usize) -> Turn {
        loop {
            let lane = &mut self.lane;
            let place = lane.slots.as_mut().and_then(|s| s.all.get_mut(index));
            let Some(place) = place else { return Turn::Nothing };
            let Some(slot) = place else { return Turn::Nothing };
            let cx = &mut Context::from_waker(&slot.waker);
            let got = match slot.sources.front_mut() {
                Some(Source::Queue(queue)) => lane.batch.fill(|batch| queue.poll_take(cx, batch)),
                Some(Source::Piped(stream, _)) => {
                    // It never panics: what users brought is guarded where it is piped.
                    lane.batch.fill(|batch| stream.as_mut().poll_batch(cx, batch))
                }
                None => {
                    *place = None;
                    return Turn::Nothing;
                }
            };
            match got {
                Poll::Ready(Got::Items) => return Turn::Items,
                Poll::Ready(Got::Fault(fault)) => return Turn::Fault(fault),
                Poll::Ready(Got::End(end)) => {
                    lane.completed |= end == End::Completed;
                    self.end_source(index);
                }
                Poll::Pending => return Turn::Nothing,
            }
        }
    }

    /// Lets go of the first source of a slot. One that has not ended by itself is closed; one that has may live again
    /// by now.
    fn end_source(&mut self, index: usize) {
        let slot = self.lane.slots.as_mut().and_then(|s| s.all.get_mut(index));
        let Some(Some(slot)) = slot else { return };
        if let Some(source) = slot.sources.pop_front()
            && let Some(valve) = source.valve()
        {
            self.side.gate.lock().forget(&valve);
        }
    }

    /// Counts the new batch and shows it to who watches.
    fn look(&mut self) {
        self.side.gate.lock().received += self.lane.batch.len() as u64;
        if self.side.watchers.any() {
            self.side.watchers.see(&self.lane.batch.as_slice().iter());
        }
    }
}
