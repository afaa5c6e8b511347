//! The bundle of handles.

use super::embedded::{MemoryPubSub, MemoryStore};
use super::keeper::Keeper;
use super::url::Url;
use super::{Error, Options};
use crate::channel::{Channels, PubSub};
use crate::event::{EventLog, Events};
use crate::knowledge::{Knowledge, Native, Scope, Store};
use std::fmt;
use std::sync::Arc;

/// The store of knowledge, the channels and the event log behind one URL; a cheap handle, clones share them.
#[derive(Clone)]
pub struct Backend {
    url: Arc<str>,
    store: Arc<dyn Store>,
    pubsub: Arc<dyn PubSub>,
    log: Arc<dyn EventLog>,
    /// The server, if there is one.
    native: Option<Arc<dyn Native>>,
    /// What ends when it is closed, if anything does.
    keeper: Option<Arc<dyn Keeper>>,
    is_open: bool,
}

impl Backend {
    /// A world of its own in this process' memory, gone with its last handle.
    #[must_use]
    pub fn memory() -> Self {
        let store = MemoryStore::new();
        Self::new("memory:", Arc::new(store.clone()), Arc::new(MemoryPubSub::default()), Arc::new(store))
    }

    /// The backend that `url` names: `memory:`, a new one each time, or `file:DIR`, of which this process becomes the
    /// owner.
    ///
    /// A directory is made if it does not exist. What is in it is read into memory, which then answers all reads; every
    /// write is answered when it is durable, many writers sharing a commit. A reader may see a write a moment before it
    /// is durable, except for events, which nobody is given before. When the directory cannot be written to, writes are
    /// refused until it can be again. Channels reach everyone in this process and everyone attached.
    ///
    /// # Errors
    ///
    /// By variant of [`Error`]: what is no URL, which scheme nobody knows, which this build does not have, why a
    /// directory cannot be used.
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
    #[cfg_attr(
        not(any(feature = "file", feature = "redis")),
        expect(clippy::unused_async, reason = "backends that are elsewhere have to connect")
    )]
    pub async fn open_with(url: &str, options: Options) -> Result<Self, Error> {
        let _ = &options;
        match url.parse()? {
            Url::Memory => Ok(Self::memory()),
            #[cfg(feature = "file")]
            Url::File(dir) => super::file::open(dir, &options).await,
            #[cfg(feature = "redis")]
            Url::Redis(endpoint) => {
                let client = super::redis::Client::open(endpoint, &options).await?;
                let url = client.url();
                let pubsub = super::redis::RedisPubSub::new(client.clone());
                let log = super::redis::RedisEventLog::new(client.clone());
                let store = super::redis::RedisStore::open(client, pubsub.clone()).await?;
                let backend =
                    Self::new(&url, Arc::new(store.clone()), Arc::new(pubsub), Arc::new(log)).opened();
                Ok(Self { native: Some(Arc::new(store)), ..backend })
            }
        }
    }

    /// The backend that `url` names, for a program that looks into what others share: a directory that has an owner is
    /// reached through it, else this process becomes the owner.
    ///
    /// When that owner ends, calls fail with an error that says so, and watchers and subscribers are told of an
    /// interruption; as soon as there is another owner, all goes on with that one.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open); [`Error::NotShared`] for `memory:`, [`Error::NotAttached`] if the owner refuses.
    ///
    /// # Cancel safety
    ///
    /// Yes: dropping the future opens nothing.
    #[cfg_attr(
        not(any(feature = "file", feature = "redis")),
        expect(clippy::unused_async, reason = "what can be attached to is not there without its feature")
    )]
    pub async fn attach(url: &str, options: Options) -> Result<Self, Error> {
        let _ = &options;
        match url.parse()? {
            Url::Memory => Err(Error::NotShared),
            #[cfg(feature = "file")]
            Url::File(dir) => super::file::attach(dir, &options).await,
            #[cfg(feature = "redis")]
            Url::Redis(_) => Self::open_with(url, options).await,
        }
    }

    /// Waits until everything that was done here is safe, and lets go of what can be let go of. It happens by itself
    /// when the last handle is dropped; a program that ends waits for it here.
    ///
    /// A directory is free for its next owner then, whoever has handles: their writes are refused from now on, and
    /// their streams have ended.
    ///
    /// # Cancel safety
    ///
    /// Yes: dropping the future only stops waiting.
    pub async fn close(self) {
        if let Some(keeper) = &self.keeper {
            keeper.close().await;
        }
    }

    /// With what it ends with.
    #[cfg(feature = "file")]
    pub(super) fn kept_by(self, keeper: Arc<dyn Keeper>) -> Self {
        Self { keeper: Some(keeper), ..self }
    }

    /// A backend of one's own making, under the name `url`.
    #[must_use]
    pub fn new(url: &str, store: Arc<dyn Store>, pubsub: Arc<dyn PubSub>, log: Arc<dyn EventLog>) -> Self {
        Self { url: url.into(), store, pubsub, log, native: None, keeper: None, is_open: false }
    }

    /// As one that programs of other kinds read and write, too: what is in it has the form that they know.
    #[must_use]
    pub fn opened(self) -> Self {
        Self { is_open: true, ..self }
    }

    /// Whether programs of other kinds read and write what is in it, as on a server. Runs of flows are kept in the form
    /// of littleflow then.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.is_open
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

    /// The server behind the store, to be asked in its own words; nothing where there is none.
    #[must_use]
    pub fn native(&self) -> Option<Arc<dyn Native>> {
        self.native.clone()
    }

    /// The URL, without secrets.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl fmt::Debug for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Backend").field(&self.url).finish()
    }
}
