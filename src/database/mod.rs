//! Bulk writing to a database: batches, upserts, and a cursor that is committed with what it counts.
//!
//! A [`Database`] is opened by a URL, a [`Table`] writes rows of one type of yours. [`Table::write`] writes a batch in one
//! transaction, for whoever has one in hand, such as a worker of a queue; with [key columns](Table::key) it is an upsert,
//! so a batch that is written again changes nothing. A [`BulkWriter`] follows a log instead: what is in the log is in the
//! table, every event as one row, whatever is killed at which moment.
//!
//! ```
//! use mape::backend::Backend;
//! use mape::database::{BulkWriter, Database};
//! use mape::event::Event;
//! use mape::prelude::*;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Clone, Serialize, Deserialize)]
//! struct Order {
//!     id: u64,
//!     cups: u32,
//! }
//!
//! # #[tokio::main] async fn main() -> Result<(), BoxError> {
//! let (backend, database) = (Backend::memory(), Database::open("sqlite::memory:").await?);
//! let orders = database.table::<Order>("orders").key(["id"]).create();
//!
//! // What is in the log goes to the table …
//! let mut written = BulkWriter::new("shop", &backend, "orders", &orders).start().await?;
//! backend.events().log("orders").append(Event::new("order").with("id", 7).with("cups", 2)).await?;
//!
//! // … and comes out when it is there.
//! let order = written.next().await.unwrap();
//! assert_eq!((order.cups, order.is_again()), (2, false));
//! # Ok(()) }
//! ```
//!
//! # Databases
//!
//! | URL | |
//! |---|---|
//! | `sqlite:PATH` | a file, made if it does not exist, in WAL mode; a commit is on disk (`synchronous=FULL`), or with `?synchronous=normal` safe from a crash of the program only |
//! | `sqlite::memory:` | gone with its last handle |
//! | `postgres://USER:PASSWORD@HOST/DATABASE` | `PostgreSQL`, with the feature `postgres`; as libpq reads it, with `?sslmode=` and `?sslrootcert=FILE` |
//!
//! # Delivery
//!
//! A row and the cursor behind it are one transaction, which happens only if the cursor is where this writer has left
//! it: every event is one row, exactly once, with any number of writers of one name. What comes out of
//! [`BulkWriter`] comes after its commit, and at least once: a second place in the cursor says how far it has been passed
//! on, and what lies between the two after a crash comes out again, marked so.
//!
//! What is no row (another type, a constraint, a number that is none) goes to the log's
//! [dead letters](crate::event::Log::dead_letters) with the reason, once; the others of its batch are written.

mod bulk_writer;
mod collector;
mod cursor;
#[expect(clippy::module_inception, reason = "the main type of this module")]
mod database;
mod dead_letters;
mod engine;
mod error;
mod example;
mod field;
pub(crate) mod metered;
mod passing;
#[cfg(feature = "postgres")]
mod postgres;
mod rows;
mod shape;
mod sql;
mod sqlite;
mod stats;
mod table;
mod url;
mod writer;
mod written;

pub use bulk_writer::BulkWriter;
pub use database::Database;
pub use error::Error;
pub use stats::BulkStats;
pub use table::Table;
pub use written::{Written, WrittenSource};
