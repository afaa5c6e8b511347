//! A table to which rows of one type are written.

use super::engine::Step;
use super::rows::Rows;
use super::shape::{Shape, Wanted};
use super::{Database, Error, example};
use crate::stream::Answer;
use parking_lot::Mutex;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// A table whose rows are `T`s: each field is the column of its name. A cheap handle.
///
/// | serde has | the column gets |
/// |---|---|
/// | a boolean, a number, a text, bytes | that; `SQLite` has 0 and 1 for booleans |
/// | nothing, `None`, a field that is skipped | NULL |
/// | a variant without contents | its name |
/// | anything with parts: lists, maps, structs | JSON text |
///
/// A whole number above `i64::MAX` and NaN are refused; within lists, maps and structs, where JSON has no word for them, NaN
/// and the infinities are written as `null`. On `PostgreSQL` each value is cast to the type of its column, so a text may be
/// a `timestamptz` or a `uuid`.
pub struct Table<T> {
    database: Database,
    wanted: Wanted,
    /// What was found out last.
    shape: Arc<Mutex<Option<Arc<Shape>>>>,
    item: PhantomData<fn(T)>,
}

impl<T> Table<T> {
    pub(super) fn new(database: Database, name: &str) -> Self {
        let wanted = Wanted { table: name.to_owned(), keys: Vec::new(), create: false };
        Self { database, wanted, shape: Arc::default(), item: PhantomData }
    }

    /// The columns that say which row it is: a row with the same values there is replaced, in the columns that `T` has.
    /// The table has to have a primary key or unique index of exactly these. Without any, every row is a new one.
    #[must_use]
    pub fn key<C: Into<String>>(mut self, columns: impl IntoIterator<Item = C>) -> Self {
        self.wanted.keys = columns.into_iter().map(Into::into).collect();
        self.shape = Arc::default();
        self
    }

    /// Makes the table if there is none, with the types of the first rows and the key as its primary key.
    #[must_use]
    pub fn create(mut self) -> Self {
        self.wanted.create = true;
        self
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.wanted.table
    }

    /// Where it is.
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// None yet, of the columns that are known.
    pub(super) fn no_rows(&self) -> Rows {
        let dialect = self.database.engine().dialect;
        match &*self.shape.lock() {
            Some(shape) => Rows::with(dialect, &shape.columns, shape.known.clone()),
            None => Rows::new(dialect),
        }
    }

    /// How these rows get into it.
    pub(super) async fn shape(&self, rows: &Rows) -> Result<Arc<Shape>, Error> {
        let known = self.shape.lock().clone();
        if let Some(known) = known.filter(|known| known.columns == rows.columns()) {
            return Ok(known);
        }
        let shape = Arc::new(self.wanted.shape(&self.database, rows).await?);
        *self.shape.lock() = Some(shape.clone());
        Ok(shape)
    }

    /// It is looked at once more before the next rows: it may have changed.
    pub(super) fn forget(&self) {
        *self.shape.lock() = None;
    }
}

impl<T: Serialize> Table<T> {
    /// Writes these rows in one transaction: all of them are there then, or none.
    ///
    /// For batches that are at hand, such as those of a worker of a queue. With a [key](Self::key), writing them again
    /// after a crash changes nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if one of them is, [`Error::Table`] if they don't fit the table, [`Error::Unavailable`] during
    /// an outage; then they may have been written, too.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it happens.
    pub fn write<'a>(&self, rows: impl IntoIterator<Item = &'a T>) -> Answer<Result<(), Error>>
    where
        T: 'static,
    {
        let mut written = self.no_rows();
        let mut refused = None;
        for (row, value) in rows.into_iter().enumerate() {
            if let Err(reason) = written.push(value) {
                refused = Some(Error::Refused { table: self.wanted.table.clone(), row: Some(row), reason });
                break;
            }
        }
        match refused {
            Some(error) => Answer::ready(Err(error)),
            None if written.len() == 0 => Answer::ready(Ok(())),
            None => {
                let table = self.clone();
                Answer::pending(async move { table.put(written).await })
            }
        }
    }

    async fn put(&self, rows: Rows) -> Result<(), Error> {
        let shape = self.shape(&rows).await?;
        let picks = (0..rows.len()).collect();
        let step = Step::Rows { upsert: shape.upsert.clone(), rows: Arc::new(rows), picks };
        match self.database.engine().transact(vec![step]).await {
            Ok(_) => Ok(()),
            Err(failure) => {
                if matches!(failure, super::engine::Failure::Wrong(_)) {
                    self.forget();
                }
                Err(self.database.failed(&self.wanted.table, failure))
            }
        }
    }
}

impl<T: Serialize + DeserializeOwned> Table<T> {
    /// Finds out before the first row whether rows fit, as far as their type says what they are.
    pub(super) async fn check(&self) -> Result<(), Error> {
        let mut rows = Rows::new(self.database.engine().dialect);
        if let Some(example) = example::of::<T>()
            && rows.push(&example).is_ok()
        {
            self.shape(&rows).await?;
        }
        Ok(())
    }
}

impl<T> Clone for Table<T> {
    fn clone(&self) -> Self {
        let (database, wanted, shape) = (self.database.clone(), self.wanted.clone(), self.shape.clone());
        Self { database, wanted, shape, item: PhantomData }
    }
}

impl<T> fmt::Debug for Table<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table")
            .field("database", &self.database)
            .field("name", &self.wanted.table)
            .field("keys", &self.wanted.keys)
            .field("create", &self.wanted.create)
            .finish_non_exhaustive()
    }
}
