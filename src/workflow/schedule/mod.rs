//! Runs that begin by the clock.
//!
//! [`Schedules`] keeps them and makes their runs; [`Cron`] says when, a [`Schedule`] what.

mod cron;
#[expect(clippy::module_inception, reason = "it holds `Schedule`")]
mod schedule;
mod schedules;

pub use cron::{Cron, NoCron};
pub use schedule::{Missed, Schedule};
pub use schedules::Schedules;
