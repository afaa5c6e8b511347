//! Ours.

use super::row::{BATCH, ROWS, Row, Turns};
use futures::StreamExt;
use mape::backend::Backend;
use mape::database::{BulkWriter, Database, Table, WrittenSource};
use mape::event::{Event, Log, Retention};
use mape_benches::Run;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

async fn table(url: &str, upsert: bool) -> Table<Row> {
    let table = Database::open(url).await.unwrap().table("comments").create();
    if upsert { table.key(["id"]) } else { table }
}

/// A bulk writer behind a log in memory.
pub(super) struct Bulk {
    log: Log,
    events: Mutex<[Vec<Event>; 2]>,
    source: Arc<Mutex<WrittenSource<Row>>>,
}

impl Bulk {
    pub(super) async fn start(url: &str, upsert: bool, rows: &Turns) -> Self {
        let backend = Backend::memory();
        let writer = BulkWriter::new("bench", &backend, "comments", &table(url, upsert).await);
        let batch = NonZeroUsize::new(BATCH).unwrap();
        let source = writer.batch(batch, Duration::from_millis(10)).start().await.unwrap();
        let events = || rows.next().iter().map(|row| Event::of(row).unwrap()).collect();
        let events = Mutex::new([events(), events()]);
        Self { log: backend.events().log("comments"), events, source: Arc::new(Mutex::new(source)) }
    }

    /// From when the events are in the log until all of them are in the database and have come out.
    pub(super) async fn run(&self) -> Run {
        let _ = self.log.trim(Retention::Entries(0)).await;
        // On this runtime nothing else runs before the first wait of what is measured.
        let events = {
            let mut events = self.events.lock().await;
            events.swap(0, 1);
            events[0].clone()
        };
        self.log.append_all(events).await.unwrap();
        let source = self.source.clone();
        let all = async move {
            let mut source = source.lock().await;
            for _ in 0..ROWS {
                source.next().await.unwrap();
            }
        };
        Run::of(ROWS, all).await.wall_only()
    }
}

/// Batches without a log.
pub(super) struct Batches(Table<Row>);

impl Batches {
    pub(super) async fn open(url: &str, upsert: bool) -> Self {
        Self(table(url, upsert).await)
    }

    pub(super) fn write(&self, rows: &Arc<Vec<Row>>) -> impl Future<Output = ()> + Send + use<> {
        let (table, rows) = (self.0.clone(), rows.clone());
        async move {
            for batch in rows.chunks(BATCH) {
                table.write(batch).await.unwrap();
            }
        }
    }
}
