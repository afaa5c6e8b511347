//! All keys of a scope.

use super::codec::{decode, encode};
use super::{Command, Cursor, Error, Fact, Key, KeyCommand, Kind, Page, Reply, Store, ValueCommand};
use crate::channel::Pattern;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use serde::Serialize;
use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The keys of one scope, whatever they hold; names are relative to the scope.
///
/// ```
/// # use mape::{backend::Backend, knowledge::{Error, Knowledge, Scope}};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Error> {
/// # let k = Knowledge::new(Backend::memory().store(), Scope::App);
/// let keys = k.keyspace();
/// keys.set::<f64, _>("speed_panda", &48.0).await?;
/// k.set::<String>("cars").add("panda").await?;
/// assert_eq!(keys.names("*_panda").await?, ["speed_panda"]);
/// assert_eq!(keys.get::<f64>("speed_panda").await?, Some(48.0));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Keyspace {
    store: Arc<dyn Store>,
    prefix: Arc<str>,
}

impl Keyspace {
    pub(super) fn at(store: Arc<dyn Store>, prefix: Arc<str>) -> Self {
        Self { store, prefix }
    }

    /// The value under `name`.
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn get<T: Fact>(&self, name: &str) -> Result<Option<T>, Error> {
        let key = self.key(name);
        let reply = self.run(&key, ValueCommand::Get).await?.non_nil();
        reply.map(|reply| decode(&key, &reply.data(&key)?)).transpose()
    }

    /// Sets the value under `name`, whatever kind it was; an expiry it had ends.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it happens.
    pub async fn set<T, Q>(&self, name: &str, value: &Q) -> Result<(), Error>
    where
        T: Fact + Borrow<Q>,
        Q: Serialize + ?Sized,
    {
        let key = self.key(name);
        let value = encode::<T, Q>(&key, value)?;
        self.run(&key, ValueCommand::Set { value, expiry: None }).await?.done(&key)
    }

    /// Deletes what is under `name`; whether there was anything.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it happens; deleting again does no harm.
    pub async fn delete(&self, name: &str) -> Result<bool, Error> {
        let key = self.key(name);
        self.run(&key, KeyCommand::Delete).await?.flag(&key)
    }

    /// Whether there is anything under `name`.
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn exists(&self, name: &str) -> Result<bool, Error> {
        let key = self.key(name);
        self.run(&key, KeyCommand::Exists).await?.flag(&key)
    }

    /// What kind of thing is under `name`.
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn kind(&self, name: &str) -> Result<Option<Kind>, Error> {
        let key = self.key(name);
        self.run(&key, KeyCommand::Kind).await?.non_nil().map(|reply| reply.kind(&key)).transpose()
    }

    /// Lets what is under `name` cease after this time, counted from now; `false` if there is nothing.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it happens.
    pub async fn expire(&self, name: &str, after: Duration) -> Result<bool, Error> {
        let key = self.key(name);
        self.run(&key, KeyCommand::Expire(after)).await?.flag(&key)
    }

    /// The names that match, as they are found; a key that is there all the time is found once or more often, one that
    /// comes or goes meanwhile perhaps.
    ///
    /// # Errors
    ///
    /// The first error is the last item.
    pub fn scan<P: Into<Pattern>>(
        &self,
        names: P,
    ) -> impl Stream<Item = Result<String, Error>> + Send + use<P> {
        let pattern = names.into().prefixed(&self.prefix);
        let (store, prefix) = (self.store.clone(), self.prefix.len());
        let pages = stream::try_unfold(Some(Cursor::default()), move |cursor| {
            let page = cursor.map(|cursor| store.scan(&pattern, cursor));
            async move {
                let Some(page) = page else { return Ok(None) };
                let Page { keys, next } = page.await?;
                Ok(Some((keys, next)))
            }
        });
        pages
            .map_ok(move |keys| {
                stream::iter(keys).map(move |key| Ok(key.get(prefix..).unwrap_or_default().to_owned()))
            })
            .try_flatten()
    }

    /// The names that match, each once, in alphabetical order.
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn names(&self, names: impl Into<Pattern>) -> Result<Vec<String>, Error> {
        let mut found: Vec<String> = self.scan(names).try_collect().await?;
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// Deletes everything whose name matches; how many keys there were. Not as one: what comes meanwhile may stay.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves a part of them.
    pub async fn clear(&self, names: impl Into<Pattern>) -> Result<u64, Error> {
        let mut deleted = 0;
        for name in self.names(names).await? {
            deleted += u64::from(self.delete(&name).await?);
        }
        Ok(deleted)
    }

    fn key(&self, name: &str) -> Key {
        format!("{}{name}", self.prefix).into()
    }

    async fn run(&self, key: &Key, command: impl Into<Command>) -> Result<Reply, Error> {
        self.store.run(key, command.into()).await
    }
}

impl fmt::Debug for Keyspace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Keyspace").field(&self.prefix).finish()
    }
}
