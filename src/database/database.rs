//! The handle of a database.

use super::engine::{Engine, Failure};
use super::url::Place;
use super::{Error, Table, sqlite};
use std::fmt;
use std::sync::Arc;

/// A database; a cheap handle, clones share its one connection.
///
/// Everything is done on a thread or task of its own, one after the other; nobody else waits for its disk. Who wants to
/// write to a server side by side opens it several times.
#[derive(Clone)]
pub struct Database {
    shared: Arc<Shared>,
}

struct Shared {
    engine: Engine,
    url: String,
}

impl Database {
    /// Opens the database that `url` names: `sqlite:PATH`, `sqlite::memory:`, or with the feature `postgres`
    /// `postgres://USER:PASSWORD@HOST/DATABASE`; see the [module](super).
    ///
    /// A server is reached again by itself after an outage.
    ///
    /// # Errors
    ///
    /// [`Error::Url`], [`Error::NotInThisBuild`], [`Error::Unavailable`].
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime, for a server.
    ///
    /// # Cancel safety
    ///
    /// Yes: a file may have been made.
    pub async fn open(url: &str) -> Result<Self, Error> {
        let place = Place::parse(url)?;
        let (url, opened) = match place {
            Place::Sqlite(settings) => (settings.shown(), sqlite::open(settings).await),
            #[cfg(feature = "postgres")]
            Place::Postgres(settings) => (settings.shown(), super::postgres::open(*settings).await),
        };
        match opened {
            Ok(engine) => Ok(Self { shared: Arc::new(Shared { engine, url }) }),
            Err(reason) => Err(Error::Unavailable { database: url, reason }),
        }
    }

    /// The table `name` for rows that are `T`s; on `PostgreSQL` also `SCHEMA.NAME`. It is looked at when it is first
    /// written to.
    #[must_use]
    pub fn table<T>(&self, name: &str) -> Table<T> {
        Table::new(self.clone(), name)
    }

    /// Where it is, without its password.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.shared.url
    }

    /// Closes it, for all handles, after everything that was asked before. It happens by itself when the last handle is
    /// dropped; a program that ends waits for it here.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future only stops waiting, unless it has not been polled.
    pub async fn close(self) {
        self.shared.engine.close().await;
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.shared.engine
    }

    /// What a failure at this table means.
    pub(super) fn failed(&self, table: &str, failure: Failure) -> Error {
        let (database, table) = (self.shared.url.clone(), table.to_owned());
        match failure {
            Failure::Away(reason) => Error::Unavailable { database, reason },
            Failure::Refused { row, reason } => Error::Refused { table, row, reason },
            Failure::Wrong(problem) => Error::Table { database, table, problem },
            // Only cursors are fenced.
            Failure::Lost => Error::Unavailable { database, reason: "another writer was first".to_owned() },
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Database").field(&self.shared.url).finish()
    }
}
