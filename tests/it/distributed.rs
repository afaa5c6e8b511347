//! Runs on a server: in the form of littleflow, turned by several engines, worked on elsewhere.

mod announced;
mod compatible;
#[cfg(all(feature = "cli", feature = "http-client", unix))]
mod durable;
#[cfg(all(feature = "cli", unix))]
mod faults;
mod foreign;
mod form;
pub(crate) mod hand;
#[cfg(all(feature = "cli", unix))]
mod processes;
mod sharing;
#[cfg(all(feature = "cli", feature = "http", unix))]
mod upgrade;
