//! What is special to `PostgreSQL`.

use super::World;
use super::bulk::{append, buried, log, start, take};
use crate::server::{PostgresServer, Proxy, psql};
use crate::suite::eventually;
use futures::StreamExt;
use mape::database::{BulkWriter, Database};
use mape::event::Event;
use serde::Serialize;
use serde_json::json;
use std::time::Duration;
use tokio::time::timeout;

#[derive(Serialize)]
struct Everything {
    id: u64,
    at: &'static str,
    uuid: Option<&'static str>,
    price: f64,
    mixed: serde_json::Value,
    short: &'static str,
    small: i64,
    doc: serde_json::Value,
}

fn everything(id: u64) -> Everything {
    Everything {
        id,
        at: "2026-11-26T09:15:53Z",
        uuid: Some("6f9619ff-8b86-d011-b42d-00c04fc964ff"),
        price: 0.1,
        mixed: json!(1),
        short: "abc",
        small: 3,
        doc: json!({"a": [1]}),
    }
}

#[tokio::test]
async fn a_value_is_cast_to_the_type_of_its_column() {
    let world = World::postgres();
    world.execute(
        "CREATE SCHEMA shop; CREATE TABLE shop.things (id INT PRIMARY KEY, at TIMESTAMPTZ, uuid UUID, price NUMERIC, \
         mixed TEXT, short VARCHAR(3), small SMALLINT, doc JSONB, fixed CHAR(4) DEFAULT 'x', id2 BIGINT GENERATED ALWAYS AS IDENTITY)",
    );
    let things = world.open().await.table::<Everything>("shop.things").key(["id"]);
    let others = Everything { uuid: None, mixed: json!("x"), ..everything(2) };
    let more = Everything { mixed: json!(true), doc: json!(null), ..everything(3) };
    things.write(&[everything(1), others, more]).await.unwrap();
    assert_eq!(
        world.query("SET timezone = 'UTC'; SELECT id, at, uuid, price, mixed, short, small, doc->'a'->0 FROM shop.things ORDER BY id"),
        [
            "1|2026-11-26 09:15:53+00|6f9619ff-8b86-d011-b42d-00c04fc964ff|0.1|1|abc|3|1",
            "2|2026-11-26 09:15:53+00||0.1|x|abc|3|1",
            "3|2026-11-26 09:15:53+00|6f9619ff-8b86-d011-b42d-00c04fc964ff|0.1|true|abc|3|",
        ]
    );
    // What does not fit is refused, and never cut.
    for (wrong, why) in [
        (Everything { short: "abcd", ..everything(4) }, "too long"),
        (Everything { small: 40_000, ..everything(4) }, "out of range"),
        (Everything { uuid: Some("no"), ..everything(4) }, "invalid input syntax"),
        (Everything { short: "a\0", ..everything(4) }, "invalid byte sequence"),
    ] {
        let error = things.write(&[wrong]).await.unwrap_err();
        assert!(
            matches!(error, mape::database::Error::Refused { .. }) && error.to_string().contains(why),
            "{error}"
        );
    }
}

#[tokio::test]
async fn an_outage_is_sat_out_and_every_row_is_there_once() {
    let mut server = PostgresServer::start();
    let world = World { url: server.database(), ..World::memory() };
    let table = world.open().await.table("orders").create();
    let mut source = start(&world, table).await;
    append(&world, 0..100).await;
    take(&mut source, 100).await;
    for round in 1..4 {
        server.kill_9();
        append(&world, round * 100..round * 100 + 100).await;
        let retried = source.stats().retries();
        eventually("it is tried again", async || source.stats().retries() > retried + 1).await;
        server.restart();
        let mut seen = std::collections::BTreeSet::new();
        while seen.len() < 100 {
            let order = timeout(Duration::from_secs(20), source.next()).await.unwrap().unwrap();
            seen.extend((order.n >= round * 100).then_some(order.n));
        }
    }
    let rows = world.query("SELECT n FROM orders ORDER BY n");
    assert!(rows.into_iter().eq((0..400).map(|n| n.to_string())));
}

#[tokio::test]
async fn connections_that_are_cut_while_it_commits_neither_lose_nor_double() {
    let server = PostgresServer::shared();
    let direct = server.database();
    let proxy = Proxy::to(server.port(), &direct);
    let through = direct.replace(&format!(":{}/", server.port()), &format!(":{}/", proxy.port()));
    let world = World { url: direct, ..World::memory() };
    let table = Database::open(&format!("{through}?sslmode=disable")).await.unwrap().table("orders").create();
    let mut source = start(&world, table).await;
    let writing = async {
        for n in 0..300 {
            append(&world, n * 10..n * 10 + 10).await;
            if n % 10 == 9 {
                proxy.cut();
            }
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
    };
    let reading = async {
        let mut seen = std::collections::BTreeSet::new();
        while seen.len() < 3000 {
            let order = timeout(Duration::from_secs(20), source.next()).await.expect("all comes").unwrap();
            seen.insert(order.n);
        }
    };
    tokio::join!(writing, reading);
    let rows = world.query("SELECT n FROM orders ORDER BY n");
    assert!(rows.into_iter().eq((0..3000).map(|n| n.to_string())));
    assert!(source.stats().retries() > 0);
}

#[tokio::test]
async fn what_is_committed_after_the_connection_was_cut_comes_out_all_the_same() {
    let server = PostgresServer::shared();
    let direct = server.database();
    let proxy = Proxy::to(server.port(), &direct);
    let through = direct.replace(&format!(":{}/", server.port()), &format!(":{}/", proxy.port()));
    let world = World { url: direct, ..World::memory() };
    // A commit that takes its time.
    world.execute(
        "CREATE TABLE orders (n BIGINT, text TEXT); \
         CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(2); RETURN NULL; END'; \
         CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON orders DEFERRABLE INITIALLY DEFERRED \
         FOR EACH ROW WHEN (NEW.n = 5) EXECUTE FUNCTION slow()",
    );
    let table = Database::open(&format!("{through}?sslmode=disable")).await.unwrap().table("orders");
    let mut source = start(&world, table).await;
    append(&world, 0..10).await;
    let committing =
        "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()";
    eventually("it commits", async || !world.query(committing).is_empty()).await;
    proxy.cut();
    let written = take(&mut source, 10).await;
    assert!(written.iter().map(|order| order.n).eq(0..10));
    assert_eq!(world.query("SELECT count(*), count(DISTINCT n) FROM orders"), ["10|10"]);
}

#[tokio::test]
async fn a_value_that_cannot_be_cast_is_buried_alone() {
    let world = World::postgres();
    world.execute("CREATE TABLE visits (n BIGINT, at TIMESTAMPTZ)");
    let table = world.open().await.table::<serde_json::Value>("visits");
    let mut source = BulkWriter::new("shop", &world.backend, "orders", &table).start().await.unwrap();
    let visit = |n| Event::default().with("n", n);
    let at = "2026-11-26T09:15:53Z";
    let visits = vec![visit(1).with("at", at), visit(2).with("at", true), visit(3).with("at", at)];
    log(&world).append_all(visits).await.unwrap();
    let written =
        timeout(Duration::from_secs(20), source.by_ref().take(2).collect::<Vec<_>>()).await.unwrap();
    assert!(written.iter().map(|visit| visit["n"].as_u64()).eq([Some(1), Some(3)]));
    eventually("the other is buried", async || !buried(&world).await.is_empty()).await;
    let letters = buried(&world).await;
    assert!(letters.len() == 1 && letters[0].1.contains("cannot cast type boolean"), "{letters:?}");
    assert_eq!(world.query("SELECT n FROM visits ORDER BY n"), ["1", "3"]);
}

#[tokio::test]
async fn whom_it_does_not_trust_it_tells_nothing() {
    let server = PostgresServer::secured();
    let url = server.database();
    let database = Database::open(&format!("{url}?sslmode=require")).await;
    let error = database.unwrap_err().to_string();
    assert!(error.contains("trust its authority by `?sslrootcert=FILE`"), "{error}");
    let trusted = format!("{url}?sslmode=verify-full&sslrootcert={}", server.ca_file().display());
    let table = Database::open(&trusted).await.unwrap().table("t").create();
    table.write(&[json!({"a": 1})]).await.unwrap();
    assert_eq!(psql(&url, "SELECT a FROM t"), ["1"]);
}
