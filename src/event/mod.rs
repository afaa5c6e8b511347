//! The durable log: events in order, read by groups, each acknowledged when it is done.
//!
//! A [`Log`] is appended to, by itself or through an [`EventSink`], and read by [`Group`]s: an [`EventSource`] is one
//! consumer of a group, a stream of [`Delivery`]s. A backend keeps it ([`EventLog`]); the same program runs on any of
//! them. On Redis a log is a stream in the form of the Python package `rqse`, so its programs read and write the same.
//!
//! ```
//! use futures::{SinkExt, StreamExt};
//! use mape::backend::Backend;
//! use mape::event::Event;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Order {
//!     cups: u32,
//! }
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), mape::event::Error> {
//! let orders = Backend::memory().events().log("orders");
//! orders.sink::<Order>("order").send(Order { cups: 2 }).await?;
//!
//! let mut baristas = orders.group("baristas").select(["order"]).source::<Order>().await?;
//! let order = baristas.next().await.unwrap()?;
//! assert_eq!((order.cups, order.attempt()), (2, 1));
//! order.acknowledge(); // not before it is done
//! # Ok(()) }
//! ```
//!
//! # Delivery
//!
//! At least once, to one consumer of each group, in order as far as nothing fails. A consumer has a lease on what it
//! was given, renewed as long as it lives; what one that died or fell silent left behind goes to another when the lease
//! has ended. What fails again and again goes to the dead letters (the log `NAME:dead`) with the reason. Exactly once is
//! had by doing the work and the acknowledgement in one [`Transaction`](crate::knowledge::Transaction).

mod dead;
mod delivery;
mod error;
#[expect(clippy::module_inception, reason = "the main type of this module")]
mod event;
mod event_log;
mod events;
mod fetch;
mod fields;
mod group;
mod id;
mod keeper;
mod log;
pub(crate) mod metered;
mod name;
mod receipts;
mod sink;
mod source;

pub(crate) use dead::dead_letter;
pub use delivery::Delivery;
pub use error::Error;
pub use event::Event;
pub use event_log::{
    ConsumerInfo, Delivered, Entry, EventLog, GroupInfo, LogInfo, Malformed, Pending, Retention, Settling,
};
pub use events::Events;
pub use group::Group;
pub use id::{EventId, NoEventId};
pub use log::Log;
pub use name::{Consumer, ConsumerName, GroupName, LogName};
pub use receipts::{Receipt, ReceiptBatch, Receipts};
pub use sink::{EventSink, EventSinkStats};
pub use source::EventSource;
