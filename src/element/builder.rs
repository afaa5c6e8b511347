//! How an element is made: uid, operators, function, operators, spawn.

use super::asynchronous::{EachAsync, Emitter};
use super::concurrent::{Arrival, Keyed, concurrent};
use super::driver::{Make, Recipe};
use super::function::{Each, Loan, Out, Outcome, Pipe, Pour, Pump, Shelf};
use super::handler::Handler;
use super::host::{Host, Registry};
use super::in_port::{InPort, InSide};
use super::out_port::OutPort;
use super::parameter::ParameterValue;
use super::site::{Declared, Founding, Inputs, Outputs, Site};
use super::{
    BoxError, Element, ElementPath, Item, OnError, Parameter, Role, SpawnError, StartPolicy, check_uid,
    generate_uid,
};
use futures::Stream;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::future::Future;
use std::hash::Hash;
use std::sync::{Arc, Weak};

/// What is said of an element before it is spawned.
pub(crate) struct Settings {
    host: Arc<Host>,
    owner: Weak<dyn Registry>,
    owner_uid: Arc<str>,
    uid: Arc<str>,
    role: Role,
    start: StartPolicy,
    remember: usize,
    acts_only: bool,
    declared: Declared,
    zero: Option<&'static str>,
}

impl Settings {
    /// Nobody will ever subscribe to what emits nothing, so it isn't waited for.
    fn only_acts(&mut self) {
        self.acts_only = true;
        if self.start == StartPolicy::OnSubscribe {
            self.start = StartPolicy::AtOnce;
        }
    }
}

/// An element in the making: its in-port and the operators behind it. `S` is the stream that its function will see.
#[must_use = "an element exists once it has a function and is spawned"]
pub struct Builder<I: Item, S> {
    settings: Settings,
    make: Make<I, S>,
}

impl<I: Item> Builder<I, InPort<I>> {
    /// A builder; an empty `uid` stands for a generated one.
    pub(crate) fn new(
        host: Arc<Host>,
        owner: Weak<dyn Registry>,
        owner_uid: Arc<str>,
        role: Role,
        uid: &str,
    ) -> Self {
        let uid = if uid.is_empty() { generate_uid(role.prefix()) } else { uid.into() };
        let settings = Settings {
            host,
            owner,
            owner_uid,
            uid,
            role,
            start: role.start_policy(),
            remember: 0,
            acts_only: false,
            declared: Declared::default(),
            zero: None,
        };
        Self { settings, make: Box::new(|port, _| port) }
    }
}

impl<I: Item, S: Stream + Send + 'static> Builder<I, S> {
    /// Operators between the in-port and the function. Called again when the element restarts, with fresh state.
    ///
    /// ```
    /// # use mape::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), BoxError> {
    /// # let app = App::new();
    /// # let car = app.create_loop("car")?;
    /// let detect = car.monitor("detect").ops_in(|s| s.distinct_until_changed()).map(|on: bool| on).spawn()?;
    /// # detect.start()?;
    /// # let mut seen = detect.subscribe();
    /// # for on in [true, true, false] { detect.push(on).await?; }
    /// # assert_eq!((seen.next().await, seen.next().await), (Some(true), Some(false)));
    /// # Ok(())
    /// # }
    /// ```
    pub fn ops_in<S2>(self, ops: impl Fn(S) -> S2 + Send + 'static) -> Builder<I, S2>
    where
        S2: Stream<Item: Item> + Send + 'static,
    {
        let mut make = self.make;
        Builder { settings: self.settings, make: Box::new(move |port, site| ops(make(port, site))) }
    }

    /// When it starts, instead of what its [role](Role::start_policy) says.
    pub fn start_policy(mut self, policy: StartPolicy) -> Self {
        self.settings.start = policy;
        self
    }

    /// What happens after an error or a panic. The default is to resume with the next item.
    pub fn on_error(mut self, on_error: OnError) -> Self {
        self.settings.declared.on_error = on_error;
        self
    }

    /// Keeps the last `n` items emitted, for late subscribers that ask for a [replay](super::LinkOptions::replay).
    pub fn remember(mut self, n: usize) -> Self {
        self.settings.remember = n;
        self
    }

    /// Makes a parameter known by name: it can be read and changed through the element.
    pub fn parameter<T: ParameterValue>(mut self, parameter: &Parameter<T>) -> Self {
        self.settings.declared.parameters.add(parameter);
        self
    }

    /// Exports a method: it can be called by name, directly or by a [`Call`](super::Call) on a stream. Nothing that is
    /// not exported can be called. Several arguments come as a tuple or a struct; none is `()`.
    ///
    /// The method runs beside the items; share state with the function by a [`Parameter`] or a lock.
    pub fn export<A, R, E>(
        self,
        name: &str,
        method: impl Fn(A) -> Result<R, E> + Send + Sync + 'static,
    ) -> Self
    where
        A: DeserializeOwned + Send + 'static,
        R: Serialize + Send + 'static,
        E: Into<BoxError> + Send + 'static,
    {
        self.export_async(name, move |argument| std::future::ready(method(argument)))
    }

    /// The same for an asynchronous method.
    pub fn export_async<A, R, E, Fut>(
        mut self,
        name: &str,
        method: impl Fn(A) -> Fut + Send + Sync + 'static,
    ) -> Self
    where
        A: DeserializeOwned + Send + 'static,
        R: Serialize,
        E: Into<BoxError>,
        Fut: Future<Output = Result<R, E>> + Send + 'static,
    {
        self.settings.declared.methods.add(name, method);
        self
    }

    /// Paths that it sends to other than by its links, so that the wiring check can tell whether they exist.
    pub fn destinations<P: Into<String>>(mut self, paths: impl IntoIterator<Item = P>) -> Self {
        self.settings.declared.destinations.extend(paths.into_iter().map(Into::into));
        self
    }
}

/// An element that is complete and only has to be spawned. Operators can still be put behind its function.
#[must_use = "an element exists once it is spawned"]
pub struct Complete<I: Item, P> {
    settings: Settings,
    make: Make<I, P>,
}

// The bounds on items are on the methods: on the block they would make the compiler say that there is no such method.
impl<I: Item, S: Stream + Send + 'static> Builder<I, S> {
    /// A synchronous function that emits none to many results for an item.
    ///
    /// It may return nothing, or a `Result` whose error ends just this item.
    pub fn each<U, R, F>(self, f: F) -> Complete<I, impl Pipe<Item = U>>
    where
        S::Item: Item,
        U: Item,
        F: FnMut(S::Item, &mut Out<U>) -> R + Send + 'static,
        R: Outcome + 'static,
    {
        self.with(f, Each::new)
    }

    /// A synchronous function that makes one result of every item.
    pub fn map<U: Item>(
        self,
        mut f: impl FnMut(S::Item) -> U + Send + 'static,
    ) -> Complete<I, impl Pipe<Item = U>>
    where
        S::Item: Item,
    {
        self.each(move |item, out| out.emit(f(item)))
    }

    /// A synchronous function that makes one result of every item, or an error that ends just this item.
    pub fn try_map<U: Item, E: Into<BoxError>>(
        self,
        mut f: impl FnMut(S::Item) -> Result<U, E> + Send + 'static,
    ) -> Complete<I, impl Pipe<Item = U>>
    where
        S::Item: Item,
    {
        self.each(move |item, out| f(item).map(|result| out.emit(result)).map_err(Into::<BoxError>::into))
    }

    /// A synchronous function that only acts: it emits nothing. In place of waiting for a subscriber that could never
    /// come, such an element starts at once.
    pub fn act<R: Outcome + 'static>(
        mut self,
        mut f: impl FnMut(S::Item) -> R + Send + 'static,
    ) -> Complete<I, impl Pump<Out = ()>>
    where
        S::Item: Item,
    {
        self.settings.only_acts();
        self.each(move |item, _: &mut Out<()>| f(item))
    }

    /// An asynchronous function that emits none to many results for an item; one call at a time, in order.
    ///
    /// Each call gets an emitter of its own to keep. An async closure can't change what it captures; take a
    /// [`Handler`] for state.
    pub fn each_async<U, Fut, F>(self, f: F) -> Complete<I, impl Pipe<Item = U>>
    where
        S::Item: Item,
        U: Item,
        F: FnMut(S::Item, Emitter<U>) -> Fut + Send + 'static,
        Fut: Future<Output: Outcome> + Send + 'static,
    {
        self.with(f, |s, f, site: Arc<Site>| Pour::new(EachAsync::new(s, f, site.clone()), site))
    }

    /// An asynchronous function that only acts: it emits nothing; one call at a time, in order.
    pub fn act_async<Fut>(
        mut self,
        mut f: impl FnMut(S::Item) -> Fut + Send + 'static,
    ) -> Complete<I, impl Pump<Out = ()>>
    where
        S::Item: Item,
        Fut: Future<Output: Outcome> + Send + 'static,
    {
        self.settings.only_acts();
        self.each_async(move |item, _: Emitter<()>| f(item))
    }

    /// An asynchronous function, up to `limit` calls at a time; results come out in the order of the items.
    pub fn each_ordered<U, Fut, F>(mut self, limit: usize, f: F) -> Complete<I, impl Pipe<Item = U>>
    where
        S::Item: Item,
        U: Item,
        F: FnMut(S::Item, Emitter<U>) -> Fut + Send + 'static,
        Fut: Future<Output: Outcome> + Send + 'static,
    {
        self.at_least_one(limit);
        self.with(f, move |s, f, site: Arc<Site>| {
            Pour::new(concurrent(s, f, Arrival::ordered(limit), site.clone()), site)
        })
    }

    /// An asynchronous function, up to `limit` calls at a time; results come out as they come.
    pub fn each_unordered<U, Fut, F>(mut self, limit: usize, f: F) -> Complete<I, impl Pipe<Item = U>>
    where
        S::Item: Item,
        U: Item,
        F: FnMut(S::Item, Emitter<U>) -> Fut + Send + 'static,
        Fut: Future<Output: Outcome> + Send + 'static,
    {
        self.at_least_one(limit);
        self.with(f, move |s, f, site: Arc<Site>| {
            Pour::new(concurrent(s, f, Arrival::unordered(limit), site.clone()), site)
        })
    }

    /// An asynchronous function, up to `limit` calls at a time, but those of one key one after the other, in order.
    pub fn each_keyed<K, U, Fut, F>(
        mut self,
        limit: usize,
        key: impl Fn(&S::Item) -> K + Clone + Send + 'static,
        f: F,
    ) -> Complete<I, impl Pipe<Item = U>>
    where
        S::Item: Item,
        K: Hash + Eq + Clone + Send + 'static,
        U: Item,
        F: FnMut(S::Item, Emitter<U>) -> Fut + Send + 'static,
        Fut: Future<Output: Outcome> + Send + 'static,
    {
        self.at_least_one(limit);
        self.with(f, move |s, f, site: Arc<Site>| {
            Pour::new(concurrent(s, f, Keyed::new(limit, key.clone()), site.clone()), site)
        })
    }

    /// A struct with state and an `async fn`; one call at a time, in order.
    pub fn handler<H>(self, handler: H) -> Complete<I, impl Pipe<Item = H::Out>>
    where
        S::Item: Item,
        H: Handler<In = S::Item>,
    {
        let handler = Arc::new(tokio::sync::Mutex::new(handler));
        self.each_async(move |item, out: Emitter<H::Out>| {
            let handler = handler.clone();
            async move { handler.lock().await.on_item(item, &out).await }
        })
    }

    fn at_least_one(&mut self, limit: usize) {
        if limit == 0 {
            self.settings.zero = Some("the limit of calls at a time");
        }
    }

    /// Joins operators and function. The function survives a pipe that is built anew.
    pub(crate) fn with<F, P>(
        self,
        f: F,
        join: impl Fn(S, Loan<F>, Arc<Site>) -> P + Send + 'static,
    ) -> Complete<I, P>
    where
        F: Send + 'static,
    {
        let (mut make, kept) = (self.make, Shelf::new(f));
        Complete {
            settings: self.settings,
            make: Box::new(move |port, site| join(make(port, site), kept.lend(), site.clone())),
        }
    }
}

impl<I: Item, P> Complete<I, P> {
    /// Operators between the function and the out-port. Called again when the element restarts, with fresh state.
    pub fn ops_out<S2>(
        self,
        ops: impl Fn(P) -> S2 + Send + 'static,
    ) -> Complete<I, impl Pipe<Item = S2::Item>>
    where
        P: Pipe,
        S2: Stream<Item: Item> + Send + 'static,
    {
        let mut make = self.make;
        Complete {
            settings: self.settings,
            make: Box::new(move |port, site| Pour::new(ops(make(port, site)), site.clone())),
        }
    }
}

impl<I: Item, P: Pump<Out: Item> + 'static> Complete<I, P> {
    /// Makes the element: enters it in its loop under its uid, and starts it if it is to start at once.
    ///
    /// # Errors
    /// [`SpawnError`]: the uid is no good or taken, a limit is zero, or it has to start and there is no runtime.
    pub fn spawn(self) -> Result<Element<I, P::Out>, SpawnError> {
        let s = self.settings;
        let path = ElementPath::new(&s.owner_uid, &s.uid);
        check_uid(&s.uid)?;
        if let Some(what) = s.zero {
            return Err(SpawnError::Zero { path, what });
        }
        if let Err(error) = s.declared.parameters.check() {
            return Err(SpawnError::Parameter { path, error });
        }
        let Some(owner) = s.owner.upgrade() else { return Err(SpawnError::LoopGone { path }) };
        let site = Site::new(Founding {
            host: s.host,
            path,
            role: s.role,
            start_policy: s.start,
            acts_only: s.acts_only,
            pipe: std::any::type_name::<P>,
            declared: s.declared,
            owner: s.owner,
        });
        let input = InSide::<I>::new(site.clone());
        let output = OutPort::<P::Out>::new(site.clone(), s.remember);
        let ports: (Weak<dyn Inputs>, Weak<dyn Outputs>) =
            (Arc::<InSide<I>>::downgrade(&input), Arc::<OutPort<P::Out>>::downgrade(&output));
        let _ = site.ports.set(ports);
        site.declared().parameters.belong(&site);
        owner.admit(&site.handle())?;
        site.park(Box::new(Recipe { make: self.make, input: input.clone(), output: output.clone() }));
        let element = Element::new(input, output);
        if s.start == StartPolicy::AtOnce
            && let Err(error) = site.start()
        {
            site.dispose();
            return Err(error.into());
        }
        Ok(element)
    }
}
