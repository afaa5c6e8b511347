//! `group_and_pipe`: operators of its own for each key.

use super::alarm::{Alarm, BURST};
use super::group_by::{Group, Limits, end_idle, report_stuck};
use super::idle_map::IdleMap;
use super::lane::{Lane, Pushed, WhenFull};
use super::metered::Metered;
use futures::Stream;
use futures::task::AtomicWaker;
use parking_lot::Mutex;
use pin_project_lite::pin_project;
use std::collections::VecDeque;
use std::hash::Hash;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

pin_project! {
    /// Stream of [`Operators::group_and_pipe`](crate::stream::Operators::group_and_pipe).
    ///
    /// Each key's items go through a pipe of their own, made when the key's first item comes; the results are merged.
    /// The results of one item follow it at once: with operators that wait for nothing, results come in the order of the
    /// items, across keys too. State kept by the operators is kept per key.
    ///
    /// Groups end as those of [`GroupBy`](super::GroupBy) do: when no item of the key has come for `idle`, when there are
    /// more than [`max_groups`](Self::max_groups), when the source ends. Then the pipe sees its source end and may emit
    /// what it held. A pipe that ends by itself ends its group: further items of the key are dropped until the group
    /// would have ended. A pipe that takes no items while [`capacity`](Self::capacity) of them wait holds up all others
    /// (a warning is logged each 10 s it takes), or with [`shed_when_full`](Self::shed_when_full) loses its oldest.
    ///
    /// - **Emits when** a pipe does.
    /// - **Back-pressures when** a pipe's queue is full, or downstream does.
    /// - **Completes when** the source and all pipes have completed.
    /// - **Cancels when** downstream cancels; all pipes are dropped.
    ///
    /// Memory: `max_groups` (65,536 unless said otherwise) pipes and twice `capacity` (1,024) items each, allocated when
    /// needed. Source: PyMAPE `group_and_pipe`, whose groups never end; RxPY `group_by` and `flat_map`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// use futures::StreamExt;
    /// use mape::stream::{Operators, testing::{assert_marbles, marbles}};
    ///
    /// // A counter for each letter.
    /// let counted = marbles("aabab|").group_and_pipe(|item| *item, None, |key, group| {
    ///     let key = *key;
    ///     group.scan_with(0, |n, _| *n += 1).map(move |n| format!("{key}{n}"))
    /// });
    /// assert_marbles(counted, "[a1][a2][b1][a3][b2]|").await;
    /// # }
    /// ```
    #[must_use = "streams do nothing unless polled"]
    pub struct GroupAndPipe<S: Stream, K, F, P, U> {
        #[pin]
        source: S,
        #[pin]
        expiry: Alarm,
        #[pin]
        stuck: Alarm,
        key: F,
        make: P,
        groups: IdleMap<K, Inlet<S::Item>>,
        pipes: Pipes<U>,
        // The pipe that is polled until it is pending.
        current: Option<usize>,
        limits: Limits,
        metered: Metered,
        held: Option<(K, S::Item)>,
        ended: bool,
    }
}

/// Where a key's items go in.
#[derive(Debug)]
struct Inlet<T> {
    lane: Arc<Lane<T>>,
    pipe: usize,
    waker: Waker,
}

impl<T> Inlet<T> {
    /// Closes the pipe's source, and has the pipe polled to its end.
    fn end(self) {
        self.lane.close();
        self.waker.wake();
    }
}

impl<S: Stream, K: Hash + Eq + Clone, F, P, U> GroupAndPipe<S, K, F, P, U> {
    pub(crate) fn new(source: S, key: F, idle: Option<Duration>, make: P) -> Self {
        Self {
            source,
            expiry: Alarm::default(),
            stuck: Alarm::default(),
            key,
            make,
            groups: IdleMap::new(idle),
            pipes: Pipes::new(),
            current: None,
            limits: Limits::default(),
            metered: Metered::new("group_and_pipe"),
            held: None,
            ended: false,
        }
    }

    /// How many groups live at once at most (0 counts as 1).
    pub fn max_groups(mut self, groups: usize) -> Self {
        self.limits.groups = groups.max(1);
        self
    }

    /// How many items wait for a pipe at most (0 counts as 1); what it took is counted apart.
    pub fn capacity(mut self, items: usize) -> Self {
        self.limits.capacity = items.max(1);
        self
    }

    /// A pipe whose queue is full loses its oldest items instead of holding up the others.
    pub fn shed_when_full(mut self) -> Self {
        self.limits.full = WhenFull::ShedOldest;
        self
    }

    /// How many groups live now.
    #[must_use]
    pub fn live_groups(&self) -> usize {
        self.groups.len()
    }
}

impl<S, K, F, P, U> Stream for GroupAndPipe<S, K, F, P, U>
where
    S: Stream,
    K: Hash + Eq + Clone,
    F: FnMut(&S::Item) -> K,
    P: FnMut(&K, Group<K, S::Item>) -> U,
    U: Stream,
{
    type Item = U::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<U::Item>> {
        let mut this = self.project();
        this.pipes.woken.task.register(cx.waker());
        // Pipes woken from here on wait for the next poll: one that wakes itself stops nobody.
        let mut woken = this.pipes.woken();
        let mut ticked = false;
        for _ in 0..BURST {
            if let Some(pipe) = this.current.take().or_else(|| this.pipes.next_woken(&mut woken)) {
                if let Poll::Ready(Some(item)) = this.pipes.poll(pipe) {
                    *this.current = Some(pipe);
                    return Poll::Ready(Some(item));
                }
                continue;
            }
            if *this.ended {
                return if this.pipes.is_empty() { Poll::Ready(None) } else { Poll::Pending };
            }
            if !ticked {
                ticked = true;
                this.groups.tick();
                if let Some((key, _)) = this.held {
                    // A group that an item waits for is not idle.
                    this.groups.ask(key);
                }
                end_idle(&mut this.expiry, this.groups, cx, Inlet::end);
                woken = this.pipes.woken();
                if woken > 0 {
                    continue;
                }
            }
            let (key, item) = match this.held.take() {
                Some(held) => held,
                None => match this.source.as_mut().poll_next(cx) {
                    Poll::Ready(Some(item)) => {
                        this.groups.step();
                        ((this.key)(&item), item)
                    }
                    Poll::Ready(None) => {
                        *this.ended = true;
                        this.groups.drain().for_each(Inlet::end);
                        continue;
                    }
                    Poll::Pending => {
                        // The first group was opened since.
                        if this.expiry.due().is_none() {
                            end_idle(&mut this.expiry, this.groups, cx, Inlet::end);
                        }
                        return Poll::Pending;
                    }
                },
            };
            if let Some(inlet) = this.groups.ask(&key) {
                match inlet.lane.push(item, this.limits.full, cx.waker(), Some(&inlet.waker)) {
                    Pushed::Done => *this.current = Some(inlet.pipe),
                    Pushed::Abandoned => {}
                    Pushed::Full(item) => {
                        *this.held = Some((key, item));
                        report_stuck(this.stuck, cx);
                        return Poll::Pending;
                    }
                }
                this.stuck.as_mut().clear();
                continue;
            }
            if this.groups.len() >= this.limits.groups
                && let Some(oldest) = this.groups.pop_oldest()
            {
                oldest.end();
                woken += 1;
            }
            let (lane, reader) = Lane::new(this.limits.capacity, this.metered);
            lane.push(item, this.limits.full, cx.waker(), None);
            let stream = (this.make)(&key, Group::new(key.clone(), reader));
            let (pipe, waker) = this.pipes.add(stream);
            this.groups.insert(key, Inlet { lane, pipe, waker });
            *this.current = Some(pipe);
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// The pipes, and which of them were woken.
struct Pipes<U> {
    slots: Vec<Option<Pipe<U>>>,
    free: Vec<usize>,
    woken: Arc<Woken>,
}

struct Pipe<U> {
    stream: Pin<Box<U>>,
    wake: Arc<PipeWaker>,
    waker: Waker,
}

#[derive(Debug, Default)]
struct Woken {
    task: AtomicWaker,
    any: AtomicBool,
    pipes: Mutex<VecDeque<usize>>,
}

#[derive(Debug)]
struct PipeWaker {
    pipe: usize,
    queued: AtomicBool,
    woken: Arc<Woken>,
}

impl Wake for PipeWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.queued.swap(true, Ordering::AcqRel) {
            let mut pipes = self.woken.pipes.lock();
            pipes.push_back(self.pipe);
            self.woken.any.store(true, Ordering::Release);
            drop(pipes);
            self.woken.task.wake();
        }
    }
}

impl<U: Stream> Pipes<U> {
    fn add(&mut self, stream: U) -> (usize, Waker) {
        let pipe = self.free.pop().unwrap_or(self.slots.len());
        let wake =
            Arc::new(PipeWaker { pipe, queued: AtomicBool::new(false), woken: Arc::clone(&self.woken) });
        let waker = Waker::from(Arc::clone(&wake));
        let slot = Some(Pipe { stream: Box::pin(stream), wake, waker: waker.clone() });
        match self.slots.get_mut(pipe) {
            Some(free) => *free = slot,
            None => self.slots.push(slot),
        }
        (pipe, waker)
    }

    /// Polls a pipe, and forgets it when it has ended.
    #[inline]
    fn poll(&mut self, pipe: usize) -> Poll<Option<U::Item>> {
        // A waker may outlive its pipe.
        let Some(slot) = self.slots.get_mut(pipe) else { return Poll::Ready(None) };
        let Some(Pipe { stream, waker, .. }) = slot.as_mut() else { return Poll::Ready(None) };
        let polled = stream.as_mut().poll_next(&mut Context::from_waker(waker));
        if matches!(polled, Poll::Ready(None)) {
            *slot = None;
            self.free.push(pipe);
        }
        polled
    }
}

impl<U> Pipes<U> {
    fn new() -> Self {
        Self { slots: Vec::new(), free: Vec::new(), woken: Arc::default() }
    }

    fn is_empty(&self) -> bool {
        self.free.len() == self.slots.len()
    }

    #[inline]
    fn woken(&self) -> usize {
        if self.woken.any.load(Ordering::Acquire) { self.woken.pipes.lock().len() } else { 0 }
    }

    #[inline]
    fn next_woken(&self, left: &mut usize) -> Option<usize> {
        *left = left.checked_sub(1)?;
        let mut pipes = self.woken.pipes.lock();
        let pipe = pipes.pop_front()?;
        self.woken.any.store(!pipes.is_empty(), Ordering::Release);
        drop(pipes);
        // Asked to wake after this, it queues again: it is polled only now.
        if let Some(Some(Pipe { wake, .. })) = self.slots.get(pipe) {
            wake.queued.store(false, Ordering::Release);
        }
        Some(pipe)
    }
}
