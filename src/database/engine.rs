//! What a database is asked to do, whichever it is.

use super::rows::Rows;
use super::sql::Dialect;
use std::borrow::Cow;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// A database with one connection, which does one job after the other where nobody waits for it.
#[derive(Debug)]
pub(super) struct Engine {
    pub(super) dialect: Dialect,
    jobs: mpsc::Sender<Job>,
}

/// How many jobs wait before those who have more do.
pub(super) const JOBS: usize = 16;

pub(super) type Answer<T> = oneshot::Sender<Result<T, Failure>>;
/// Rows of texts.
pub(super) type Texts = Vec<Vec<Option<String>>>;

#[derive(Debug)]
pub(super) enum Job {
    /// All of these or nothing; how many rows each has changed.
    Transact(Vec<Step>, Answer<Vec<usize>>),
    /// What a statement finds.
    Query(String, Vec<String>, Answer<Texts>),
    /// Everything before it is done then, and nothing behind it will be.
    Close(oneshot::Sender<()>),
}

/// A part of a transaction.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// A statement with texts for `$1` and so on, in this order; it has to change so many rows, if that is said.
    Run { sql: Cow<'static, str>, texts: Vec<String>, expect: Option<usize> },
    /// Those of the rows that are picked.
    Rows { upsert: Arc<Upsert>, rows: Arc<Rows>, picks: Vec<usize> },
}

/// How rows get into a table.
#[derive(Debug)]
pub(super) struct Upsert {
    pub(super) sql: String,
    /// The columns that say which row of the table it is, by their places; none if each is a new one.
    #[cfg_attr(
        not(feature = "postgres"),
        expect(dead_code, reason = "SQLite takes one row after the other")
    )]
    pub(super) keys: Vec<usize>,
}

/// Why a job was not done; nothing of a transaction is then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The database is out of reach, busy, full, or has aborted it: it may be done later. It may even have been done.
    Away(String),
    /// A row is refused: which of the picked ones, if that is known.
    Refused { row: Option<usize>, reason: String },
    /// A statement is wrong, for any row: the tables are not as they are taken to be.
    Wrong(String),
    /// A step has not changed as many rows as it has to.
    Lost,
}

impl Step {
    pub(super) fn run(sql: impl Into<Cow<'static, str>>, texts: &[&str]) -> Self {
        let texts = texts.iter().map(|text| (*text).to_owned()).collect();
        Self::Run { sql: sql.into(), texts, expect: None }
    }

    /// That has to change one row.
    pub(super) fn fenced(self) -> Self {
        match self {
            Self::Run { sql, texts, .. } => Self::Run { sql, texts, expect: Some(1) },
            rows @ Self::Rows { .. } => rows,
        }
    }
}

impl Engine {
    pub(super) fn new(dialect: Dialect, jobs: mpsc::Sender<Job>) -> Self {
        Self { dialect, jobs }
    }

    pub(super) async fn transact(&self, steps: Vec<Step>) -> Result<Vec<usize>, Failure> {
        self.ask(|answer| Job::Transact(steps, answer)).await
    }

    pub(super) async fn query(&self, sql: &str, texts: &[&str]) -> Result<Texts, Failure> {
        let texts = texts.iter().map(|text| (*text).to_owned()).collect();
        self.ask(|answer| Job::Query(sql.to_owned(), texts, answer)).await
    }

    pub(super) async fn close(&self) {
        let (told, closed) = oneshot::channel();
        if self.jobs.send(Job::Close(told)).await.is_ok() {
            let _ = closed.await;
        }
    }

    async fn ask<T>(&self, job: impl FnOnce(Answer<T>) -> Job) -> Result<T, Failure> {
        let closed = || Failure::Away("it was closed".to_owned());
        let (answer, answered) = oneshot::channel();
        self.jobs.send(job(answer)).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }
}
