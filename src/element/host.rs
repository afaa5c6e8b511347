//! What surrounds the elements of one app: who hears of their events, and what they run on.

use super::queue::{End, Queue};
use super::{
    AnyElement, DeadLetter, ElementError, ElementPath, Overflow, Role, SpawnError, State, Subscription,
};
use parking_lot::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use tokio::runtime::Handle;

/// Something that happened to an element.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// An element changed its state.
    State {
        /// The element.
        path: ElementPath,
        /// Its state now.
        state: State,
    },
    /// An element failed on an item; the stream goes on.
    Error(Arc<ElementError>),
    /// An element failed and asks its loop to decide (see [`OnError::Escalate`](super::OnError::Escalate)).
    Escalated(Arc<ElementError>),
    /// A parameter was changed.
    Parameter {
        /// The element.
        path: ElementPath,
        /// The parameter's name.
        name: Arc<str>,
        /// Its value now, as JSON.
        value: serde_json::Value,
    },
}

/// Several listeners, each with a bounded queue of its own; none holds up the speaker.
pub(crate) struct Listeners<T> {
    count: AtomicUsize,
    queues: Mutex<Arc<Vec<Arc<Queue<T>>>>>,
}

impl<T> Default for Listeners<T> {
    fn default() -> Self {
        Self { count: AtomicUsize::new(0), queues: Mutex::default() }
    }
}

impl<T: Clone> Listeners<T> {
    pub(crate) fn any(&self) -> bool {
        self.count.load(Ordering::Relaxed) > 0
    }

    pub(crate) fn subscribe(&self, capacity: usize) -> Subscription<T> {
        let queue = Queue::new(capacity, Overflow::DropOldest);
        let mut all = self.queues.lock();
        let queues = Arc::make_mut(&mut all);
        if queues.len() >= 8 && queues.len().is_power_of_two() {
            queues.retain(|queue| !queue.is_gone());
        }
        queues.push(queue.clone());
        self.count.store(queues.len(), Ordering::Relaxed);
        Subscription::new(queue)
    }

    pub(crate) fn tell(&self, what: &T) {
        if !self.any() {
            return;
        }
        // Whoever is woken may listen too, so no lock is held meanwhile.
        let queues = self.queues.lock().clone();
        let mut gone = false;
        for queue in queues.iter() {
            gone |= queue.try_push(&mut Some(what.clone())).is_err();
        }
        drop(queues);
        if gone {
            let mut all = self.queues.lock();
            let queues = Arc::make_mut(&mut all);
            queues.retain(|queue| !queue.is_gone());
            self.count.store(queues.len(), Ordering::Relaxed);
        }
    }

    /// Nothing will be told any more: every listener comes to the end.
    pub(crate) fn end(&self) {
        let queues = std::mem::take(&mut *self.queues.lock());
        self.count.store(0, Ordering::Relaxed);
        for queue in queues.iter() {
            queue.finish(End::Completed);
        }
    }
}

/// Where new elements are entered: an app's loops implement it.
pub(crate) trait Registry: Send + Sync {
    /// Enters an element under its path, or refuses it.
    fn admit(&self, element: &AnyElement) -> Result<(), SpawnError>;
    /// Takes back what was admitted.
    fn dismiss(&self, element: &AnyElement);
    /// An element fails and its supervision says that its loop decides.
    fn escalated(&self, path: &ElementPath, error: &Arc<ElementError>);
}

/// What all elements of one app share.
pub(crate) struct Host {
    pub(crate) events: Listeners<Event>,
    pub(crate) letters: Listeners<DeadLetter>,
    pub(crate) runtime: OnceLock<Handle>,
    /// Held while links are made or moved, so that two that close a ring together are noticed.
    pub(crate) rewiring: Mutex<()>,
    pub(crate) closing: AtomicBool,
}

impl Host {
    pub(crate) fn new() -> Arc<Self> {
        let runtime = OnceLock::new();
        if let Ok(handle) = Handle::try_current() {
            let _ = runtime.set(handle);
        }
        Arc::new(Self {
            events: Listeners::default(),
            letters: Listeners::default(),
            runtime,
            rewiring: Mutex::new(()),
            closing: AtomicBool::new(false),
        })
    }

    /// Nothing will happen any more.
    pub(crate) fn end(&self) {
        self.events.end();
        self.letters.end();
    }

    /// The runtime that the app was made in, or the present one.
    pub(crate) fn runtime(&self) -> Option<Handle> {
        if let Some(handle) = self.runtime.get() {
            return Some(handle.clone());
        }
        let handle = Handle::try_current().ok()?;
        Some(self.runtime.get_or_init(|| handle).clone())
    }
}

/// Who is meant, in words.
pub(crate) fn in_words(role: Role, path: &ElementPath) -> String {
    format!("{role} `{path}`")
}
