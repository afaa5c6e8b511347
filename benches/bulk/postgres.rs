//! `PostgreSQL` by hand: arrays of columns with `unnest`, and `COPY`, in transactions of the same size.
#![allow(clippy::print_stderr, reason = "it says what is missing")]

use super::ours::{Batches, Bulk};
use super::row::{BATCH, COLUMNS, ROWS, Row, Turns};
use mape_benches::{Comparison, PostgresServer, Run};
use std::fmt::Write as _;
use std::sync::Arc;
use tokio::sync::Mutex;
use tokio_postgres::{Client, NoTls};

const CASES: [&str; 5] =
    ["postgres_log", "postgres_log_upsert", "postgres_write", "postgres_write_upsert", "postgres_log_copy"];

pub(super) async fn measure(comparison: &mut Comparison) {
    if !comparison.selects(&CASES) {
        return;
    }
    if !PostgresServer::is_installed() {
        eprintln!("PostgreSQL is not installed: its cases are left out (the package postgresql has it)");
        return;
    }
    let server = PostgresServer::start();
    let rows = Turns::new();
    for case in CASES {
        if !comparison.selects(&[case]) {
            continue;
        }
        let upsert = case.ends_with("_upsert");
        let url = server.database();
        let hand = Postgres::open(&server.database(), upsert, case.ends_with("_copy")).await;
        let by_hand = async || Run::of(ROWS, hand.write(&rows.next())).await.wall_only();
        if case.contains("_log") {
            let bulk = Bulk::start(&url, upsert, &rows).await;
            let aim = if case.ends_with("_copy") { "" } else { ">= 0.8" };
            comparison.rates(case, aim, async || bulk.run().await, by_hand).await;
        } else {
            let batches = Batches::open(&url, upsert).await;
            let own = Turns::new();
            let ours = async || Run::of(ROWS, batches.write(&own.next())).await.wall_only();
            comparison.rates(case, ">= 0.8", ours, by_hand).await;
        }
    }
}

struct Postgres {
    client: Arc<Mutex<Client>>,
    sql: String,
    copy: bool,
}

impl Postgres {
    async fn open(url: &str, upsert: bool, copy: bool) -> Self {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        tokio::spawn(connection);
        let key = if upsert { ", PRIMARY KEY (id)" } else { "" };
        let types =
            "id bigint, post text, author text, text text, interested boolean, score double precision";
        client.batch_execute(&format!("CREATE TABLE comments ({types}{key})")).await.unwrap();
        let columns = COLUMNS.join(", ");
        let arrays = "$1::bigint[], $2::text[], $3::text[], $4::text[], $5::boolean[], $6::float8[]";
        let mut sql = format!("INSERT INTO comments ({columns}) SELECT * FROM unnest({arrays})");
        if upsert {
            let set: Vec<_> =
                COLUMNS[1..].iter().map(|column| format!("{column} = excluded.{column}")).collect();
            sql += &format!(" ON CONFLICT (id) DO UPDATE SET {}", set.join(", "));
        }
        Self { client: Arc::new(Mutex::new(client)), sql, copy }
    }

    fn write(&self, rows: &Arc<Vec<Row>>) -> impl Future<Output = ()> + Send + use<> {
        let (client, rows, sql, copies) = (self.client.clone(), rows.clone(), self.sql.clone(), self.copy);
        async move {
            let mut client = client.lock().await;
            if copies {
                copy(&mut client, &rows).await;
            } else {
                unnest(&mut client, &sql, &rows).await;
            }
        }
    }
}

async fn unnest(client: &mut Client, sql: &str, rows: &[Row]) {
    let insert = client.prepare(sql).await.unwrap();
    for batch in rows.chunks(BATCH) {
        let transaction = client.transaction().await.unwrap();
        let id: Vec<_> = batch.iter().map(|row| i64::try_from(row.id).unwrap()).collect();
        let post: Vec<_> = batch.iter().map(|row| &*row.post).collect();
        let author: Vec<_> = batch.iter().map(|row| &*row.author).collect();
        let text: Vec<_> = batch.iter().map(|row| &*row.text).collect();
        let interested: Vec<_> = batch.iter().map(|row| row.interested).collect();
        let score: Vec<_> = batch.iter().map(|row| row.score).collect();
        transaction.execute(&insert, &[&id, &post, &author, &text, &interested, &score]).await.unwrap();
        transaction.commit().await.unwrap();
    }
}

async fn copy(client: &mut Client, rows: &[Row]) {
    let sql = format!("COPY comments ({}) FROM STDIN", COLUMNS.join(", "));
    for batch in rows.chunks(BATCH) {
        let transaction = client.transaction().await.unwrap();
        let mut sink = Box::pin(transaction.copy_in::<_, bytes::Bytes>(&sql).await.unwrap());
        let mut text = String::with_capacity(batch.len() * 160);
        for Row { id, post, author, text: said, interested, score } in batch {
            // Nothing in them has to be escaped.
            writeln!(text, "{id}\t{post}\t{author}\t{said}\t{interested}\t{score}").unwrap();
        }
        futures::SinkExt::send(&mut sink, bytes::Bytes::from(text)).await.unwrap();
        sink.as_mut().finish().await.unwrap();
        transaction.commit().await.unwrap();
    }
}
