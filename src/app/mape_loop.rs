//! A loop: elements that watch and adapt one thing together.

use super::{App, Error, Level, LoopInfo};
use crate::element::host::{Host, Registry, in_words};
use crate::element::{
    AnyElement, Builder, Directory, Element, ElementError, ElementPath, InPort, Item, Message, NoDestination,
    Role, SpawnError, StartError, State,
};
use crate::knowledge::{Knowledge, Scope};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};

/// What a loop does when one of its elements fails for good and [escalates](crate::element::OnError::Escalate) it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnEscalation {
    /// Stop all elements of the loop.
    #[default]
    StopLoop,
    /// Start the failed element and whatever completed because of it again.
    RestartElement,
    /// Leave the others as they are.
    Ignore,
}

pub(crate) struct LoopInner {
    pub(crate) uid: Arc<str>,
    pub(crate) host: Arc<Host>,
    pub(crate) app: Weak<super::app::AppInner>,
    level: Mutex<Arc<str>>,
    elements: Mutex<BTreeMap<Arc<str>, (u64, AnyElement)>>,
    next: AtomicU64,
    on_escalation: Mutex<OnEscalation>,
    gone: AtomicBool,
}

impl LoopInner {
    pub(crate) fn new(uid: Arc<str>, level: Arc<str>, app: &Arc<super::app::AppInner>) -> Arc<Self> {
        Arc::new(Self {
            uid,
            host: app.host.clone(),
            app: Arc::downgrade(app),
            level: Mutex::new(level),
            elements: Mutex::default(),
            next: AtomicU64::new(0),
            on_escalation: Mutex::default(),
            gone: AtomicBool::new(false),
        })
    }

    pub(crate) fn level(&self) -> Arc<str> {
        self.level.lock().clone()
    }

    pub(crate) fn set_level(&self, level: Arc<str>) {
        *self.level.lock() = level;
    }

    /// The elements in the order in which they were made.
    pub(crate) fn elements(&self) -> Vec<AnyElement> {
        let mut all: Vec<_> = self.elements.lock().values().cloned().collect();
        all.sort_by_key(|(made, _)| *made);
        all.into_iter().map(|(_, element)| element).collect()
    }

    pub(crate) fn element(&self, uid: &str) -> Option<AnyElement> {
        self.elements.lock().get(uid).map(|(_, e)| e.clone())
    }

    pub(crate) fn uids(&self) -> Vec<Arc<str>> {
        self.elements.lock().keys().cloned().collect()
    }

    pub(crate) fn leave(&self) {
        let mut elements = self.elements.lock();
        self.gone.store(true, Ordering::Release);
        let all = std::mem::take(&mut *elements);
        drop(elements);
        for (_, element) in all.into_values() {
            element.dispose();
        }
    }
}

impl Registry for LoopInner {
    fn admit(&self, element: &AnyElement) -> Result<(), SpawnError> {
        let path = element.path();
        let mut elements = self.elements.lock();
        if self.gone.load(Ordering::Acquire) || self.host.closing.load(Ordering::Acquire) {
            return Err(SpawnError::LoopGone { path });
        }
        if let Some((_, other)) = elements.get(path.element()) {
            let taken_by = in_words(other.role(), &other.path());
            return Err(SpawnError::UidTaken { path, role: element.role().to_string(), taken_by });
        }
        let made = self.next.fetch_add(1, Ordering::Relaxed);
        elements.insert(path.element().into(), (made, element.clone()));
        Ok(())
    }

    fn dismiss(&self, element: &AnyElement) {
        let mut elements = self.elements.lock();
        let path = element.path();
        if elements.get(path.element()).is_some_and(|(_, there)| there == element) {
            elements.remove(path.element());
        }
    }

    fn escalated(&self, path: &ElementPath, error: &Arc<ElementError>) {
        let on_escalation = *self.on_escalation.lock();
        tracing::warn!(element = %path, %error, ?on_escalation, "an element failed for good");
        match on_escalation {
            OnEscalation::Ignore => {}
            OnEscalation::StopLoop => {
                for element in self.elements() {
                    element.stop();
                }
            }
            OnEscalation::RestartElement => {
                let Some(element) = self.element(path.element()) else { return };
                let Some(runtime) = self.host.runtime() else { return };
                // It fails once its task has ended; only then can it be started.
                let again = async move {
                    if element.wait_for_state(|s| s == State::Failed).await == State::Failed {
                        let _ = element.start();
                    }
                };
                if let Some(element) = self.element(path.element()) {
                    element.site().adopt(runtime.spawn(again), None);
                }
            }
        }
    }
}

/// A Monitor-Analyze-Plan-Execute loop: elements that watch and adapt one thing together. Cheap to clone.
///
/// ```
/// use mape::prelude::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// let app = App::new();
/// let ambulance = app.create_loop("ambulance")?;
/// let detect = ambulance.monitor("detect").map(|emergency: bool| emergency).spawn()?;
/// assert_eq!(ambulance.element("detect")?.path(), "ambulance.detect");
/// assert_eq!(ambulance.elements().len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Loop(pub(crate) Arc<LoopInner>, App);

impl Loop {
    pub(crate) fn new(inner: Arc<LoopInner>, app: App) -> Self {
        Self(inner, app)
    }

    /// Its uid.
    #[must_use]
    pub fn uid(&self) -> &str {
        &self.0.uid
    }

    /// The app it belongs to.
    #[must_use]
    pub fn app(&self) -> &App {
        &self.1
    }

    /// The level it is on.
    #[must_use]
    pub fn level(&self) -> Level {
        Level::new(self.1.clone(), self.0.level())
    }

    /// The knowledge that its elements share: keys under `k.loop.<uid>.`.
    #[doc(alias = "k")]
    #[must_use]
    pub fn knowledge(&self) -> Knowledge {
        self.1.backend().knowledge(Scope::Loop(self.uid().to_owned()))
    }

    /// A Monitor: collects and cleans what sensors report. Starts when `start` is called.
    pub fn monitor<I: Item>(&self, uid: &str) -> Builder<I, InPort<I>> {
        self.add(Role::Monitor, uid)
    }

    /// An Analyze element: finds symptoms. Starts with its first subscriber.
    pub fn analyze<I: Item>(&self, uid: &str) -> Builder<I, InPort<I>> {
        self.add(Role::Analyze, uid)
    }

    /// A Plan element: decides what to do. Starts with its first subscriber.
    pub fn plan<I: Item>(&self, uid: &str) -> Builder<I, InPort<I>> {
        self.add(Role::Plan, uid)
    }

    /// An Execute element: carries plans out. Starts at once.
    pub fn execute<I: Item>(&self, uid: &str) -> Builder<I, InPort<I>> {
        self.add(Role::Execute, uid)
    }

    /// An element of a role; an empty uid stands for a generated one (`m_`, `a_`, `p_` or `e_` and 8 digits).
    pub fn add<I: Item>(&self, role: Role, uid: &str) -> Builder<I, InPort<I>> {
        let owner: Weak<dyn Registry> = Arc::<LoopInner>::downgrade(&self.0);
        Builder::new(self.0.host.clone(), owner, self.0.uid.clone(), role, uid)
    }

    /// An element that sends every message to where its `dst` says, and passes it on to its own links too. Messages that
    /// can't be delivered are its dead letters. Starts at once.
    ///
    /// Source: PyMAPE's `router`, where an unknown destination raises within the stream.
    ///
    /// # Errors
    /// As [`spawn`](crate::element::Complete::spawn).
    pub fn router<T: Item>(&self, uid: &str) -> Result<Element<Message<T>, Message<T>>, SpawnError> {
        self.gateway(uid, |message: &Message<T>| message.dst().map(str::to_owned))
    }

    /// An element that sends every item to the elements at the paths that a function names, one or many, and passes it
    /// on to its own links too. Items that can't be delivered are its dead letters. Starts at once.
    ///
    /// Source: PyMAPE's `gateway` with its `dest_mapper`.
    ///
    /// # Errors
    /// As [`spawn`](crate::element::Complete::spawn).
    pub fn gateway<T: Item, D>(
        &self,
        uid: &str,
        destinations: impl Fn(&T) -> D + Send + Sync + 'static,
    ) -> Result<Element<T, T>, SpawnError>
    where
        D: IntoIterator<Item: Into<String>>,
    {
        let directory: Arc<dyn Directory> = self.0.clone();
        self.add(Role::Execute, uid).route(directory, destinations).spawn()
    }

    /// Its elements in the order in which they were made.
    #[must_use]
    pub fn elements(&self) -> Vec<AnyElement> {
        self.0.elements()
    }

    /// The element of that uid.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn element(&self, uid: &str) -> Result<AnyElement, Error> {
        self.0.element(uid).ok_or_else(|| {
            let uids = self.0.uids();
            let near = super::nearest(uid, uids.iter().map(|u| &**u));
            Error::NotFound { what: "element", path: format!("{}.{uid}", self.uid()), near }
        })
    }

    /// Starts every element that isn't running, the last made first, so that receivers are there before senders.
    ///
    /// # Errors
    /// The first that can't be started; those before it have been.
    pub fn start(&self) -> Result<(), StartError> {
        for element in self.elements().iter().rev() {
            if !element.state().is_active() {
                element.start()?;
            }
        }
        Ok(())
    }

    /// Stops every element.
    pub fn stop(&self) {
        for element in self.elements() {
            element.stop();
        }
    }

    /// What happens to the others when one of its elements escalates a failure. The default is to stop them all.
    pub fn on_escalation(&self, what: OnEscalation) {
        *self.0.on_escalation.lock() = what;
    }

    /// Takes an element out and disposes of it; its links are cut. `false` if there is none of that uid.
    pub fn remove(&self, uid: &str) -> bool {
        let element = self.0.elements.lock().remove(uid);
        element.is_some_and(|(_, element)| {
            element.dispose();
            true
        })
    }

    /// Takes an element over from the loop it is in; it goes on running, and its links stay.
    ///
    /// # Errors
    /// [`Error::ElementTaken`], [`Error::AcrossApps`], [`Error::NotFound`] when it or this loop was removed meanwhile.
    pub fn adopt(&self, element: &AnyElement) -> Result<(), Error> {
        let site = element.site();
        let path = element.path();
        if !Arc::ptr_eq(&site.host, &self.0.host) {
            return Err(Error::AcrossApps { what: path.to_string(), to: self.uid().to_owned() });
        }
        let _moving = self.0.host.rewiring.lock();
        let mut owner = site.owner.lock();
        let mut elements = self.0.elements.lock();
        if self.0.gone.load(Ordering::Acquire) {
            return Err(Error::NotFound { what: "loop", path: self.uid().to_owned(), near: String::new() });
        }
        if let Some((_, other)) = elements.get(path.element()) {
            let taken_by = in_words(other.role(), &other.path());
            return Err(Error::ElementTaken { path, to: self.uid().to_owned(), taken_by });
        }
        let Some(before) = owner.upgrade().filter(|_| element.state() != State::Disposed) else {
            return Err(Error::NotFound { what: "element", path: path.to_string(), near: String::new() });
        };
        let made = self.0.next.fetch_add(1, Ordering::Relaxed);
        elements.insert(path.element().into(), (made, element.clone()));
        drop(elements);
        before.dismiss(element);
        *owner = Arc::<LoopInner>::downgrade(&self.0);
        site.set_path(ElementPath::new(self.uid(), path.element()));
        Ok(())
    }

    /// All there is to know of it now.
    #[must_use]
    pub fn info(&self) -> LoopInfo {
        LoopInfo::of(self, None)
    }
}

impl PartialEq for Loop {
    /// The same loop, not just one that is alike.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Loop {}

impl fmt::Display for Loop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.uid())
    }
}

impl fmt::Debug for Loop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loop")
            .field("uid", &self.uid())
            .field("elements", &self.elements())
            .finish_non_exhaustive()
    }
}

impl Directory for LoopInner {
    fn find(&self, path: &str) -> Result<AnyElement, NoDestination> {
        let app = self.app.upgrade().map(App::from_inner);
        let found = app.ok_or(Error::ShutDown).and_then(|app| app.get(path));
        found.map_err(|error| match error {
            Error::NotFound { near, .. } => NoDestination::Unknown { dst: path.to_owned(), near },
            other => NoDestination::Refused { dst: path.to_owned(), reason: other.to_string() },
        })
    }
}
