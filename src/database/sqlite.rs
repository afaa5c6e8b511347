//! `SQLite`, on a thread of its own.

use super::engine::{Engine, Failure, JOBS, Job, Step, Texts, Upsert};
use super::rows::{Rows, Value};
use super::sql::Dialect;
use super::url::Place;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Error, ErrorCode, Statement, Transaction, TransactionBehavior};
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// How long to wait for another program that writes to the same file, before it counts as a failure.
const BUSY: Duration = Duration::from_secs(5);
/// How many statements are kept ready.
const STATEMENTS: usize = 64;

/// Where the database is and what a commit waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Settings {
    /// Nothing: in memory.
    pub(super) path: Option<PathBuf>,
    /// Whether a commit waits until it is on disk.
    pub(super) full: bool,
}

/// Opens it on its thread, which ends when the engine is dropped, after the jobs it was given.
pub(super) async fn open(settings: Settings) -> Result<Engine, String> {
    let (jobs, incoming) = mpsc::channel(JOBS);
    let (told, opened) = oneshot::channel();
    let thread = std::thread::Builder::new().name("mape-sqlite".to_owned());
    let started = thread.spawn(move || match connect(&settings) {
        Ok(connection) => {
            let _ = told.send(Ok(()));
            serve(connection, incoming);
        }
        Err(error) => {
            let _ = told.send(Err(error.to_string()));
        }
    });
    started.map_err(|error| error.to_string())?;
    opened.await.unwrap_or_else(|_| Err("its thread has ended".to_owned()))?;
    Ok(Engine::new(Dialect::Sqlite, jobs))
}

impl Settings {
    /// As it is shown to people.
    pub(super) fn shown(&self) -> String {
        self.path
            .as_ref()
            .map_or_else(|| "sqlite::memory:".to_owned(), |path| format!("sqlite:{}", path.display()))
    }
}

impl From<Settings> for Place {
    fn from(settings: Settings) -> Self {
        Self::Sqlite(settings)
    }
}

fn connect(settings: &Settings) -> rusqlite::Result<Connection> {
    let connection = match &settings.path {
        Some(path) => Connection::open(path)?,
        None => Connection::open_in_memory()?,
    };
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", if settings.full { "FULL" } else { "NORMAL" })?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

fn serve(mut connection: Connection, mut jobs: mpsc::Receiver<Job>) {
    // Whoever does not wait for an answer any more does not get one.
    while let Some(job) = jobs.blocking_recv() {
        match job {
            Job::Transact(steps, answer) => {
                let _ = answer.send(transact(&mut connection, &steps));
            }
            Job::Query(sql, texts, answer) => {
                let _ = answer.send(query(&connection, &sql, &texts).map_err(|error| failure(&error, None)));
            }
            Job::Close(told) => {
                drop(connection);
                let _ = told.send(());
                return;
            }
        }
    }
}

fn transact(connection: &mut Connection, steps: &[Step]) -> Result<Vec<usize>, Failure> {
    let plain = |error: Error| failure(&error, None);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(plain)?;
    let done = steps.iter().map(|step| one(&transaction, step)).collect::<Result<Vec<_>, _>>()?;
    transaction.commit().map_err(plain)?;
    Ok(done)
}

fn one(transaction: &Transaction<'_>, step: &Step) -> Result<usize, Failure> {
    match step {
        Step::Run { sql, texts, expect } => {
            let plain = |error: Error| failure(&error, None);
            let mut statement = transaction.prepare_cached(sql).map_err(plain)?;
            let changed = statement.execute(rusqlite::params_from_iter(texts)).map_err(plain)?;
            if expect.is_some_and(|expected| expected != changed) {
                return Err(Failure::Lost);
            }
            Ok(changed)
        }
        Step::Rows { upsert, rows, picks } => insert(transaction, upsert, rows, picks),
    }
}

fn insert(
    transaction: &Transaction<'_>,
    upsert: &Upsert,
    rows: &Rows,
    picks: &[usize],
) -> Result<usize, Failure> {
    let mut statement = transaction.prepare_cached(&upsert.sql).map_err(|error| failure(&error, None))?;
    for (place, row) in picks.iter().enumerate() {
        put(&mut statement, rows, *row).map_err(|error| failure(&error, Some(place)))?;
    }
    Ok(picks.len())
}

fn put(statement: &mut Statement<'_>, rows: &Rows, row: usize) -> rusqlite::Result<usize> {
    for (n, value) in rows.row(row).iter().enumerate() {
        let value = match *value {
            Value::Null => ValueRef::Null,
            Value::Boolean(value) => ValueRef::Integer(value.into()),
            Value::Integer(value) => ValueRef::Integer(value),
            Value::Real(value) => ValueRef::Real(value),
            Value::Text(span) | Value::Json(span) => ValueRef::Text(rows.bytes(span)),
            Value::Bytes(span) => ValueRef::Blob(rows.bytes(span)),
        };
        statement.raw_bind_parameter(n + 1, ToSqlOutput::Borrowed(value))?;
    }
    statement.raw_execute()
}

fn query(connection: &Connection, sql: &str, texts: &[String]) -> rusqlite::Result<Texts> {
    let mut statement = connection.prepare(sql)?;
    let width = statement.column_count();
    let mut found = statement.query(rusqlite::params_from_iter(texts))?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        let text = |n| {
            Ok(match row.get_ref(n)? {
                ValueRef::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
                ValueRef::Integer(number) => Some(number.to_string()),
                ValueRef::Real(number) => Some(number.to_string()),
                ValueRef::Null | ValueRef::Blob(_) => None,
            })
        };
        rows.push((0..width).map(text).collect::<rusqlite::Result<_>>()?);
    }
    Ok(rows)
}

/// What an error means, which came at a row, or before, or behind all.
fn failure(error: &Error, row: Option<usize>) -> Failure {
    let reason = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch | ErrorCode::TooBig) => {
            Failure::Refused { row, reason }
        }
        // Of a row, what a trigger or a computed column makes of it.
        Some(ErrorCode::Unknown) if row.is_some() => Failure::Refused { row, reason },
        Some(ErrorCode::Unknown | ErrorCode::ApiMisuse | ErrorCode::ParameterOutOfRange) => {
            Failure::Wrong(reason)
        }
        Some(_) => Failure::Away(reason),
        None => Failure::Wrong(reason),
    }
}
