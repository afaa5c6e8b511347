//! The shared connection as those see it who send on it.

use super::address::Address;
use super::control::Control;
use super::failure::Failure;
use super::keeper::Over;
use super::link::Link;
use arc_swap::ArcSwapOption;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout_at};

/// The one connection that all share, while there is one.
pub(super) struct Shared {
    link: ArcSwapOption<Link>,
    epoch: AtomicU64,
    /// Changes whenever a connection comes or goes.
    changes: watch::Sender<()>,
    /// Why there is none, or was none.
    cause: Mutex<Arc<str>>,
    pub(super) retired: Notify,
    /// Not for the connection to hold all of this, which holds the connection.
    pub(super) control: Arc<Control>,
}

impl Shared {
    pub(super) fn new() -> Self {
        Self {
            link: ArcSwapOption::empty(),
            epoch: AtomicU64::new(0),
            changes: watch::Sender::new(()),
            cause: Mutex::new("not connected yet".into()),
            retired: Notify::new(),
            control: Arc::default(),
        }
    }

    /// The connection if it can be used now.
    pub(super) fn now(&self) -> Option<Arc<Link>> {
        self.link.load_full().filter(|link| !link.is_gone())
    }

    /// What `f` takes from the connection if it can be used now, without keeping it.
    pub(super) fn with<T>(&self, f: impl FnOnce(&Link) -> T) -> Option<T> {
        match &*self.link.load() {
            Some(link) if !link.is_gone() => Some(f(link)),
            _ => None,
        }
    }

    /// The connection as soon as there is one.
    pub(super) async fn wait(&self, deadline: Instant) -> Result<Arc<Link>, Failure> {
        let found = timeout_at(deadline, self.until(|link| Some(link.clone()))).await;
        found.map_err(|_| Failure::not_sent(&self.cause()))
    }

    /// What `f` takes from the connection, as soon as there is one from which it takes something.
    pub(super) async fn until<T>(&self, mut f: impl FnMut(&Arc<Link>) -> Option<T>) -> T {
        let mut changes = self.changes.subscribe();
        loop {
            if let Some(found) = self.now().as_ref().and_then(&mut f) {
                return found;
            }
            // The sender is ours.
            let _ = changes.changed().await;
        }
    }

    pub(super) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// The number of the next connection.
    pub(super) fn next_epoch(&self) -> u64 {
        self.epoch() + 1
    }

    pub(super) fn up(&self, link: Arc<Link>) {
        // First, so that whoever uses the connection sees its number.
        self.epoch.store(link.epoch, Ordering::Release);
        self.link.store(Some(link));
        self.changes.send_replace(());
    }

    pub(super) fn down(&self, over: &Over) {
        match over {
            Over::Lost => self.because("the connection was lost"),
            Over::Silent => self.because("the server gave no sign of life"),
            Over::Retired => {}
        }
        self.link.store(None);
        self.changes.send_replace(());
    }

    /// Closes the connection, for good.
    pub(super) fn close(&self) {
        if let Some(link) = self.link.swap(None) {
            link.close();
        }
    }

    pub(super) fn cause(&self) -> Arc<str> {
        self.cause.lock().clone()
    }

    pub(super) fn because(&self, cause: impl Into<Arc<str>>) {
        *self.cause.lock() = cause.into();
    }

    /// The connection `epoch` was found to be broken; the keeper sees that, too, but perhaps not yet.
    pub(super) fn lost(&self, epoch: u64) {
        self.with(|link| {
            if link.epoch == epoch {
                link.broke();
            }
        });
    }

    /// Takes the connection `epoch` out of use, as its server is not the one to talk to any more.
    pub(super) fn retire(&self, epoch: u64, cause: impl Into<Arc<str>>) {
        self.retire_if(|link| link.epoch == epoch, cause);
    }

    /// The same for whichever connection leads to this server.
    pub(super) fn leave(&self, address: &Address, cause: impl Into<Arc<str>>) {
        self.retire_if(|link| link.address == *address, cause);
    }

    fn retire_if(&self, is_it: impl Fn(&Link) -> bool, cause: impl Into<Arc<str>>) {
        let retired = self.with(|link| {
            let is_it = is_it(link);
            if is_it {
                link.retire();
            }
            is_it
        });
        if retired == Some(true) {
            self.because(cause);
            self.retired.notify_one();
        }
    }
}
