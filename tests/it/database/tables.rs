//! What every database does with a table, without a log.

use super::World;
use mape::database::Error;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

macro_rules! suite {
    ($database:ident, $world:expr) => {
        crate::suite::tests_of! { $database, $world, (), database::tables:
            rows_are_written_as_what_they_are,
            a_batch_that_is_written_again_changes_nothing,
            a_batch_may_have_the_same_key_twice,
            a_refused_row_is_named_and_nothing_is_written,
            what_the_rows_lack_or_have_too_much_is_named,
            a_key_that_is_none_is_named,
            names_may_be_anything,
            columns_that_come_later_are_taken,
            names_are_the_same_column_where_they_are_to_the_database,
            a_missing_table_is_named_unless_it_is_to_be_made,
        }
    };
}
pub(crate) use suite;

#[derive(Clone, Serialize, Deserialize)]
struct Order {
    id: u64,
    who: Option<String>,
    cups: i16,
    price: f64,
    paid: bool,
    extras: Vec<String>,
}

fn order(id: u64) -> Order {
    Order {
        id,
        who: Some(format!("guest \"{id}\" ü")),
        cups: -3,
        price: 2.5,
        paid: true,
        extras: vec!["milk".into()],
    }
}

pub(crate) async fn rows_are_written_as_what_they_are(world: World) {
    let orders = world.open().await.table::<Order>("orders").key(["id"]).create();
    orders
        .write(&[order(1), Order { who: None, extras: Vec::new(), paid: false, ..order(2) }])
        .await
        .unwrap();
    let (yes, no) = if world.is_postgres() { ("t", "f") } else { ("1", "0") };
    assert_eq!(
        world.query("SELECT id, who, cups, price, paid, extras FROM orders ORDER BY id"),
        [format!("1|guest \"1\" ü|-3|2.5|{yes}|[\"milk\"]"), format!("2||-3|2.5|{no}|[]"),]
    );
    orders.write(&[]).await.unwrap();
    let more: Vec<_> = (0..5000).map(order).collect();
    orders.write(&more).await.unwrap();
    assert_eq!(world.query("SELECT count(*), sum(cups), count(who) FROM orders"), ["5000|-15000|5000"]);
}

pub(crate) async fn a_batch_that_is_written_again_changes_nothing(world: World) {
    let orders = world.open().await.table::<Order>("orders").key(["id"]).create();
    let batch: Vec<_> = (0..10).map(order).collect();
    orders.write(&batch).await.unwrap();
    let before = world.query("SELECT * FROM orders ORDER BY id");
    orders.write(&batch).await.unwrap();
    assert_eq!(world.query("SELECT * FROM orders ORDER BY id"), before);
    // What the rows do not have stays.
    world.execute("ALTER TABLE orders ADD COLUMN note TEXT; UPDATE orders SET note = 'kept'");
    orders.write(&[Order { cups: 7, ..order(3) }]).await.unwrap();
    assert_eq!(world.query("SELECT cups, note FROM orders WHERE id = 3"), ["7|kept"]);
}

pub(crate) async fn a_batch_may_have_the_same_key_twice(world: World) {
    let orders = world.open().await.table::<Order>("orders").key(["id"]).create();
    let batch: Vec<_> = [(1, 1), (2, 1), (1, 2), (1, 3)].map(|(id, cups)| Order { cups, ..order(id) }).into();
    orders.write(&batch).await.unwrap();
    assert_eq!(world.query("SELECT id, cups FROM orders ORDER BY id"), ["1|3", "2|1"]);
}

pub(crate) async fn a_refused_row_is_named_and_nothing_is_written(world: World) {
    world.execute("CREATE TABLE orders (id BIGINT PRIMARY KEY, cups BIGINT CHECK (cups < 10))");
    let orders = world.open().await.table::<BTreeMap<String, u64>>("orders");
    let row = |id, cups| BTreeMap::from([("id".to_owned(), id), ("cups".to_owned(), cups)]);
    let error = orders.write(&[row(1, 1), row(2, 10), row(3, 1)]).await.unwrap_err();
    assert!(
        matches!(&error, Error::Refused { row, .. } if *row == (!world.is_postgres()).then_some(1)),
        "{error}"
    );
    assert!(error.to_string().contains("check") || error.to_string().contains("CHECK"), "{error}");
    let error = orders.write(&[row(1, 1), row(1, 1)]).await.unwrap_err();
    assert!(matches!(&error, Error::Refused { .. }) && !error.is_retryable(), "{error}");
    let error = orders.write(&[row(1, 1), row(2, u64::MAX)]).await.unwrap_err();
    assert!(matches!(&error, Error::Refused { row: Some(1), .. }), "{error}");
    assert_eq!(world.query("SELECT count(*) FROM orders"), ["0"]);
    orders.write(&[row(1, 1)]).await.unwrap();
}

pub(crate) async fn what_the_rows_lack_or_have_too_much_is_named(world: World) {
    world.execute("CREATE TABLE orders (id BIGINT PRIMARY KEY, customer TEXT NOT NULL, cup BIGINT)");
    let database = world.open().await;
    let error = database.table("orders").write(&[json!({"id": 1, "cups": 2})]).await.unwrap_err();
    assert!(matches!(error, Error::Table { .. }));
    let expected = "it has no column `cups` (did you mean `cup`?); it has id, customer, cup";
    assert!(error.to_string().ends_with(expected), "{error}");
    let error = database.table("orders").write(&[json!({"id": 1})]).await.unwrap_err();
    assert!(error.to_string().contains("it needs a value for `customer`"), "{error}");
    let refused = database.table("orders").write(&[json!({"id": 1, "customer": "me"}), json!([1])]).await;
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .ends_with("row 1 is refused: a list is no row; a row is a struct, whose fields are its columns")
    );
}

pub(crate) async fn a_key_that_is_none_is_named(world: World) {
    world.execute("CREATE TABLE orders (id BIGINT PRIMARY KEY, cups BIGINT)");
    let database = world.open().await;
    let write = async |key: &str| {
        let orders = database.table::<BTreeMap<&str, u8>>("orders").key([key]);
        orders.write(&[BTreeMap::from([("id", 1), ("cups", 2)])]).await.unwrap_err().to_string()
    };
    let error = write("who").await;
    assert!(error.ends_with("the key `who` is no field of the rows; they have cups, id"), "{error}");
    let error = write("cups").await;
    assert!(error.contains("ON CONFLICT"), "{error}");
}

pub(crate) async fn names_may_be_anything(world: World) {
    let name = "my \"orders\"; DROP TABLE x; --";
    let table = world.open().await.table(name).key(["the \"id\""]).create();
    for cups in [1, 2] {
        table.write(&[json!({"the \"id\"": "'; --", "select": cups, "ünï": null})]).await.unwrap();
    }
    assert_eq!(
        world.query(
            "SELECT \"the \"\"id\"\"\", \"select\", \"ünï\" FROM \"my \"\"orders\"\"; DROP TABLE x; --\""
        ),
        ["'; --|2|"]
    );
}

pub(crate) async fn columns_that_come_later_are_taken(world: World) {
    world.execute("CREATE TABLE orders (id BIGINT, cups BIGINT)");
    let orders = world.open().await.table("orders");
    orders.write(&[json!({"id": 1})]).await.unwrap();
    orders.write(&[json!({"id": 2}), json!({"cups": 5, "id": 3})]).await.unwrap();
    let error = orders.write(&[json!({"id": 4}), json!({"id": 5, "idd": 1})]).await.unwrap_err();
    assert!(error.to_string().contains("row 1 is refused: the table has no column `idd`"), "{error}");
    assert_eq!(world.query("SELECT id, cups FROM orders ORDER BY id"), ["1|", "2|", "3|5"]);
}

pub(crate) async fn names_are_the_same_column_where_they_are_to_the_database(world: World) {
    world.execute("CREATE TABLE orders (id BIGINT, cups BIGINT)");
    let orders = world.open().await.table("orders");
    orders.write(&[json!({"id": 1})]).await.unwrap();
    let written = orders.write(&[json!({"ID": 2, "Cups": 5}), json!({"cups": 6, "id": 3})]).await;
    if world.is_postgres() {
        let error = written.unwrap_err().to_string();
        assert!(error.contains("the table has no column `Cups`; did you mean `cups`?"), "{error}");
    } else {
        written.unwrap();
        assert_eq!(world.query("SELECT id, cups FROM orders ORDER BY id"), ["1|", "2|5", "3|6"]);
    }
}

pub(crate) async fn a_missing_table_is_named_unless_it_is_to_be_made(world: World) {
    let database = world.open().await;
    let error = database.table("orders").write(&[json!({"id": 1})]).await.unwrap_err();
    assert!(
        error.to_string().contains("writing to the table `orders`") || error.to_string().contains("`orders`"),
        "{error}"
    );
    assert!(error.to_string().contains("there is no such table"), "{error}");
    // Two at the same time make one.
    let (one, other) = (world.open().await, world.open().await);
    let (rows, more) = ([json!({"id": 1})], [json!({"id": 2})]);
    let (one, other) = (one.table("orders").create(), other.table("orders").create());
    let (a, b) = tokio::join!(one.write(&rows), other.write(&more));
    a.unwrap();
    b.unwrap();
    assert_eq!(world.query("SELECT id FROM orders ORDER BY id"), ["1", "2"]);
}
