//! A backend, and a database of a test's own.

use crate::server::Directory;
use mape::backend::Backend;
use mape::database::Database;
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use std::sync::Arc;

#[derive(Clone)]
pub(crate) struct World {
    pub(crate) backend: Backend,
    pub(crate) url: String,
    /// What has to be there as long as this.
    pub(super) directory: Arc<Directory>,
}

impl World {
    fn new(backend: Backend, directory: Directory) -> Self {
        let url = format!("sqlite:{}", directory.path().join("test.db").display());
        Self { backend, url, directory: Arc::new(directory) }
    }

    pub(crate) fn memory() -> Self {
        Self::new(Backend::memory(), Directory::new())
    }

    pub(crate) async fn file() -> Self {
        let directory = Directory::new();
        let backend = Backend::open(&format!("file:{}", directory.path().join("backend").display())).await;
        Self::new(backend.unwrap(), directory)
    }

    #[cfg(feature = "redis")]
    pub(crate) async fn redis() -> Self {
        Self::new(Backend::open(&crate::server::RedisServer::shared_url()).await.unwrap(), Directory::new())
    }

    #[cfg(feature = "postgres")]
    pub(crate) fn postgres() -> Self {
        let url = crate::server::PostgresServer::shared().database();
        Self { url, ..Self::memory() }
    }

    #[cfg(all(feature = "postgres", feature = "redis"))]
    pub(crate) async fn redis_and_postgres() -> Self {
        let url = crate::server::PostgresServer::shared().database();
        Self { url, ..Self::redis().await }
    }

    pub(crate) async fn open(&self) -> Database {
        Database::open(&self.url).await.unwrap()
    }

    pub(crate) fn is_postgres(&self) -> bool {
        self.url.starts_with("postgres")
    }

    /// Does what the statements say.
    pub(crate) fn execute(&self, sql: &str) {
        #[cfg(feature = "postgres")]
        if self.is_postgres() {
            crate::server::psql(&self.url, sql);
            return;
        }
        self.sqlite().execute_batch(sql).unwrap();
    }

    /// What a statement finds, a row a line, with `|` between columns.
    pub(crate) fn query(&self, sql: &str) -> Vec<String> {
        #[cfg(feature = "postgres")]
        if self.is_postgres() {
            return crate::server::psql(&self.url, sql);
        }
        let connection = self.sqlite();
        let mut statement = connection.prepare(sql).unwrap();
        let width = statement.column_count();
        let row = |row: &rusqlite::Row| {
            let text = |n| match row.get_ref(n)? {
                ValueRef::Null => Ok(String::new()),
                ValueRef::Integer(number) => Ok(number.to_string()),
                ValueRef::Real(number) => Ok(number.to_string()),
                ValueRef::Text(bytes) => Ok(String::from_utf8_lossy(bytes).into_owned()),
                ValueRef::Blob(bytes) => Ok(format!("{bytes:?}")),
            };
            Ok((0..width).map(text).collect::<rusqlite::Result<Vec<_>>>()?.join("|"))
        };
        statement.query_map([], row).unwrap().map(Result::unwrap).collect()
    }

    pub(crate) fn directory(&self) -> &Directory {
        &self.directory
    }

    fn sqlite(&self) -> Connection {
        Connection::open(self.url.strip_prefix("sqlite:").unwrap()).unwrap()
    }
}
