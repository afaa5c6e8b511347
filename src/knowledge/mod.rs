//! Shared facts: typed collections that loops, levels and programs have in common, and that can be watched.
//!
//! A [`Knowledge`] handle belongs to a [`Scope`] (app, level or loop) and makes typed collections by name. They are
//! views over a [`Store`], which a backend provides; the same program runs on any of them.
//!
//! ```
//! use futures::StreamExt;
//! use mape::backend::Backend;
//! use mape::knowledge::{Filter, Knowledge, Notice, Operation, Scope};
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), mape::knowledge::Error> {
//! let backend = Backend::memory();
//! let k = Knowledge::new(backend.store(), Scope::App);
//!
//! let cars = k.set::<String>("cars");
//! let mut changes = k.watch(Filter::key("cars").operations([Operation::Sadd, Operation::Srem])).await?;
//! cars.add("panda").await?;
//! assert_eq!(cars.len().await?, 1);
//!
//! let Some(Notice::Change(change)) = changes.next().await else { panic!("no change") };
//! assert_eq!((change.key.as_str(), change.operation), ("k.app.cars", Operation::Sadd));
//! # Ok(()) }
//! ```
//!
//! # What is kept
//!
//! The names of keys (`k.app.`, `k.level.<uid>.`, `k.loop.<uid>.`) and the kinds of collections are those of `PyMAPE`
//! on Redis, so that both can share knowledge: text and bytes as they are, everything else as JSON ([`Fact`]).
//! Names beginning with a loop's or level's uid are not escaped: a uid should have no `.`.
//!
//! # Together
//!
//! Every operation is atomic. What has to hold together goes through [`Value::update`], [`Hash::update`] or a
//! [`Transaction`]; what only one may do at a time through a [`Lock`].
//!
//! # Delivery
//!
//! Operations answer once they are done. A watcher is told of every change in order for each key, as long as it keeps
//! up; otherwise it is told how many it missed and should read the collection again. Writers never wait for watchers.

#[macro_use]
mod place;

mod change;
mod codec;
mod command;
mod data;
mod error;
mod hash;
mod key;
mod keyspace;
mod kind;
mod list;
mod local;
mod lock;
mod native;
mod on_change;
mod queue;
mod raw;
mod reply;
mod scope;
mod score;
mod set;
mod sorted_set;
mod store;
mod transaction;
mod typed;
mod value;
mod version;
mod watch;

pub use change::{Change, Notice, Operation, UnknownOperation};
pub use codec::Fact;
pub use command::{
    Command, End, HashCommand, Items, KeyCommand, ListCommand, SetCommand, SortedCommand, ValueCommand,
};
pub use data::Data;
pub use error::{Conflict, Error};
pub use hash::Hash;
pub use key::Key;
pub use keyspace::Keyspace;
pub use kind::Kind;
pub use list::List;
pub use local::Local;
pub use lock::{Lock, LockGuard};
pub use native::{Native, NativeArg, NativeCommand, NativeTraits};
pub use on_change::OnChange;
pub use queue::{PriorityQueue, Queue, Stack};
pub use reply::Reply;
pub use scope::{Knowledge, Scope};
pub use set::Set;
pub use sorted_set::SortedSet;
pub use store::{Cursor, Page, Pop, Popped, Store};
pub use transaction::{Committed, Condition, LogStep, Transaction};
pub use typed::{TypedChange, TypedChanges};
pub use value::Value;
pub use version::Version;
pub use watch::{ChangeSender, Changes, Filter, Keys};
