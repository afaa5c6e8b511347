//! The app: everything that runs together.

use super::mape_loop::LoopInner;
use super::remote::Announcement;
use super::shutdown;
use super::{Error, Finding, Level, Loop, Remote, Shutdown, Topology, check, nearest};
use crate::backend::Backend;
use crate::channel::{Channels, Pattern, RemoteError, SinkStats};
use crate::element::host::Host;
use crate::element::{
    AnyElement, DeadLetter, Door, Element, ElementError, Event, Item, LinkError, LinkOptions, Subscription,
    check_uid, generate_uid,
};
use crate::event::Events;
use crate::knowledge::{Knowledge, Scope};
use futures::{SinkExt, future};
use parking_lot::Mutex;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Events and dead letters that wait for a slow reader before the oldest give way.
const WAITING: usize = 4096;
/// The time that `run` gives the elements to finish.
const FINISH_WITHIN: Duration = Duration::from_secs(10);

pub(crate) struct AppInner {
    pub(crate) host: Arc<Host>,
    backend: Backend,
    loops: Mutex<Vec<Arc<LoopInner>>>,
    levels: Mutex<Vec<Arc<str>>>,
    pub(crate) seen: Mutex<super::topology::Seen>,
    /// Names this start of the app among others on the same backend.
    pub(super) id: String,
    pub(super) announcement: Mutex<Option<Announcement>>,
    pub(super) goals: super::goals::Goals,
}

impl Drop for AppInner {
    fn drop(&mut self) {
        let active = |l: &Arc<LoopInner>| l.elements().iter().filter(|e| e.state().is_active()).count();
        let running: usize = self.loops.get_mut().iter().map(active).sum();
        if running > 0 {
            tracing::warn!(running, "the last handle of an app was dropped, which ends its elements at once");
        }
        for inner in self.loops.get_mut().drain(..) {
            inner.leave();
        }
        self.host.end();
    }
}

/// Everything that runs together: levels of loops of elements. Cheap to clone.
///
/// **Keep it, or one of its [`Level`]s or [`Loop`]s, as long as its elements are to run**: when the last of these
/// handles is dropped, all elements are disposed of at once, also those whose own handles are still held.
/// [`shutdown`](Self::shutdown) lets them finish first.
///
/// ```
/// use mape::prelude::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// let app = App::new();
/// let car = app.level("roadside")?.create_loop("car")?;
/// car.monitor("detect").map(|emergency: bool| emergency).spawn()?;
///
/// let detect = app.element::<bool, bool>("roadside.car.detect")?;
/// assert_eq!(detect.path(), "car.detect");
/// assert!(app.element::<String, bool>("car.detect").is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct App(pub(crate) Arc<AppInner>);

impl Default for App {
    fn default() -> Self {
        Self::new()
    }
}

impl App {
    /// An app whose elements run on the present tokio runtime, with knowledge and channels in memory.
    #[must_use]
    pub fn new() -> Self {
        Self::with_backend(Backend::memory())
    }

    /// An app whose knowledge and channels are in a backend.
    #[must_use]
    pub fn with_backend(backend: Backend) -> Self {
        Self(Arc::new(AppInner {
            host: Host::new(),
            backend,
            loops: Mutex::default(),
            levels: Mutex::default(),
            seen: Mutex::default(),
            id: format!("{:016x}", fastrand::u64(..)),
            announcement: Mutex::default(),
            goals: super::goals::Goals::default(),
        }))
    }

    pub(crate) fn from_inner(inner: Arc<AppInner>) -> Self {
        Self(inner)
    }

    /// Where knowledge and channels are.
    #[must_use]
    pub fn backend(&self) -> &Backend {
        &self.0.backend
    }

    /// The knowledge that all loops share: keys under `k.app.`.
    #[doc(alias = "k")]
    #[must_use]
    pub fn knowledge(&self) -> Knowledge {
        self.0.backend.knowledge(Scope::App)
    }

    /// Publish and subscribe by channel name.
    #[must_use]
    pub fn channels(&self) -> Channels {
        self.0.backend.channels()
    }

    /// The logs of events.
    #[must_use]
    pub fn logs(&self) -> Events {
        self.0.backend.events()
    }

    /// Publishes all that `element` emits on the channel of its path, such as `car_panda.detect`: items, errors in
    /// their place, and its completion. The counters of the sink.
    ///
    /// It holds nothing up: in an outage the oldest items give way. For another name or other settings make a
    /// [`ChannelSink`](crate::channel::ChannelSink) and [link](Element::link_sink) it.
    ///
    /// # Errors
    /// As [`Element::link_sink`].
    ///
    /// # Delivery
    /// At most once, in order; subscribers are told of losses.
    ///
    /// ```
    /// use futures::StreamExt;
    /// use mape::prelude::*;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), BoxError> {
    /// let app = App::new();
    /// let detect = app.create_loop("car_panda")?.monitor("detect").map(|emergency: bool| emergency).spawn()?;
    /// app.publish(&detect)?;
    /// let mut emergencies = app.channels().source::<bool>("car_*.detect").await?;
    /// detect.start()?;
    /// detect.push(true).await?;
    /// assert_eq!(emergencies.next().await, Some(Ok(true)));
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "PubObserver")]
    pub fn publish<I, O>(&self, element: &Element<I, O>) -> Result<SinkStats, LinkError>
    where
        I: Item,
        O: Item + Serialize,
    {
        let sink = self.channels().sink::<O>(element.path().to_string());
        let stats = sink.stats();
        let sink = sink.signals().with(|signal: Result<O, Arc<ElementError>>| {
            future::ready(Ok::<_, crate::channel::Error>(signal.map_err(|error| {
                let mut remote = RemoteError::new(error.kind.to_string());
                remote.path = Some(error.path.to_string());
                remote
            })))
        });
        element.link_signals(sink, LinkOptions::new())?;
        Ok(stats)
    }

    /// Lets other apps on the same backend see this one's loops with their exposed elements, by a sign of life each
    /// second, until it is shut down or dropped; see [`remote`](Self::remote).
    ///
    /// # Errors
    /// As of the store of knowledge: nobody was told.
    ///
    /// # Panics
    /// Outside of a tokio runtime with time.
    ///
    /// # Cancel safety
    /// If dropped, others may see the app for three seconds.
    pub async fn announce(&self) -> Result<(), crate::knowledge::Error> {
        let announcement = super::remote::announce(self).await?;
        *self.0.announcement.lock() = Some(announcement);
        Ok(())
    }

    /// The loops of other [announced](Self::announce) apps on the same backend whose uid matches: who is there now, and
    /// as a stream who comes, changes, leaves and dies.
    ///
    /// ```
    /// use futures::StreamExt;
    /// use mape::app::PeerChange;
    /// use mape::backend::Backend;
    /// use mape::prelude::*;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), BoxError> {
    /// let backend = Backend::memory();
    /// let (car, ambulance) = (App::with_backend(backend.clone()), App::with_backend(backend));
    /// let detect = car.create_loop("car_panda")?.monitor("detect").map(|emergency: bool| emergency).spawn()?;
    /// detect.expose();
    /// car.announce().await?;
    ///
    /// let cars = ambulance.remote("car_*");
    /// assert_eq!(cars.peers().await?[0].ports[0].path, "car_panda.detect");
    /// let mut changes = Box::pin(cars.changes());
    /// assert!(matches!(changes.next().await, Some(PeerChange::Joined(peer)) if peer.uid == "car_panda"));
    /// drop((car, detect)); // as if its process died
    /// assert!(matches!(changes.next().await, Some(PeerChange::Lost(_))));
    /// # Ok(())
    /// # }
    /// ```
    pub fn remote(&self, loops: impl Into<Pattern>) -> Remote {
        Remote::new(self, loops.into())
    }

    /// A new loop on the level `""`; an empty uid stands for a generated one (`l_` and 8 digits).
    ///
    /// # Errors
    /// [`Error::Uid`], [`Error::LoopTaken`], [`Error::ShutDown`].
    pub fn create_loop(&self, uid: &str) -> Result<Loop, Error> {
        let uid = if uid.is_empty() { generate_uid("l") } else { uid.into() };
        self.enter(uid, "")
    }

    /// The level of that uid; it is made when first asked for.
    ///
    /// # Errors
    /// [`Error::Uid`].
    pub fn level(&self, uid: &str) -> Result<Level, Error> {
        if !uid.is_empty() {
            check_uid(uid)?;
        }
        Ok(Level::new(self.clone(), self.enter_level(uid)))
    }

    fn enter_level(&self, uid: &str) -> Arc<str> {
        let mut levels = self.0.levels.lock();
        if let Some(level) = levels.iter().find(|l| ***l == *uid) {
            return level.clone();
        }
        let level: Arc<str> = uid.into();
        levels.push(level.clone());
        level
    }

    pub(crate) fn enter(&self, uid: Arc<str>, level: &str) -> Result<Loop, Error> {
        check_uid(&uid)?;
        let level = self.enter_level(level);
        let mut loops = self.0.loops.lock();
        if self.0.host.closing.load(Ordering::Acquire) {
            return Err(Error::ShutDown);
        }
        if let Some(other) = loops.iter().find(|l| l.uid == uid) {
            let name = |level: &str| {
                if level.is_empty() { "the default level".to_owned() } else { format!("level `{level}`") }
            };
            return Err(Error::LoopTaken {
                uid: uid.to_string(),
                wanted_by: name(&level),
                taken_by: name(&other.level()),
            });
        }
        let inner = LoopInner::new(uid, level, &self.0);
        loops.push(inner.clone());
        drop(loops);
        Ok(Loop::new(inner, self.clone()))
    }

    /// The levels in the order in which they were made.
    #[must_use]
    pub fn levels(&self) -> Vec<Level> {
        let levels = self.0.levels.lock().clone();
        levels.into_iter().map(|uid| Level::new(self.clone(), uid)).collect()
    }

    /// The loops of all levels in the order in which they were made.
    #[must_use]
    pub fn loops(&self) -> Vec<Loop> {
        let loops = self.0.loops.lock().clone();
        loops.into_iter().map(|inner| Loop::new(inner, self.clone())).collect()
    }

    /// The elements of all loops.
    #[must_use]
    pub fn elements(&self) -> Vec<AnyElement> {
        self.loops().iter().flat_map(Loop::elements).collect()
    }

    /// The loop of that uid.
    ///
    /// # Errors
    /// [`Error::NotFound`] names the one most like it.
    pub fn find_loop(&self, uid: &str) -> Result<Loop, Error> {
        let loops = self.loops();
        if let Some(found) = loops.iter().find(|l| l.uid() == uid) {
            return Ok(found.clone());
        }
        let near = nearest(uid, loops.iter().map(Loop::uid));
        Err(Error::NotFound { what: "loop", path: uid.into(), near })
    }

    /// The element at a path: `loop.element` or `level.loop.element`.
    ///
    /// # Errors
    /// [`Error::BadPath`], [`Error::NotFound`], [`Error::ShutDown`].
    pub fn get(&self, path: &str) -> Result<AnyElement, Error> {
        let parts: Vec<&str> = path.split('.').collect();
        let (level, in_loop, uid) = match parts.as_slice() {
            [in_loop, uid] => (None, *in_loop, *uid),
            [level, in_loop, uid] => (Some(*level), *in_loop, *uid),
            _ => return Err(Error::BadPath { path: path.into() }),
        };
        let loops = self.loops();
        if loops.is_empty() && self.0.host.closing.load(Ordering::Acquire) {
            return Err(Error::ShutDown);
        }
        let on_level = |l: &&Loop| level.is_none_or(|level| *l.0.level() == *level);
        if let Some(found) = loops.iter().filter(on_level).find(|l| l.uid() == in_loop)
            && let Some(element) = found.0.element(uid)
        {
            return Ok(element);
        }
        let all: Vec<String> = loops
            .iter()
            .flat_map(|l| {
                let level = level.map(|_| format!("{}.", l.0.level())).unwrap_or_default();
                l.0.uids().into_iter().map(move |e| format!("{level}{}.{e}", l.uid()))
            })
            .collect();
        let near = nearest(path, all.iter().map(String::as_str));
        Err(Error::NotFound { what: "element", path: path.into(), near })
    }

    /// Whether it is, or is about to be.
    #[cfg(feature = "http")]
    pub(crate) fn is_shut_down(&self) -> bool {
        self.0.host.closing.load(Ordering::Acquire)
    }

    /// The element of a loop, by their uids: the quick way.
    #[cfg(feature = "http")]
    pub(crate) fn element_at(&self, in_loop: &str, uid: &str) -> Option<AnyElement> {
        self.0.loops.lock().iter().find(|one| *one.uid == *in_loop)?.element(uid)
    }

    /// The element at a path, with its types.
    ///
    /// # Errors
    /// As [`get`](Self::get), and [`Error::Type`] names the types that it has.
    pub fn element<I: Item, O: Item>(&self, path: &str) -> Result<Element<I, O>, Error> {
        Ok(self.get(path)?.typed()?)
    }

    /// The ports of an exposed element as JSON.
    #[must_use]
    pub fn door(&self, path: &str) -> Option<Arc<dyn Door>> {
        self.get(path).ok()?.door()
    }

    /// Takes a loop out and disposes of its elements. `false` if there is none of that uid.
    pub fn remove_loop(&self, uid: &str) -> bool {
        let mut loops = self.0.loops.lock();
        let Some(i) = loops.iter().position(|l| *l.uid == *uid) else { return false };
        let inner = loops.remove(i);
        drop(loops);
        inner.leave();
        true
    }

    /// What happens to the elements from now on: changes of state, errors, escalations, changed parameters. A slow
    /// reader loses the oldest, counted.
    pub fn events(&self) -> Subscription<Event> {
        self.0.host.events.subscribe(WAITING)
    }

    /// The items that elements fail on from now on, with the errors. A slow reader loses the oldest, counted.
    pub fn dead_letters(&self) -> Subscription<DeadLetter> {
        self.0.host.letters.subscribe(WAITING)
    }

    /// All there is to know now, ready to be shown or sent: levels, loops, elements, links, rates, errors.
    #[must_use]
    pub fn topology(&self) -> Topology {
        Topology::of(self)
    }

    /// One element as the topology shows it.
    #[cfg(feature = "http")]
    pub(crate) fn status_of(&self, element: &AnyElement) -> super::ElementStatus {
        super::ElementStatus::of(self, element)
    }

    /// What is wrong with the wiring, and how to mend it; best asked before the elements are started.
    #[must_use]
    pub fn check(&self) -> Vec<Finding> {
        check::check(self)
    }

    /// Lets everything finish: sources end, queues are worked off in the order of the links, sinks are flushed. What
    /// has not finished within `limit` is named, then ended.
    ///
    /// Rings are opened at the links that drop or are declared as feedback. Elements that are paused, stopped or not
    /// started don't work off anything; a paused one with items waiting counts as unfinished.
    ///
    /// # Cancel safety
    /// If dropped, no element takes anything new, but what still works is not ended; call it again.
    pub async fn shutdown(&self, limit: Duration) -> Shutdown {
        let announcement = self.0.announcement.lock().take();
        if announcement.is_some() {
            drop(announcement);
            // The backend may be away, and there is work to finish.
            let _ = tokio::time::timeout(limit.min(Duration::from_secs(1)), super::remote::leave(self)).await;
        }
        shutdown::shutdown(self, limit).await
    }

    /// Runs until Ctrl-C or SIGTERM, then shuts down within 10 s; a second signal ends it at once.
    ///
    /// # Cancel safety
    /// Cancel safe until the signal comes; then as [`shutdown`](Self::shutdown).
    pub async fn run(&self) -> Shutdown {
        self.run_until(shutdown::signal(), FINISH_WITHIN).await
    }

    /// Runs until `end` is ready or a signal comes, then shuts down within `limit`; a (second) signal ends it at once.
    ///
    /// # Cancel safety
    /// As [`run`](Self::run).
    pub async fn run_until(&self, end: impl Future<Output = ()>, limit: Duration) -> Shutdown {
        tokio::select! {
            () = end => {}
            () = shutdown::signal() => tracing::info!("shutting down; press Ctrl-C again to end at once"),
        }
        tokio::select! {
            done = self.shutdown(limit) => done,
            () = shutdown::signal() => self.shutdown(Duration::ZERO).await,
        }
    }

    /// Disposes of everything, at once.
    pub(crate) fn clear(&self) {
        let loops = std::mem::take(&mut *self.0.loops.lock());
        for inner in loops {
            inner.leave();
        }
        self.0.host.end();
    }

    pub(crate) fn by_level(&self) -> BTreeMap<Arc<str>, Vec<Loop>> {
        let mut levels: BTreeMap<Arc<str>, Vec<Loop>> =
            self.0.levels.lock().iter().map(|l| (l.clone(), Vec::new())).collect();
        for one in self.loops() {
            levels.entry(one.0.level()).or_default().push(one);
        }
        levels
    }
}

impl PartialEq for App {
    /// The same app, not just one that is alike.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for App {}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("loops", &self.loops()).finish_non_exhaustive()
    }
}
