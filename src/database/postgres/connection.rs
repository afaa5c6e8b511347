//! The connection, and the jobs that are done on it one after the other.

use super::Settings;
use super::column::{Column, last_of_each};
use super::failure::{failure, reason};
use super::tls::Tls;
use crate::database::engine::{Engine, Failure, JOBS, Job, Step, Texts, Upsert};
use crate::database::rows::Rows;
use crate::database::sql::Dialect;
use std::collections::HashMap;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error, Statement, Transaction};

/// How many statements are kept ready; behind that all are made anew.
const STATEMENTS: usize = 64;

/// A connection that was made.
struct Session {
    client: Client,
    statements: Statements,
    task: JoinHandle<()>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Statements that are ready, by their text and the types of what they are given.
type Statements = HashMap<(String, Vec<Type>), Statement>;

/// Connects; the task ends when the engine is dropped, after the jobs it was given.
pub(in crate::database) async fn open(settings: Settings) -> Result<Engine, String> {
    let tls = if settings.uses_tls() {
        let authorities = settings.authorities.clone();
        let reading = spawn_blocking(move || Tls::trusting(authorities.as_deref()));
        reading.await.map_err(|error| error.to_string())??
    } else {
        Tls::none()
    };
    let session = connect(&settings, &tls).await.map_err(|error| reason(&error))?;
    let (jobs, incoming) = mpsc::channel(JOBS);
    tokio::spawn(serve(settings, tls, session, incoming));
    Ok(Engine::new(Dialect::Postgres, jobs))
}

async fn connect(settings: &Settings, tls: &Tls) -> Result<Session, Error> {
    let (client, connection) = settings.config.connect(tls.clone()).await?;
    let task = tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(error = reason(&error), "a connection to PostgreSQL has ended");
        }
    });
    Ok(Session { client, statements: HashMap::new(), task })
}

async fn serve(settings: Settings, tls: Tls, session: Session, mut jobs: mpsc::Receiver<Job>) {
    let mut held = Some(session);
    // Whoever does not wait for an answer any more does not get one.
    while let Some(job) = jobs.recv().await {
        if let Job::Close(told) = job {
            drop(held);
            let _ = told.send(());
            return;
        }
        let session = match held.take().filter(|session| !session.client.is_closed()) {
            Some(session) => Ok(session),
            None => connect(&settings, &tls).await.map_err(|error| Failure::Away(reason(&error))),
        };
        match (job, session) {
            (Job::Transact(_, answer), Err(failure)) => {
                let _ = answer.send(Err(failure));
            }
            (Job::Query(_, _, answer), Err(failure)) => {
                let _ = answer.send(Err(failure));
            }
            (Job::Transact(steps, answer), Ok(mut session)) => {
                let done = session.transact(&steps).await;
                held = keep(session, &done);
                let _ = answer.send(done);
            }
            (Job::Query(sql, texts, answer), Ok(session)) => {
                let found = query(&session.client, &sql, &texts).await.map_err(|error| failure(&error));
                held = keep(session, &found);
                let _ = answer.send(found);
            }
            (Job::Close(_), _) => {}
        }
    }
}

/// What is left of a connection after a job: what failed in ways that have nothing to do with it is not trusted again.
fn keep<T>(session: Session, done: &Result<T, Failure>) -> Option<Session> {
    if matches!(done, Err(Failure::Away(_))) { None } else { Some(session) }
}

async fn query(client: &Client, sql: &str, texts: &[String]) -> Result<Texts, Error> {
    let texts: Vec<_> = texts.iter().map(|text| (text as &(dyn ToSql + Sync), Type::TEXT)).collect();
    let found = client.query_typed(sql, &texts).await?;
    let row =
        |row: tokio_postgres::Row| (0..row.len()).map(|n| row.try_get(n)).collect::<Result<Vec<_>, _>>();
    found.into_iter().map(row).collect()
}

impl Session {
    async fn transact(&mut self, steps: &[Step]) -> Result<Vec<usize>, Failure> {
        let failed = |error: Error| failure(&error);
        if self.statements.len() >= STATEMENTS {
            self.statements.clear();
        }
        // Dropped before its end, it is rolled back.
        let transaction = self.client.transaction().await.map_err(failed)?;
        let mut done = Vec::with_capacity(steps.len());
        for step in steps {
            done.push(match step {
                Step::Run { sql, texts, .. } if texts.is_empty() => {
                    transaction.batch_execute(sql).await.map_err(failed)?;
                    0
                }
                Step::Run { sql, texts, expect } => {
                    let types = vec![Type::TEXT; texts.len()];
                    let statement =
                        ready(&transaction, &mut self.statements, sql, types).await.map_err(failed)?;
                    let texts: Vec<_> = texts.iter().map(|text| text as &(dyn ToSql + Sync)).collect();
                    let changed = transaction.execute(&statement, &texts).await.map_err(failed)?;
                    let changed = usize::try_from(changed).unwrap_or(usize::MAX);
                    if expect.is_some_and(|expected| expected != changed) {
                        return Err(Failure::Lost);
                    }
                    changed
                }
                Step::Rows { upsert, rows, picks } => {
                    insert(&transaction, &mut self.statements, upsert, rows, picks).await.map_err(failed)?;
                    picks.len()
                }
            });
        }
        transaction.commit().await.map_err(failed)?;
        Ok(done)
    }
}

async fn insert(
    transaction: &Transaction<'_>,
    statements: &mut Statements,
    upsert: &Upsert,
    rows: &Rows,
    picks: &[usize],
) -> Result<(), Error> {
    let last = (!upsert.keys.is_empty()).then(|| last_of_each(rows, picks, &upsert.keys));
    let picks = last.as_deref().unwrap_or(picks);
    let columns: Vec<_> = (0..rows.columns().len()).map(|place| Column::new(rows, picks, place)).collect();
    let types = columns.iter().map(Column::array).collect();
    let statement = ready(transaction, statements, &upsert.sql, types).await?;
    let columns: Vec<_> = columns.iter().map(|column| column as &(dyn ToSql + Sync)).collect();
    transaction.execute(&statement, &columns).await.map(drop)
}

async fn ready(
    transaction: &Transaction<'_>,
    statements: &mut Statements,
    sql: &str,
    types: Vec<Type>,
) -> Result<Statement, Error> {
    let key = (sql.to_owned(), types);
    if let Some(statement) = statements.get(&key) {
        return Ok(statement.clone());
    }
    let statement = transaction.prepare_typed(sql, &key.1).await?;
    statements.insert(key, statement.clone());
    Ok(statement)
}
