//! Foreign streams into in-ports, operators on links, calls on links, and sinks on out-ports.

use super::in_port::{BatchSource, InSide, Source, Valve};
use super::out_port::Plug;
use super::queue::{End, Got, Queue};
use super::site::Site;
use super::subscription::PastOperators;
use super::{Call, CallError, ElementError, ErrorKind, Item, State, Subscription};
use crate::stream::meter;
use futures::future::BoxFuture;
use futures::{FutureExt, Sink, SinkExt, Stream, StreamExt};
use pin_project_lite::pin_project;
use serde_json::Value;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

/// Items taken from a stream at a time.
const BATCH: usize = 256;

pin_project! {
    /// A stream as a source of an in-port.
    pub(crate) struct Feed<S> {
        #[pin]
        stream: S,
        to: Arc<Site>,
        past: Arc<PastOperators>,
        ended: bool,
        // It brings items from outside, and so ends first at shutdown.
        source: bool,
    }
}

impl<S> Feed<S> {
    pub(crate) fn new(stream: S, to: Arc<Site>) -> Self {
        Self { stream, to, past: Arc::default(), ended: false, source: true }
    }
}

impl<S: Stream + Send> BatchSource<S::Item> for Feed<S> {
    fn poll_batch(self: Pin<&mut Self>, cx: &mut Context<'_>, batch: &mut VecDeque<S::Item>) -> Poll<Got> {
        let mut me = self.project();
        if *me.source && me.to.host.closing.load(Ordering::Acquire) {
            return Poll::Ready(Got::End(End::Unlinked));
        }
        // A stopped element leaves a stream alone, and one that drains takes in nothing new; starting it asks every
        // source again. What is queued before the operators of a link is worked off.
        let leaves = match me.to.state() {
            State::Stopped => true,
            State::Draining => *me.source,
            _ => false,
        };
        if leaves && !*me.ended {
            return Poll::Pending;
        }
        if let Some(fault) = me.past.take() {
            return Poll::Ready(Got::Fault(fault));
        }
        while !*me.ended && batch.len() < BATCH {
            match me.stream.as_mut().poll_next(cx) {
                Poll::Ready(Some(item)) => batch.push_back(item),
                Poll::Ready(None) => *me.ended = true,
                Poll::Pending => break,
            }
        }
        if !batch.is_empty() {
            return Poll::Ready(Got::Items);
        }
        if *me.ended {
            let unlinked = me.past.unlinked.load(Ordering::Acquire);
            return Poll::Ready(Got::End(if unlinked { End::Unlinked } else { End::Completed }));
        }
        me.past.take().map_or(Poll::Pending, |fault| Poll::Ready(Got::Fault(fault)))
    }
}

type Piped<T> = Pin<Box<dyn BatchSource<T>>>;

/// A stream fed in from outside.
pub(crate) fn guarded_feed<S>(stream: S, to: &Arc<Site>) -> Piped<S::Item>
where
    S: Stream<Item: Item> + Send + 'static,
{
    let feed: Piped<S::Item> = Box::pin(Feed::new(stream, to.clone()));
    Box::pin(Guarded { source: Some(feed), again: None, failed: None, panics: 0, to: to.clone() })
}

/// A source that panics so often with nothing coming of it will not get better.
const PANICS_IN_A_ROW: u32 = 1000;

/// Users' code behind a source: where it panics, a link's operators are built anew, and a stream is over.
struct Guarded<T> {
    source: Option<Piped<T>>,
    again: Option<Again<T>>,
    /// What is to be told behind the items that came before it.
    failed: Option<ErrorKind>,
    panics: u32,
    to: Arc<Site>,
}

/// How operators are built anew, and the queue that stays.
struct Again<T> {
    make: Box<dyn Fn() -> Piped<T> + Send>,
    valve: Arc<dyn Valve>,
}

impl<T: Item> Guarded<T> {
    fn renew(&mut self) {
        self.panics += 1;
        let source = self.source.take();
        let Some(again) = self.again.as_ref().filter(|_| self.panics < PANICS_IN_A_ROW) else {
            let _dropped = catch_unwind(AssertUnwindSafe(|| drop(source)));
            return;
        };
        again.valve.hand_over(true);
        let _dropped = catch_unwind(AssertUnwindSafe(|| drop(source)));
        again.valve.hand_over(false);
        match catch_unwind(AssertUnwindSafe(|| (again.make)())) {
            Ok(source) => self.source = Some(source),
            Err(_) => again.valve.close(),
        }
    }
}

impl<T: Item> BatchSource<T> for Guarded<T> {
    fn poll_batch(mut self: Pin<&mut Self>, cx: &mut Context<'_>, batch: &mut VecDeque<T>) -> Poll<Got> {
        loop {
            if let Some(kind) = self.failed.take() {
                return Poll::Ready(Got::Fault(self.to.report(kind, None)));
            }
            let Some(source) = &mut self.source else {
                return Poll::Ready(Got::End(End::Completed));
            };
            let polled = catch_unwind(AssertUnwindSafe(|| source.as_mut().poll_batch(cx, batch)));
            match polled {
                Ok(polled) => {
                    if matches!(polled, Poll::Ready(Got::Items)) {
                        self.panics = 0;
                    }
                    return polled;
                }
                Err(panic) => {
                    self.failed = Some(ErrorKind::panicked(&*panic));
                    self.renew();
                    if !batch.is_empty() {
                        return Poll::Ready(Got::Items);
                    }
                }
            }
        }
    }
}

/// Where a link with operators leads.
pub(crate) struct OpsPlug<T, P> {
    pub(crate) to: Arc<InSide<P>>,
    make: Box<dyn Fn(Arc<Queue<T>>) -> Piped<P> + Send + Sync>,
}

impl<T: Item, P: Item> OpsPlug<T, P> {
    pub(crate) fn new<S>(
        to: Arc<InSide<P>>,
        ops: impl Fn(Subscription<T>) -> S + Send + Sync + 'static,
    ) -> Self
    where
        S: Stream<Item = P> + Send + 'static,
    {
        let site = to.site().clone();
        let make = move |queue| -> Piped<P> {
            let past = Arc::<PastOperators>::default();
            let items = Subscription::of_link(queue, past.clone());
            let stream = meter::within(site.path().as_str().into(), || ops(items));
            Box::pin(Feed { stream, to: site.clone(), past, ended: false, source: false })
        };
        Self { to, make: Box::new(make) }
    }
}

impl<P: Item> OpsPlug<Call, P> {
    /// A link that carries calls.
    pub(crate) fn calls(to: Arc<InSide<P>>) -> Self {
        let site = to.site().clone();
        let make = move |queue| -> Piped<P> {
            Box::pin(Calls { incoming: Subscription::new(queue), running: None, site: site.clone() })
        };
        Self { to, make: Box::new(make) }
    }
}

impl<T: Item, P: Item> Plug<T> for OpsPlug<T, P> {
    fn plug(self: Arc<Self>, queue: Arc<Queue<T>>, from: usize) {
        let valve: Arc<dyn Valve> = queue.clone();
        let source = (self.make)(queue.clone());
        let me = self.clone();
        let again = Again { make: Box::new(move || (me.make)(queue.clone())), valve: valve.clone() };
        let to = self.to.site().clone();
        let guarded = Guarded { source: Some(source), again: Some(again), failed: None, panics: 0, to };
        self.to.add(from, Source::Piped(Box::pin(guarded), Some(valve)), false);
    }

    fn target(&self) -> Option<Arc<Site>> {
        Some(self.to.site().clone())
    }
}

/// Answers calls; no item ever comes of it.
struct Calls {
    incoming: Subscription<Call>,
    running: Option<(Call, BoxFuture<'static, Result<Value, CallError>>)>,
    site: Arc<Site>,
}

impl<T> BatchSource<T> for Calls {
    fn poll_batch(mut self: Pin<&mut Self>, cx: &mut Context<'_>, _batch: &mut VecDeque<T>) -> Poll<Got> {
        for _ in 0..BATCH {
            if let Some((call, answer)) = &mut self.running {
                let reply = ready!(answer.as_mut().poll(cx));
                let failed = reply.as_ref().err().cloned();
                let input = Box::new(call.clone());
                call.answer(reply);
                self.running = None;
                if let Some(error) = failed {
                    self.site.failed(ErrorKind::Call(error), Some(input));
                }
            }
            let Some(call) = ready!(self.incoming.poll_next_unpin(cx)) else {
                return Poll::Ready(Got::End(self.incoming.end().unwrap_or(End::Completed)));
            };
            let path = self.site.path();
            let answer: BoxFuture<'static, _> = match call.argument(&path) {
                Ok(argument) => {
                    let ask = || self.site.declared().methods.call(path, call.method(), argument);
                    Box::pin(match call.context() {
                        Some(context) => context.run(ask),
                        None => ask(),
                    })
                }
                Err(error) => Box::pin(futures::future::err(error)),
            };
            self.running = Some((call, answer));
        }
        // The other sources have their turn.
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Hands what `pick` chooses of all that a subscription brings to a sink: what is there goes in one flush.
pub(crate) async fn serve_sink<T, X, S>(
    mut items: Subscription<T>,
    sink: S,
    of: Arc<Site>,
    pick: impl Fn(Result<T, Arc<ElementError>>) -> Option<X>,
) where
    S: Sink<X>,
    S::Error: Into<super::BoxError>,
{
    let mut sink = std::pin::pin!(sink);
    let served = async {
        while let Some(signal) = items.next_signal().await {
            let mut signal = Some(signal);
            // At most a batch, or a flood would never let it be flushed.
            for _ in 0..BATCH {
                let Some(next) = signal.take().or_else(|| items.try_signal()) else { break };
                if let Some(item) = pick(next) {
                    sink.feed(item).await?;
                }
            }
            sink.flush().await?;
        }
        sink.close().await
    };
    let lost = match AssertUnwindSafe(served).catch_unwind().await {
        Ok(served) => served.err().map(Into::into),
        Err(panic) => Some(ErrorKind::panicked(&*panic).to_string().into()),
    };
    if let Some(error) = lost {
        of.failed(ErrorKind::SinkLost(error), None);
    }
}
