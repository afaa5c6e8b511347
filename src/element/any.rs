//! An element whatever its types are: its life, its parameters, its methods, its links.

use super::host::in_words;
use super::in_port::InSide;
use super::out_port::OutPort;
use super::ports::Ports;
use super::site::Site;
use super::{
    CallError, DeadLetter, Door, Element, ElementInfo, ElementPath, Item, LinkError, LinkOptions, Overflow,
    ParameterError, Role, StartError, State, Subscription, TypeMismatch, Unfinished,
};
use crate::stream::meter::Histogram;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::any::{Any, type_name};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How many dead letters wait for a slow reader before the oldest give way.
const LETTERS: usize = 1024;

/// A handle to an element whose types don't matter. Cheap to clone; every [`Element`] derefs to it.
///
/// Its [`Display`](fmt::Display) is the uid.
#[derive(Clone)]
pub struct AnyElement(Arc<Site>);

/// What was measured of an element.
pub(crate) struct Measured {
    pub(crate) latency: Option<Arc<Histogram>>,
    pub(crate) waits: Vec<(u64, Arc<Histogram>)>,
}

impl AnyElement {
    pub(crate) fn new(site: Arc<Site>) -> Self {
        Self(site)
    }

    pub(crate) fn site(&self) -> &Arc<Site> {
        &self.0
    }

    /// Where it is: `loop.element`.
    #[must_use]
    pub fn path(&self) -> ElementPath {
        self.0.path()
    }

    /// Its uid within its loop.
    #[must_use]
    pub fn uid(&self) -> String {
        self.0.path().element().to_owned()
    }

    /// Its role.
    #[must_use]
    pub fn role(&self) -> Role {
        self.0.role
    }

    /// Where it is in its life.
    #[must_use]
    pub fn state(&self) -> State {
        self.0.state()
    }

    /// Starts it; also again after it was stopped, has completed or failed. A paused element goes on.
    ///
    /// Its links come to life again with it, and so do the elements behind them that completed with it.
    ///
    /// # Errors
    /// [`StartError::AlreadyRunning`], [`StartError::Disposed`], [`StartError::NoRuntime`].
    pub fn start(&self) -> Result<(), StartError> {
        self.0.start()
    }

    /// Cuts it off: what its links bring is skipped and counted, and so is what it had taken but not begun. A call
    /// under way ends, and what operators hold still comes out. Others go on talking over its ports.
    pub fn stop(&self) {
        self.0.stop();
    }

    /// Lets items wait in the links, and then the senders; nothing is lost. `false` if it wasn't running.
    pub fn pause(&self) -> bool {
        self.0.pause()
    }

    /// Goes on after a pause. `false` if it wasn't paused.
    pub fn resume(&self) -> bool {
        self.0.resume()
    }

    /// Builds its operators anew, with fresh state; no queued item is lost. The function keeps its state.
    pub fn restart(&self) {
        self.0.rebuild();
    }

    /// Works off what is queued, takes nothing new, and stops. Its links stay; `start` lets it go on.
    ///
    /// # Errors
    /// [`Unfinished`] when it takes longer than `limit`; it goes on draining.
    ///
    /// # Cancel safety
    /// Dropping the future doesn't stop the draining.
    pub async fn drain(&self, limit: Duration) -> Result<(), Unfinished> {
        self.0.drain(false);
        let done = self.0.wait_for(|state| state != State::Draining);
        if tokio::time::timeout(limit, done).await.is_ok() {
            return Ok(());
        }
        let queued = self.0.input().map_or(0, |i| i.stats().queued);
        Err(Unfinished { path: self.path(), state: self.state(), queued, limit, sink: None })
    }

    /// Ends it for good, at once: calls under way are cancelled, subscribers see it complete, senders find it gone.
    pub fn dispose(&self) {
        self.0.dispose();
    }

    /// Waits until its state is one for which `holds` is true, and says which.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn wait_for_state(&self, holds: impl FnMut(State) -> bool) -> State {
        self.0.wait_for(holds).await
    }

    /// Waits until it works no more: completed, failed, stopped or disposed of; says which.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn ended(&self) -> State {
        self.wait_for_state(|state| !state.is_active() && state != State::Ready).await
    }

    /// The parameters with their values.
    #[must_use]
    pub fn parameters(&self) -> Vec<(String, Value)> {
        self.0.declared().parameters.all().collect()
    }

    /// The value of a parameter.
    ///
    /// # Errors
    /// [`ParameterError::Unknown`], and [`ParameterError::ReadAs`] when it is no `T`.
    pub fn get_parameter<T: DeserializeOwned>(&self, name: &str) -> Result<T, ParameterError> {
        let value = self.0.declared().parameters.read(&self.path(), name)?;
        let text = value.to_string();
        serde_json::from_value(value).map_err(|e| ParameterError::ReadAs {
            name: name.into(),
            value: text,
            asked: type_name::<T>(),
            reason: e.to_string(),
        })
    }

    /// Changes a parameter; the next item is worked on with the new value.
    ///
    /// # Errors
    /// [`ParameterError`]; the old value stays.
    pub fn set_parameter(&self, name: &str, value: impl Serialize) -> Result<(), ParameterError> {
        let value = serde_json::to_value(value).map_err(|e| ParameterError::Type {
            name: name.into(),
            value: "a value".into(),
            reason: e.to_string(),
        })?;
        self.0.declared().parameters.write(&self.path(), name, value)
    }

    /// The names of the methods that it exports.
    #[must_use]
    pub fn methods(&self) -> Vec<String> {
        self.0.declared().methods.names()
    }

    /// Calls an exported method and waits for its reply.
    ///
    /// # Errors
    /// [`CallError`].
    ///
    /// # Cancel safety
    /// Dropping the future drops the call where it waits.
    pub async fn call<R: DeserializeOwned>(
        &self,
        method: &str,
        argument: impl Serialize,
    ) -> Result<R, CallError> {
        let path = self.path();
        let argument = serde_json::to_value(argument).map_err(|e| CallError::Argument {
            path: path.clone(),
            method: method.into(),
            reason: e.to_string(),
        })?;
        let reply = self.0.declared().methods.call(path, method, argument).await?;
        serde_json::from_value(reply)
            .map_err(|e| CallError::Reply { method: method.into(), reason: e.to_string() })
    }

    /// The items that it fails on from now on, with the errors. A slow reader loses the oldest, counted.
    pub fn dead_letters(&self) -> Subscription<DeadLetter> {
        self.0.rare().letters.get_or_init(Default::default).subscribe(LETTERS)
    }

    /// All there is to know of it now.
    #[must_use]
    pub fn info(&self) -> ElementInfo {
        ElementInfo::of(&self.0)
    }

    /// How long its batches or calls take, and how long items wait in its links, by the links' numbers.
    pub(crate) fn measured(&self) -> Measured {
        let links = self.0.output().map_or_else(Vec::new, |output| output.links());
        let waits = links.into_iter().filter_map(|link| Some((link.id, link.waits?)));
        Measured { latency: self.0.latency().cloned(), waits: waits.collect() }
    }

    /// Cuts one of its outgoing links or subscriptions; `id` is from its [`info`](Self::info). `false` if there is none.
    pub fn cut(&self, id: u64) -> bool {
        self.0.output().is_some_and(|o| o.cut(id))
    }

    /// Changes what one of its outgoing links or subscriptions does when full, so that a stuck one holds nobody up.
    /// `false` if there is none of that id.
    pub fn set_overflow(&self, id: u64, overflow: Overflow) -> bool {
        self.0.output().is_some_and(|o| o.set_overflow(id, overflow))
    }

    /// The same element with its types.
    ///
    /// # Errors
    /// [`TypeMismatch`] names what it takes and emits.
    pub fn typed<I: Item, O: Item>(&self) -> Result<Element<I, O>, TypeMismatch> {
        let mut mismatch = TypeMismatch {
            path: self.path(),
            input: "nothing (it was disposed of)",
            output: "nothing",
            asked_input: type_name::<I>(),
            asked_output: type_name::<O>(),
        };
        let (Some(input), Some(output)) = (self.0.input(), self.0.output()) else { return Err(mismatch) };
        (mismatch.input, mismatch.output) = (input.item_type(), output.item_type());
        let (input, output): (Arc<dyn Any + Send + Sync>, Arc<dyn Any + Send + Sync>) = (input, output);
        match (input.downcast::<InSide<I>>(), output.downcast::<OutPort<O>>()) {
            (Ok(input), Ok(output)) => Ok(Element::new(input, output)),
            _ => Err(mismatch),
        }
    }

    /// Its in-port, if that takes `I`; else what it takes.
    pub(crate) fn in_port<I: Item>(&self) -> Result<Arc<InSide<I>>, &'static str> {
        let input = self.0.input().ok_or("nothing (it was disposed of)")?;
        let takes = input.item_type();
        let input: Arc<dyn Any + Send + Sync> = input;
        input.downcast().map_err(|_| takes)
    }

    /// Its ports as JSON, if it is exposed.
    #[must_use]
    pub fn door(&self) -> Option<Arc<dyn Door>> {
        self.ports().map(|ports| ports as Arc<dyn Door>)
    }

    /// The same for servers.
    pub(crate) fn ports(&self) -> Option<Arc<dyn Ports>> {
        self.0.rare().ports.get().cloned()
    }

    /// Links its out-port to the in-port of an element that takes what it emits; gives the link's number.
    ///
    /// # Errors
    /// As [`Element::link_with`], and [`LinkError::Type`].
    pub fn link(&self, to: &AnyElement, options: LinkOptions) -> Result<u64, LinkError> {
        self.0.output().ok_or_else(|| self.gone(to))?.link(to, options)
    }

    /// Moves one of its links, by its number, to another element between two items, as [`Link::relink`](super::Link::relink);
    /// gives its new number.
    ///
    /// # Errors
    /// As [`Link::relink`](super::Link::relink), and [`LinkError::Type`].
    pub fn relink(&self, id: u64, to: &AnyElement) -> Result<u64, LinkError> {
        self.0.output().ok_or_else(|| self.gone(to))?.relink(id, to)
    }

    fn gone(&self, to: &AnyElement) -> LinkError {
        LinkError::Disposed { from: self.path(), to: to.path(), gone: self.path() }
    }
}

impl PartialEq for AnyElement {
    /// The same element, not just one that is alike.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for AnyElement {}

impl fmt::Display for AnyElement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.path().element())
    }
}

impl fmt::Debug for AnyElement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", in_words(self.role(), &self.path()), self.state())
    }
}
