//! The handle to an element with its types.

use super::feed::{OpsPlug, guarded_feed, serve_sink};
use super::handing::Handing;
use super::in_port::{InSide, Source};
use super::out_port::{OutPort, Plug};
use super::port_sink::PortSink;
use super::queue::{End, Queue};
use super::{
    AnyElement, BoxError, Call, DebugPorts, ElementError, ErrorKind, Item, Link, LinkError, LinkOptions,
    PushError, State, Subscription, door::Exposed, wiring,
};
use futures::{Sink, Stream};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A handle to an element that takes `I` and emits `O`. Cheap to clone; dropping it doesn't end the element.
///
/// Everything that doesn't depend on the types (`start`, `stop`, parameters, …) is in [`AnyElement`], to which it derefs.
pub struct Element<I: Item, O: Item> {
    pub(crate) input: Arc<InSide<I>>,
    pub(crate) output: Arc<OutPort<O>>,
    any: AnyElement,
}

impl<I: Item, O: Item> Clone for Element<I, O> {
    fn clone(&self) -> Self {
        Self { input: self.input.clone(), output: self.output.clone(), any: self.any.clone() }
    }
}

impl<I: Item, O: Item> Deref for Element<I, O> {
    type Target = AnyElement;
    fn deref(&self) -> &AnyElement {
        &self.any
    }
}

impl<I: Item, O: Item> fmt::Display for Element<I, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.any.fmt(f)
    }
}

impl<I: Item, O: Item> fmt::Debug for Element<I, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.any, f)
    }
}

/// What comes into an element.
impl<I: Item, O: Item> Element<I, O> {
    pub(crate) fn new(input: Arc<InSide<I>>, output: Arc<OutPort<O>>) -> Self {
        let any = input.site().handle();
        Self { input, output, any }
    }

    /// The handle without the types.
    #[must_use]
    pub fn any(&self) -> &AnyElement {
        &self.any
    }

    fn refused(&self, item: I, gone: bool) -> PushError<I> {
        let (path, state) = (self.path(), self.state());
        let closing = self.site().host.closing.load(std::sync::atomic::Ordering::Acquire);
        if gone && (state.accepts_items() || state == State::Disposed || closing) {
            PushError::Closed { path, item }
        } else {
            PushError::NotRunning { path, state, item }
        }
    }

    /// Pushes one item into the in-port; waits while it is full. Also a paused element takes it.
    ///
    /// # Errors
    /// [`PushError::NotRunning`] and [`PushError::Closed`]; both give the item back.
    ///
    /// # Cancel safety
    /// Cancel safe: if dropped before it is ready, the item was not pushed.
    pub async fn push(&self, item: I) -> Result<(), PushError<I>> {
        if !self.state().accepts_items() {
            return Err(self.refused(item, self.state() == State::Disposed));
        }
        let queue = self.input.entry();
        match queue.push_one(item).await {
            Err(Some(item)) => Err(self.refused(item, true)),
            _ => Ok(()),
        }
    }

    /// Pushes one item into the in-port if there is room.
    ///
    /// # Errors
    /// As [`push`](Self::push), and [`PushError::Full`].
    pub fn try_push(&self, item: I) -> Result<(), PushError<I>> {
        if !self.state().accepts_items() {
            return Err(self.refused(item, self.state() == State::Disposed));
        }
        let mut one = Some(item);
        let pushed = self.input.entry().try_push(&mut one);
        match (pushed, one) {
            (Err(_), Some(item)) => Err(self.refused(item, true)),
            (Ok(false), Some(item)) => Err(PushError::Full { path: self.path(), item }),
            _ => Ok(()),
        }
    }

    /// Pushes an error into the in-port: it passes the element by and goes on downstream in order.
    pub fn push_error(&self, error: impl Into<BoxError>) {
        let error = ElementError { path: self.path(), kind: ErrorKind::Reported(error.into()) };
        self.input.entry().push_fault(Arc::new(error));
    }

    /// Completes what is pushed: the element completes after what is queued, if it has no other source.
    pub fn complete(&self) {
        self.input.entry().finish(End::Completed);
    }

    /// A [`Sink`] into the in-port with a queue of its own: the way in for many items. Closing it completes this
    /// source; dropping it just takes it away.
    pub fn sink(&self) -> PortSink<I> {
        self.sink_for(LinkOptions::default().capacity)
    }

    /// The same with room for so many items.
    pub(crate) fn sink_for(&self, capacity: usize) -> PortSink<I> {
        let queue = Queue::new(capacity, super::Overflow::Wait);
        self.input.add(0, Source::Queue(queue.clone()), true);
        PortSink::new(queue, self.any.clone())
    }

    /// Takes all that a stream yields; the element's own task polls it. While the element is stopped the stream waits.
    /// The end of the stream completes this source.
    pub fn feed(&self, stream: impl Stream<Item = I> + Send + 'static) {
        self.input.add(0, Source::Piped(guarded_feed(stream, self.site()), None), true);
    }

    /// Watches what comes in without holding anything up; a slow reader loses the oldest, counted.
    pub fn tap_in(&self, capacity: usize) -> Subscription<I> {
        self.input.watchers.tap(capacity.max(1))
    }
}

/// What goes out of an element.
impl<I: Item, O: Item> Element<I, O> {
    /// A stream of what it emits from now on. It waits when full: poll it, or the element is held up.
    pub fn subscribe(&self) -> Subscription<O> {
        self.output.subscribe(LinkOptions::default())
    }

    /// The same with a capacity, an overflow rule, or a replay of what was emitted before.
    ///
    /// # Errors
    /// [`LinkError::ZeroCapacity`].
    pub fn subscribe_with(&self, options: LinkOptions) -> Result<Subscription<O>, LinkError> {
        options.check()?;
        Ok(self.output.subscribe(options))
    }

    /// Watches what it emits without holding anything up; a slow reader loses the oldest, counted.
    pub fn tap_out(&self, capacity: usize) -> Subscription<O> {
        self.output.watchers.tap(capacity.max(1))
    }

    /// Emits an item on the element's behalf, past its function; waits while a link that waits is full.
    ///
    /// # Cancel safety
    /// If dropped before it is ready, some of the links may have the item.
    pub async fn emit(&self, item: O) {
        for queue in self.output.inject(&item) {
            let _gone = queue.push_one(item.clone()).await;
        }
    }

    /// Links the out-port to the in-port of another element. Every link has a queue of its own; this one waits when
    /// full and holds 1,024 items.
    ///
    /// # Errors
    /// [`LinkError`]: elements of different apps, one that is gone, or a ring of waiting links.
    pub fn link<X: Item>(&self, to: &Element<O, X>) -> Result<Link<O>, LinkError> {
        self.link_with(to, LinkOptions::default())
    }

    /// Links with a capacity, an overflow rule, or a replay of what was emitted before.
    ///
    /// # Errors
    /// As [`link`](Self::link), and [`LinkError::ZeroCapacity`].
    pub fn link_with<X: Item>(&self, to: &Element<O, X>, options: LinkOptions) -> Result<Link<O>, LinkError> {
        self.join(to.any(), options, to.input.clone())
    }

    /// Links with operators in between; they run in the task of the receiver.
    ///
    /// ```
    /// # use mape::prelude::*;
    /// # use std::time::Duration;
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), BoxError> {
    /// # let app = App::new();
    /// # let room = app.create_loop("room")?;
    /// # let sense = room.monitor("sense").map(|t: f64| t).spawn()?;
    /// # let judge = room.analyze("judge").map(|mean: f64| mean > 21.0).spawn()?;
    /// # let mut warm = judge.subscribe();
    /// sense.link_ops(&judge, LinkOptions::new(), |s| s.moving_average(3))?;
    /// # sense.start()?;
    /// # for t in [20.0, 22.0, 24.0] { sense.push(t).await?; }
    /// # assert_eq!((warm.next().await, warm.next().await, warm.next().await), (Some(false), Some(false), Some(true)));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`link_with`](Self::link_with).
    pub fn link_ops<P, X, S>(
        &self,
        to: &Element<P, X>,
        options: LinkOptions,
        ops: impl Fn(Subscription<O>) -> S + Send + Sync + 'static,
    ) -> Result<Link<O>, LinkError>
    where
        P: Item,
        X: Item,
        S: Stream<Item = P> + Send + 'static,
    {
        self.join(to.any(), options, Arc::new(OpsPlug::new(to.input.clone(), ops)))
    }

    /// Hands all that it emits to a sink: what is queued goes in one flush. The sink is closed when the element
    /// completes; when the sink fails, the link is cut and the error is one of this element.
    ///
    /// # Errors
    /// [`LinkError::ZeroCapacity`], and [`LinkError::Disposed`] when there is no runtime or element to serve it.
    pub fn link_sink<S>(&self, sink: S, options: LinkOptions) -> Result<(), LinkError>
    where
        S: Sink<O> + Send + 'static,
        S::Error: Into<BoxError> + Send,
    {
        self.serve(sink, options, Result::ok)
    }

    /// As [`link_sink`](Self::link_sink), with the errors in their place between the items.
    ///
    /// # Errors
    /// As [`link_sink`](Self::link_sink).
    pub fn link_signals<S>(&self, sink: S, options: LinkOptions) -> Result<(), LinkError>
    where
        S: Sink<Result<O, Arc<ElementError>>> + Send + 'static,
        S::Error: Into<BoxError> + Send,
    {
        self.serve(sink, options, Some)
    }

    fn serve<X, S>(
        &self,
        sink: S,
        options: LinkOptions,
        pick: impl Fn(Result<O, Arc<ElementError>>) -> Option<X> + Send + Sync + 'static,
    ) -> Result<(), LinkError>
    where
        X: Send + 'static,
        S: Sink<X> + Send + 'static,
        S::Error: Into<BoxError> + Send,
    {
        let site = self.site();
        let gone = || LinkError::Disposed { from: self.path(), to: self.path(), gone: self.path() };
        if site.state() == State::Disposed {
            return Err(gone());
        }
        let runtime = site.host.runtime().ok_or_else(gone)?;
        let items = self.subscribe_with(options)?;
        let handing = Handing::new::<S>(items.watch());
        let serving = handing.clone().run(serve_sink(items, sink, site.clone(), pick));
        site.adopt(runtime.spawn(serving), Some(handing));
        Ok(())
    }

    fn join(
        &self,
        to: &AnyElement,
        options: LinkOptions,
        plug: Arc<dyn Plug<O>>,
    ) -> Result<Link<O>, LinkError> {
        let rewiring = self.site().host.rewiring.lock();
        wiring::check(self.site(), to.site(), options, None)?;
        let queue = Queue::new(options.capacity, options.overflow);
        let id = self.output.attach(queue.clone(), options, Some(plug));
        drop(rewiring);
        Ok(Link { from: self.output.clone(), id, queue, to: Some(to.clone()) })
    }

    /// Puts the element's ports behind its path as JSON, for other processes: they may push into its in-port and see what
    /// it emits. The only place that asks for serde, besides [`expose_fully`](Self::expose_fully).
    pub fn expose(&self)
    where
        I: DeserializeOwned,
        O: Serialize,
    {
        let _ = self.site().rare().ports.set(Arc::new(Exposed::new(self)));
    }

    /// As [`expose`](Self::expose), and others may also see what comes in, and emit on the element's behalf.
    ///
    /// Of the two the first call counts.
    pub fn expose_fully(&self)
    where
        I: Serialize + DeserializeOwned,
        O: Serialize + DeserializeOwned,
    {
        let _ = self.site().rare().ports.set(Arc::new(Exposed::new(self).fully()));
    }

    /// Logs every item that comes in or goes out, at level info under the target `mape::debug`.
    pub fn debug(&self, what: DebugPorts)
    where
        I: fmt::Debug,
        O: fmt::Debug,
    {
        super::debug::watch(self, what);
    }
}

impl<I: Item> Element<I, Call> {
    /// Links the calls that this element emits to the element that answers them, past its pipe. They are carried out in
    /// the task of the receiver, one after the other.
    ///
    /// # Errors
    /// As [`link`](Self::link).
    pub fn link_calls<P: Item, X: Item>(&self, to: &Element<P, X>) -> Result<Link<Call>, LinkError> {
        self.join(to.any(), LinkOptions::default(), Arc::new(OpsPlug::calls(to.input.clone())))
    }
}
