//! `SQLite` by hand, as well as it goes: prepared statements, transactions of the same size, the same settings.

use super::row::{BATCH, COLUMNS, Row};
use rusqlite::{Connection, params};
use std::path::Path;
use std::sync::{Arc, Mutex};

pub(super) struct Sqlite {
    connection: Arc<Mutex<Connection>>,
    sql: String,
}

impl Sqlite {
    pub(super) fn open(path: &Path, upsert: bool) -> Self {
        let connection = Connection::open(path).unwrap();
        connection.pragma_update(None, "journal_mode", "WAL").unwrap();
        connection.pragma_update(None, "synchronous", "FULL").unwrap();
        let key = if upsert { ", PRIMARY KEY (id)" } else { "" };
        let types = "id INTEGER, post TEXT, author TEXT, text TEXT, interested INTEGER, score REAL";
        connection.execute_batch(&format!("CREATE TABLE comments ({types}{key})")).unwrap();
        let mut sql =
            format!("INSERT INTO comments ({}) VALUES (?1, ?2, ?3, ?4, ?5, ?6)", COLUMNS.join(", "));
        if upsert {
            let set: Vec<_> =
                COLUMNS[1..].iter().map(|column| format!("{column} = excluded.{column}")).collect();
            sql = format!("{sql} ON CONFLICT (id) DO UPDATE SET {}", set.join(", "));
        }
        Self { connection: Arc::new(Mutex::new(connection)), sql }
    }

    pub(super) fn write(&mut self, rows: &Arc<Vec<Row>>) -> impl Future<Output = ()> + Send + use<> {
        let (connection, rows, sql) = (self.connection.clone(), rows.clone(), self.sql.clone());
        async move {
            let mut connection = connection.lock().unwrap();
            for batch in rows.chunks(BATCH) {
                let transaction = connection.transaction().unwrap();
                let mut insert = transaction.prepare_cached(&sql).unwrap();
                for row in batch {
                    let Row { id, post, author, text, interested, score } = row;
                    insert
                        .execute(params![i64::try_from(*id).unwrap(), post, author, text, interested, score])
                        .unwrap();
                }
                drop(insert);
                transaction.commit().unwrap();
            }
        }
    }
}

/// How many rows there are.
pub(super) fn count(path: &Path) -> u64 {
    let connection = Connection::open(path).unwrap();
    let count: i64 = connection.query_row("SELECT count(*) FROM comments", [], |row| row.get(0)).unwrap();
    u64::try_from(count).unwrap()
}
