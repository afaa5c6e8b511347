//! How a bulk writer is set up.

use super::collector::Taken;
use super::cursor::Cursor;
use super::dead_letters::DeadLetters;
use super::engine::Failure;
use super::passing::Passing;
use super::writer::Writer;
use super::{BulkStats, Error, Table, WrittenSource, metered};
use crate::backend::Backend;
use crate::event::{EventId, Log, LogName};
use crate::stream::meter::Meter;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Writes what comes into a log to a table, in batches: how, until it is [started](Self::start).
///
/// Its cursor lies in the database, in the table `mape_cursors`, and moves in the transaction of the rows behind it. So
/// every event becomes a row once, also if the process is killed, or several writers of the same name run: one of them
/// gets each batch, and they go on when it dies. What comes out of the [`WrittenSource`] is in the database.
///
/// While it is there, the log is trimmed no further than it has come: it keeps the group `bulk:NAME` behind it. Remove
/// that group if the writer is never to come back.
///
/// # Delivery
///
/// Rows exactly once, in the order of the log; what comes out at least once, see the [module](super).
pub struct BulkWriter<T> {
    name: String,
    backend: Backend,
    log: Log,
    table: Table<T>,
    taken: Taken,
    after: EventId,
}

/// How many rows are written at a time unless another number is asked for.
const ROWS: NonZeroUsize = NonZeroUsize::new(1000).unwrap();
/// How long it is waited for more of them.
const WITHIN: Duration = Duration::from_millis(10);

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> BulkWriter<T> {
    /// A writer of this name, from a log of this backend into a table. The name has to be the writer's own among those
    /// of the log and of the database.
    #[must_use]
    pub fn new(name: &str, backend: &Backend, log: impl Into<LogName>, table: &Table<T>) -> Self {
        Self {
            name: name.to_owned(),
            backend: backend.clone(),
            log: backend.events().log(log),
            table: table.clone(),
            taken: Taken { max: ROWS, within: WITHIN, kinds: None },
            after: EventId::MIN,
        }
    }

    /// How many events go into a transaction at most, and how long after the first of them it begins at the latest: 1,000
    /// and 10 ms unless others are asked for. While one is under way, the next is gathered.
    #[must_use]
    pub fn batch(mut self, max: NonZeroUsize, within: Duration) -> Self {
        (self.taken.max, self.taken.within) = (max, within);
        self
    }

    /// Only events of these kinds; the others are passed over.
    #[must_use]
    pub fn select<K: Into<String>>(mut self, kinds: impl IntoIterator<Item = K>) -> Self {
        self.taken.kinds = Some(kinds.into_iter().map(Into::into).collect());
        self
    }

    /// Where it begins if the database knows nothing of it yet: behind this place. [`EventId::MIN`], the default, is
    /// everything that is still in the log; [`EventId::MAX`] what is appended from then on.
    #[must_use]
    pub fn after(mut self, place: EventId) -> Self {
        self.after = place;
        self
    }

    /// Begins to write, where the cursor is.
    ///
    /// From then on it sits out outages of the database and the backend. If the table is changed so that rows no longer
    /// fit, it waits until it is mended; both show in the logs and in [`retries`](BulkStats::retries).
    ///
    /// # Errors
    ///
    /// As of the database, the table and the log; an outage at this moment too. A column that rows of this type have and
    /// the table has not is named, unless the type does not tell its fields (a map, flattened structs): then it is found
    /// out at the first row.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with time.
    ///
    /// # Cancel safety
    ///
    /// Yes: the table, the cursor and the group may have been made.
    pub async fn start(self) -> Result<WrittenSource<T>, Error> {
        let database = self.table.database().clone();
        let failed = |failure: Failure| database.failed("mape_cursors", failure);
        self.table.check().await?;
        let after = if self.after == EventId::MAX { self.log.info().await?.last } else { self.after };
        let (name, log) = (self.name.clone(), self.log.name().clone());
        let cursor = Cursor { database: database.clone(), name, log };
        cursor.make(after).await.map_err(failed)?;
        let places = cursor.read().await.map_err(failed)?;
        let group = self.log.group(format!("bulk:{}", self.name)).after(places.passed);
        group.create().await?;

        let meter = Meter::new(&metered::BULK, format!("{}/{}", self.name, self.log.name()));
        let (out, chunks) = mpsc::channel(1);
        let passing = Arc::new(Passing::default());
        let writer = Writer {
            dead: DeadLetters::new(self.backend.store(), &cursor, group.name()),
            table: self.table,
            log: self.log,
            group,
            cursor,
            taken: self.taken,
            out,
            passing: passing.clone(),
            meter: meter.clone(),
            position: places.position,
            has_refused: true,
            tend_at: None,
            follow_at: tokio::time::Instant::now(),
            followed: None,
            stuck: None,
            failures: 0,
        };
        let task = tokio::spawn(writer.run(places.passed));
        Ok(WrittenSource { chunks, current: None, next: 0, task, passing, stats: BulkStats(meter) })
    }
}

impl<T> fmt::Debug for BulkWriter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BulkWriter")
            .field("name", &self.name)
            .field("log", self.log.name())
            .field("table", &self.table)
            .field("taken", &self.taken)
            .finish_non_exhaustive()
    }
}
