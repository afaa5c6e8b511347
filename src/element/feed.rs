//! Foreign streams into in-ports, operators on links, calls on links, and sinks on out-ports.

use super::in_port::{BatchSource, InSide, Source, Valve};
use super::out_port::Plug;
use super::queue::{End, Got, Queue};
use super::site::Site;
use super::subscription::PastOperators;
use super::{Call, CallError, ErrorKind, Item, State, Subscription};
use futures::future::BoxFuture;
use futures::{Sink, SinkExt, Stream, StreamExt};
use pin_project_lite::pin_project;
use serde_json::Value;
use std::collections::VecDeque;
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
        // A stopped element leaves a stream alone; starting it asks every source again.
        if !*me.ended && matches!(me.to.state(), State::Stopped | State::Draining) {
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
            let stream = ops(Subscription::of_link(queue, past.clone()));
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
        self.to.add(from, Source::Piped((self.make)(queue), Some(valve)), false);
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
        loop {
            if let Some((call, answer)) = &mut self.running {
                let reply = ready!(answer.as_mut().poll(cx));
                let failed = reply.as_ref().err().cloned();
                call.answer(reply);
                self.running = None;
                if let Some(error) = failed {
                    self.site.failed(ErrorKind::Call(error), None);
                }
            }
            let Some(call) = ready!(self.incoming.poll_next_unpin(cx)) else {
                return Poll::Ready(Got::End(self.incoming.end().unwrap_or(End::Completed)));
            };
            let path = self.site.path();
            let answer: BoxFuture<'static, _> = match call.argument(&path) {
                Ok(argument) => Box::pin(self.site.methods.call(path, call.method(), argument)),
                Err(error) => Box::pin(futures::future::err(error)),
            };
            self.running = Some((call, answer));
        }
    }
}

/// Hands all that a subscription brings to a sink: what is there goes in one flush.
pub(crate) async fn serve_sink<T, S>(mut items: Subscription<T>, sink: S, of: Arc<Site>)
where
    S: Sink<T>,
    S::Error: Into<super::BoxError>,
{
    let mut sink = std::pin::pin!(sink);
    let served = async {
        while let Some(item) = items.next().await {
            sink.feed(item).await?;
            while let Some(item) = items.try_next() {
                sink.feed(item).await?;
            }
            sink.flush().await?;
        }
        sink.close().await
    };
    if let Err(error) = served.await {
        of.failed(ErrorKind::SinkLost(error.into()), None);
    }
}
