//! The out-port: hands batches to every link and subscription. They come and go while it runs.

use super::in_port::one_at_first;
use super::queue::{End, Fault, Gone, Queue, Reader};
use super::site::{LinkView, Outputs, Site};
use super::watch::Watchers;
use super::{AnyElement, Item, LinkError, LinkOptions, Overflow, Subscription, wiring};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// Where a link leads: connects a queue to an in-port, now and whenever the sender begins anew.
pub(crate) trait Plug<T>: Send + Sync {
    fn plug(self: Arc<Self>, queue: Arc<Queue<T>>, from: usize);
    fn target(&self) -> Option<Arc<Site>>;
}

struct Sub<T> {
    id: u64,
    queue: Arc<Queue<T>>,
    /// How far it is with the batch under way; [`DONE`] when it is through, or came later.
    pos: usize,
    /// It goes once it is through with the batch under way.
    retire: bool,
    options: LinkOptions,
    plug: Option<Arc<dyn Plug<T>>>,
}

impl<T> Sub<T> {
    /// A subscription, not a link, that nobody reads any more.
    fn is_dropped(&self) -> bool {
        self.plug.is_none() && self.queue.is_gone()
    }
}

const DONE: usize = usize::MAX;

struct Ports<T> {
    subs: Vec<Sub<T>>,
    next_id: u64,
    /// A batch is partly handed over.
    under_way: bool,
    completed: bool,
    emitted: u64,
    unheard: u64,
    memory: VecDeque<T>,
    remember: usize,
    /// How many subscriptions there may be before those are sought that were dropped.
    sweep_at: usize,
}

const SWEEP_AT: usize = 16;

pub(crate) struct OutPort<T> {
    site: Arc<Site>,
    ports: Mutex<Ports<T>>,
    pub(crate) watchers: Watchers<T>,
}

impl<T: Item> OutPort<T> {
    pub(crate) fn new(site: Arc<Site>, remember: usize) -> Arc<Self> {
        Arc::new(Self {
            site,
            ports: Mutex::new(Ports {
                subs: Vec::new(),
                next_id: 1,
                under_way: false,
                completed: false,
                emitted: 0,
                unheard: 0,
                memory: VecDeque::new(),
                remember,
                sweep_at: SWEEP_AT,
            }),
            watchers: Watchers::default(),
        })
    }

    pub(crate) fn site(&self) -> &Arc<Site> {
        &self.site
    }

    /// Tells out-ports apart.
    pub(crate) fn key(self: &Arc<Self>) -> usize {
        Arc::as_ptr(self).cast::<()>() as usize
    }

    /// From now on the queue gets every item; a batch that is partly handed over is not torn.
    pub(crate) fn attach(
        self: &Arc<Self>,
        queue: Arc<Queue<T>>,
        options: LinkOptions,
        plug: Option<Arc<dyn Plug<T>>>,
    ) -> u64 {
        let mut p = self.ports.lock();
        p.sweep();
        let id = p.next_id;
        p.next_id += 1;
        let replay = options.replay.min(p.memory.len());
        if replay > 0 {
            queue.preload(p.memory.range(p.memory.len() - replay..).cloned());
        }
        if p.completed {
            queue.finish(End::Completed);
        }
        let pos = if p.under_way { DONE } else { 0 };
        if !p.completed || plug.is_some() {
            one_at_first(&mut p.subs);
            p.subs.push(Sub { id, queue: queue.clone(), pos, retire: false, options, plug: plug.clone() });
        }
        drop(p);
        if let Some(plug) = plug {
            plug.plug(queue, self.key());
        }
        self.site.start_by_policy(super::StartPolicy::OnSubscribe);
        id
    }

    pub(crate) fn subscribe(self: &Arc<Self>, options: LinkOptions) -> Subscription<T> {
        let queue = Queue::new(options.capacity, options.overflow);
        self.attach(queue.clone(), options, None);
        Subscription::new(queue)
    }

    /// Cuts a link off: what was emitted still reaches it, nothing later does.
    pub(crate) fn detach(&self, id: u64) -> bool {
        let mut p = self.ports.lock();
        let Some(i) = p.subs.iter().position(|s| s.id == id) else { return false };
        let under_way = p.under_way;
        let Some(sub) = p.subs.get_mut(i) else { return false };
        if under_way && sub.pos != DONE {
            // The rest of the batch is still for it; the element's task hands it over and goes on.
            let first = !std::mem::replace(&mut sub.retire, true);
            drop(p);
            self.site.waker.wake();
            return first;
        }
        let sub = p.subs.swap_remove(i);
        drop(p);
        sub.queue.finish(End::Unlinked);
        true
    }

    /// Switches one link for another between two items: each item goes to exactly one of both.
    pub(crate) fn replace(
        self: &Arc<Self>,
        id: u64,
        queue: Arc<Queue<T>>,
        plug: Arc<dyn Plug<T>>,
    ) -> Option<u64> {
        let mut p = self.ports.lock();
        let i = p.subs.iter().position(|s| s.id == id && !s.retire)?;
        let new = p.next_id;
        p.next_id += 1;
        let (under_way, completed) = (p.under_way, p.completed);
        let old = p.subs.get_mut(i)?;
        // What is under way belongs to the old one, all of it; the new one starts with the next batch.
        let pos = if under_way { DONE } else { 0 };
        let sub = Sub {
            id: new,
            queue: queue.clone(),
            pos,
            retire: false,
            options: old.options,
            plug: Some(plug.clone()),
        };
        if under_way && old.pos != DONE {
            old.retire = true;
            p.subs.push(sub);
            self.site.waker.wake();
        } else {
            let old = std::mem::replace(old, sub);
            old.queue.finish(End::Unlinked);
        }
        if completed {
            queue.finish(End::Completed);
        }
        drop(p);
        plug.plug(queue, self.key());
        Some(new)
    }

    /// Hands the batch to everybody; `Pending` while one that waits is full.
    pub(crate) fn poll_flush(&self, cx: &mut Context<'_>, batch: &mut VecDeque<T>) -> Poll<()> {
        if batch.is_empty() {
            return Poll::Ready(());
        }
        let mut ports = self.ports.lock();
        if !ports.under_way {
            // Before all that users' code can break off: what was counted is not counted again.
            ports.under_way = true;
            ports.begin(batch);
            if self.watchers.any() {
                drop(ports);
                self.watchers.see(&batch.iter());
                ports = self.ports.lock();
            }
        }
        let p = &mut *ports;
        ready!(p.hand_over(cx, batch));
        p.under_way = false;
        p.settle();
        drop(ports);
        batch.clear();
        Poll::Ready(())
    }

    /// Counts one item emitted beside what the element itself emits, and says who is to get it.
    pub(crate) fn inject(&self, item: &T) -> Vec<Arc<Queue<T>>> {
        let batch = VecDeque::from([item.clone()]);
        let mut p = self.ports.lock();
        p.begin(&batch);
        let queues = p.subs.iter().filter(|s| !s.retire).map(|s| s.queue.clone()).collect();
        drop(p);
        if self.watchers.any() {
            self.watchers.see(&batch.iter());
        }
        queues
    }

    /// The in-port of an element that takes what this one emits.
    fn plug_of(&self, to: &AnyElement) -> Result<Arc<dyn Plug<T>>, LinkError> {
        let plug = to.in_port::<T>().map_err(|takes| LinkError::Type {
            from: self.site.path(),
            emits: std::any::type_name::<T>(),
            to: to.path(),
            takes,
        })?;
        Ok(plug)
    }

    /// Puts an error behind what was emitted so far.
    pub(crate) fn raise_fault(&self, fault: Fault) {
        Outputs::raise(self, fault);
    }

    /// The options of a link as they are now.
    pub(crate) fn options(&self, id: u64) -> Option<LinkOptions> {
        self.ports.lock().subs.iter().find(|s| s.id == id && !s.retire).map(|s| s.options)
    }
}

impl<T: Item> Ports<T> {
    /// Lets go of subscriptions that were dropped: they come and go also while nothing is emitted.
    fn sweep(&mut self) {
        if self.subs.len() >= self.sweep_at {
            self.subs.retain(|s| !s.is_dropped());
            self.sweep_at = SWEEP_AT.max(2 * self.subs.len());
        }
    }

    /// Counts a new batch and remembers it.
    fn begin(&mut self, batch: &VecDeque<T>) {
        self.emitted += batch.len() as u64;
        if self.subs.is_empty() {
            self.unheard += batch.len() as u64;
        }
        if self.remember > 0 {
            let fresh = batch.len().min(self.remember);
            let over = (self.memory.len() + fresh).saturating_sub(self.remember);
            self.memory.drain(..over);
            self.memory.extend(batch.range(batch.len() - fresh..).cloned());
        }
    }

    fn hand_over(&mut self, cx: &mut Context<'_>, batch: &mut VecDeque<T>) -> Poll<()> {
        let mut waiting = false;
        let n = self.subs.len();
        for i in 0..n {
            let (before, from) = self.subs.split_at_mut(i);
            let Some(sub) = from.first_mut() else { break };
            if sub.pos >= batch.len() {
                continue;
            }
            if sub.retire {
                sub.queue.force(batch.range(sub.pos..).cloned());
                sub.pos = DONE;
                continue;
            }
            // Nobody else needs the items: move them instead of cloning.
            let last = i + 1 == n && !waiting;
            let result = if last {
                if sub.pos > 0 {
                    batch.drain(..sub.pos);
                    sub.pos = 0;
                }
                sub.queue.poll_push(cx, batch)
            } else {
                sub.queue.poll_push_from(cx, batch, &mut sub.pos)
            };
            match result {
                Poll::Pending => {
                    waiting = true;
                    if last {
                        for other in before {
                            other.pos = DONE;
                        }
                    }
                }
                Poll::Ready(Ok(())) => sub.pos = DONE,
                Poll::Ready(Err(Gone)) => {
                    sub.pos = DONE;
                    sub.retire = true;
                }
            }
        }
        if waiting { Poll::Pending } else { Poll::Ready(()) }
    }

    /// After a batch: everybody is ready for the next, and who retires goes.
    fn settle(&mut self) {
        let mut retire = false;
        for sub in &mut self.subs {
            sub.pos = 0;
            retire |= sub.retire;
        }
        if retire {
            self.subs.retain(|sub| {
                if sub.retire {
                    sub.queue.finish(End::Unlinked);
                }
                !sub.retire
            });
        }
    }
}

impl<T: Item> Outputs for OutPort<T> {
    fn links(&self) -> Vec<LinkView> {
        let subs: Vec<_> = {
            let p = self.ports.lock();
            p.subs
                .iter()
                .filter(|s| !s.retire && !s.is_dropped())
                .map(|s| (s.id, s.queue.clone(), s.options, s.plug.clone()))
                .collect()
        };
        subs.into_iter()
            .map(|(id, queue, options, plug)| LinkView {
                id,
                to: plug.and_then(|p| p.target()),
                options,
                stats: queue.stats(),
                waits: queue.waits(),
            })
            .collect()
    }

    fn link(self: Arc<Self>, to: &AnyElement, options: LinkOptions) -> Result<u64, LinkError> {
        let plug = self.plug_of(to)?;
        let _rewiring = self.site.host.rewiring.lock();
        wiring::check(&self.site, to.site(), options, None)?;
        Ok(self.attach(Queue::new(options.capacity, options.overflow), options, Some(plug)))
    }

    fn relink(self: Arc<Self>, id: u64, to: &AnyElement) -> Result<u64, LinkError> {
        let plug = self.plug_of(to)?;
        let cut = || LinkError::Cut { from: self.site.path(), to: to.path() };
        let _rewiring = self.site.host.rewiring.lock();
        let options = self.options(id).ok_or_else(cut)?;
        wiring::check(&self.site, to.site(), options, Some(id))?;
        self.replace(id, Queue::new(options.capacity, options.overflow), plug).ok_or_else(cut)
    }

    fn cut(&self, id: u64) -> bool {
        self.detach(id)
    }

    fn set_overflow(&self, id: u64, overflow: Overflow) -> bool {
        let mut p = self.ports.lock();
        let Some(sub) = p.subs.iter_mut().find(|s| s.id == id) else { return false };
        sub.options.overflow = overflow;
        let queue = sub.queue.clone();
        drop(p);
        queue.set_overflow(overflow);
        true
    }

    fn complete(&self) {
        let mut p = self.ports.lock();
        p.completed = true;
        p.under_way = false;
        let mut ends = Vec::with_capacity(p.subs.len());
        for sub in &mut p.subs {
            sub.pos = 0;
            ends.push((sub.queue.clone(), if sub.retire { End::Unlinked } else { End::Completed }));
        }
        p.subs.retain(|s| s.plug.is_some() && !s.retire);
        drop(p);
        for (queue, end) in ends {
            queue.finish(end);
        }
        self.watchers.end();
    }

    fn reopen(&self) {
        let mut p = self.ports.lock();
        p.completed = false;
        let from = std::ptr::from_ref(self).cast::<()>() as usize;
        let lost: Vec<_> = p
            .subs
            .iter()
            .filter(|s| s.queue.reopen() == Reader::Needed)
            .filter_map(|s| s.plug.clone().map(|plug| (plug, s.queue.clone())))
            .collect();
        drop(p);
        for (plug, queue) in lost {
            plug.plug(queue, from);
        }
    }

    fn forget(&self) {
        let mut p = self.ports.lock();
        let (subs, memory) = (std::mem::take(&mut p.subs), std::mem::take(&mut p.memory));
        drop(p);
        drop((subs, memory));
        self.watchers.clear();
    }

    fn emitted(&self) -> (u64, u64) {
        let p = self.ports.lock();
        (p.emitted, p.unheard)
    }

    fn item_type(&self) -> &'static str {
        std::any::type_name::<T>()
    }

    fn raise(&self, fault: Fault) {
        let queues: Vec<_> = self.ports.lock().subs.iter().map(|s| s.queue.clone()).collect();
        for queue in queues {
            queue.push_fault(fault.clone());
        }
    }
}
