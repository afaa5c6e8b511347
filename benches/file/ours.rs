//! The same through the backend `file:DIR`.

use crate::row::{KIND, LOG, What, fact};
use mape::backend::Backend;
use mape::event::Event;
use mape::knowledge::Scope;
use mape_benches::Reading;
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::task::JoinSet;

pub(crate) struct Ours {
    backend: Backend,
    directory: PathBuf,
    what: What,
    written: Arc<AtomicU64>,
}

impl Ours {
    pub(crate) async fn open(directory: &Path, what: What) -> Self {
        let backend = Backend::open(&format!("file:{}", directory.display())).await.unwrap();
        Self { backend, directory: directory.to_owned(), what, written: Arc::default() }
    }

    pub(crate) fn write(&self, writers: u64, each: u64) -> impl Future<Output = ()> + Send + 'static {
        let (backend, what, written) = (self.backend.clone(), self.what, self.written.clone());
        async move {
            let tasks = (0..writers).map(|writer| write(backend.clone(), what, writer, each));
            tasks.collect::<JoinSet<()>>().join_all().await;
            written.fetch_add(writers * each, Ordering::Relaxed);
        }
    }

    /// Looks for what was written where nothing of ours is in between.
    pub(crate) async fn close_and_check(self) {
        self.backend.close().await;
        let database = Connection::open(self.directory.join("mape.db")).unwrap();
        let count =
            |sql: &str, key: &str| database.query_row(sql, [key], |row| row.get::<_, i64>(0)).unwrap();
        if self.what == What::Event {
            // A place has a dash.
            let sql = "SELECT count(*) FROM parts WHERE key = ?1 AND part LIKE '%-%'";
            assert_eq!(count(sql, LOG).unsigned_abs(), self.written.load(Ordering::Relaxed));
        } else {
            assert_eq!(count("SELECT count(*) FROM parts WHERE key = ?1", &fact(0)), 1);
        }
    }
}

async fn write(backend: Backend, what: What, writer: u64, each: u64) {
    match what {
        What::Event => {
            let log = backend.events().log(LOG);
            for reading in Reading::below(each) {
                log.append(Event::of(&reading).unwrap().of_kind(KIND)).await.unwrap();
            }
        }
        What::Fact => {
            let value = backend.knowledge(Scope::App).value::<Reading>(&format!("reading-{writer}"));
            for reading in Reading::below(each) {
                value.set(&reading).await.unwrap();
            }
        }
    }
}
