//! The bundle of handles.

use super::embedded::{MemoryPubSub, MemoryStore};
use super::url::Url;
use super::{Error, Options};
use crate::channel::{Channels, PubSub};
use crate::event::{EventLog, Events};
use crate::knowledge::{Knowledge, Scope, Store};
use std::sync::Arc;

/// The store of knowledge, the channels and the event log behind one URL; a cheap handle, clones share them.
#[derive(Clone, Debug)]
pub struct Backend {
    url: Arc<str>,
    store: Arc<dyn Store>,
    pubsub: Arc<dyn PubSub>,
    log: Arc<dyn EventLog>,
}

impl Backend {
    /// A world of its own in this process' memory, gone with its last handle.
    #[must_use]
    pub fn memory() -> Self {
        let store = MemoryStore::new();
        Self::new("memory:", Arc::new(store.clone()), Arc::new(MemoryPubSub::default()), Arc::new(store))
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
    pub async fn open(url: &str) -> Result<Self, Error> {
        Self::open_with(url, Options::default()).await
    }

    /// The backend that `url` names, with what it does not say.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    ///
    /// # Cancel safety
    ///
    /// Yes: dropping the future opens nothing.
    pub async fn open_with(url: &str, options: Options) -> Result<Self, Error> {
        match url.parse()? {
            Url::Memory => Ok(Self::memory()),
            #[cfg(feature = "redis")]
            Url::Redis(endpoint) => {
                let client = super::redis::Client::open(endpoint, &options).await?;
                let url = client.url();
                let pubsub = super::redis::RedisPubSub::new(client.clone());
                let log = super::redis::RedisEventLog::new(client.clone());
                let store = super::redis::RedisStore::open(client, pubsub.clone()).await?;
                Ok(Self::new(&url, Arc::new(store), Arc::new(pubsub), Arc::new(log)))
            }
        }
    }

    /// The backend that `url` names, for a program that looks into what others share: a directory that has an owner is
    /// reached through it.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), and [`Error::NotShared`] for `memory:`.
    ///
    /// # Cancel safety
    ///
    /// Yes: dropping the future opens nothing.
    pub async fn attach(url: &str, options: Options) -> Result<Self, Error> {
        match url.parse()? {
            Url::Memory => Err(Error::NotShared),
            #[allow(unreachable_patterns, reason = "which backends there are depends on the features")]
            _ => Self::open_with(url, options).await,
        }
    }

    /// Waits until everything that was done here is safe, and lets go of what can be let go of. It happens by itself
    /// when the last handle is dropped; a program that ends waits for it here.
    ///
    /// # Cancel safety
    ///
    /// Yes: dropping the future only stops waiting.
    #[expect(clippy::unused_async, reason = "backends that keep something have to wait")]
    pub async fn close(self) {}

    /// A backend of one's own making, under the name `url`.
    #[must_use]
    pub fn new(url: &str, store: Arc<dyn Store>, pubsub: Arc<dyn PubSub>, log: Arc<dyn EventLog>) -> Self {
        Self { url: url.into(), store, pubsub, log }
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

    /// The logs of events.
    #[must_use]
    pub fn events(&self) -> Events {
        Events::new(self.log.clone())
    }

    /// Where events are kept.
    #[must_use]
    pub fn event_log(&self) -> Arc<dyn EventLog> {
        self.log.clone()
    }

    /// The URL, without secrets.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}
