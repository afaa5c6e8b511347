//! Asynchronous element functions, several calls at a time.

use super::asynchronous::{Emitter, Results};
use super::function::{Loan, forget, keep};
use super::site::{Mode, Site};
use super::{BoxError, ErrorKind, Item, Outcome};
use crate::stream::meter::{self, Kind, Meter};
use futures::stream::FuturesUnordered;
use futures::{FutureExt, Stream, StreamExt};
use pin_project_lite::pin_project;
use std::any::Any;
use std::collections::{HashMap, HashSet, VecDeque};
use std::future::Future;
use std::hash::Hash;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};
use std::time::Duration;

/// In which order the results of calls that run side by side come out, and which of them may run side by side.
pub(crate) trait Discipline<T>: Send {
    /// What is noted of a call until it ends.
    type Ticket: Send;
    /// An item comes in; it is begun now or waits.
    fn enter(&mut self, item: T);
    /// The next item that may begin now.
    fn next(&mut self) -> Option<(T, Self::Ticket)>;
    /// A call has ended.
    fn leave(&mut self, ticket: Self::Ticket);
    /// Lets go of what waits for a call to end; how much that is.
    fn let_go(&mut self) -> u64 {
        0
    }
    /// No more items should be taken in now.
    fn is_full(&self, running: usize) -> bool;
    /// Results come out in the order of the items.
    fn is_ordered(&self) -> bool;
}

/// Calls begin as items come, at most `limit` at a time.
pub(crate) struct Arrival<T> {
    next: Option<T>,
    limit: usize,
    ordered: bool,
}

impl<T> Arrival<T> {
    /// Results come out as calls emit them.
    pub(crate) fn unordered(limit: usize) -> Self {
        Self { next: None, limit, ordered: false }
    }

    /// Results come out in the order of the items.
    pub(crate) fn ordered(limit: usize) -> Self {
        Self { next: None, limit, ordered: true }
    }
}

impl<T: Item> Discipline<T> for Arrival<T> {
    type Ticket = ();

    fn enter(&mut self, item: T) {
        self.next = Some(item);
    }

    fn next(&mut self) -> Option<(T, ())> {
        self.next.take().map(|item| (item, ()))
    }

    fn leave(&mut self, (): ()) {}

    fn is_full(&self, running: usize) -> bool {
        running >= self.limit
    }

    fn is_ordered(&self) -> bool {
        self.ordered
    }
}

/// Calls of different keys side by side; those of one key one after the other, in order.
pub(crate) struct Keyed<T, K, G> {
    key: G,
    limit: usize,
    running: HashSet<K>,
    waiting: HashMap<K, VecDeque<T>>,
    begin: VecDeque<(T, K)>,
    held: usize,
}

impl<T, K, G> Keyed<T, K, G> {
    pub(crate) fn new(limit: usize, key: G) -> Self {
        Self { key, limit, running: HashSet::new(), waiting: HashMap::new(), begin: VecDeque::new(), held: 0 }
    }
}

impl<T, K, G> Discipline<T> for Keyed<T, K, G>
where
    T: Item,
    K: Hash + Eq + Clone + Send,
    G: FnMut(&T) -> K + Send,
{
    type Ticket = K;

    fn enter(&mut self, item: T) {
        let key = (self.key)(&item);
        if self.running.insert(key.clone()) {
            self.begin.push_back((item, key));
        } else {
            self.waiting.entry(key).or_default().push_back(item);
            self.held += 1;
        }
    }

    fn next(&mut self) -> Option<(T, K)> {
        self.begin.pop_front()
    }

    fn leave(&mut self, key: K) {
        let next = self.waiting.get_mut(&key).and_then(VecDeque::pop_front);
        if let Some(item) = next {
            self.held -= 1;
            self.begin.push_back((item, key));
        } else {
            self.waiting.remove(&key);
            self.running.remove(&key);
        }
    }

    fn let_go(&mut self) -> u64 {
        self.waiting.clear();
        std::mem::take(&mut self.held) as u64
    }

    fn is_full(&self, running: usize) -> bool {
        // Items whose key is busy are held aside, as many as calls may run; then the input waits.
        running + self.begin.len() >= self.limit || self.held >= self.limit
    }

    fn is_ordered(&self) -> bool {
        false
    }
}

/// The calls of an element that run side by side.
pub(crate) static CALLS: Kind = Kind {
    name: "calls",
    label: "",
    counters: &[("started", "Calls of its asynchronous function that were begun.")],
    gauges: &[("running", "Calls of its asynchronous function that run now.")],
    latency: None,
};

type Ended<K> =
    (u64, K, Option<Duration>, Result<Result<(), BoxError>, ErrorKind>, Option<Box<dyn Any + Send>>);

/// One call with what is to be known when it ends. It never panics: a panic is an outcome.
pub(crate) async fn one_call<Fut, K>(
    id: u64,
    ticket: K,
    call: Fut,
    kept: Option<Box<dyn Any + Send>>,
) -> Ended<K>
where
    Fut: Future<Output: Outcome>,
{
    let since = meter::now();
    let result = match AssertUnwindSafe(call).catch_unwind().await {
        Ok(outcome) => Ok(outcome.outcome()),
        Err(panic) => Err(ErrorKind::panicked(&*panic)),
    };
    (id, ticket, since.map(|since| since.elapsed()), result, kept)
}

/// The stream of the results.
pub(crate) fn concurrent<S, F, Fut, U, D>(
    s: S,
    f: Loan<F>,
    discipline: D,
    site: Arc<Site>,
) -> impl Stream<Item = U> + Send
where
    S: Stream<Item: Item> + Send,
    F: FnMut(S::Item, Emitter<U>) -> Fut + Send,
    Fut: Future<Output: Outcome> + Send,
    U: Item,
    D: Discipline<S::Item>,
{
    site.measures_calls.store(true, Relaxed);
    let meter = Meter::new(&CALLS, "");
    let state = Running { f, discipline, lanes: VecDeque::new(), begun: 0, done: false, site, meter };
    Side { s, calls: FuturesUnordered::new(), wrap: one_call::<Fut, D::Ticket>, state }
}

struct Running<F, U, D> {
    f: Loan<F>,
    discipline: D,
    lanes: VecDeque<(u64, Results<U>, bool)>,
    begun: u64,
    done: bool,
    site: Arc<Site>,
    meter: Arc<Meter>,
}

pin_project! {
    struct Side<S, F, U, D, Call, W> {
        #[pin]
        s: S,
        calls: FuturesUnordered<Call>,
        wrap: W,
        state: Running<F, U, D>,
    }
}

impl<F, U, D> Running<F, U, D> {
    /// The next result whose turn it is.
    fn next_result<T>(&mut self) -> Option<U>
    where
        D: Discipline<T>,
    {
        let ordered = self.discipline.is_ordered();
        loop {
            let (_, results, ended) = self.lanes.front_mut()?;
            if let Some(item) = results.try_next() {
                return Some(item);
            }
            if !ordered || !*ended {
                return None;
            }
            self.lanes.pop_front();
        }
    }

    fn ended<T>(&mut self, (id, ticket, took, result, kept): Ended<D::Ticket>)
    where
        D: Discipline<T>,
    {
        if self.discipline.is_ordered()
            && let Some(lane) = self.lanes.iter_mut().find(|lane| lane.0 == id)
        {
            lane.2 = true;
        }
        self.discipline.leave(ticket);
        if let Some(took) = took {
            self.site.took(took);
        }
        match result {
            Ok(Ok(())) => self.site.worked.store(true, Relaxed),
            Ok(Err(error)) => {
                self.site.failed(ErrorKind::Failed(error), kept);
            }
            Err(kind) => {
                self.site.failed(kind, kept);
            }
        }
    }
}

impl<S, F, Fut, U, D, Call, W> Stream for Side<S, F, U, D, Call, W>
where
    S: Stream<Item: Item>,
    F: FnMut(S::Item, Emitter<U>) -> Fut,
    U: Item,
    D: Discipline<S::Item>,
    Call: Future<Output = Ended<D::Ticket>>,
    W: Fn(u64, D::Ticket, Fut, Option<Box<dyn Any + Send>>) -> Call,
{
    type Item = U;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<U>> {
        let mut me = self.project();
        let state = me.state;
        loop {
            if let Some(item) = state.next_result::<S::Item>() {
                return Poll::Ready(Some(item));
            }
            // Begin what may begin.
            while let Some((item, ticket)) = state.discipline.next() {
                if state.site.mode() == Mode::Skip {
                    state.discipline.leave(ticket);
                    state.site.skipped.fetch_add(1, Relaxed);
                    continue;
                }
                let kept: Option<Box<dyn Any + Send>> =
                    if state.site.keeps_inputs() { Some(Box::new(item.clone())) } else { None };
                if state.discipline.is_ordered() || state.lanes.is_empty() {
                    state.lanes.push_back((state.begun, Results::new(), false));
                }
                let Some((_, results, _)) = state.lanes.back() else { break };
                let emitter = results.emitter();
                let Some(f) = state.f.get() else { return Poll::Ready(None) };
                let begun = state.begun;
                state.begun += 1;
                state.meter.add(0, 1);
                state.meter.set(0, me.calls.len() as f64 + 1.0);
                match catch_unwind(AssertUnwindSafe(|| f(item, emitter))) {
                    Ok(call) => me.calls.push((me.wrap)(begun, ticket, call, kept)),
                    Err(panic) => {
                        state.ended::<S::Item>((
                            begun,
                            ticket,
                            None,
                            Err(ErrorKind::panicked(&*panic)),
                            kept,
                        ));
                    }
                }
            }
            // Let the calls run; one that has ended may let another begin.
            let waiting = match me.calls.poll_next_unpin(cx) {
                Poll::Ready(Some(ended)) => {
                    state.meter.set(0, me.calls.len() as f64);
                    state.ended::<S::Item>(ended);
                    continue;
                }
                Poll::Ready(None) => false,
                Poll::Pending => true,
            };
            if let Some(item) = state.next_result::<S::Item>() {
                return Poll::Ready(Some(item));
            }
            let mode = state.site.mode_for(cx);
            if mode == Mode::Skip {
                state.site.skipped.fetch_add(state.discipline.let_go(), Relaxed);
            }
            // What is skipped waits for no call to end.
            let has_room = mode == Mode::Skip || !state.discipline.is_full(me.calls.len());
            if !state.done && mode != Mode::Hold && has_room {
                match me.s.as_mut().poll_next(cx) {
                    Poll::Ready(Some(_)) if mode == Mode::Skip => {
                        state.site.skipped.fetch_add(1, Relaxed);
                        continue;
                    }
                    Poll::Ready(Some(item)) => {
                        let is_kept = state.site.keeps_inputs();
                        if is_kept {
                            keep(&state.site, &item);
                        }
                        // A key that panics costs its item.
                        state.site.in_function(|| state.discipline.enter(item));
                        if is_kept {
                            forget(&state.site);
                        }
                        continue;
                    }
                    Poll::Ready(None) => {
                        state.done = true;
                        continue;
                    }
                    Poll::Pending => {}
                }
            }
            if state.done && !waiting {
                return Poll::Ready(None);
            }
            let Some((_, results, _)) = state.lanes.front_mut() else { return Poll::Pending };
            return results.poll_next(cx).map(Some);
        }
    }
}
