//! Tasks that come with the engine: waits, HTTP requests, programs, files, people.
//!
//! [`Builtin`] holds what they may do, and makes them. What each does and all of its parameters are in the
//! [guide](crate::guide::tasks).
//!
//! A wait is durable without being written down anywhere: when it began and what its parameters are is in the history
//! of the run, and from that it is waited on, by whatever engine has the run in hand.

mod answer;
mod approve;
mod builtin;
mod countdown;
mod delay;
mod event;
mod hub;
mod latch;
mod latches;
mod parameters;
mod patience;
mod waiting;

pub use builtin::Builtin;
pub use waiting::{Waiting, WaitsFor};

pub(super) use answer::{answered, laid_over, own_parameters};
pub(super) use latches::forget;
