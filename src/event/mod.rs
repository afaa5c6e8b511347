//! The durable log: events in order, read by groups, each acknowledged when it is done.
//!
//! # Delivery
//!
//! At least once, to one consumer of each group. What a consumer that died or fell silent left behind goes to another
//! when its lease has ended; what fails again and again goes to the dead letters.

mod error;
#[expect(clippy::module_inception, reason = "the main type of this module")]
mod event;
mod id;
mod log;
mod name;

pub use error::Error;
pub use event::Event;
pub use id::{EventId, NoEventId};
pub use log::{Delivered, Entry, EventLog, GroupInfo, LogInfo, Malformed, Pending, Retention};
pub use name::{Consumer, ConsumerName, GroupName, LogName};
