//! The bundle of handles.

use super::Error;
use super::embedded::{MemoryPubSub, MemoryStore};
use super::url::Url;
use crate::channel::{Channels, PubSub};
use crate::knowledge::{Knowledge, Scope, Store};
use std::sync::Arc;

/// The store of knowledge and the channels behind one URL; a cheap handle, clones share them.
#[derive(Clone, Debug)]
pub struct Backend {
    url: Arc<str>,
    store: Arc<dyn Store>,
    pubsub: Arc<dyn PubSub>,
}

impl Backend {
    /// A world of its own in this process' memory, gone with its last handle.
    #[must_use]
    pub fn memory() -> Self {
        Self::new("memory:", Arc::new(MemoryStore::new()), Arc::new(MemoryPubSub::default()))
    }

    /// The backend that `url` names: `memory:`, a new one each time.
    ///
    /// # Errors
    ///
    /// By variant of [`Error`]: what is no URL, which scheme nobody knows, which this build does not have.
    ///
    /// # Cancel safety
    ///
    /// Yes: dropping the future opens nothing.
    #[expect(clippy::unused_async, reason = "backends that are elsewhere have to connect")]
    pub async fn open(url: &str) -> Result<Self, Error> {
        match url.parse()? {
            Url::Memory => Ok(Self::memory()),
        }
    }

    /// A backend of one's own making, under the name `url`.
    #[must_use]
    pub fn new(url: &str, store: Arc<dyn Store>, pubsub: Arc<dyn PubSub>) -> Self {
        Self { url: url.into(), store, pubsub }
    }

    /// Where knowledge is kept.
    #[must_use]
    pub fn store(&self) -> Arc<dyn Store> {
        self.store.clone()
    }

    /// The knowledge of one scope, with local values of its own.
    #[must_use]
    pub fn knowledge(&self, scope: Scope) -> Knowledge {
        Knowledge::new(self.store(), scope)
    }

    /// The channels.
    #[must_use]
    pub fn channels(&self) -> Channels {
        Channels::new(self.pubsub.clone())
    }

    /// The URL, without secrets.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}
