//! What is opened, and what is said when it cannot be.

use super::World;
use crate::suite::with_causes;
use mape::database::{Database, Error};

#[tokio::test]
async fn what_cannot_be_opened_says_why_and_no_password() {
    let error = Database::open("sqlite:/nowhere/at/all.db").await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }) && error.is_retryable());
    assert!(
        with_causes(&error).starts_with("reaching the database sqlite:/nowhere/at/all.db: unable to open"),
        "{error}"
    );
    let error = Database::open("oracle://scott:tiger@h/d").await.unwrap_err();
    assert!(error.to_string().contains("nobody knows the scheme `oracle:`"), "{error}");
    let error = Database::open("postgres://scott:tiger@127.0.0.1:1/d").await.unwrap_err();
    if cfg!(feature = "postgres") {
        assert!(
            error.is_retryable() && error.to_string().contains("postgres://scott@127.0.0.1:1/d"),
            "{error}"
        );
    } else {
        assert!(error.to_string().contains("build it with the feature `postgres`"), "{error}");
    }
    assert!(!format!("{error:?} {}", with_causes(&error)).contains("tiger"));
}

#[tokio::test]
async fn a_file_that_is_no_database_is_left_alone() {
    let world = World::memory();
    let path = world.directory().path().join("text.db");
    std::fs::write(&path, "this is not a database, and long enough to look at as if it was one").unwrap();
    let error = Database::open(&format!("sqlite:{}", path.display())).await.unwrap_err();
    assert!(error.to_string().contains("not a database"), "{error}");
}

#[tokio::test]
async fn a_closed_database_says_so_to_its_other_handles() {
    let database = World::memory().open().await;
    let table = database.table::<std::collections::BTreeMap<String, u8>>("t").create();
    database.clone().close().await;
    let error = table.write(&[[("a".to_owned(), 1)].into()]).await.unwrap_err();
    assert!(error.to_string().ends_with("it was closed"), "{error}");
}
