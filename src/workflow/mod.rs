//! Workflows: flows that run, durably.
//!
//! TODO

mod advance;
mod cause;
mod command;
mod definition;
mod duration;
mod input;
mod iteration;
mod place;
mod policy;
mod restart;
mod slot;
mod stall;
mod state;
mod status;
mod step;
mod time;

pub use cause::{Cause, Failed, Outcome};
pub use command::Command;
pub use definition::{Definition, LOAD, STORE, WrongPolicy};
pub use duration::duration;
pub use place::Place;
pub use policy::{Concurrency, ItemFailure, Iterate, Policy, PolicyError, Retry};
pub use slot::Phase;
pub use state::State;
pub use status::{Failure, Status};
pub use step::{Unchanged, step};
pub use time::Time;
