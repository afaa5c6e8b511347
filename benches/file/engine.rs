//! The engine by hand: an `SQLite` database with the same table, configured alike.

use crate::row::{Row, Rows, What, json};
use mape_benches::Reading;
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::{JoinSet, spawn_blocking};

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS parts (
        space INTEGER NOT NULL, key TEXT NOT NULL, part ANY NOT NULL, value ANY NOT NULL,
        PRIMARY KEY (space, key, part)
    ) STRICT, WITHOUT ROWID;";
const PUT: &str = "INSERT OR REPLACE INTO parts (space, key, part, value) VALUES (?1, ?2, ?3, ?4)";

fn open(directory: &Path) -> Connection {
    let connection = Connection::open(directory.join("hand.db")).unwrap();
    connection.busy_timeout(Duration::from_mins(1)).unwrap();
    connection.pragma_update(None, "journal_mode", "WAL").unwrap();
    connection.pragma_update(None, "synchronous", "FULL").unwrap();
    connection.execute_batch(SCHEMA).unwrap();
    connection
}

/// The rows that are there; facts are few, and events are counted.
pub(crate) fn check(directory: &Path, what: What) {
    let count: i64 = open(directory).query_row("SELECT count(*) FROM parts", [], |row| row.get(0)).unwrap();
    assert!(count > 0 && (what == What::Event || count <= 64), "{count} rows");
}

/// All of these rows, durably.
fn commit(connection: &mut Connection, rows: &[Row]) {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
    {
        let mut put = transaction.prepare_cached(PUT).unwrap();
        for Row { space, key, part, value } in rows {
            put.execute((space, key, part, value)).unwrap();
        }
    }
    transaction.commit().unwrap();
}

/// One writer, in a loop on a thread of its own.
pub(crate) struct Lone {
    state: Arc<Mutex<(Connection, Rows)>>,
    what: What,
}

impl Lone {
    pub(crate) fn open(directory: &Path, what: What) -> Self {
        Self { state: Arc::new(Mutex::new((open(directory), Rows::default()))), what }
    }

    pub(crate) fn write(&mut self, count: u64) -> impl Future<Output = ()> + Send + 'static {
        let (state, what) = (self.state.clone(), self.what);
        let work = move || {
            let (connection, rows) = &mut *state.lock().unwrap();
            for reading in Reading::below(count) {
                let row = rows.row(what, 0, json(what, &reading));
                commit(connection, &[row]);
            }
        };
        async { spawn_blocking(work).await.unwrap() }
    }
}

/// A thread that writes what many tasks hand over, all that is there in one transaction.
pub(crate) struct Gatherer {
    queue: SyncSender<Write>,
    what: What,
}

/// A write and who waits for it.
struct Write {
    writer: u64,
    json: String,
    done: oneshot::Sender<()>,
}

impl Gatherer {
    pub(crate) fn open(directory: &Path, what: What) -> Self {
        let mut connection = open(directory);
        let (queue, writes) = sync_channel::<Write>(1024);
        thread::spawn(move || {
            let mut made = Rows::default();
            let (mut rows, mut waiting) = (Vec::new(), Vec::new());
            while let Ok(first) = writes.recv() {
                for Write { writer, json, done } in std::iter::once(first).chain(writes.try_iter()) {
                    rows.push(made.row(what, writer, json));
                    waiting.push(done);
                }
                commit(&mut connection, &rows);
                rows.clear();
                for done in waiting.drain(..) {
                    done.send(()).unwrap();
                }
            }
        });
        Self { queue, what }
    }

    pub(crate) fn write(&self, writers: u64, each: u64) -> impl Future<Output = ()> + Send + 'static {
        let (queue, what) = (self.queue.clone(), self.what);
        let task = move |writer| {
            let queue = queue.clone();
            async move {
                for reading in Reading::below(each) {
                    let (done, is_done) = oneshot::channel();
                    // There is room: fewer write than the queue holds.
                    queue.send(Write { writer, json: json(what, &reading), done }).unwrap();
                    is_done.await.unwrap();
                }
            }
        };
        async move {
            (0..writers).map(task).collect::<JoinSet<()>>().join_all().await;
        }
    }
}

/// Threads that write each by itself.
pub(crate) struct Many {
    connections: Vec<Arc<Mutex<Connection>>>,
    ids: Arc<AtomicU64>,
    what: What,
}

impl Many {
    pub(crate) fn open(directory: &Path, what: What, writers: u64) -> Self {
        let connections = (0..writers).map(|_| Arc::new(Mutex::new(open(directory)))).collect();
        Self { connections, ids: Arc::default(), what }
    }

    pub(crate) fn write(&mut self, each: u64) -> impl Future<Output = ()> + Send + 'static {
        let thread = |(writer, connection): (u64, &Arc<Mutex<Connection>>)| {
            let (connection, ids, what) = (connection.clone(), self.ids.clone(), self.what);
            move || {
                let connection = &mut *connection.lock().unwrap();
                for reading in Reading::below(each) {
                    let mut row = Rows::default().row(what, writer, json(what, &reading));
                    if what == What::Event {
                        row.part = format!("{}-0", ids.fetch_add(1, Ordering::Relaxed));
                    }
                    commit(connection, &[row]);
                }
            }
        };
        let works: Vec<_> = (0..).zip(&self.connections).map(thread).collect();
        async {
            let threads: Vec<_> = works.into_iter().map(spawn_blocking).collect();
            for thread in threads {
                thread.await.unwrap();
            }
        }
    }
}
